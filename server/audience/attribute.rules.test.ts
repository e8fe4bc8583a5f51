import fc from 'fast-check';
import { expect, test } from 'vitest';
import { attributesProblem, inferType, keyProblem, mergeAttributes, readCell, readJson } from './attribute.rules.ts';
import type { AttributeValue } from './attribute.rules.ts';

test.each(['__proto__', 'constructor', 'prototype', 'Email', '1st', '', 'a b', 'a'.repeat(64), 'email', 'time_zone'])(
  'the key "%s" is refused',
  (key) => {
    expect(keyProblem(key)).toBeDefined();
  },
);

test('ordinary keys are taken', () => {
  for (const key of ['first_name', 'a', 'x9', 'a'.repeat(63)]) expect(keyProblem(key)).toBeUndefined();
});

test('cells become values of their type, or are refused', () => {
  expect(readCell('number', '12.50')).toEqual({ ok: true, value: 12.5 });
  expect(readCell('number', '1,250').ok).toBe(false);
  expect(readCell('number', '0x10').ok).toBe(false);
  expect(readCell('number', '1e999').ok).toBe(false);
  expect(readCell('boolean', 'Ja')).toEqual({ ok: true, value: true });
  expect(readCell('boolean', 'maybe').ok).toBe(false);
  expect(readCell('date', '2025-02-28')).toEqual({ ok: true, value: '2025-02-28' });
  expect(readCell('date', '28.2.2025')).toEqual({ ok: true, value: '2025-02-28' });
  expect(readCell('date', '2025-02-30').ok).toBe(false);
  expect(readCell('date', '03/04/2025').ok).toBe(false);
  expect(readCell('list', 'a | b;c')).toEqual({ ok: true, value: ['a', 'b', 'c'] });
  expect(readCell('text', 'a\u0000b').ok).toBe(false);
  expect(readCell('text', 'x'.repeat(5001)).ok).toBe(false);
});

test('JSON values keep their type', () => {
  expect(readJson('number', '12').ok).toBe(false);
  expect(readJson('number', Number.POSITIVE_INFINITY).ok).toBe(false);
  expect(readJson('text', '\ud800').ok).toBe(false);
  expect(readJson('list', ['a', 1]).ok).toBe(false);
  expect(readJson('date', '2025-01-01')).toEqual({ ok: true, value: '2025-01-01' });
});

test('a type is inferred only when every sample agrees', () => {
  expect(inferType('age', ['30', '', '41'])).toBe('number');
  expect(inferType('age', ['30', 'unknown'])).toBe('text');
  expect(inferType('zip', ['70116', '48116'])).toBe('text');
  expect(inferType('ref', ['007', '12'])).toBe('text');
  expect(inferType('vip', ['yes', 'no'])).toBe('boolean');
  expect(inferType('born', ['1990-01-01', '1985-12-31'])).toBe('date');
  expect(inferType('empty', ['', ''])).toBe('text');
});

test('merging what is known already gives the very same object', () => {
  const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.array(fc.string(), { maxLength: 3 }));
  const attributes = fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), value, { maxKeys: 6 });
  fc.assert(
    fc.property(attributes, attributes, (known, given) => {
      const change = new Map<string, AttributeValue | undefined>(Object.entries(given));
      const once = mergeAttributes(known, change);
      expect(mergeAttributes(once, change)).toBe(once);
      for (const [key, one] of Object.entries(given)) expect(once[key]).toEqual(one);
    }),
  );
});

test('undefined removes an attribute', () => {
  expect(mergeAttributes({ a: 1, b: 2 }, new Map([['a', undefined]]))).toEqual({ b: 2 });
});

test('too much of it is refused', () => {
  expect(attributesProblem({ a: 'x'.repeat(70_000) })).toBeDefined();
  expect(attributesProblem(Object.fromEntries(Array.from({ length: 201 }, (_, at) => [`k${at}`, 1])))).toBeDefined();
  expect(attributesProblem({ a: 1 })).toBeUndefined();
});
