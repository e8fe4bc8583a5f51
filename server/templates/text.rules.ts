import { convert } from 'html-to-text';
import { quoteBraces, tagName } from './placeholders.rules.ts';
import type { Protected } from './placeholders.rules.ts';

/**
 * The plain-text part, made from HTML whose Liquid is protected. Assignments that stood where no text is (the head,
 * between table cells) come first, so that what reads them still finds them.
 */
export function textFromHtml(html: string, source: Protected): string {
  const text = convert(html, {
    wordwrap: false,
    limits: { maxDepth: 400, ellipsis: '' },
    selectors: [
      { selector: 'img', format: 'skip' },
      { selector: '.parley-preheader', format: 'skip' },
      { selector: 'style', format: 'skip' },
      { selector: 'script', format: 'skip' },
      { selector: 'title', format: 'skip' },
      { selector: 'div[style*="display:none"]', format: 'skip' },
      { selector: 'a', options: { hideLinkHrefIfSameAsText: true, noAnchorUrl: true, linkBrackets: ['<', '>'] } },
      ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
      { selector: 'table', format: 'block' },
    ],
  });
  const kept = new Set([...text.matchAll(source.words())].map((match) => Number(match[1])));
  const lost = [...html.matchAll(source.words())]
    .map((match) => Number(match[1]))
    .filter((index) => !kept.has(index))
    .map((index) => source.pieces[index])
    .filter((piece) => piece?.kind === 'tag' && piece.depth === 0 && tagName(piece.text) === 'assign');
  const body = tidy(source.restore(quoteBraces(joinTags(text, source))));
  return `${lost.map((piece) => piece?.text ?? '').join('')}${body}`;
}

/** A tag on a line of its own prints nothing, so its line must not stay behind as an empty one. */
function joinTags(text: string, source: Protected): string {
  const word = source.words().source;
  return text.replace(new RegExp(`^[ \\t]*((?:${word}[ \\t]*)+)\\n+`, 'gm'), (line: string, words: string) =>
    [...words.matchAll(source.words())].every((one) => source.pieces[Number(one[1])]?.kind === 'tag')
      ? words.trim()
      : line,
  );
}

/** No trailing blanks, at most one empty line in a row. */
function tidy(text: string): string {
  return text
    .replace(/[ \t\u00a0]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
    .concat('\n');
}
