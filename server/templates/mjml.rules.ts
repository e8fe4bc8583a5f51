import { Parser } from 'htmlparser2';
import type { TemplateProblem } from '../../contract/templates.ts';
import { applyEdits, lineAt } from './markup.rules.ts';
import type { Edit } from './markup.rules.ts';
import type { Protected } from './placeholders.rules.ts';

/** MJML looks up the line of every element by a walk over all lines; these keep it far below a second. */
const mostElements = 3_000;
const deepest = 50;

/** Elements whose content MJML hands through as HTML. */
const holdsHtml = new Set([
  'mj-accordion-title',
  'mj-accordion-text',
  'mj-breakpoint',
  'mj-button',
  'mj-carousel-image',
  'mj-html-attribute',
  'mj-navbar-link',
  'mj-preview',
  'mj-raw',
  'mj-social-element',
  'mj-style',
  'mj-table',
  'mj-text',
  'mj-title',
]);

export interface MjmlError {
  readonly line: number;
  readonly message: string;
  readonly tagName: string;
}

export interface PreparedMjml {
  readonly mjml: string;
  readonly problems: readonly TemplateProblem[];
}

function problem(severity: 'error' | 'warning', line: number | null, message: string): TemplateProblem {
  return { severity, where: 'mjml', line, message };
}

/**
 * MJML drops text between its elements, and a `{% if %}` around a section with it: there each piece of Liquid is put
 * into an `mj-raw`. Refuses what would read files or take too long.
 */
export function prepareMjml(source: Protected): PreparedMjml {
  const text = source.text;
  const problems: TemplateProblem[] = [];
  const edits: Edit[] = [];
  const open: string[] = [];
  let elements = 0;
  let inside = 0;
  const report = (severity: 'error' | 'warning', at: number, message: string) =>
    problems.push(problem(severity, source.sourceLine(lineAt(text, at)), message));
  const between = (start: number, content: string) => {
    const parent = open.at(-1);
    for (const match of content.matchAll(source.words())) {
      const at = start + match.index;
      if (parent === undefined || parent === 'mjml')
        report('error', at, 'Liquid can stand inside <mj-body> and <mj-head>, not outside of them');
      else edits.push({ start: at, end: at + match[0].length, text: `<mj-raw>${match[0]}</mj-raw>` });
    }
    const words = content.replace(source.words(), '').trim();
    if (words !== '' && parent?.startsWith('mj') === true)
      report(
        'warning',
        start,
        `"${words.slice(0, 40)}" stands directly in <${parent}> and is not shown; put it in <mj-text>`,
      );
  };
  const parser = new Parser(
    {
      onopentag: (name) => {
        if (inside > 0) {
          if (holdsHtml.has(name)) inside += 1;
          return;
        }
        elements += 1;
        if (name === 'mj-include')
          report('error', parser.startIndex, 'mj-include reads other files, which a template cannot');
        if (open.length === deepest)
          report('error', parser.startIndex, `elements are nested more than ${deepest} deep`);
        if (holdsHtml.has(name)) inside = 1;
        open.push(name);
      },
      onclosetag: (name) => {
        if (inside > 0 && holdsHtml.has(name)) inside -= 1;
        if (inside === 0) open.pop();
      },
      ontext: (content) => {
        if (inside === 0) between(parser.startIndex, content);
      },
    },
    { recognizeCDATA: true, decodeEntities: false, recognizeSelfClosing: true, lowerCaseAttributeNames: false },
  );
  parser.end(text);
  if (elements > mostElements) problems.push(problem('error', null, `has more than ${mostElements} elements`));
  return { mjml: applyEdits(text, edits), problems };
}

/**
 * MJML's own findings, by what they mean for the mail: an element that is dropped or a width that becomes NaN is an
 * error, a misspelt attribute is not. A value from Liquid that MJML cannot judge (a colour) is fine.
 */
export function mjmlProblems(found: readonly MjmlError[], source: Protected): TemplateProblem[] {
  return found.flatMap((one) => {
    const line = one.line > 0 ? source.sourceLine(one.line) : null;
    const message = source.restore(one.message).trim();
    if (!one.message.startsWith('Attribute')) return [problem('error', line, message)];
    const fromLiquid = source.words().test(one.message);
    if (!fromLiquid) return [problem('warning', line, `<${one.tagName}>: ${message}`)];
    return /type (?:Unit|Integer)/.test(one.message) ? [problem('error', line, `<${one.tagName}>: ${message}`)] : [];
  });
}
