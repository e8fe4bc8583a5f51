import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePhone } from './phone.rules.ts';

const oracle = join(process.env['PARLEY_CONTRACTS'] ?? '../shared/contracts', 'oracles/phones.json');
interface Case {
  readonly input: string;
  readonly region: string;
  readonly valid: boolean;
  readonly e164?: string;
  readonly country?: string;
  readonly type?: string;
}

describe.skipIf(!existsSync(oracle))('numbers as libphonenumber reads them', () => {
  const cases = existsSync(oracle) ? (JSON.parse(readFileSync(oracle, 'utf8')) as { cases: Case[] }).cases : [];

  test('validity, E.164 and country agree in every case', () => {
    const read = (one: Case) => {
      const result = parsePhone(one.input, one.region);
      return result.ok ? { valid: true, e164: result.phone.e164, country: result.phone.country } : { valid: false };
    };
    const told = (one: Case) => (one.valid ? { valid: true, e164: one.e164, country: one.country } : { valid: false });
    expect(cases.map((one) => [one.input, read(one)])).toEqual(cases.map((one) => [one.input, told(one)]));
  });

  test('line types differ in a handful at most', () => {
    const differing = cases.filter((one) => {
      const result = parsePhone(one.input, one.region);
      return result.ok && result.phone.lineType !== one.type?.toLowerCase().replaceAll('_', '-');
    });
    expect(differing.length).toBeLessThanOrEqual(3);
  });
});

test('a national number without a country is refused, saying so', () => {
  expect(parsePhone('504-621-8927')).toEqual({
    ok: false,
    reason: 'is not in international form, and no country is given to read it in',
  });
  expect(parsePhone('504-621-8927', 'US')).toMatchObject({ ok: true, phone: { e164: '+15046218927', country: 'US' } });
});

test('an extension, a text and control characters are refused', () => {
  expect(parsePhone('+1 504 621 8927 ext. 12', 'US').ok).toBe(false);
  expect(parsePhone('call me in the evening', 'US').ok).toBe(false);
  expect(parsePhone('+15046218927\r\nX: 1', 'US').ok).toBe(false);
});

test('an unknown country code is as good as none', () => {
  expect(parsePhone('+4915123456789', 'XX')).toMatchObject({ ok: true, phone: { country: 'DE' } });
});

test('what was read once reads the same again', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('US', 'DE', 'FR', 'IN', 'BR'),
      fc.stringMatching(/^[0-9 ()+-]{5,18}$/),
      (country, text) => {
        const first = parsePhone(text, country);
        if (first.ok) expect(parsePhone(first.phone.e164)).toEqual(first);
      },
    ),
    { numRuns: 300 },
  );
});
