import { expect, test } from 'vitest';
import { isNarrowed, letterFilter } from './filter.rules.ts';

test('what the address says becomes what the API takes; the rest of the address is left out', () => {
  const values = { state: 'failed', code: ' 554 ', cursor: 'abc', discarded: 'true', domain: '', from: '2026-02-01' };
  expect(letterFilter({ ...values, to: '2026-02-01' }, 'UTC')).toEqual({
    state: 'failed',
    code: '554',
    from: '2026-02-01T00:00:00.000Z',
    to: '2026-02-02T00:00:00.000Z',
  });
});

test('a day that is none narrows nothing down', () => {
  expect(isNarrowed(letterFilter({ from: 'soon', cursor: 'abc' }, 'UTC'))).toBe(false);
  expect(isNarrowed(letterFilter({ category: 'content' }, 'UTC'))).toBe(true);
});
