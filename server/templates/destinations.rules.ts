import { Context } from 'liquidjs';
import { plainEngine, toValueSync } from './engine.rules.ts';
import { safeUrl } from './links.rules.ts';
import type { CompiledLink } from './links.rules.ts';
import { MissingVariableError, createEmitter } from './program.rules.ts';
import { has } from './scope.rules.ts';
import type { Scope } from './scope.rules.ts';
import { variablesOf } from './variables.rules.ts';

/** Where the links of a version lead, for one contact; parsed once. */
export interface Links {
  /** For use inside a part: tracked ones through `click`, the others checked and as they are. */
  address(n: number, scope: Scope, context: Context, click: (n: number) => string): string;
  resolve(n: number, scope: Scope): string | undefined;
}

export function createLinks(links: readonly CompiledLink[]): Links {
  const prepared = links.map(({ url }) => {
    const templates = url.includes('{') ? plainEngine.parse(url) : [];
    return {
      templates,
      needs: variablesOf(templates)
        .filter((use) => use.required)
        .map((use) => use.name),
    };
  });
  const text = (n: number, context: Context): string => {
    const templates = prepared[n]?.templates ?? [];
    if (templates.length === 0) return links[n]?.url ?? '';
    const emitter = createEmitter();
    toValueSync(plainEngine.renderer.renderTemplates(templates, context, emitter));
    return emitter.buffer;
  };
  return {
    address: (n, scope, context, click) => {
      const link = links[n];
      if (link === undefined) return '#';
      if (!link.tracked) return safeUrl(text(n, context)) ?? '#';
      const missing = prepared[n]?.needs.find((path) => !has(scope, path));
      if (missing !== undefined) throw new MissingVariableError(missing);
      return click(n);
    },
    resolve: (n, scope) =>
      links[n] === undefined
        ? undefined
        : safeUrl(text(n, new Context(scope, plainEngine.options, { sync: true }, { liquid: plainEngine }))),
  };
}
