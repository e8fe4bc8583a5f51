import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emailMatchKey, parseEmail } from './email.rules.ts';

const oracle = join(process.env['PARLEY_CONTRACTS'] ?? '../shared/contracts', 'oracles/addresses.json');
interface Case {
  readonly input: string;
  readonly valid: boolean;
  readonly normalized?: string;
  readonly asciiDomain?: string;
  readonly needsSmtpUtf8?: boolean;
}

const accepted = (input: string) => {
  const result = parseEmail(input);
  if (!result.ok) throw new Error(`${input} ${result.reason}`);
  return result.email;
};

describe.skipIf(!existsSync(oracle))('addresses as a kept validator reads them', () => {
  const cases: Case[] = existsSync(oracle) ? (JSON.parse(readFileSync(oracle, 'utf8')) as { cases: Case[] }).cases : [];
  test.each(cases.map((one) => [JSON.stringify(one.input), one] as const))('%s', (_name, one) => {
    const result = parseEmail(one.input);
    expect(result.ok).toBe(one.valid);
    if (result.ok)
      expect(result.email).toEqual({
        normalized: one.normalized,
        asciiDomain: one.asciiDomain,
        needsSmtpUtf8: one.needsSmtpUtf8,
      });
  });
});

describe('what must never pass', () => {
  test.each([
    ['a line break before the end', 'a@x.com\r\nBcc: b@y.com'],
    ['a line break in the local part', 'a\n@x.com'],
    ['a tab', 'a\t@x.com'],
    ['a quoted local part', '"a b"@x.com'],
    ['an address literal', 'a@[127.0.0.1]'],
    ['a comment', 'a(comment)@x.com'],
    ['a domain without a period', 'a@localhost'],
    ['a reserved domain', 'a@printer.local'],
    ['a label of two letters and two hyphens', 'a@ab--cd.com'],
    ['a Punycode label that does not decode', 'a@xn--a.com'],
    ['a Punycode label for a symbol', 'a@xn--n3h.net'],
    ['a label that mixes directions', 'a@אa.com'],
    ['a middle dot outside Catalan', 'a@a·b.com'],
    ['mixed Arabic digits', 'a@ب٠۰.com'],
    ['a zero width joiner after a Latin letter', 'a@a\u200db.com'],
    ['a right-to-left override', 'a\u202e@x.com'],
    ['a lone surrogate', 'a\ud800@x.com'],
    ['a combining mark at the start', '\u0301a@x.com'],
    ['a character that expands to periods', 'a@x…com'],
    ['a fullwidth underscore', 'a@x＿y.com'],
    ['65 characters before the @', `${'a'.repeat(65)}@x.com`],
    ['255 octets', `${'a'.repeat(60)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(63)}.com`],
  ])('%s', (_why, input) => {
    expect(parseEmail(input).ok).toBe(false);
  });
});

describe('what people have', () => {
  test.each([
    'a@ünïcode.example',
    'a@例え.jp',
    'a@правительство.рф',
    'a@אב.co.il',
    'a@paral·lel.cat',
    '用户@例子.广告',
    'a@sub.example.co.uk',
  ])('%s', (input) => {
    expect(parseEmail(input).ok).toBe(true);
  });

  test('a decoded and an encoded domain are the same address', () => {
    expect(emailMatchKey(accepted('a@faß.de'))).toBe(emailMatchKey(accepted('A@XN--FA-HIA.de')));
    expect(emailMatchKey(accepted('a@fass.de'))).not.toBe(emailMatchKey(accepted('a@faß.de')));
  });

  test('the case of the local part is kept for sending and ignored for matching', () => {
    expect(accepted('Bob@X.com').normalized).toBe('Bob@x.com');
    expect(emailMatchKey(accepted('Bob@X.com'))).toBe(emailMatchKey(accepted('bob@x.COM')));
    expect(accepted('PostMaster@x.com').normalized).toBe('postmaster@x.com');
  });
});

test('reading an address again changes nothing, and no control character ever survives', () => {
  const label = fc.stringMatching(/^[a-z0-9äöüßéñ]{1,12}$/u);
  const piece = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 8 }), label);
  fc.assert(
    fc.property(piece, label, fc.constantFrom('com', 'de', 'museum', 'рф'), (local, domain, top) => {
      const result = parseEmail(`${local}@${domain}.${top}`);
      if (!result.ok) return;
      expect(parseEmail(result.email.normalized)).toEqual(result);
      expect(/[\p{C}\p{Z}]/u.test(result.email.normalized)).toBe(false);
      expect(/^[\u0021-\u007e]+$/u.test(result.email.asciiDomain)).toBe(true);
    }),
    { numRuns: 500 },
  );
});
