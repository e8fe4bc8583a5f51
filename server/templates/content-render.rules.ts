import type { ContentSource } from '../../contract/template-content.ts';
import type { CompiledContent } from './compiled.ts';
import { fillContent } from './content.rules.ts';
import type { PartKind } from './content.rules.ts';
import { createLinks } from './destinations.rules.ts';
import { faultOf, plainEngine, tooSlow } from './engine.rules.ts';
import { createProgram } from './program.rules.ts';
import { createRunner, oneLine, whatIsMissing } from './render.rules.ts';
import { has, scopeOf } from './scope.rules.ts';
import type { RenderData, RenderInput, Scope } from './scope.rules.ts';

export type ContentResult =
  | { readonly content: ContentSource }
  /** Paths without a value and without a default. */
  | { readonly missing: readonly string[] }
  | { readonly failure: string; readonly where: string };

export interface ContentFault {
  readonly where: string;
  readonly message: string;
  readonly missing?: string;
}

/** Renders what is no e-mail. */
export interface ContentRenderer {
  readonly channel: ContentSource['channel'];
  readonly compiled: CompiledContent;
  /** Never throws. */
  render(input: RenderInput): ContentResult;
  /** As far as it goes, with what is wrong in each place; what cannot be rendered is empty there. */
  preview(input: RenderInput): { readonly content: ContentSource; readonly faults: readonly ContentFault[] };
  /** Where link `n` leads for this contact: http or https, or undefined. */
  resolveLink(n: number, data: RenderData): string | undefined;
}

/** Values make nothing but text: control characters, which no vendor takes, are dropped. */
function tidy(kind: PartKind, text: string): string {
  if (kind !== 'text') return oneLine(text);
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f]/g, ' ')
    .trim();
}

class Unfit extends Error {}

/** Places that say nothing when they are empty. */
const mayBeEmpty =
  /^(?:data\/|body$|content\/(?:caption|header|footer|sections\/\d+\/title)|content\/sections\/\d+\/rows\/\d+\/description)/;

function judge(kind: PartKind, path: string, text: string): string {
  if ((kind === 'asset' || kind === 'link') && text === '#') throw new Unfit('is not a web address');
  if (text === '' && !mayBeEmpty.test(path)) throw new Unfit('is empty');
  return text;
}

const keep = (value: string) => value;

/** Parses once; what it returns is used for every message of the version. */
export function createContentRenderer(compiled: CompiledContent, now: () => Temporal.Instant): ContentRenderer {
  const links = createLinks(compiled.links);
  const runner = createRunner(compiled.locale, links, now);
  const programs = compiled.parts.map(({ path, kind, liquid }) => ({
    path,
    kind,
    program: createProgram(liquid, plainEngine, compiled.links),
  }));
  const required = compiled.variables.filter((one) => !one.hasDefault).map((one) => one.name);
  const textOf = ({ path, kind, program }: (typeof programs)[number], input: RenderInput, scope: Scope): string =>
    judge(kind, path, tidy(kind, runner(program, input, scope, keep)));
  const attempt = (input: RenderInput): ContentResult => {
    const scope = scopeOf(input, input.urls);
    const texts = new Map<string, string>();
    for (const one of programs) {
      try {
        texts.set(one.path, textOf(one, input, scope));
      } catch (error) {
        const path = whatIsMissing(error);
        if (path === undefined) return { failure: messageOf(error), where: one.path };
        return { missing: [...new Set([path, ...required.filter((name) => !has(scope, name))])] };
      }
    }
    return { content: fillContent(compiled.content, texts) };
  };
  return {
    channel: compiled.channel,
    compiled,
    render: (input) => {
      const first = attempt(input);
      // The limit is wall time: a machine that stood still for a moment must not cost somebody their message.
      return 'failure' in first && first.failure === tooSlow ? attempt(input) : first;
    },
    preview: (input) => {
      const scope = scopeOf(input, input.urls);
      const faults: ContentFault[] = [];
      const texts = new Map<string, string>();
      for (const one of programs) {
        try {
          texts.set(one.path, textOf(one, input, scope));
        } catch (error) {
          texts.set(one.path, '');
          faults.push(faultAt(one.path, error));
        }
      }
      return { content: fillContent(compiled.content, texts), faults };
    },
    resolveLink: (n, data) => {
      try {
        return links.resolve(n, scopeOf(data, { unsubscribe: '', preferences: '' }));
      } catch {
        // The address needs a value that the contact no longer has: there is nowhere to send them.
        return undefined;
      }
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Unfit ? error.message : faultOf(error).message;
}

function faultAt(where: string, error: unknown): ContentFault {
  const missing = whatIsMissing(error);
  if (missing === undefined) return { where, message: messageOf(error) };
  return { where, missing, message: `${missing} has no value here and no default` };
}
