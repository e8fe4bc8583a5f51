import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inferType, readCell } from './attribute.rules.ts';
import { inferNotation } from './notation.rules.ts';

const read = (type: 'date' | 'number', cell: string, samples: readonly string[]) => {
  const value = readCell(type, cell, inferNotation(samples));
  return value.ok ? value.value : undefined;
};

describe('dates', () => {
  test('with points begin with the day', () => {
    const samples = ['31.12.2025', '', '01.02.2024', '7.8.1999'];
    expect(inferNotation(samples)).toBe('day-first');
    expect(inferType('born', samples)).toBe('date');
    expect(samples.map((cell) => read('date', cell, samples))).toEqual([
      '2025-12-31',
      undefined,
      '2024-02-01',
      '1999-08-07',
    ]);
  });

  test.each([
    [['31/12/2025', '01/02/2024'], 'day-first', '2024-02-01'],
    [['12/31/2025', '01/02/2024'], 'month-first', '2024-01-02'],
    [['31-12-2025', '01-02-2024'], 'day-first', '2024-02-01'],
    [['12-31-2025', '01-02-2024'], 'month-first', '2024-01-02'],
  ])('in %j are read in the one order that fits them all', (samples, notation, second) => {
    expect(inferNotation(samples)).toBe(notation);
    expect(inferType('born', samples)).toBe('date');
    expect(read('date', samples[1] ?? '', samples)).toBe(second);
  });

  test.each([
    ['either order fits', ['01/02/2025', '03/04/2025', '05/05/2025']],
    ['neither order fits all', ['31/12/2025', '12/31/2025']],
    ['two marks are mixed', ['31/12/2025', '31.12.2025']],
    ['a day is none', ['31/12/2025', '31/02/2025']],
    ['a day with points is none', ['31.12.2025', '32.12.2025']],
    ['years have two digits', ['31.12.25', '30.11.24']],
    ['one cell is a word', ['31.12.2025', 'unknown']],
    ['a version number', ['1.2.3', '31.12.2025']],
  ])('stay text when %s', (_why, samples) => {
    expect(inferNotation(samples)).toBeUndefined();
    expect(inferType('born', samples)).toBe('text');
  });

  test('are found back whatever they are, or not taken for dates at all', () => {
    const day = fc.date({ min: new Date('1900-01-01'), max: new Date('2099-12-31'), noInvalidDate: true });
    const write = (date: Date, order: string, mark: string) => {
      const [year = '', month = '', dayOfMonth = ''] = date.toISOString().slice(0, 10).split('-');
      return (order === 'day-first' ? [dayOfMonth, month, year] : [month, dayOfMonth, year]).join(mark);
    };
    const column = fc.record({
      days: fc.array(day, { minLength: 1, maxLength: 20 }),
      order: fc.constantFrom('day-first', 'month-first'),
      mark: fc.constantFrom('/', '-'),
    });
    fc.assert(
      fc.property(column, ({ days, order, mark }) => {
        const samples = days.map((one) => write(one, order, mark));
        const found = inferNotation(samples);
        expect([undefined, order]).toContain(found);
        if (found === undefined) expect(days.every((one) => one.getUTCDate() <= 12)).toBe(true);
        else
          expect(samples.map((cell) => read('date', cell, samples))).toEqual(
            days.map((one) => one.toISOString().slice(0, 10)),
          );
      }),
    );
  });
});

describe('numbers', () => {
  test.each([
    [
      ['12,5', '3', '-0,75'],
      [12.5, 3, -0.75],
    ],
    [
      ['1.234,56', '1.234', '1.234.567,8'],
      [1234.56, 1234, 1234567.8],
    ],
    [
      ['0,125', '1,234'],
      [0.125, 1.234],
    ],
    [
      ['1.234.567', '12'],
      [1234567, 12],
    ],
    [['1234,567'], [1234.567]],
  ])('%j have a decimal comma', (samples, values) => {
    expect(inferNotation(samples)).toBe('decimal-comma');
    expect(inferType('price', samples)).toBe('number');
    expect(samples.map((cell) => read('number', cell, samples))).toEqual(values);
  });

  test.each([
    ['thousands, or fractions', ['1,234', '5,678']],
    ['thousands with an English fraction', ['1,234.50']],
    ['both marks as fraction', ['12,5', '12.5']],
    ['lists', ['1,2,3']],
    ['with a unit', ['12,5 %']],
  ])('that may be %s stay text', (_what, samples) => {
    expect(inferNotation(samples)).toBeUndefined();
    expect(inferType('price', samples)).toBe('text');
  });

  test('with points only are what they were', () => {
    expect(inferNotation(['12.5', '3'])).toBeUndefined();
    expect(inferType('price', ['12.5', '3'])).toBe('number');
    expect(read('number', '12.5', ['12.5', '3'])).toBe(12.5);
    expect(inferType('plz', ['12,5'])).toBe('text');
  });

  test('are refused in a column with a decimal comma when they cannot be one', () => {
    for (const cell of ['12.5', '1,2,3', '1e5', 'x']) expect(read('number', cell, ['12,5'])).toBeUndefined();
  });
});
