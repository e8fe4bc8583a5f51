import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { addressOf, demoFile } from './people.ts';

const columns = [
  'customer_no',
  'e-mail',
  'first_name',
  'last_name',
  'city',
  'plan',
  'locale',
  'time_zone',
  'country',
] as const;
type Row = Record<(typeof columns)[number], string>;
const rowsOf = (text: string): Row[] => parse(text, { columns: true });

describe('the invented people', () => {
  const file = demoFile(10_000);
  const rows = rowsOf(file.text);

  test('are as many rows as asked for, of as many kinds as said, with nothing missing', () => {
    expect(rows).toHaveLength(10_000);
    expect(file.good + file.duplicates + file.malformed).toBe(10_000);
    for (const row of rows) expect(Object.values(row).every((value) => value !== '')).toBe(true);
    expect(Object.keys(rows[0] ?? {})).toEqual([...columns]);
  });

  test('hold exactly the duplicates and the unreadable rows that the report reckons with', () => {
    const wellFormed = rows.filter((row) => /^friend\.\d+@example\.com$/.test(row['e-mail']));
    expect(rows.length - wellFormed.length).toBe(file.malformed);
    expect(new Set(wellFormed.map((row) => row['e-mail'])).size).toBe(file.good);
    expect(wellFormed.length - file.good).toBe(file.duplicates);
    expect(file.malformed).toBe(100);
    expect(file.duplicates).toBeGreaterThan(50);
  });

  test('a repeated row says the same as the one it repeats, so that it changes nothing', () => {
    const first = new Map<string, Row>();
    let repeated = 0;
    for (const row of rows) {
      const known = first.get(row.customer_no);
      if (known === undefined) first.set(row.customer_no, row);
      else if (known['e-mail'] === row['e-mail']) {
        repeated += 1;
        expect(row).toEqual(known);
      }
    }
    expect(repeated).toBe(file.duplicates);
  });

  test('write in several scripts, live in zones that exist, and some of their cities have a comma', () => {
    expect(new Set(rows.map((row) => row.locale)).size).toBeGreaterThanOrEqual(5);
    expect(rows.some((row) => /\p{Script=Han}/u.test(row.last_name))).toBe(true);
    expect(rows.some((row) => row.city.includes(', '))).toBe(true);
    for (const zone of new Set(rows.map((row) => row.time_zone)))
      expect(() => Temporal.Now.zonedDateTimeISO(zone), zone).not.toThrow();
    for (const locale of new Set(rows.map((row) => row.locale)))
      expect(Intl.getCanonicalLocales(locale)).toEqual([locale]);
  });

  test('those who left before the file came are in it, each under a good address', () => {
    const addresses = new Set(rows.map((row) => row['e-mail']));
    for (let n = 0; n < 40; n++) expect(addresses.has(addressOf(n * 50 + 2)), addressOf(n * 50 + 2)).toBe(true);
  });

  test('are the same each time', () => {
    expect(demoFile(500)).toEqual(demoFile(500));
  });
});
