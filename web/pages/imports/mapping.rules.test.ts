import { describe, expect, test } from 'vitest';
import {
  mappedFrom,
  mappingOf,
  mappingProblems,
  notationText,
  percentRead,
  type MappedColumn,
  type Preview,
} from './mapping.rules.ts';

const preview: Preview = {
  delimiter: ',',
  encoding: 'utf-8',
  columns: [
    { name: 'E-Mail', field: 'email', type: null, notation: null, samples: ['a@example.com'] },
    { name: 'City', field: 'attributes.city', type: 'text', notation: null, samples: ['Rome'] },
    { name: 'Points', field: 'attributes.points', type: 'number', notation: null, samples: ['7'] },
    { name: 'Internal', field: 'ignore', type: null, notation: null, samples: ['x'] },
  ],
  rows: [],
  warnings: [],
};

const column = (given: Partial<MappedColumn>): MappedColumn => ({
  name: 'Column',
  samples: [],
  field: 'ignore',
  newKey: 'column',
  newType: 'text',
  notation: null,
  ...given,
});

describe('the mapping of columns', () => {
  test('starts from the suggestion; an attribute nobody has yet is shown as new, with its type', () => {
    const columns = mappedFrom(preview, new Set(['city']));
    expect(columns.map((mapped) => mapped.field)).toEqual(['email', 'attributes.city', 'new', 'ignore']);
    expect(mappingOf(columns)).toEqual({
      mapping: { 'E-Mail': 'email', City: 'attributes.city', Points: 'attributes.points', Internal: 'ignore' },
      attributeTypes: { points: 'number' },
    });
  });

  test('says how a new date or number is read, as long as it is one', () => {
    const spent = { name: 'Spent', field: 'attributes.spent', type: 'number' as const, samples: ['1,5'] };
    const columns = mappedFrom({ ...preview, columns: [{ ...spent, notation: 'decimal-comma' as const }] }, new Set());
    expect(columns.map(notationText)).toEqual(['Read with a decimal comma']);
    const said = (given: Partial<MappedColumn>) => notationText(column({ field: 'new', ...given }));
    expect(said({ newType: 'date', notation: 'day-first' })).toBe('Read as day, month, year');
    expect(said({ newType: 'date', notation: 'month-first' })).toBe('Read as month, day, year');
    expect(said({ newType: 'text', notation: 'day-first' })).toBeUndefined();
    expect(said({ newType: 'date', notation: null })).toBeUndefined();
    expect(said({ newType: 'date', notation: 'day-first', field: 'attributes.born' })).toBeUndefined();
  });

  test('needs something to recognise a row by', () => {
    expect(mappingProblems([column({ field: 'attributes.city' })]).get('')).toMatch(/without one of them/);
    expect(mappingProblems([column({ field: 'externalId' })]).size).toBe(0);
  });

  test('takes several addresses, but each other field once', () => {
    const columns = [
      column({ name: 'Mail 1', field: 'email' }),
      column({ name: 'Mail 2', field: 'email' }),
      column({ name: 'City', field: 'attributes.city' }),
      column({ name: 'Town', field: 'new', newKey: 'city' }),
    ];
    expect([...mappingProblems(columns)]).toEqual([['Town', '“City” already becomes this']]);
  });

  test.each(['constructor', 'First', '1st', 'a-b', ''])('a new attribute cannot be called %j', (newKey) => {
    const columns = [column({ name: 'Mail', field: 'email' }), column({ name: 'X', field: 'new', newKey })];
    expect(mappingProblems(columns).has('X')).toBe(true);
  });
});

test('an import is whole only when it is done', () => {
  expect(percentRead('running', 1000, 1000)).toBe(99);
  expect(percentRead('running', 0, 0)).toBe(0);
  expect(percentRead('done', 900, 1000)).toBe(100);
});
