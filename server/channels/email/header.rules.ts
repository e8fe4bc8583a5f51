import { domainToASCII } from 'node:url';

/** Header fields (RFC 5322), encoded words (RFC 2047) and addresses (RFC 5321, 6531, IDNA). */

/** Thrown inside the rules only; `compose` turns it into a refusal of that one message. */
export class UnfitMessage extends Error {
  readonly code: string;
  readonly category: 'address' | 'content';

  constructor(code: string, category: 'address' | 'content', reason: string) {
    super(reason);
    this.code = code;
    this.category = category;
  }
}

// eslint-disable-next-line no-control-regex -- control characters are exactly what is refused
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** What could end a header and begin another is refused, not cleaned: somebody tries something, or data is broken. */
export function refuseControl(value: string, what: string): void {
  if (control.test(value))
    throw new UnfitMessage('invalid-header', 'content', `${what} contains a line break or another control character`);
}

const printable = /^[\x20-\x7e]*$/;

/** `Name: value` with CRLF; text is encoded when it is not plain ASCII, and folded at 78 where there is a space. */
export function textHeader(name: string, value: string): string {
  refuseControl(value, name);
  const text = value.trim().toWellFormed();
  // `=?` would be read as an encoded word.
  if (printable.test(text) && !text.includes('=?')) {
    const folded = foldWords(name.length + 2, text);
    if (folded !== undefined) return `${name}: ${folded}\r\n`;
  }
  return `${name}: ${encodeWords(text, name.length + 2)}\r\n`;
}

/** Folds at single spaces; undefined when a word would not fit into a line of 998 or folding would change the text. */
function foldWords(used: number, text: string): string | undefined {
  if (used + text.length <= 78) return text;
  let line = used;
  let out = '';
  for (const [index, word] of text.split(' ').entries()) {
    if (word.length > 900) return undefined;
    // An empty word is a run of spaces: a line of white space only must not come of it.
    if (index > 0 && line + 1 + word.length > 78 && word !== '') {
      out += '\r\n ';
      line = 1;
    } else if (index > 0) {
      out += ' ';
      line += 1;
    }
    out += word;
    line += word.length;
  }
  return / \r\n| {2}\r\n/.test(out) ? undefined : out;
}

/** UTF-8 bytes of an encoded word in base64: 75 characters less `=?UTF-8?B?` and `?=`, in whole groups of 3 bytes. */
const wordBytes = 45;

/** Encoded words, never splitting a character, folded so that each line stays below 76. `used`: columns before them. */
export function encodeWords(text: string, used: number): string {
  const words: string[] = [];
  let part = '';
  let bytes = 0;
  let room = Math.max(12, Math.min(wordBytes, Math.floor((76 - used - 12) / 4) * 3));
  for (const character of text) {
    const size = Buffer.byteLength(character);
    if (bytes + size > room) {
      words.push(part);
      part = '';
      bytes = 0;
      room = wordBytes;
    }
    part += character;
    bytes += size;
  }
  if (part !== '' || words.length === 0) words.push(part);
  return words.map((word) => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`).join('\r\n ');
}

export interface WireAddress {
  /** As it goes over the wire: domain in A-labels. */
  readonly address: string;
  readonly domain: string;
  /** The local part is not ASCII: only servers with SMTPUTF8 take it. */
  readonly utf8: boolean;
}

const atoms =
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\u{10ffff}-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\u{10ffff}-]+)*$/u;
const quoted = /^"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"$/;
const hostName =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;

/** Checks an address to the letter before it is written into a command: what is not an address never reaches the wire. */
export function wireAddress(address: string, category: 'address' | 'content' = 'address'): WireAddress {
  const at = address.lastIndexOf('@');
  const local = address.slice(0, at);
  const domain = asciiDomain(address.slice(at + 1));
  const shape = at > 0 && Buffer.byteLength(local) <= 64 && !control.test(address) && local.isWellFormed();
  if (!shape || domain === undefined || !(atoms.test(local) || quoted.test(local))) {
    throw new UnfitMessage('5.1.3', category, 'The address is not valid');
  }
  return { address: `${local}@${domain}`, domain, utf8: !printable.test(local) };
}

/** The domain as A-labels, lower case; undefined when it is none. */
export function asciiDomain(domain: string): string | undefined {
  const lower = domain.toLowerCase();
  const ascii = hostName.test(lower) && !lower.includes('xn--') ? lower : domainToASCII(lower);
  // An address literal or a number is no domain a marketing mail goes to, and `domainToASCII` makes one of "0x7f.1".
  return hostName.test(ascii) && !/^[\d.]+$/.test(ascii) ? ascii : undefined;
}

/** A mailbox for From, To, Reply-To: `name <address>`; SMTPUTF8 addresses stay as they are. */
export function mailboxHeader(field: string, name: string | undefined, address: WireAddress): string {
  if (name === undefined || name.trim() === '') return `${field}: ${address.address}\r\n`;
  refuseControl(name, `The name in ${field}`);
  const text = name.trim().toWellFormed();
  const phrase = displayName(text, field.length + 2);
  const short = field.length + 2 + phrase.length + address.address.length + 3 <= 78 && !phrase.includes('\r\n');
  return `${field}: ${phrase}${short ? ' ' : '\r\n '}<${address.address}>\r\n`;
}

function displayName(text: string, used: number): string {
  const plain = printable.test(text) && !text.includes('=?') && text.length <= 200;
  if (!plain) return encodeWords(text, used);
  if (/^[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+$/.test(text) && !text.includes('  ')) return text;
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/**
 * RFC 8058: one web URI, in angle brackets. It stays on one line: some mailbox providers do not unfold it. One-click needs
 * https out in the world, which the readiness list asks for; a local install tries the same headers over http.
 */
export function unsubscribeHeaders(url: string): string {
  if (!/^https?:\/\/[\x21-\x3b\x3d\x3f-\x7e]{1,900}$/.test(url)) {
    throw new UnfitMessage('invalid-header', 'content', 'The unsubscribe link is not a web address');
  }
  return `List-Unsubscribe: <${url}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n`;
}

const reserved = new Set(
  'from to cc bcc sender reply-to subject date message-id mime-version content-type content-transfer-encoding list-unsubscribe list-unsubscribe-post feedback-id dkim-signature return-path received'.split(
    ' ',
  ),
);

export function extraHeader(name: string, value: string): string {
  if (!/^[A-Za-z][A-Za-z0-9-]{0,75}$/.test(name) || reserved.has(name.toLowerCase())) {
    throw new UnfitMessage('invalid-header', 'content', 'A header of this name cannot be set');
  }
  return textHeader(name, value);
}
