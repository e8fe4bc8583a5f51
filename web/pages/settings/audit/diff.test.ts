import { expect, test } from 'vitest';
import { differences } from './diff.ts';

test('only what changed is shown, with its way', () => {
  expect(
    differences(
      { name: 'A', revision: 1, limits: { perSecond: 1, perDay: 5 } },
      { name: 'B', revision: 2, limits: { perSecond: 1 } },
    ),
  ).toEqual([
    { path: 'name', before: 'A', after: 'B' },
    { path: 'limits.perDay', before: '5', after: undefined },
  ]);
});

test('something made shows all it has, something removed all it had', () => {
  expect(differences(null, { tags: ['a'], note: null })).toEqual([
    { path: 'tags', before: undefined, after: '["a"]' },
    { path: 'note', before: undefined, after: 'null' },
  ]);
  expect(differences({ on: true }, null)).toEqual([{ path: 'on', before: 'true', after: undefined }]);
  expect(differences(null, null)).toEqual([]);
});
