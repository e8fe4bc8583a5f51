import type { Liquid } from 'liquidjs';
import type { CompiledTemplate } from './compiled.ts';
import { createLinks } from './destinations.rules.ts';
import type { Links } from './destinations.rules.ts';
import { escapeText, faultOf, markupEngine, missingOf, plainEngine, tooSlow } from './engine.rules.ts';
import { rendering } from './filters.rules.ts';
import type { Rendering } from './filters.rules.ts';
import { MissingVariableError, createProgram, run, shapeOf } from './program.rules.ts';
import type { Program } from './program.rules.ts';
import { has, scopeOf, usable } from './scope.rules.ts';
import type { RenderData, RenderInput, Scope } from './scope.rules.ts';

export type { MessageUrls, RenderData, RenderInput } from './scope.rules.ts';

export interface RenderedMessage {
  /** One line. */
  readonly subject: string;
  readonly html: string | null;
  readonly text: string;
  /** The same in two parts, when asked for: what the version says to everybody (one object for all), and this one's values. */
  readonly merge?: { readonly shape: Shape; readonly values: readonly string[] };
}

/** Literal text, and numbers that are places in the values of each message. */
export interface Shape {
  readonly subject: readonly (string | number)[];
  readonly html?: readonly (string | number)[];
  readonly text: readonly (string | number)[];
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
  readonly channel: 'email';
  readonly compiled: CompiledTemplate;
  /** Never throws. `inParts`: the answer has `merge`, unless the template ends itself in the middle. */
  render(input: RenderInput, inParts?: boolean): RenderResult;
  /** Each part by itself, with what is wrong in it: one missing value does not hide the rest. */
  preview(input: RenderInput): PreviewResult;
  /** Where link `n` leads for this contact: http or https, or undefined. */
  resolveLink(n: number, data: RenderData): string | undefined;
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

export function whatIsMissing(error: unknown): string | undefined {
  const inner: unknown = error instanceof Error && 'originalError' in error ? error.originalError : error;
  return inner instanceof MissingVariableError ? inner.path : missingOf(error);
}

type Parts = Readonly<Record<RenderPart, Program | null>>;
/** Runs one program for one message; throws what is missing. */
export type Runner = (
  program: Program,
  input: RenderInput,
  scope: Scope,
  escape: (value: string) => string,
  values?: string[],
) => string;
type PartRenderer = (input: RenderInput, scope: Scope, part: RenderPart, values?: string[]) => string | null;

function partsOf(compiled: CompiledTemplate): Parts {
  const program = (source: string | null, engine: Liquid) =>
    source === null ? null : createProgram(source, engine, compiled.links);
  return {
    subject: program(compiled.subject, plainEngine),
    html: program(compiled.html, markupEngine),
    text: program(compiled.text, plainEngine),
  };
}

/** Gaps are numbered through the parts, in the order in which they are rendered. */
function wholeShape({ subject, html, text }: Parts): { readonly shape: Shape; readonly gaps: number } {
  let gaps = 0;
  const next = (program: Program | null) => {
    const shape = program === null ? [] : shapeOf(program, gaps);
    gaps += shape.filter((one) => typeof one === 'number').length;
    return shape;
  };
  const shape = { subject: next(subject), ...(html === null ? {} : { html: next(html) }), text: next(text) };
  return { shape, gaps };
}

export function createRunner(locale: string, links: Links, now: () => Temporal.Instant): Runner {
  const fallback = usable('locale', locale) ? locale : 'en';
  const stateOf = (input: RenderInput, scope: Scope, escape: (value: string) => string): Rendering => {
    const { locale: own, time_zone: zone } = input.contact;
    return {
      locale: usable('locale', own) ? own : fallback,
      timeZone: usable('zone', zone) ? zone : 'UTC',
      now,
      open: escape(input.urls.open),
      postal: postalText(input.workspace.postalAddress, escape),
      link: (n, context) => escape(links.address(n, scope, context, input.urls.click)),
    };
  };
  return (program, input, scope, escape, values) => {
    // Its own: counters (`increment`) live in it and start over in each part.
    const own = Object.assign(Object.create(null), scope) as Scope;
    own[rendering] = stateOf(input, own, escape);
    return run(program, own, escape, values);
  };
}

function createPartRenderer(parts: Parts, runner: Runner): PartRenderer {
  return (input, scope, part, values) => {
    const found = parts[part];
    return found === null ? null : runner(found, input, scope, part === 'html' ? escapeText : keep, values);
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
  const parts = partsOf(compiled);
  const whole = wholeShape(parts);
  const renderPart = createPartRenderer(parts, createRunner(compiled.locale, links, now));
  const required = compiled.variables.filter((one) => !one.hasDefault).map((one) => one.name);
  const attempt = (input: RenderInput, inParts: boolean): RenderResult => {
    const values: string[] | undefined = inParts ? [] : undefined;
    let where: RenderPart = 'subject';
    const scope = scopeOf(input, input.urls);
    try {
      const subject = oneLine(renderPart(input, scope, 'subject', values) ?? '');
      if (subject === '') return { failure: 'the subject is empty', where };
      where = 'html';
      if (values !== undefined) for (const [at, value] of values.entries()) values[at] = oneLine(value);
      const html = renderPart(input, scope, 'html', values);
      where = 'text';
      const text = renderPart(input, scope, 'text', values) ?? '';
      if (values?.length !== whole.gaps) return { subject, html, text };
      return { subject, html, text, merge: { shape: whole.shape, values } };
    } catch (error) {
      const path = whatIsMissing(error);
      if (path === undefined) return { failure: faultOf(error).message, where };
      return { missing: [...new Set([path, ...required.filter((one) => !has(scope, one))])] };
    }
  };
  return {
    channel: 'email',
    compiled,
    render: (input, inParts = false) => {
      const first = attempt(input, inParts);
      // The limit is wall time: a machine that stood still for a moment must not cost somebody their message.
      return 'failure' in first && first.failure === tooSlow ? attempt(input, inParts) : first;
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
