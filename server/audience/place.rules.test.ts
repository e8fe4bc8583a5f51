import { expect, test } from 'vitest';
import { readCountry, readLocale, readTimeZone } from './place.rules.ts';

test.each([
  ['de_at', 'de-AT'],
  ['EN', 'en'],
  ['zh-hant-tw', 'zh-Hant-TW'],
  ['pt-BR', 'pt-BR'],
  ['iw', 'he'],
])('the language tag %s is kept as %s', (given, kept) => {
  expect(readLocale(given)).toEqual({ ok: true, value: kept });
});

test.each(['', 'german', 'x', 'de-', '../etc/passwd', 'en; drop table', 'a'.repeat(40)])(
  '"%s" is no language tag',
  (given) => {
    expect(readLocale(given).ok).toBe(false);
  },
);

test('time zones are IANA names in any case, offsets are not', () => {
  expect(readTimeZone('europe/berlin')).toEqual({ ok: true, value: 'Europe/Berlin' });
  expect(readTimeZone('America/New_York')).toEqual({ ok: true, value: 'America/New_York' });
  for (const wrong of ['+02:00', 'Europe/Atlantis', '', 'Mars']) expect(readTimeZone(wrong).ok).toBe(false);
});

test.each([
  ['de', 'DE'],
  ['DEU', 'DE'],
  ['Germany', 'DE'],
  ['Deutschland', 'DE'],
  ['Österreich', 'AT'],
  ['españa', 'ES'],
  ['Espana', 'ES'],
  ['USA', 'US'],
  ['United States', 'US'],
  ['UK', 'GB'],
  ['Brasil', 'BR'],
  ['日本', 'JP'],
  ['Kosovo', 'XK'],
])('%s is the country %s', (given, code) => {
  expect(readCountry(given)).toEqual({ ok: true, value: code });
});

test.each(['XX', 'Atlantis', '', 'D', 'constructor', '__proto__'])('"%s" is no country', (given) => {
  expect(readCountry(given).ok).toBe(false);
});
