import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeList, listTypes } from './db-arrays.ts';
import { createTestDb } from './testing.ts';

let house: Awaited<ReturnType<typeof createTestDb>>;
beforeAll(async () => {
  house = await createTestDb();
});
afterAll(() => house.close());

const at = (text: string) => Temporal.Instant.from(text);
const cases: readonly [string, readonly unknown[]][] = [
  ['text', ['', 'a"b\\c', '{,}', 'NULL', null, 'größer 😀', '\u0001']],
  ['uuid', ['0198c0de-0000-7000-8000-0000deadbeef', null, 'FFFFFFFF-ffff-ffff-ffff-ffffffffffff']],
  ['bytea', [Buffer.from([0, 255, 92, 34]), Buffer.alloc(0), null]],
  ['smallint', [-32768, 0, null, 32767]],
  ['int', [-2147483648, 2147483647, null]],
  ['integer', []],
  ['bigint', [Number.MIN_SAFE_INTEGER, 0, Number.MAX_SAFE_INTEGER, null]],
  ['boolean', [true, false, null]],
  [
    'timestamptz',
    [at('1969-12-31T23:59:59.999999Z'), at('2026-11-21T10:00:00.123456Z'), at('1999-12-31T00:00:00Z'), null],
  ],
];

describe('a list that goes to the database in binary', () => {
  test.each(cases)('arrives as the text form of the same %s list does', async (type, values) => {
    const text = `select $1::${type}[] as list`;
    const binary = encodeList(type, values);
    expect(binary).toBeInstanceOf(Buffer);
    const plain = values.map((value) => (value instanceof Temporal.Instant ? value.toString() : value));
    const { rows: asText } = await house.db.pool.query(text, [plain]);
    const { rows: asBinary } = await house.db.pool.query(text, [binary]);
    expect(asBinary).toEqual(asText);
  });

  test('keeps its order and its nulls through a hot statement', async () => {
    const rows = await house.db.read(house.workspaceId, (tx) =>
      tx.hot('select k.* from unnest($1::text[], $2::int[]) as k (name, count)', [
        ['one', null, 'three'],
        [1, 2, null],
      ]),
    );
    expect(rows).toEqual([
      { name: 'one', count: 1 },
      { name: null, count: 2 },
      { name: 'three', count: null },
    ]);
  });

  test.each([
    ['uuid', ['not an id at all']],
    ['uuid', ['0198c0de-0000-7000-8000-0000deadbeeg']],
    ['uuid', ['0198c0de+0000-7000-8000-0000deadbeef']],
    ['int', [1.5]],
    ['int', [2147483648]],
    ['bytea', ['text']],
    ['timestamptz', ['2026-01-01T00:00:00Z']],
    ['jsonb', [{}]],
  ])('is left to the text form when a value is not plainly a %s', (type, values) => {
    expect(encodeList(type, values)).toBeUndefined();
  });

  test('larger than the scratch space is whole', async () => {
    const values = Array.from({ length: 40_000 }, (_, place) => `value ${place}`);
    const [row] = await house.db.read(house.workspaceId, (tx) =>
      tx.hot<{ last: string; count: number }>('select ($1::text[])[40000] as last, cardinality($1::text[]) as count', [
        values,
      ]),
    );
    expect(row).toEqual({ last: 'value 39999', count: 40_000 });
  });
});

test('a statement names the types of its lists by its casts', () => {
  expect(listTypes('select unnest($2::uuid[], $1::text), $10::timestamptz[]')).toEqual(
    Object.assign([], { 1: 'uuid', 9: 'timestamptz' }),
  );
});
