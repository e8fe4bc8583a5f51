import { inferNotation, readCommaNumber, readSplitDate } from './notation.rules.ts';
import type { Notation } from './notation.rules.ts';

export type AttributeType = 'text' | 'number' | 'boolean' | 'date' | 'list';
/** Dates are `YYYY-MM-DD`. */
export type AttributeValue = string | number | boolean | readonly string[];
export type Attributes = Readonly<Record<string, AttributeValue>>;

export type ReadValue =
  { readonly ok: true; readonly value: AttributeValue } | { readonly ok: false; readonly reason: string };

/** Bounds of what is kept of one contact: it is all rendered into messages and read in bulk. */
export const attributeLimits = {
  textLength: 5000,
  listItems: 100,
  listItemLength: 500,
  perContact: 200,
  totalBytes: 65_536,
};

const keyShape = /^[a-z][a-z0-9_]{0,62}$/u;
/** The first two reach into prototypes (`__proto__` fails the pattern already); the rest are fields of every contact. */
const reserved = new Set([
  'constructor',
  'prototype',
  'id',
  'email',
  'phone',
  'push',
  'locale',
  'time_zone',
  'country',
  'external_id',
]);

/** Pure: why a key cannot be an attribute's, or undefined. */
export function keyProblem(key: string): string | undefined {
  if (!keyShape.test(key)) return 'must start with a letter and hold only a-z, 0-9 and _ (at most 63)';
  if (reserved.has(key)) return 'is a reserved name';
  return undefined;
}

const wrong = (reason: string): ReadValue => ({ ok: false, reason });
const truths = new Set(['true', 'yes', 'y', '1', 'ja', 'oui', 'si', 'sí', 'sim', 'wahr', 'x']);
const falsehoods = new Set(['false', 'no', 'n', '0', 'nein', 'non', 'não', 'falsch']);
const decimal = /^[+-]?\d{1,15}(?:\.\d{1,15})?(?:e[+-]?\d{1,3})?$/iu;

function readText(text: string): ReadValue {
  if (text.length > attributeLimits.textLength) return wrong(`is longer than ${attributeLimits.textLength} characters`);
  // PostgreSQL keeps neither in jsonb.
  if (text.includes('\u0000') || !text.isWellFormed()) return wrong('has characters that are not text');
  return { ok: true, value: text };
}

/** Pure: a calendar date from `YYYY-MM-DD`, `YYYY/MM/DD`, `DD.MM.YYYY` or a time stamp; `03/04/2025` means two days, so it is none. */
export function readDate(text: string, notation?: Notation): string | undefined {
  const iso = /^(\d{4})([-/])(\d{1,2})\2(\d{1,2})(?:[T ]\d{2}:\d{2}.*)?$/u.exec(text);
  if (iso === null) return readSplitDate(text, notation);
  const [, year = '', , month = '', day = ''] = iso;
  try {
    return Temporal.PlainDate.from({ year: +year, month: +month, day: +day }, { overflow: 'reject' }).toString();
  } catch {
    return undefined; // A day that the calendar does not have.
  }
}

function readList(items: readonly string[]): ReadValue {
  if (items.length > attributeLimits.listItems) return wrong(`has more than ${attributeLimits.listItems} items`);
  for (const item of items) {
    if (item.length > attributeLimits.listItemLength)
      return wrong(`has an item longer than ${attributeLimits.listItemLength} characters`);
    const read = readText(item);
    if (!read.ok) return read;
  }
  return { ok: true, value: items };
}

/** Pure: a cell of a file as a value of the attribute's type; `notation` is how its column writes dates or numbers. */
export function readCell(type: AttributeType, cell: string, notation?: Notation): ReadValue {
  switch (type) {
    case 'text':
      return readText(cell);
    case 'number': {
      const point = decimal.test(cell) ? Number(cell) : undefined;
      const number = notation === 'decimal-comma' ? readCommaNumber(cell) : point;
      return number !== undefined && Number.isFinite(number) ? { ok: true, value: number } : wrong('is not a number');
    }
    case 'boolean': {
      const word = cell.toLowerCase();
      if (truths.has(word)) return { ok: true, value: true };
      return falsehoods.has(word) ? { ok: true, value: false } : wrong('is neither yes nor no');
    }
    case 'date': {
      const date = readDate(cell, notation);
      return date === undefined ? wrong('is not a date (YYYY-MM-DD)') : { ok: true, value: date };
    }
    case 'list':
      return readList(
        cell
          .split(/[|;]/u)
          .map((item) => item.trim())
          .filter((item) => item !== ''),
      );
  }
}

/** Pure: a JSON value as a value of the attribute's type. Strings are not turned into numbers: JSON has both. */
export function readJson(type: AttributeType, given: unknown): ReadValue {
  switch (type) {
    case 'text':
      return typeof given === 'string' ? readText(given) : wrong('must be a text');
    case 'number':
      return typeof given === 'number' && Number.isFinite(given)
        ? { ok: true, value: given }
        : wrong('must be a number');
    case 'boolean':
      return typeof given === 'boolean' ? { ok: true, value: given } : wrong('must be true or false');
    case 'date': {
      const date = typeof given === 'string' ? readDate(given) : undefined;
      return date === undefined ? wrong('must be a date (YYYY-MM-DD)') : { ok: true, value: date };
    }
    case 'list':
      return Array.isArray(given) && given.every((item): item is string => typeof item === 'string')
        ? readList(given)
        : wrong('must be a list of texts');
  }
}

/** Pure: the type of an attribute first seen in JSON. */
export function typeOfJson(given: unknown): AttributeType {
  if (typeof given === 'number') return 'number';
  if (typeof given === 'boolean') return 'boolean';
  return Array.isArray(given) ? 'list' : 'text';
}

/** Names whose values look like numbers and are none: nobody adds up postcodes, and `00601` must keep its zeros. */
const codeLike =
  /(?:^|_)(?:zip|zipcode|postal|postcode|plz|cap|cp|phone\d*|tel|telefon|fax|mobile|code|id|nr|no|number|iban|vat|ssn|sku|isbn)(?:_|$)/u;
const yesOrNo = new Set(['true', 'false', 'yes', 'no', 'ja', 'nein', 'oui', 'non', 'si', 'sí']);

/**
 * Pure: the type of an attribute first seen in a file, from samples of its cells. All must agree, or it is a
 * text; 0 and 1 are numbers, since a column of them may go on with 2.
 */
export function inferType(
  key: string,
  samples: readonly string[],
  notation: Notation | undefined = inferNotation(samples),
): AttributeType {
  const cells = samples.filter((cell) => cell !== '');
  if (cells.length === 0 || codeLike.test(key)) return 'text';
  if (cells.every((cell) => yesOrNo.has(cell.toLowerCase()))) return 'boolean';
  if (notation !== undefined) return notation === 'decimal-comma' ? 'number' : 'date';
  if (cells.every((cell) => /^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,10})?$/u.test(cell))) return 'number';
  if (cells.every((cell) => /^\d{4}-\d{2}-\d{2}$/u.test(cell) && readDate(cell) !== undefined)) return 'date';
  return 'text';
}

/** Pure: whether two values are the same; lists by order. */
export function sameValue(a: AttributeValue | undefined, b: AttributeValue | undefined): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  return a.length === b.length && a.every((item, at) => item === b[at]);
}

/**
 * Pure: what is known after a change; undefined removes. Returns the same object when nothing changes, so that
 * the caller sees by identity that there is nothing to write.
 */
export function mergeAttributes(
  known: Attributes,
  given: Iterable<readonly [string, AttributeValue | undefined]>,
): Attributes {
  let merged: Record<string, AttributeValue> | undefined;
  for (const [key, value] of given) {
    if (sameValue(Object.hasOwn(known, key) ? known[key] : undefined, value)) continue;
    merged ??= { ...known };
    if (value === undefined) delete merged[key];
    else merged[key] = value;
  }
  return merged ?? known;
}

/** Pure: why a contact's attributes cannot be kept, or undefined. `changes` of none means they were there before. */
export function attributesProblem(attributes: Attributes, changes = 1): string | undefined {
  if (changes === 0) return undefined;
  const { perContact, totalBytes } = attributeLimits;
  let count = 0;
  let characters = 0;
  for (const key in attributes) {
    count++;
    const value = attributes[key];
    characters +=
      key.length +
      (typeof value === 'string' ? value.length : typeof value === 'object' ? JSON.stringify(value).length : 8);
  }
  if (count > perContact) return `would give one contact more than ${perContact} attributes`;
  // Counting characters is cheap; bytes are counted only when they might be too many (3 for one UTF-16 unit at most).
  if (characters * 3 > totalBytes && Buffer.byteLength(JSON.stringify(attributes)) > totalBytes)
    return `would give one contact more than ${totalBytes} bytes of attributes`;
  return undefined;
}
