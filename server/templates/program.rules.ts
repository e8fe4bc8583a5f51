import { Context, TokenKind } from 'liquidjs';
import type { Emitter, Liquid, Template } from 'liquidjs';
import { openOutput, postalOutput } from './additions.rules.ts';
import { limits, plainEngine, toValueSync, tooLong } from './engine.rules.ts';
import { plainText, rendering } from './filters.rules.ts';
import type { CompiledLink } from './links.rules.ts';
import type { Scope } from './scope.rules.ts';

/** A value that was promised is not there: the message must not go out with a gap in it. */
export class MissingVariableError extends Error {
  readonly path: string;
  constructor(path: string) {
    super(`undefined variable: ${path}`);
    this.path = path;
  }
}

type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'value'; readonly root: string; readonly key: string; readonly fallback: string | undefined }
  | { readonly kind: 'link'; readonly link: CompiledLink }
  | { readonly kind: 'open' | 'postal' }
  | { readonly kind: 'liquid'; readonly templates: Template[] };

/** One part of a version, parsed once and run for every message. */
export interface Program {
  readonly engine: Liquid;
  readonly segments: readonly Segment[];
}

/** Most outputs are a plain path with or without a default: read directly, they cost a tenth of Liquid's interpreter. */
const plainOutput =
  /^\{\{-?\s*(contact|variables|workspace)\.([a-z][a-z0-9_]*)\s*(?:\|\s*default:\s*(?:"([^"\\]*)"|'([^'\\]*)')\s*)?-?\}\}$/;
const addressOutput = /^\{\{-?\s*(unsubscribe_url|preferences_url)\s*-?\}\}$/;
const linkOutput = /^\{\{ (\d+) \| parley_link \}\}$/;
/** Liquid gives these a meaning of its own. */
const special = new Set(['size', 'first', 'last']);

function segmentOf(template: Template, text: string, links: readonly CompiledLink[]): Segment {
  const value = plainOutput.exec(text);
  if (value !== null && !special.has(value[2] ?? ''))
    return { kind: 'value', root: value[1] ?? '', key: value[2] ?? '', fallback: value[3] ?? value[4] };
  const address = addressOutput.exec(text);
  if (address !== null) return { kind: 'value', root: '', key: address[1] ?? '', fallback: undefined };
  if (text === openOutput) return { kind: 'open' };
  if (text === postalOutput) return { kind: 'postal' };
  const link = links[Number(linkOutput.exec(text)?.[1] ?? -1)];
  return link?.tracked === true ? { kind: 'link', link } : { kind: 'liquid', templates: [template] };
}

export function createProgram(source: string, engine: Liquid, links: readonly CompiledLink[]): Program {
  const segments: Segment[] = [];
  const blank = new Context({}, engine.options, { sync: true });
  for (const template of engine.parse(source)) {
    if (template.token.kind === TokenKind.HTML) {
      const emitter = createEmitter();
      toValueSync(template.render(blank, emitter));
      segments.push({ kind: 'literal', text: emitter.buffer });
      continue;
    }
    const isOutput = template.token.kind === TokenKind.Output;
    segments.push(segmentOf(template, isOutput ? template.token.getText() : '', links));
  }
  return { engine, segments };
}

/** Stops what would outgrow any mail, before it is in memory as one string. */
export function createEmitter(): Emitter {
  const emitter: Emitter = {
    buffer: '',
    write: (value: unknown) => {
      emitter.buffer += plainText(value);
      if (emitter.buffer.length > limits.outputChars) throw new Error(tooLong);
    },
  };
  return emitter;
}

function read(scope: Scope, root: string, key: string): unknown {
  if (root === '') return scope[key];
  const holder = scope[root];
  return typeof holder === 'object' && holder !== null && Object.hasOwn(holder, key)
    ? (holder as Record<string, unknown>)[key]
    : undefined;
}

function valueText(segment: Extract<Segment, { kind: 'value' }>, scope: Scope): string {
  const value = read(scope, segment.root, segment.key);
  if (segment.fallback !== undefined) {
    const empty =
      value === undefined || value === false || value === '' || (Array.isArray(value) && value.length === 0);
    return empty ? segment.fallback : plainText(value);
  }
  if (value === undefined)
    throw new MissingVariableError(segment.root === '' ? segment.key : `${segment.root}.${segment.key}`);
  return typeof value === 'string' ? value : plainText(value);
}

/** What all messages of a program share, as literal text, and the gaps between, numbered from `first` on. */
export function shapeOf(program: Program, first: number): (string | number)[] {
  let gap = first;
  return program.segments.map((segment) => (segment.kind === 'literal' ? segment.text : gap++));
}

/**
 * The part for one message; throws what is missing, and what outgrows or outlasts the limits. What fills the gaps of the
 * shape is put into `values`, when given, one for each gap.
 */
export function run(program: Program, scope: Scope, escape: (value: string) => string, values?: string[]): string {
  const { engine } = program;
  let context: Context | undefined;
  let out = '';
  for (const segment of program.segments) {
    const before = out.length;
    switch (segment.kind) {
      case 'literal':
        out += segment.text;
        break;
      case 'value':
        out += escape(valueText(segment, scope));
        break;
      case 'link':
        out += linkText(segment.link, scope);
        break;
      case 'open':
      case 'postal':
        out += scope[rendering]?.[segment.kind] ?? '';
        break;
      case 'liquid': {
        context ??= new Context(scope, engine.options, { sync: true }, { liquid: engine });
        const emitter = createEmitter();
        toValueSync(engine.renderer.renderTemplates(segment.templates, context, emitter));
        out += emitter.buffer;
        if (context.breakCalled || context.continueCalled) return out;
      }
    }
    if (values !== undefined && segment.kind !== 'literal') values.push(out.slice(before));
    if (out.length > limits.outputChars) throw new Error(tooLong);
  }
  return out;
}

function linkText(link: CompiledLink, scope: Scope): string {
  return scope[rendering]?.link(link.n, noContext) ?? '#';
}
const noContext = new Context({}, plainEngine.options, { sync: true });
