/**
 * How a file writes dates and numbers, where countries differ: found from the cells of a column, and taken only when
 * they prove it. `03/04/2025` alone is read by half of the world as March and by the other half as April, so a
 * column of such cells stays text until somebody says more.
 */
export type Notation = 'day-first' | 'month-first' | 'decimal-comma';

const split = /^(\d{1,2})([./-])(\d{1,2})\2(\d{4})$/u;

/** Digits, in groups of three with points or without, and a fraction behind a comma. */
const commaNumber = /^[+-]?(?:\d{1,15}|\d{1,3}(?:\.\d{3}){1,4})(?:,\d{1,15})?$/u;

/** Only a decimal comma explains it: `12,5`, `0,125`, `1.234,56`, `1234,567`, `1.234.567`. Not `1,234`. */
const proof = /,(?:\d{1,2}|\d{4,})$|^[+-]?0,|\..*,|^[+-]?\d{4,},|\..*\./u;

function dayOf(year: string, month: string, day: string): string | undefined {
  try {
    return Temporal.PlainDate.from({ year: +year, month: +month, day: +day }, { overflow: 'reject' }).toString();
  } catch {
    return undefined; // A day that the calendar does not have.
  }
}

/** Pure: a date whose year stands last, as `YYYY-MM-DD`. Points are written in countries that begin with the day. */
export function readSplitDate(cell: string, notation: Notation | undefined): string | undefined {
  const [, first = '', mark, second = '', year = ''] = split.exec(cell) ?? [];
  if (mark === '.' || (mark !== undefined && notation === 'day-first')) return dayOf(year, second, first);
  if (mark !== undefined && notation === 'month-first') return dayOf(year, first, second);
  return undefined;
}

/** Pure: a number as countries with a decimal comma write it. */
export function readCommaNumber(cell: string): number | undefined {
  return commaNumber.test(cell) ? Number(cell.replaceAll('.', '').replace(',', '.')) : undefined;
}

function dateNotation(cells: readonly string[]): Notation | undefined {
  const marks = new Set(cells.map((cell) => split.exec(cell)?.[2]));
  const [mark] = marks;
  if (marks.size !== 1 || mark === undefined) return undefined;
  const allAre = (notation: Notation) => cells.every((cell) => readSplitDate(cell, notation) !== undefined);
  const dayFirst = allAre('day-first');
  if (mark === '.') return dayFirst ? 'day-first' : undefined;
  if (dayFirst === allAre('month-first')) return undefined;
  return dayFirst ? 'day-first' : 'month-first';
}

/** Pure: how the cells of a column are written; undefined when they do not prove it, or need no saying. */
export function inferNotation(samples: readonly string[]): Notation | undefined {
  const cells = samples.filter((cell) => cell !== '');
  if (cells.length === 0) return undefined;
  if (cells.every((cell) => commaNumber.test(cell)))
    return cells.some((cell) => proof.test(cell)) ? 'decimal-comma' : undefined;
  return dateNotation(cells);
}
