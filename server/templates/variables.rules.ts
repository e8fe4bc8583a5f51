import { CaseTag, IfTag, toValueSync, TypeGuards, UnlessTag, Value } from 'liquidjs';
import type { Template } from 'liquidjs';

/** A path a part reads. `required`: somewhere it is read without a default and outside of an `if` on it. */
export interface VariableUse {
  readonly name: string;
  readonly required: boolean;
  readonly line: number;
}

interface Surroundings {
  readonly locals: ReadonlySet<string>;
  readonly guards: ReadonlySet<string>;
}

/** What may stand first in a path, and what below it where that is fixed. */
const roots: Readonly<Record<string, readonly string[] | null>> = {
  contact: null,
  variables: null,
  workspace: ['name', 'postal_address'],
  unsubscribe_url: [],
  preferences_url: [],
};

/** The path as far as it is known before rendering: `contact[variables.key]` is `contact`. */
function pathOf(token: unknown): string[] {
  if (!TypeGuards.isPropertyAccessToken(token)) return [];
  const path: string[] = [];
  for (const prop of token.props) {
    if (TypeGuards.isWordToken(prop) || TypeGuards.isQuotedToken(prop)) path.push(prop.content);
    else break;
  }
  return path;
}

function* readsOf(token: unknown): Generator<{ path: string[]; line: number }> {
  if (TypeGuards.isRangeToken(token)) {
    yield* readsOf(token.lhs);
    yield* readsOf(token.rhs);
  } else if (TypeGuards.isFilteredValueToken(token)) {
    for (const one of token.initial.postfix) yield* readsOf(one);
  } else if (TypeGuards.isPropertyAccessToken(token)) {
    yield { path: pathOf(token), line: token.getPosition()[0] ?? 1 };
    for (const prop of token.props) yield* readsOf(prop);
  }
}

function* readsInFilters(value: Value): Generator<{ path: string[]; line: number }> {
  for (const filter of value.filters) for (const arg of filter.args) yield* readsOf(Array.isArray(arg) ? arg[1] : arg);
}

const isConditional = (template: Template) =>
  template instanceof IfTag || template instanceof UnlessTag || template instanceof CaseTag;

/** A template's own name; hiding the data behind it would make every later read of it mean something else. */
function ownName(name: string): string {
  if (Object.hasOwn(roots, name)) throw new Error(`"${name}" is taken: use another name`);
  return name;
}

/** Finds every path that is read, following blocks; names that the template itself sets are left out. */
export function variablesOf(templates: readonly Template[]): VariableUse[] {
  const uses: VariableUse[] = [];
  const assigned = new Set<string>();
  const note = (read: { path: string[]; line: number }, lenient: boolean, around: Surroundings) => {
    const [root] = read.path;
    if (root === undefined || root === 'continue' || around.locals.has(root) || assigned.has(root)) return;
    const name = read.path.join('.');
    uses.push({ name, line: read.line, required: !lenient && !around.guards.has(name) });
  };
  const visit = (template: Template, around: Surroundings) => {
    const conditional = isConditional(template);
    const guards = new Set(around.guards);
    for (const argument of template.arguments?.() ?? []) {
      const value = argument instanceof Value ? argument : undefined;
      const lenient = conditional || value?.filters[0]?.name === 'default';
      const reads =
        value === undefined ? [...readsOf(argument)] : value.initial.postfix.flatMap((one) => [...readsOf(one)]);
      for (const read of reads) {
        note(read, lenient, around);
        if (conditional) guards.add(read.path.join('.'));
      }
      if (value !== undefined) for (const read of readsInFilters(value)) note(read, false, around);
    }
    for (const local of template.localScope?.() ?? []) assigned.add(ownName(local.content));
    if (template.children === undefined) return;
    const locals = new Set([...around.locals, ...[...(template.blockScope?.() ?? [])].map(ownName)]);
    const children: Template[] = toValueSync(template.children(false, true));
    for (const child of children) visit(child, { locals, guards });
  };
  for (const template of templates) visit(template, { locals: new Set(), guards: new Set() });
  return uses;
}

/** Why a path can never have a value; undefined when it may. */
export function impossible(name: string): string | undefined {
  const [root = '', second] = name.split('.');
  const below = Object.hasOwn(roots, root) ? roots[root] : undefined;
  if (below === undefined)
    return `there is no variable "${root}": contacts' values are written contact.${root}, values of the call variables.${root}`;
  if (below === null || second === undefined) return undefined;
  if (below.length === 0) return `${root} is a text, it has no "${second}"`;
  return below.includes(second) ? undefined : `${root} has only ${below.map((one) => `${root}.${one}`).join(' and ')}`;
}

export interface CompiledVariable {
  readonly name: string;
  readonly hasDefault: boolean;
}

/** One entry a path; without a default if any of its reads has none. */
export function mergeVariables(uses: readonly VariableUse[]): CompiledVariable[] {
  const required = new Map<string, boolean>();
  for (const use of uses) required.set(use.name, (required.get(use.name) ?? false) || use.required);
  return [...required]
    .map(([name, needed]) => ({ name, hasDefault: !needed }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
