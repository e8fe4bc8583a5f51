import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { endpoint } from '../../contract/endpoint.ts';
import { route } from './http.ts';
import { createTestApp, createTestDb } from './testing.ts';
import type { TestDb } from './testing.ts';

const create = endpoint({
  method: 'POST',
  path: '/things',
  permission: 'topics:write',
  summary: 'Create',
  tag: 'test',
  status: 201,
  idempotent: true,
  body: z.strictObject({ name: z.string().min(1), tags: z.array(z.string().max(5)).optional() }),
  response: z.strictObject({ id: z.string(), count: z.int() }),
});
const breaks = endpoint({
  method: 'GET',
  path: '/breaks',
  permission: 'signed-in',
  summary: 'Break',
  tag: 'test',
  status: 200,
  response: z.object({}),
});

/** Writes, and then meets what PostgreSQL says when it cannot go on. */
const halfway = endpoint({
  method: 'POST',
  path: '/halfway/:code',
  permission: 'topics:write',
  summary: 'Fail in the middle',
  tag: 'test',
  status: 204,
  params: z.strictObject({ code: z.string().regex(/^[0-9A-Z]{5}$/) }),
});

let db: TestDb;
let app: FastifyInstance;
let created = 0;
beforeAll(async () => {
  db = await createTestDb();
  app = await createTestApp(db, [
    route(create, async (_tx, call) => ({ id: call.mintedId, count: ++created })),
    route(halfway, async (tx, call) => {
      await tx.query("update workspace set name = 'half' where id = $1", [tx.workspaceId]);
      await tx.query(`do $$ begin raise exception 'no' using errcode = '${call.params.code}'; end $$`);
    }),
    route(breaks, async () => {
      throw new TypeError('a secret detail');
    }),
  ]);
});
afterAll(async () => {
  await app.close();
  await db.close();
});

const post = (body: unknown, headers: Record<string, string> = {}) =>
  app.inject({
    method: 'POST',
    url: '/api/v1/things',
    headers: { authorization: 'test', 'content-type': 'application/json', ...headers },
    payload: JSON.stringify(body),
  });

describe('the HTTP shell', () => {
  test('a stranger is told to sign in', async () => {
    const answer = await app.inject({ method: 'POST', url: '/api/v1/things', payload: { name: 'x' } });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.json()).toMatchObject({ code: 'unauthenticated', status: 401 });
  });

  test.each([
    ['53100', 507, 'storage-full'],
    ['53300', 503, 'database-unavailable'],
    ['57P01', 503, 'database-unavailable'],
    ['40001', 409, 'conflict'],
    ['XX000', 500, 'internal-error'],
  ])('what PostgreSQL ends with %s is answered with %i, and nothing of it was written', async (code, status, told) => {
    const answer = await app.inject({
      method: 'POST',
      url: `/api/v1/halfway/${code}`,
      headers: { authorization: 'test' },
    });
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toMatchObject({ code: told, status });
    const { rows } = await db.owner.query('select name from workspace where id = $1', [db.workspaceId]);
    expect(rows).toEqual([{ name: 'Test' }]);
  });

  test('a caller without the permission is told which one is missing', async () => {
    const answer = await post({ name: 'x' }, { authorization: 'test topics:read' });
    expect(answer.statusCode).toBe(403);
    expect(answer.json().detail).toContain('topics:write');
  });

  test('every wrong field is named by a JSON pointer', async () => {
    const answer = await post({ name: '', tags: ['fine', 'too long'], colour: 'red' });
    expect(answer.statusCode).toBe(422);
    expect(
      answer
        .json()
        .errors.map((one: { pointer: string }) => one.pointer)
        .sort(),
    ).toEqual(['/colour', '/name', '/tags/1']);
  });

  test('a body that is not JSON, or smuggles __proto__, is refused', async () => {
    for (const payload of ['{', '{"__proto__": {"admin": true}}']) {
      const answer = await app.inject({
        method: 'POST',
        url: '/api/v1/things',
        headers: { authorization: 'test', 'content-type': 'application/json' },
        payload,
      });
      expect(answer.statusCode).toBe(400);
    }
  });

  test('the same key and body give the same answer; the effect happens once', async () => {
    const first = await post({ name: 'once' }, { 'idempotency-key': 'k1' });
    const again = await post({ name: 'once' }, { 'idempotency-key': 'k1' });
    expect(again.json()).toEqual(first.json());
    expect(again.statusCode).toBe(201);
    const other = await post({ name: 'other' }, { 'idempotency-key': 'k1' });
    expect(other.statusCode).toBe(409);
    expect(other.json().code).toBe('idempotency-key-reused');
  });

  test('twenty at once with one key have one effect', async () => {
    const before = created;
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => post({ name: 'race' }, { 'idempotency-key': 'k2' })),
    );
    expect(new Set(answers.map((one) => one.body)).size).toBe(1);
    expect(created).toBe(before + 1);
  });

  test('a key is forgotten after 24 hours', async () => {
    const first = await post({ name: 'day' }, { 'idempotency-key': 'k3' });
    db.clock.advance(25 * 3600 * 1000);
    const later = await post({ name: 'day' }, { 'idempotency-key': 'k3' });
    expect(later.json().id).not.toBe(first.json().id);
  });

  test('a bug answers 500 without its details', async () => {
    const answer = await app.inject({ method: 'GET', url: '/api/v1/breaks', headers: { authorization: 'test' } });
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('secret');
    expect(answer.json().instance).toBe(answer.headers['x-request-id']);
  });

  test('an unknown query parameter is refused, an unknown route is a problem document', async () => {
    const answer = await app.inject({
      method: 'GET',
      url: '/api/v1/breaks?verbose=1',
      headers: { authorization: 'test' },
    });
    expect(answer.json().errors).toEqual([{ pointer: '/query/verbose', message: 'is not known here' }]);
    const nowhere = await app.inject({ method: 'GET', url: '/api/v1/nowhere' });
    expect(nowhere.json()).toMatchObject({ code: 'route-not-found', status: 404 });
  });

  test('answers carry strict security headers', async () => {
    const answer = await app.inject({ method: 'GET', url: '/api/v1/nowhere' });
    expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
  });
});
