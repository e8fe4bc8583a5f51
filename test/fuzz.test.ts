import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Endpoint } from '../contract/endpoint.ts';
import { endpoints } from '../contract/index.ts';
import { bodyOf, furnish, pathOf } from './samples.ts';
import type { Things } from './samples.ts';
import { openWorld } from './world.ts';
import type { Answer, World } from './world.ts';

/**
 * Every field of every body, every parameter of every path and query, filled with what should not be there, one at a
 * time, over HTTP. Whatever comes: no 5xx, and every refusal a problem document with a code (or a page for contacts).
 */
let world: World;
let things: Things;
beforeAll(async () => {
  world = await openWorld();
  things = await furnish(world.ask, world.key);
}, 180_000);
afterAll(() => world.close(), 60_000);

type Json = Record<string, unknown>;
const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every field a schema has room for, optional ones too, as ways into a body. */
function fieldsOf(schema: unknown, way: readonly (string | number)[] = []): (string | number)[][] {
  if (!isJson(schema)) return [];
  const choices = [schema['anyOf'], schema['oneOf'], schema['allOf']].flatMap((one) => (Array.isArray(one) ? one : []));
  const inside = choices.flatMap((one) => fieldsOf(one, way));
  for (const [key, child] of Object.entries(isJson(schema['properties']) ? schema['properties'] : {}))
    inside.push([...way, key], ...fieldsOf(child, [...way, key]));
  if (isJson(schema['items'])) inside.push([...way, 0], ...fieldsOf(schema['items'], [...way, 0]));
  if (isJson(schema['additionalProperties'])) inside.push([...way, 'some_key']);
  return inside;
}

/** A copy of the body with `value` at the end of the way; what is missing on the way is made. */
function filled(body: unknown, way: readonly (string | number)[], value: unknown): unknown {
  const [first, ...rest] = way;
  if (first === undefined) return value;
  if (typeof first === 'number') {
    const list: unknown[] = Array.isArray(body) ? [...(body as unknown[])] : [];
    list[first] = filled(list[first], rest, value);
    return list;
  }
  const copy: Json = isJson(body) ? { ...body } : {};
  copy[first] = filled(copy[first], rest, value);
  return copy;
}

const unkeepable: readonly unknown[] = ['a\0b', '\ud800'];
const strange: readonly unknown[] = [
  null,
  '',
  0,
  -1,
  1e308,
  0.1,
  true,
  [],
  {},
  [null],
  { a: { b: [] } },
  'x'.repeat(100_000),
  "'; drop table contact; --",
  '{{ "a" | times: 9 }}{% raw %}',
  'a\r\nBcc: victim@example.com',
  '\u202e\u{10ffff}\u0085',
  '9999-12-31T23:59:59Z',
  '0000-01-01T00:00:00Z',
  '-271821-04-20T00:00:00Z',
];

function expectOrderly(answer: Answer, what: string): void {
  const told = `${what}: ${answer.status} ${answer.text.slice(0, 300)}`;
  expect(answer.status, told).toBeLessThan(500);
  if (answer.status < 400) return;
  expect(answer.type, told).toMatch(/^application\/problem\+json/);
  expect(answer.json?.['code'], told).toEqual(expect.stringMatching(/^[a-z0-9/-]+$/));
}

const send = (endpoint: Endpoint, path: string, body: unknown) =>
  world.ask(endpoint.method, path, { key: world.key, body, headers: { 'content-type': 'application/json' } });

const withBody = endpoints.flatMap((one): [string, Endpoint, z.ZodType][] =>
  one.body === undefined || one.consumes !== undefined ? [] : [[`${one.method} ${one.path}`, one, one.body]],
);

describe('a field of a body', () => {
  test.each(withBody)(
    '%s takes nothing strange',
    async (_name, endpoint, schema) => {
      const path = pathOf(endpoint, things);
      const { body } = bodyOf(endpoint, things);
      const ways = new Map(fieldsOf(z.toJSONSchema(schema, { io: 'input' })).map((way) => [way.join('/'), way]));
      expect(ways.size).toBeGreaterThan(0);
      for (const [pointer, way] of ways) {
        for (const value of unkeepable) {
          const answer = await send(endpoint, path, filled(body, way, value));
          const what = `/${pointer} = ${JSON.stringify(value)}`;
          expect(answer.status, `${what}: ${answer.text}`).toBe(422);
          expect(answer.json?.['errors'], what).toMatchObject([{ pointer: `/${pointer}` }]);
        }
        for (const value of strange)
          expectOrderly(
            await send(endpoint, path, filled(body, way, value)),
            `/${pointer} = ${JSON.stringify(value).slice(0, 60)}`,
          );
      }
    },
    240_000,
  );

  test.each(withBody)('%s takes no other body', async (_name, endpoint) => {
    const path = pathOf(endpoint, things);
    for (const body of ['', 'null', '[]', '0', '"text"', 'true', '{', '{"a":', '\0', '[[[[', '{"__proto__":{"a":1}}']) {
      const answer = await send(endpoint, path, body);
      expectOrderly(answer, body);
      // A body that may be left out may be empty.
      if (body !== '' || endpoint.body?.safeParse(undefined).success !== true)
        expect(answer.status, body).toBeGreaterThanOrEqual(400);
    }
  });
});

/** Well-formed cursors that no list gave out. */
function forgedCursors(): string[] {
  const id = '01890a5d-ac96-774b-bcce-b302099a8057';
  const parts = [id, 'x', 'a\0', '\ud800', '', -1, 1, 999_999_999_999_999, 1e308, null, {}, '2026-02-30T00:00:00Z'];
  const times = ['2026-01-01T00:00:00Z', '0000-01-01T00:00:00Z', '+010000-01-01T00:00:00Z', '-271821-04-20T00:00:00Z'];
  const lists: unknown[][] = parts.map((part) => [part]);
  for (const time of times) for (const part of parts) lists.push([time, part]);
  lists.push([], [id, id], [id, id, id], ['2026-01-01T00:00:00Z', id, id], ['9'.repeat(300)]);
  return lists.map((list) => Buffer.from(JSON.stringify(list)).toString('base64url'));
}

describe('a parameter', () => {
  const odd = [
    '%00',
    '%ff',
    '%ed%a0%80',
    '-1',
    '99999999999999999999',
    "'%20or%201=1--",
    'x'.repeat(599),
    '%20',
    '%0d%0aa:b',
    '..%2f..',
    'null',
    '__proto__',
  ];
  const withParams = endpoints
    .filter((one) => one.path.includes(':'))
    .map((one): [string, Endpoint] => [`${one.method} ${one.path}`, one]);

  test.each(withParams)('%s finds nothing under a strange name', async (_name, endpoint) => {
    const { headers, ...rest } = bodyOf(endpoint, things);
    for (const value of odd) {
      const path = `${endpoint.absolute === true ? '' : '/api/v1'}${endpoint.path.replaceAll(/:[a-zA-Z]+/g, value)}`;
      const answer = await world.ask(endpoint.method, path, { key: world.key, headers, ...rest });
      expect(answer.status, `${path}: ${answer.text}`).toBeLessThan(500);
      const isPixel = endpoint.produces === 'image/gif';
      if (!isPixel) expect(answer.status, `${path}: ${answer.text}`).toBeGreaterThanOrEqual(400);
      if (answer.status >= 400)
        expect(answer.type).toMatch(endpoint.absolute === true ? /^text\/html|problem\+json/ : /problem\+json/);
    }
  });

  const values = ['', '0', '201', '1e9', '0x10', 'NaN', '9999-12-31T23:59:59Z', '0000-01-01T00:00:00Z'];
  const cursors = ['WyJ4Il0', 'WzFd', 'bnVsbA', ...forgedCursors()];
  const reading = endpoints
    .filter((one) => one.method === 'GET' && one.produces !== 'text/event-stream')
    .map((one): [string, Endpoint] => [`${one.method} ${one.path}`, one]);
  test.each(reading)('%s takes no strange question', async (_name, endpoint) => {
    const schema: Json =
      endpoint.query === undefined ? {} : z.toJSONSchema(endpoint.query, { io: 'input', unrepresentable: 'any' });
    const known = Object.keys(isJson(schema['properties']) ? schema['properties'] : {});
    for (const name of [...known, 'no_such_filter'])
      for (const value of [...odd, ...values, ...(name === 'cursor' ? cursors : [])]) {
        const path = `${pathOf(endpoint, things)}?${name}=${value}`;
        const answer = await world.ask('GET', path, { key: world.key });
        expect(answer.status, `${path}: ${answer.text}`).toBeLessThan(500);
        // Mail programs add to the links of contacts, vendors to the addresses of callbacks.
        if (name === 'no_such_filter' && !['Pages for contacts', 'Callbacks of providers'].includes(endpoint.tag))
          expect(answer.status, `${path}: ${answer.text}`).toBe(422);
        if (name === 'limit' && /^(0|-1|201|1e9|NaN)$/.test(value)) expect(answer.status, path).toBe(422);
      }
  });
});
