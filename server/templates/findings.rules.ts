import type { Liquid, Template } from 'liquidjs';
import type { TemplateProblem } from '../../contract/templates.ts';
import { authorEngine, faultOf, limits, plainEngine } from './engine.rules.ts';
import { tokensOf } from './placeholders.rules.ts';
import { impossible, variablesOf } from './variables.rules.ts';
import type { CompiledVariable, VariableUse } from './variables.rules.ts';

export interface Compilation<Compiled> {
  /** Absent when a problem is an error. */
  readonly compiled?: Compiled;
  readonly variables: readonly CompiledVariable[];
  readonly problems: readonly TemplateProblem[];
}

/** Collects what is wrong while the parts go through. */
export interface Findings {
  readonly problems: TemplateProblem[];
  readonly uses: VariableUse[];
  error(where: string, line: number | null, message: string): void;
  warn(where: string, line: number | null, message: string): void;
}

export function createFindings(): Findings {
  const problems: TemplateProblem[] = [];
  const add = (severity: 'error' | 'warning') => (where: string, line: number | null, message: string) => {
    if (!problems.some((one) => one.where === where && one.line === line && one.message === message))
      problems.push({ severity, where, line, message });
  };
  return { problems, uses: [], error: add('error'), warn: add('warning') };
}

/** Checks the Liquid of one part as its author wrote it, so that lines are theirs. */
export function checkLiquid(where: string, source: string, findings: Findings): boolean {
  try {
    if (tokensOf(source).length > limits.pieces * 2) {
      findings.error(where, null, `has more than ${limits.pieces} pieces of Liquid`);
      return false;
    }
    const uses = variablesOf(authorEngine.parse(source));
    findings.uses.push(...uses);
    for (const use of uses) {
      const why = impossible(use.name);
      if (why !== undefined) findings.error(where, use.line, why);
    }
    return true;
  } catch (error) {
    const fault = faultOf(error);
    findings.error(where, fault.line, fault.message);
    return false;
  }
}

const globalRoots = new Set(['contact', 'variables', 'workspace', 'unsubscribe_url', 'preferences_url']);

/** Names in an address that are neither data of the contact nor of the call: they exist only while the part renders. */
export function localNames(url: string): string[] {
  let templates: Template[];
  try {
    templates = plainEngine.parse(url);
  } catch {
    // `{% if %}` around half an address and its `{% endif %}` elsewhere: known only inside, too.
    return ['a condition around it'];
  }
  return [...new Set(variablesOf(templates).map((use) => use.name))].filter(
    (name) => !globalRoots.has(name.split('.')[0] ?? ''),
  );
}

/** What was put together must still be Liquid: blocks that markup moved apart are found here. */
export function parses(where: string, compiled: string, engine: Liquid, message: string, findings: Findings): void {
  try {
    engine.parse(compiled);
  } catch (error) {
    findings.error(where, null, `${message}: ${faultOf(error).message}`);
  }
}
