import { describe, expect, test } from 'vitest';
import { unkeepable } from './http-text.rules.ts';

const at = (value: unknown) => unkeepable(value, '').map((one) => one.pointer);

describe('what the database cannot keep', () => {
  test('is named by its place', () => {
    expect(at({ name: 'a\0b', tags: ['fine', '\ud800'], deep: { er: [{ x: '\udc00x' }] } }).toSorted()).toEqual([
      '/deep/er/0/x',
      '/name',
      '/tags/1',
    ]);
    expect(unkeepable('\0', '/query')).toEqual([
      { pointer: '/query', message: 'must not contain NUL characters or half characters' },
    ]);
  });

  test('may be the name of a field, which is shown without what is wrong with it', () => {
    expect(at({ 'a\0/~': 1 })).toEqual(['/a\u{fffd}~1~0']);
    expect(at({ '\ud800': 1 })).toEqual(['/\u{fffd}']);
  });

  test('is not what people write', () => {
    expect(at({ name: 'Žofia 👩‍👩‍👧 “O’Neil”\n\ttab', n: 1, yes: true, no: null, list: [[[]]] })).toEqual([]);
    expect(at(undefined)).toEqual([]);
  });

  test('is nesting without end, however deep', () => {
    const nested = (levels: number) => JSON.parse('['.repeat(levels) + ']'.repeat(levels)) as unknown;
    expect(at(nested(32))).toEqual([]);
    expect(at(nested(34))).toEqual(['/0'.repeat(33)]);
    expect(at(nested(100_000))).toEqual(['/0'.repeat(33)]);
  });
});
