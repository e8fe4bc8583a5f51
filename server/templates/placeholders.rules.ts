import { TokenKind, Tokenizer } from 'liquidjs';
import type { TopLevelToken } from 'liquidjs';

/**
 * Liquid and markup do not know of each other: `{{ a | default: "x" }}` ends a quoted attribute, `{% if a < b %}` opens
 * a tag, and MJML drops what stands between its elements. So before markup is parsed, each piece of Liquid becomes a
 * word that any parser carries along unharmed, and afterwards the word becomes the piece again.
 */
export interface Piece {
  readonly kind: 'output' | 'tag';
  /** As written, delimiters included. */
  readonly text: string;
  /** How many blocks (`if`, `for`, ...) are open around it. */
  readonly depth: number;
}

export interface Protected {
  readonly text: string;
  readonly pieces: readonly Piece[];
  /** Finds the words; group 1 is the index of the piece. Make a fresh one for each scan (`lastIndex`). */
  words(): RegExp;
  /** Adds a piece and answers its word. */
  add(piece: Piece): string;
  restore(text: string): string;
  /** The line in the source of a line in `text` (pieces may span several). */
  sourceLine(line: number): number;
}

const blocks = new Set(['if', 'unless', 'case', 'for', 'tablerow', 'capture', 'comment', 'raw']);

function tagName(text: string): string {
  return /^\{%-?\s*([\w#]+)/.exec(text)?.[1] ?? '';
}

/** Throws liquidjs' located error when a delimiter is not closed. */
export function tokensOf(source: string): TopLevelToken[] {
  return new Tokenizer(source).readTopLevelTokens();
}

/** A word start that the source does not hold already; lower-case letters and digits survive every context. */
function freeMark(source: string): string {
  const lower = source.toLowerCase();
  let mark = 'plq';
  for (let n = 0; lower.includes(mark); n += 1) mark = `plq${String.fromCharCode(97 + (n % 26))}${n}x`;
  return mark;
}

export function protect(source: string): Protected {
  const mark = freeMark(source);
  const pieces: Piece[] = [];
  const parts: string[] = [];
  const hiddenBreaks: { line: number; breaks: number }[] = [];
  let depth = 0;
  let line = 1;
  const add = (piece: Piece) => `${mark}${pieces.push(piece) - 1}qlp`;
  for (const token of tokensOf(source)) {
    const text = token.getText();
    const breaks = text.split('\n').length - 1;
    if (token.kind === TokenKind.HTML) {
      // Delimiters inside of a raw block are text to Liquid, but would be read again after markup was rebuilt.
      parts.push(text.replace(/\{\{|\{%/g, (braces) => add({ kind: 'tag', text: braces, depth })));
      line += breaks;
      continue;
    }
    const kind = token.kind === TokenKind.Output ? 'output' : 'tag';
    const name = kind === 'tag' ? tagName(text) : '';
    if (name.startsWith('end')) depth = Math.max(0, depth - 1);
    parts.push(add({ kind, text, depth }));
    if (blocks.has(name)) depth += 1;
    if (breaks > 0) hiddenBreaks.push({ line, breaks });
  }
  const words = () => new RegExp(`${mark}(\\d+)qlp`, 'g');
  return {
    text: parts.join(''),
    pieces,
    words,
    add,
    restore: (text) => text.replace(words(), (word, index) => pieces[Number(index)]?.text ?? word),
    sourceLine: (target) => target + hiddenBreaks.reduce((sum, one) => (one.line < target ? sum + one.breaks : sum), 0),
  };
}

/** Text that must not be read as Liquid although it holds its delimiters (`&#123;{` decoded). */
export function quoteBraces(text: string): string {
  return text.replace(/\{\{|\{%/g, (braces) => `{{ "${braces}" }}`);
}

/** `{{ x }}` becomes `{{ x | filter }}`, unless the author took the encoding into their own hands. */
export function withFilter(output: string, filter: string): string {
  if (/\|\s*(?:raw|url_encode|cgi_escape|uri_escape)\s*-?\}\}$/.test(output)) return output;
  return output.replace(/\s*(-?\}\})$/, ` | ${filter} $1`);
}

export function expressionOf(output: string): string {
  return output.replace(/^\{\{-?\s*|\s*-?\}\}$/g, '');
}

export { tagName };
