import type { EmailSource } from '../../contract/templates.ts';
import {
  footerHtml,
  footerText,
  hasUnsubscribe,
  pixelHtml,
  preheaderHtml,
  textHasUnsubscribe,
} from './additions.rules.ts';
import { limitMessages, markupEngine, plainEngine } from './engine.rules.ts';
import { checkLiquid, createFindings, localNames, parses } from './findings.rules.ts';
import type { Compilation, Findings } from './findings.rules.ts';
import { judgeLink, urlFilter } from './links.rules.ts';
import type { CompiledLink } from './links.rules.ts';
import { applyEdits, lineAt, readMarkup } from './markup.rules.ts';
import type { Attribute, Edit, Markup, Occurrence, OpenTag } from './markup.rules.ts';
import { mjmlProblems, prepareMjml } from './mjml.rules.ts';
import type { CompiledTemplate } from './compiled.ts';
import type { MjmlCompiler } from './mjml.ts';
import { protect, withFilter } from './placeholders.rules.ts';
import type { Protected } from './placeholders.rules.ts';
import { createRenderer } from './render.rules.ts';
import { sampleFor } from './sample.rules.ts';
import { textFromHtml } from './text.rules.ts';
import { mergeVariables } from './variables.rules.ts';

export interface CompileInput extends Omit<EmailSource, 'channel'> {
  readonly category: 'marketing' | 'transactional' | 'otp' | 'utility';
  readonly locale: string;
}

/** Gmail shows the first 102 kB and hides the rest, the unsubscribe link with it. */
const clippedBytes = 102 * 1024;
const mostBytes = 1_000_000;
const mostLinks = 1_000;

function attribute(tag: OpenTag, name: string): Attribute | undefined {
  return tag.attributes.find((one) => one.name === name);
}

interface LinkPass {
  readonly links: CompiledLink[];
  readonly edits: Edit[];
}

function takeLinks(source: Protected, markup: Markup, where: 'html' | 'mjml', findings: Findings): LinkPass {
  const links: CompiledLink[] = [];
  const edits: Edit[] = [];
  const place = (at: number) => (where === 'html' ? source.sourceLine(lineAt(source.text, at)) : null);
  for (const tag of markup.tags) {
    const isLink = tag.name === 'a' || tag.name === 'area';
    const href = isLink ? attribute(tag, 'href') : tag.name === 'form' ? attribute(tag, 'action') : undefined;
    if (href === undefined) continue;
    const off = attribute(tag, 'data-parley-track')?.value.toLowerCase() === 'off';
    const verdict = judgeLink(href.value, off, isLink, source, localNames);
    if (verdict.kind === 'refuse') findings.error(where, place(href.start), verdict.why);
    else if (verdict.warning !== undefined) findings.warn(where, place(href.start), verdict.warning);
    if (verdict.kind !== 'link') continue;
    const n = links.length;
    links.push({ n, url: verdict.url, tracked: verdict.tracked });
    const word = source.add({ kind: 'output', text: `{{ ${n} | parley_link }}`, depth: 0 });
    edits.push({ start: href.start, end: href.end, text: href.quoted ? word : `"${word}"` });
  }
  if (links.length > mostLinks) findings.error(where, null, `has more than ${mostLinks} links`);
  return { links, edits };
}

/** The filter that holds a value where it stands; text and plain attributes are escaped by the engine itself. */
function holding(one: Occurrence): string | undefined {
  if (one.place === 'css') return 'parley_css';
  if (one.place === 'script') return 'parley_script';
  return one.place === 'url' ? urlFilter(one.before) : undefined;
}

function holdValues(source: Protected, markup: Markup, taken: readonly Edit[]): Edit[] {
  return markup.occurrences.flatMap((one) => {
    const piece = source.pieces[one.piece];
    const filter = holding(one);
    if (piece?.kind !== 'output' || filter === undefined) return [];
    if (taken.some((edit) => edit.start <= one.start && one.end <= edit.end)) return [];
    return [{ start: one.start, end: one.end, text: source.add({ ...piece, text: withFilter(piece.text, filter) }) }];
  });
}

interface HtmlPart {
  readonly html: string;
  readonly links: readonly CompiledLink[];
  readonly plain: string;
}

function compileHtml(source: Protected, input: CompileInput, where: 'html' | 'mjml', findings: Findings): HtmlPart {
  const markup = readMarkup(source);
  for (const fault of markup.faults)
    findings.error(where, where === 'html' ? source.sourceLine(lineAt(source.text, fault.at)) : null, fault.message);
  const { links, edits } = takeLinks(source, markup, where, findings);
  edits.push(...holdValues(source, markup, edits));
  const liquid = (text: string) =>
    text.replace(/\{\{.*?\}\}|\{%.*?%\}/g, (piece) =>
      source.add({ kind: piece.startsWith('{{') ? 'output' : 'tag', text: piece, depth: 0 }),
    );
  const needsFooter = input.category === 'marketing' && !hasUnsubscribe(markup.occurrences, source.pieces);
  const insert = (at: number, text: string): Edit => ({ start: at, end: at, text });
  if (input.preheader !== null) edits.push(insert(markup.bodyStart, liquid(preheaderHtml(input.preheader))));
  const tail = insert(markup.bodyEnd, `${needsFooter ? liquid(footerHtml(input.locale)) : ''}${liquid(pixelHtml)}`);
  const edited = applyEdits(source.text, [...edits, tail]);
  return { html: source.restore(edited), links, plain: textFromHtml(edited, source) };
}

/** The HTML part's source as protected HTML: written so, or made from MJML. */
async function htmlSource(input: CompileInput, mjml: MjmlCompiler, findings: Findings): Promise<Protected | undefined> {
  if (input.mjml === null) return input.html === null ? undefined : protect(input.html);
  const source = protect(input.mjml);
  const prepared = prepareMjml(source);
  findings.problems.push(...prepared.problems);
  if (prepared.problems.some((one) => one.severity === 'error')) return undefined;
  const result = await mjml.compile(prepared.mjml);
  if ('failure' in result) {
    findings.error('mjml', null, source.restore(result.failure));
    return undefined;
  }
  findings.problems.push(...mjmlProblems(result.errors, source));
  return { ...source, text: compact(result.html) };
}

/** MJML's indentation is a third of the mail; it counts only where white space does. */
function compact(html: string): string {
  return /<(?:pre|textarea)\b|white-space/i.test(html) ? html : html.replace(/\s*\n\s*/g, '\n');
}

function checkSize(where: string, html: string, findings: Findings): void {
  const bytes = Buffer.byteLength(html);
  if (bytes > mostBytes)
    findings.error(where, null, `is ${Math.round(bytes / 1000)} kB when compiled; at most 1,000 kB go out`);
  else if (bytes > clippedBytes)
    findings.warn(where, null, `is ${Math.round(bytes / 1024)} kB when compiled; Gmail hides what comes after 102 kB`);
}

function checkGiven(input: CompileInput, findings: Findings): void {
  if (input.subject === null || input.subject.trim() === '')
    findings.error('subject', null, 'an e-mail needs a subject');
  if (input.mjml !== null && input.html !== null) findings.error('html', null, 'give mjml or html, not both');
  if (input.mjml === null && input.html === null && (input.text === null || input.text.trim() === ''))
    findings.error('html', null, 'there is nothing to send: write mjml, html or text');
}

function textOf(input: CompileInput, part: HtmlPart | undefined): string {
  if (input.text === null) return part?.plain ?? '';
  const complete = input.category !== 'marketing' || textHasUnsubscribe(protect(input.text).pieces);
  return complete ? input.text : `${input.text.trimEnd()}${footerText(input.locale)}`;
}

/** Once a version: everything that can be found wrong before a message exists is found here. */
export async function compileTemplate(input: CompileInput, mjml: MjmlCompiler): Promise<Compilation<CompiledTemplate>> {
  const findings = createFindings();
  checkGiven(input, findings);
  for (const where of ['subject', 'preheader', 'mjml', 'html', 'text'] as const) {
    const source = input[where];
    if (source !== null) checkLiquid(where, source, findings);
  }
  const failed = () => findings.problems.some((one) => one.severity === 'error');
  const finish = (compiled?: CompiledTemplate): Compilation<CompiledTemplate> => {
    const variables = mergeVariables(findings.uses);
    return { problems: findings.problems, variables, ...(compiled === undefined || failed() ? {} : { compiled }) };
  };
  if (failed()) return finish();
  const where = input.mjml === null ? 'html' : 'mjml';
  const source = await htmlSource(input, mjml, findings);
  if (failed()) return finish();
  const part = source === undefined ? undefined : compileHtml(source, input, where, findings);
  const text = textOf(input, part);
  if (part !== undefined) {
    checkSize(where, part.html, findings);
    parses(where, part.html, markupEngine, 'Liquid and markup do not fit together', findings);
  }
  if (text !== null) parses('text', text, plainEngine, 'no plain text can be made from the HTML; write one', findings);
  if (failed()) return finish();
  const compiled: CompiledTemplate = {
    format: 1,
    locale: input.locale,
    subject: input.subject ?? '',
    html: part?.html ?? null,
    text,
    links: part?.links ?? [],
    variables: mergeVariables(findings.uses),
  };
  tryOut(compiled, where, findings);
  return finish(compiled);
}

/** One rendering with made-up values: a loop without end is found now and not at the first of many messages. */
function tryOut(compiled: CompiledTemplate, where: 'html' | 'mjml', findings: Findings): void {
  const { variables } = compiled;
  const { faults } = createRenderer(compiled, () => Temporal.Instant.fromEpochMilliseconds(0)).preview({
    contact: sampleFor(variables, 'contact'),
    variables: sampleFor(variables, 'variables'),
    workspace: { name: 'Workspace' },
    urls: { click: () => '#', open: '#', unsubscribe: '#', preferences: '#' },
  });
  for (const fault of faults)
    if (limitMessages.has(fault.message))
      findings.error(fault.where === 'html' ? where : fault.where, null, fault.message);
}
