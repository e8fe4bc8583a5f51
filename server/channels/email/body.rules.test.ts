import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseEncoding, encodedBound, encodeText } from './body.rules.ts';
import type { TransferEncoding } from './body.rules.ts';

function encoded(text: string, encoding: TransferEncoding): string {
  const out = Buffer.alloc(encodedBound(text) + 10, 0x7e);
  return out.toString('latin1', 10, encodeText(text, encoding, out, 10));
}

function decoded(body: string, encoding: TransferEncoding): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString();
  if (encoding === '7bit') return body;
  const bytes = body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}

/** Line breaks are one thing in mail; the last line always ends. */
const canonical = (text: string) => text.toWellFormed().replace(/\r\n|\r|\n/g, '\r\n');
const ended = (text: string) => (text.endsWith('\r\n') ? text : `${text}\r\n`);

const lineOfMail = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.constantFrom(
    '.',
    '..',
    'From me',
    '. dot',
    'trailing ',
    'tab\t',
    '=',
    '=3D',
    '',
    '-- ',
    '\u0000',
    '\r',
    'x'.repeat(80),
    'y '.repeat(600),
    'é'.repeat(100),
  ),
);
const text = fc
  .array(lineOfMail, { maxLength: 20 })
  .chain((lines) => fc.constantFrom('\n', '\r\n', '\r').map((end) => lines.join(end)));

describe('transfer encodings of text', () => {
  it('give back what went in, with line breaks as CRLF', () => {
    fc.assert(
      fc.property(text, (given) => {
        const encoding = chooseEncoding(given);
        const body = encoded(given, encoding);
        const back = decoded(body, encoding);
        expect(encoding === 'base64' ? ended(back) : back).toBe(ended(canonical(given)));
      }),
      { numRuns: 500 },
    );
  });

  it('never leave anything on the wire that a relay would read as something else', () => {
    fc.assert(
      fc.property(text, fc.constantFrom<TransferEncoding>('quoted-printable', 'base64'), (given, forced) => {
        for (const encoding of [chooseEncoding(given), forced]) {
          const body = encoded(given, encoding);
          expect(body.endsWith('\r\n')).toBe(true);
          expect(body).toMatch(/^[\t\r\n\x20-\x7e]*$|^[\x01-\x7f]*$/);
          expect(body).not.toMatch(/(?:^|\n)(?:\.|From )/);
          expect(body.replace(/\r\n/g, '')).not.toMatch(/[\r\n\u0000]/);
          const longest = Math.max(...body.split('\r\n').map((line) => line.length));
          expect(longest).toBeLessThanOrEqual(encoding === '7bit' ? 998 : 76);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('never write past the bound they announce', () => {
    for (const hard of ['\u0000', 'é', '漢', '😀', '=', '\n', '\r', '. ', 'a']) {
      for (const length of [0, 1, 23, 24, 25, 75, 76, 77, 1000]) {
        const given = hard.repeat(length);
        for (const encoding of ['quoted-printable', 'base64'] as const) {
          const out = Buffer.alloc(encodedBound(given) + 4, 0x7e);
          expect(encodeText(given, encoding, out, 0)).toBeLessThanOrEqual(encodedBound(given));
        }
      }
    }
  });

  it('send plain ASCII as it is, Latin scripts as quoted-printable, others as base64', () => {
    expect(chooseEncoding('Hello\nyou\n')).toBe('7bit');
    expect(chooseEncoding('Guten Tag, schöne Grüße aus dem sonnigen Süden und bis bald')).toBe('quoted-printable');
    expect(chooseEncoding('ありがとうございます')).toBe('base64');
    expect(chooseEncoding('x'.repeat(991))).toBe('quoted-printable');
    expect(chooseEncoding('line\n.hidden')).toBe('quoted-printable');
    expect(chooseEncoding('bare\rreturn')).toBe('quoted-printable');
  });

  it('encode the examples of RFC 2045', () => {
    expect(
      encoded("Now's the time for all folk to come to the aid of their country. Surely, = now.", 'quoted-printable'),
    ).toBe("Now's the time for all folk to come to the aid of their country. Surely, =\r\n=3D now.\r\n");
    expect(encoded('ends in a blank \nnext', 'quoted-printable')).toBe('ends in a blank=20\r\nnext\r\n');
  });
});
