import { Context, TokenKind } from 'liquidjs';
import type { Emitter, Liquid, Template } from 'liquidjs';
import { openOutput, postalOutput } from './additions.rules.ts';
import type { CompiledTemplate } from './compiled.ts';
import {
  escapeText,
  faultOf,
  limits,
  markupEngine,
  missingOf,
  plainEngine,
  toValueSync,
  tooLong,
  tooSlow,
} from './engine.rules.ts';
import { plainText, rendering } from './filters.rules.ts';
import type { Rendering } from './filters.rules.ts';
import { safeUrl } from './links.rules.ts';
import type { CompiledLink } from './links.rules.ts';
import { variablesOf } from './variables.rules.ts';

/** Where the links of one message lead; made by who sends it. */
export interface MessageUrls {
  /** For tracked link `n`. */
  readonly click: (n: number) => string;
  readonly open: string;
  readonly unsubscribe: string;
  readonly preferences: string;
}

export interface RenderData {
  /** Attributes by key, and `email`, `locale`, `time_zone`, `external_id`; null counts as missing. */
  readonly contact: Readonly<Record<string, unknown>>;
  /** What the call gave. */
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
  readonly workspace: { readonly name: string; readonly postalAddress?: string | null | undefined };
}

export interface RenderInput extends RenderData {
  readonly urls: MessageUrls;
}

export interface RenderedMessage {
  /** One line. */
  readonly subject: string;
  readonly html: string | null;
  readonly text: string;
}

export type RenderResult =
  | RenderedMessage
  /** Paths without a value and without a default. */
  | { readonly missing: readonly string[] }
  | { readonly failure: string; readonly where: RenderPart };

export type RenderPart = 'subject' | 'html' | 'text';

export interface PreviewResult extends Record<RenderPart, string | null> {
  readonly faults: readonly { readonly where: RenderPart; readonly message: string; readonly missing?: string }[];
}

export interface Renderer {
  readonly compiled: CompiledTemplate;
  /** Never throws. */
  render(input: RenderInput): RenderResult;
  /** Each part by itself, with what is wrong in it: one missing value does not hide the rest. */
  preview(input: RenderInput): PreviewResult;
  /** Where link `n` leads for this contact: http or https, or undefined. */
  resolveLink(n: number, data: RenderData): string | undefined;
}

type Scope = Record<string, unknown> & { [rendering]?: Rendering };

class MissingVariableError extends Error {
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

interface Program {
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

function createProgram(source: string, engine: Liquid, links: readonly CompiledLink[]): Program {
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
function createEmitter(): Emitter {
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

function run(program: Program, scope: Scope, escape: (value: string) => string): string {
  const { engine } = program;
  let context: Context | undefined;
  let out = '';
  for (const segment of program.segments) {
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
    if (out.length > limits.outputChars) throw new Error(tooLong);
  }
  return out;
}

function linkText(link: CompiledLink, scope: Scope): string {
  return scope[rendering]?.link(link.n, noContext) ?? '#';
}
const noContext = new Context({}, plainEngine.options, { sync: true });

function has(scope: Scope, path: string): boolean {
  let value: unknown = scope;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return false;
    value = (value as Record<string, unknown>)[key];
  }
  return value !== undefined;
}

/** Null is "no value": it must not print as nothing where a value was promised. Arrays keep their length. */
function withoutNulls(given: Readonly<Record<string, unknown>>, depth = 0): Record<string, unknown> {
  const clean: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const key of Object.keys(given)) {
    const value = given[key];
    if (value === null || value === undefined) continue;
    const nested = typeof value === 'object' && !Array.isArray(value) && depth < 8;
    clean[key] = nested ? withoutNulls(value as Record<string, unknown>, depth + 1) : value;
  }
  return clean;
}

const known = new Map<string, boolean>();

/** Locales and zones come from contacts; a wrong one must not stop the mail. */
function usable(kind: 'locale' | 'zone', value: unknown): value is string {
  if (typeof value !== 'string' || value === '') return false;
  const key = `${kind} ${value}`;
  let answer = known.get(key);
  if (answer === undefined) {
    try {
      answer =
        Intl.DateTimeFormat(kind === 'locale' ? value : 'en', kind === 'zone' ? { timeZone: value } : {}) !== null;
    } catch {
      answer = false;
    }
    if (known.size > 5_000) known.clear();
    known.set(key, answer);
  }
  return answer;
}

function scopeOf(input: RenderData, urls: Pick<MessageUrls, 'unsubscribe' | 'preferences'>): Scope {
  const scope = Object.create(null) as Scope;
  const workspace: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  workspace['name'] = input.workspace.name;
  if (input.workspace.postalAddress) workspace['postal_address'] = input.workspace.postalAddress;
  scope['contact'] = withoutNulls(input.contact);
  scope['variables'] = input.variables === undefined ? {} : withoutNulls(input.variables);
  scope['workspace'] = workspace;
  scope['unsubscribe_url'] = urls.unsubscribe;
  scope['preferences_url'] = urls.preferences;
  return scope;
}

/** One line, without control characters: what goes into a header. */
export function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
}

const keep = (value: string) => value;

function postalText(address: string | null | undefined, escape: (value: string) => string): string {
  if (!address) return '';
  return escape === keep ? `${address}\n` : `${escape(address).replaceAll('\n', '<br>')}<br>`;
}

interface Links {
  /** For use inside a part: tracked ones through `click`, the others checked and as they are. */
  address(n: number, scope: Scope, context: Context, click: (n: number) => string): string;
  resolve(n: number, scope: Scope): string | undefined;
}

function createLinks(links: readonly CompiledLink[]): Links {
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

function whatIsMissing(error: unknown): string | undefined {
  const inner: unknown = error instanceof Error && 'originalError' in error ? error.originalError : error;
  return inner instanceof MissingVariableError ? inner.path : missingOf(error);
}

type Parts = Readonly<Record<RenderPart, Program | null>>;
type PartRenderer = (input: RenderInput, scope: Scope, part: RenderPart) => string | null;

function createPartRenderer(compiled: CompiledTemplate, links: Links, now: () => Temporal.Instant): PartRenderer {
  const program = (source: string | null, engine: Liquid) =>
    source === null ? null : createProgram(source, engine, compiled.links);
  const parts: Parts = {
    subject: program(compiled.subject, plainEngine),
    html: program(compiled.html, markupEngine),
    text: program(compiled.text, plainEngine),
  };
  const fallback = usable('locale', compiled.locale) ? compiled.locale : 'en';
  const stateOf = (input: RenderInput, scope: Scope, escape: (value: string) => string): Rendering => {
    const { locale, time_zone: zone } = input.contact;
    return {
      locale: usable('locale', locale) ? locale : fallback,
      timeZone: usable('zone', zone) ? zone : 'UTC',
      now,
      open: escape(input.urls.open),
      postal: postalText(input.workspace.postalAddress, escape),
      link: (n, context) => escape(links.address(n, scope, context, input.urls.click)),
    };
  };
  return (input, scope, part) => {
    const found = parts[part];
    if (found === null) return null;
    const escape = part === 'html' ? escapeText : keep;
    // Its own: counters (`increment`) live in it and start over in each part.
    const own = Object.assign(Object.create(null), scope) as Scope;
    own[rendering] = stateOf(input, own, escape);
    return run(found, own, escape);
  };
}

function previewOf(input: RenderInput, renderPart: PartRenderer): PreviewResult {
  const scope = scopeOf(input, input.urls);
  const faults: { where: RenderPart; message: string; missing?: string }[] = [];
  const attempt = (where: RenderPart): string | null => {
    try {
      return renderPart(input, scope, where);
    } catch (error) {
      const missing = whatIsMissing(error);
      faults.push(
        missing === undefined
          ? { where, message: faultOf(error).message }
          : { where, missing, message: `${missing} has no value here and no default` },
      );
      return null;
    }
  };
  const subject = attempt('subject');
  return { subject: subject === null ? null : oneLine(subject), html: attempt('html'), text: attempt('text'), faults };
}

/** Parses once; what it returns is used for every message of the version. */
export function createRenderer(compiled: CompiledTemplate, now: () => Temporal.Instant): Renderer {
  const links = createLinks(compiled.links);
  const renderPart = createPartRenderer(compiled, links, now);
  const required = compiled.variables.filter((one) => !one.hasDefault).map((one) => one.name);
  const attempt = (input: RenderInput): RenderResult => {
    let where: RenderPart = 'subject';
    const scope = scopeOf(input, input.urls);
    try {
      const subject = oneLine(renderPart(input, scope, 'subject') ?? '');
      if (subject === '') return { failure: 'the subject is empty', where };
      where = 'html';
      const html = renderPart(input, scope, 'html');
      where = 'text';
      return { subject, html, text: renderPart(input, scope, 'text') ?? '' };
    } catch (error) {
      const path = whatIsMissing(error);
      if (path === undefined) return { failure: faultOf(error).message, where };
      return { missing: [...new Set([path, ...required.filter((one) => !has(scope, one))])] };
    }
  };
  return {
    compiled,
    render: (input) => {
      const first = attempt(input);
      // The limit is wall time: a machine that stood still for a moment must not cost somebody their message.
      return 'failure' in first && first.failure === tooSlow ? attempt(input) : first;
    },
    preview: (input) => previewOf(input, renderPart),
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
