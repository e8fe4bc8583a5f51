/** What a vendor makes of a message that comes in parts, so that the inbox can show it: a mail as RFC 5322 has it. */

export interface MailParts {
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly text?: string;
  readonly html?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly date: Temporal.Instant;
  readonly boundary: string;
}

/** Pure. */
export function composeMail(parts: MailParts): Buffer {
  const { text, html, boundary } = parts;
  const head = [
    `Date: ${new Date(parts.date.epochMilliseconds).toUTCString().replace('GMT', '+0000')}`,
    `From: ${parts.from}`,
    `To: ${parts.to}`,
    `Subject: ${encodedWord(parts.subject)}`,
    ...Object.entries(parts.headers).map(([name, value]) => `${name}: ${value.replace(/[\r\n]+/g, ' ')}`),
    'MIME-Version: 1.0',
  ];
  const bodies = [
    ...(text === undefined ? [] : [entity('text/plain', text)]),
    ...(html === undefined ? [] : [entity('text/html', html)]),
  ];
  const [only] = bodies;
  if (bodies.length === 1 && only !== undefined) return Buffer.from(`${head.join('\r\n')}\r\n${only}`);
  const type = `Content-Type: multipart/alternative; boundary="${boundary}"`;
  const inner = bodies.map((body) => `--${boundary}\r\n${body}\r\n`).join('');
  return Buffer.from(`${head.join('\r\n')}\r\n${type}\r\n\r\n${inner}--${boundary}--\r\n`);
}

function entity(type: string, content: string): string {
  const lines =
    Buffer.from(content)
      .toString('base64')
      .match(/.{1,76}/g) ?? [];
  return `Content-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${lines.join('\r\n')}\r\n`;
}

const printable = /^[\x20-\x7e]*$/;

/** RFC 2047, of at most 45 bytes each. */
export function encodedWord(text: string): string {
  if (printable.test(text) && !text.includes('=?')) return text;
  const words: string[] = [];
  let word = '';
  for (const character of text.replace(/[\r\n]+/g, ' ')) {
    if (Buffer.byteLength(word + character) > 45) {
      words.push(word);
      word = '';
    }
    word += character;
  }
  return [...words, word].map((one) => `=?UTF-8?B?${Buffer.from(one).toString('base64')}?=`).join('\r\n ');
}

/** Pure: `name <address>`. */
export function mailboxOf(address: string, name: string | undefined): string {
  if (name === undefined || name === '') return address;
  const phrase = printable.test(name) ? `"${name.replace(/["\\]/g, '\\$&')}"` : encodedWord(name);
  return `${phrase} <${address}>`;
}
