/**
 * Content transfer encodings (RFC 2045, 6) for text, written straight into a buffer: composing is on the hot path
 * of every message, and building strings line by line costs several times as much.
 */

export type TransferEncoding = '7bit' | 'quoted-printable' | 'base64';

const safe = 0;
const blank = 1;
const lineBreak = 2;
const unsafe = 3;
/** Safe at any place but the start of a line, where relays and mailbox files give them a meaning (`.`, `From `). */
const fragile = 4;

const finished = 5;

const classes = new Uint8Array(256).fill(unsafe);
for (let byte = 33; byte <= 126; byte++) classes[byte] = safe;
classes[0x3d] = unsafe;
classes[0x2e] = fragile;
classes[0x46] = fragile;
classes[0x20] = blank;
classes[0x09] = blank;
classes[0x0a] = lineBreak;
classes[0x0d] = lineBreak;

const hexDigits = Buffer.from('0123456789ABCDEF', 'latin1');

/**
 * `7bit` when the text is plain enough to go as it is: native string operations do the work, a quarter of the price of
 * quoted-printable; texts whose lines already end in CRLF are cheapest. Otherwise quoted-printable, which stays readable
 * and small for Latin scripts; base64 is smaller from about a sixth of non-ASCII bytes on.
 */
export function chooseEncoding(text: string): TransferEncoding {
  const bytes = Buffer.byteLength(text);
  if (bytes === text.length) return isPlain(text) ? '7bit' : 'quoted-printable';
  // A character of n UTF-8 bytes adds n - 1 (or n - 2 for surrogate pairs) to the difference.
  return (bytes - text.length) * 1.6 > bytes * 0.18 ? 'base64' : 'quoted-printable';
}

const maxPlainLine = 990;

/** ASCII is given. Lines must be short enough (RFC 5322, 2.1.1), and nothing may stand where relays give it a meaning. */
function isPlain(text: string): boolean {
  if (text.charCodeAt(0) === 0x2e || text.startsWith('From ')) return false;
  if (text.includes('\n.') || text.includes('\nFrom ') || text.includes('\0')) return false;
  for (let at = text.indexOf('\r'); at >= 0; at = text.indexOf('\r', at + 1)) {
    if (text.charCodeAt(at + 1) !== 0x0a) return false;
  }
  let start = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', start)) {
    if (at - start > maxPlainLine) return false;
    start = at + 1;
  }
  return text.length - start <= maxPlainLine;
}

/** The most bytes `encodeText` can write for this text, whichever form it takes. */
export function encodedBound(text: string): number {
  const bytes = Buffer.byteLength(text);
  // Every byte escaped, a soft break after each 24 of them, and the final line break.
  return bytes * 3 + Math.ceil(bytes / 24) * 3 + 64;
}

/**
 * Writes `text` at `at`, line breaks as CRLF, always ending in one; returns the end. No form leaves a dot or `From ` at
 * the start of a line, a bare CR or LF, or a line longer than 998.
 */
export function encodeText(text: string, encoding: TransferEncoding, out: Buffer, at: number): number {
  switch (encoding) {
    case '7bit':
      return encodePlain(text, out, at);
    case 'base64':
      return encodeBase64(text, out, at);
    case 'quoted-printable':
      return encodeQuotedPrintable(text, out, at);
  }
}

function encodePlain(text: string, out: Buffer, at: number): number {
  const lines = hasBareLf(text) ? text.replaceAll('\r\n', '\n').split('\n').join('\r\n') : text;
  let end = at + out.write(lines, at, 'latin1');
  if (end === at || out[end - 1] !== 0x0a) end += out.write('\r\n', end, 'latin1');
  return end;
}

function hasBareLf(text: string): boolean {
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
    if (text.charCodeAt(at - 1) !== 0x0d) return true;
  }
  return false;
}

function encodeBase64(text: string, out: Buffer, at: number): number {
  const encoded = Buffer.from(text.replace(/\r\n|\r|\n/g, '\r\n')).toString('base64');
  let end = at;
  for (let from = 0; from < encoded.length; from += 76) {
    end += out.write(encoded.slice(from, from + 76), end, 'latin1');
    out[end++] = 0x0d;
    out[end++] = 0x0a;
  }
  if (end === at) end += out.write('\r\n', end, 'latin1');
  return end;
}

let source = Buffer.allocUnsafeSlow(64 * 1024);

function encodeQuotedPrintable(text: string, out: Buffer, at: number): number {
  if (source.length < text.length * 3) source = Buffer.allocUnsafeSlow(text.length * 4);
  const length = source.write(text, 0, 'utf8');
  const bytes = source;
  const kinds = classes;
  let end = at;
  let lineEnd = at + 75;
  let i = 0;
  while (i < length) {
    // The hot loop: runs of plain characters.
    let byte = bytes[i] as number;
    let kind = kinds[byte] as number;
    while (kind === safe && end < lineEnd) {
      out[end++] = byte;
      byte = bytes[++i] as number;
      kind = i < length ? (kinds[byte] as number) : finished;
    }
    if (kind === finished) break;
    if (kind === lineBreak) {
      i += byte === 0x0d && i + 1 < length && bytes[i + 1] === 0x0a ? 2 : 1;
      out[end++] = 0x0d;
      out[end++] = 0x0a;
      lineEnd = end + 75;
      continue;
    }
    const literal =
      kind === safe || (kind === blank ? !endsLine(bytes, i, length) : kind === fragile && end > lineEnd - 75);
    if (end >= (literal ? lineEnd : lineEnd - 2)) {
      // The soft break makes it 76; what comes next is at the start of a line, so it is judged again.
      out[end++] = 0x3d;
      out[end++] = 0x0d;
      out[end++] = 0x0a;
      lineEnd = end + 75;
      continue;
    }
    i++;
    if (literal) {
      out[end++] = byte;
    } else {
      out[end++] = 0x3d;
      out[end++] = hexDigits[byte >> 4] as number;
      out[end++] = hexDigits[byte & 15] as number;
    }
  }
  if (end === at || end !== lineEnd - 75) {
    out[end++] = 0x0d;
    out[end++] = 0x0a;
  }
  return end;
}

/** White space at the end of a line does not survive transport (RFC 2045, 6.7 rule 3). */
function endsLine(bytes: Buffer, at: number, length: number): boolean {
  return at + 1 >= length || classes[bytes[at + 1] as number] === lineBreak;
}
