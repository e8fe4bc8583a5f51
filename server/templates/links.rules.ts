import { Parser } from 'htmlparser2';
import { expressionOf, quoteBraces, withFilter } from './placeholders.rules.ts';
import type { Piece, Protected } from './placeholders.rules.ts';

/** A place in the HTML that leads somewhere. */
export interface CompiledLink {
  readonly n: number;
  /** Liquid (plain text, no entities) that gives the address. */
  readonly url: string;
  /** False: the address itself goes into the mail, checked when rendered. */
  readonly tracked: boolean;
}

export type LinkVerdict =
  /** Stays as it is. */
  | { readonly kind: 'keep'; readonly warning?: string }
  /** Becomes a compiled link. */
  | { readonly kind: 'link'; readonly url: string; readonly tracked: boolean; readonly warning?: string }
  | { readonly kind: 'refuse'; readonly why: string };

/** Entities decoded as a browser would. */
export function decodeAttribute(value: string): string {
  let decoded = '';
  const parser = new Parser({ onopentag: (_name, attributes) => (decoded = attributes['x'] ?? '') });
  parser.end(`<a x="${value.replaceAll('"', '&quot;')}">`);
  return decoded.trim();
}

/** The encoding a value needs by how much of the URL stands before it. */
export function urlFilter(before: string): string | undefined {
  if (/[?#]/.test(before)) return 'parley_query';
  if (/^(?:[a-z][a-z0-9+.-]*:)?\/\/[^/?#]*\//i.test(before)) return 'parley_path';
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(before)) return 'parley_host';
  return /^(?:mailto|tel|sms):/i.test(before) ? 'parley_query' : undefined;
}

/** Liquid for the address: each output encoded for its place in the URL, literal braces kept literal. */
export function urlSource(decoded: string, source: Protected): string {
  let result = '';
  let literal = '';
  let at = 0;
  for (const match of decoded.matchAll(source.words())) {
    const between = decoded.slice(at, match.index);
    const piece = source.pieces[Number(match[1])];
    result += quoteBraces(between);
    literal += between;
    if (piece !== undefined) {
      const filter = piece.kind === 'output' ? urlFilter(literal) : undefined;
      result += filter === undefined ? piece.text : withFilter(piece.text, filter);
      // A value at the start is taken for a whole address: what follows it is no host any more.
      if (piece.kind === 'output' && literal === '') literal = 'https://_/';
    }
    at = match.index + match[0].length;
  }
  return result + quoteBraces(decoded.slice(at));
}

function scheme(url: string): string | undefined {
  return /^([a-z][a-z0-9+.-]*):/i.exec(url.replace(/[\t\n\r]/g, ''))?.[1]?.toLowerCase();
}

const untouched = new Set(['mailto', 'tel', 'sms', 'whatsapp', 'facetime', 'maps', 'geo', 'cid', 'xmpp']);

/** The names an address reads that only exist inside the part (loop variables, assigned ones). */
export type LocalNames = (url: string) => readonly string[];

export function judgeLink(
  raw: string,
  off: boolean,
  trackable: boolean,
  source: Protected,
  locals: LocalNames,
): LinkVerdict {
  const decoded = decodeAttribute(raw);
  if (decoded === '' || decoded.startsWith('#')) return { kind: 'keep' };
  const first = new RegExp(`^${source.words().source}`).exec(decoded);
  const leading: Piece | undefined = first === null ? undefined : source.pieces[Number(first[1])];
  if (leading?.kind === 'output' && /^(?:unsubscribe_url|preferences_url)\b/.test(expressionOf(leading.text)))
    return { kind: 'keep' };
  const given = scheme(decoded);
  if (given !== undefined && untouched.has(given)) return { kind: 'keep' };
  if (given !== undefined && given !== 'http' && given !== 'https')
    return { kind: 'refuse', why: `a link may lead to http, https, mailto, tel or sms addresses, not to "${given}:"` };
  if (given === undefined && leading === undefined && !decoded.startsWith('//'))
    return { kind: 'keep', warning: `the link "${decoded.slice(0, 60)}" has no https:// and leads nowhere in a mail` };
  const url = urlSource(decoded.startsWith('//') ? `https:${decoded}` : decoded, source);
  const local = locals(url);
  if (off || !trackable) {
    // A fixed origin needs no check; an address that comes whole from data does.
    return given !== undefined && local.length === 0 && leading === undefined
      ? { kind: 'keep' }
      : { kind: 'link', url, tracked: false };
  }
  return local.length === 0
    ? { kind: 'link', url, tracked: true }
    : {
        kind: 'link',
        url,
        tracked: false,
        warning: `clicks on the link with ${local.join(', ')} are not counted: its address is only known inside the mail`,
      };
}

const controls = /[\u0000-\u0020\u007f]/;

/** The address when it is one that a link may lead to. */
export function safeUrl(url: string): string | undefined {
  const trimmed = url.trim();
  if (trimmed.length > 4096 || controls.test(trimmed.replaceAll(' ', ''))) return undefined;
  const parsed = URL.parse(trimmed.replaceAll(' ', '%20'));
  if (parsed === null || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')) return undefined;
  return parsed.hostname === '' ? undefined : parsed.href;
}
