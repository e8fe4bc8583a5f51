import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { endpoint } from '../../contract/endpoint.ts';
import type { Tx } from './db.ts';
import { AppError, invalidField } from './errors.ts';
import { groupRoute, route } from './http.ts';
import { createTestApp, createTestDb } from './testing.ts';
import type { TestDb } from './testing.ts';

const note = endpoint({
  method: 'POST',
  path: '/notes',
  permission: 'topics:write',
  summary: 'Write something down',
  tag: 'test',
  status: 201,
  idempotent: true,
  body: z.strictObject({ text: z.string(), weight: z.int().optional() }),
  response: z.strictObject({ id: z.string(), text: z.string() }),
});

let db: TestDb;
let app: FastifyInstance;
/** The texts of each group, as it was handled. */
let groups: string[][] = [];
/** The first group waits for it, so that the others gather behind. */
let gate: Promise<void> = Promise.resolve();
/** Calls that have come to stand in a line. */
let queued = 0;
/** How often a call has been tried that is in somebody's way the first time. */
let meetings = 0;
/** Groups whose handling has begun, after their look for earlier answers. */
let begun = 0;

beforeAll(async () => {
  db = await createTestDb();
  await db.owner.query(
    'create table note (workspace_id uuid not null, id uuid primary key, text text not null unique deferrable initially deferred)',
  );
  await db.owner.query('grant all on note to parley_server');
  // The connection is lost while it commits.
  await db.owner.query(`
    create function lose_connection() returns trigger language plpgsql as $$
      begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$;
    create constraint trigger loses after insert on note deferrable initially deferred
      for each row when (new.text = 'lost') execute function lose_connection()`);
  app = await createTestApp(db, [
    groupRoute(
      note,
      async (tx, calls) => {
        begun += 1;
        await gate;
        groups.push(calls.map(({ body }) => body.text));
        const outcomes = [];
        for (const { body, mintedId: id } of calls) {
          if (body.text === 'refused') outcomes.push({ refusal: invalidField('/text', 'is not wanted') });
          else outcomes.push({ answer: await written(tx, id, body.text) });
        }
        return outcomes;
      },
      ({ body }) => {
        queued += 1;
        return body.weight ?? 1;
      },
    ),
    route({ ...note, path: '/plain' }, async (_tx, { body, mintedId }) => ({ id: mintedId, text: body.text })),
  ]);
});
afterAll(async () => {
  await app.close();
  await db.close();
});
beforeEach(() => {
  groups = [];
  begun = 0;
  gate = Promise.resolve();
});

async function written(tx: Tx, id: string, text: string): Promise<{ id: string; text: string }> {
  if (text === 'breaks') await tx.query("select 'not a number'::int");
  if (text === 'meets' && (meetings += 1) === 1) throw new AppError('conflict', 'Somebody else was quicker.');
  if (text === 'throws') throw new AppError('conflict', 'Somebody else was quicker.');
  await tx.query('insert into note (workspace_id, id, text) values ($1, $2, $3)', [tx.workspaceId, id, text]);
  return { id, text };
}

const post = (body: object, headers: Record<string, string> = {}, url = '/api/v1/notes') =>
  app.inject({
    method: 'POST',
    url,
    headers: { authorization: 'test', 'content-type': 'application/json', ...headers },
    payload: JSON.stringify(body),
  });

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

/** All of them come while one that came before is being handled: they make one group, or as many as they must. */
async function together<T>(calls: () => Promise<T>[]): Promise<T[]> {
  const opened = Promise.withResolvers<void>();
  gate = opened.promise;
  [begun, queued] = [0, 0];
  const first = post({ text: `first ${Math.random()}` });
  await until(() => begun === 1);
  const rest = calls();
  await until(() => queued === 1 + rest.length);
  opened.resolve();
  await first;
  const answers = await Promise.all(rest);
  groups.shift();
  return answers;
}

const kept = async (like: string) =>
  (await db.owner.query<{ text: string }>('select text from note where text like $1 order by text', [like])).rows.map(
    (row) => row.text,
  );

describe('calls that come at the same time', () => {
  test('are answered in one transaction, each with its own', async () => {
    const answers = await together(() => ['a1', 'a2', 'a3'].map((text) => post({ text })));
    expect(answers.map((one) => [one.statusCode, one.json().text])).toEqual([
      [201, 'a1'],
      [201, 'a2'],
      [201, 'a3'],
    ]);
    expect(groups).toEqual([['a1', 'a2', 'a3']]);
    expect(await kept('a_')).toEqual(['a1', 'a2', 'a3']);
  });

  test('that are refused are told why, and touch no other', async () => {
    const answers = await together(() => ['b1', 'refused', 'b2'].map((text) => post({ text })));
    expect(answers.map((one) => one.statusCode)).toEqual([201, 422, 201]);
    expect(answers[1]?.json()).toMatchObject({ code: 'invalid-input', errors: [{ pointer: '/text' }] });
    expect(await kept('b_')).toEqual(['b1', 'b2']);
  });

  test.each([
    ['breaks', 500],
    ['throws', 409],
  ])('of which one %s are answered one by one, so that it is alone with %i', async (text, status) => {
    const answers = await together(() => [`${text}1`, text, `${text}2`].map((one) => post({ text: one })));
    expect(answers.map((one) => one.statusCode)).toEqual([201, status, 201]);
    expect(await kept(`${text}%`)).toEqual([`${text}1`, `${text}2`]);
  });

  test('of which one fails at the commit are answered one by one, too', async () => {
    const answers = await together(() => ['c1', 'c2', 'c2'].map((text) => post({ text })));
    expect(answers.map((one) => one.statusCode)).toEqual([201, 201, 500]);
    expect(await kept('c_')).toEqual(['c1', 'c2']);
  });

  test('fail together when nobody knows whether their commit went through, and are not handled again', async () => {
    const answers = await together(() => ['l1', 'lost', 'l2'].map((text) => post({ text })));
    expect(answers.map((one) => [one.statusCode, one.json().code])).toEqual(
      Array.from({ length: 3 }, () => [503, 'database-unavailable']),
    );
    expect(groups).toEqual([['l1', 'lost', 'l2']]);
  });

  test('that meet with somebody else are tried again, also one that is alone', async () => {
    expect((await post({ text: 'meets' })).statusCode).toBe(201);
    expect(meetings).toBe(2);
    expect(await kept('meets')).toEqual(['meets']);
  });

  test('of two workspaces are in two transactions', async () => {
    const other = await db.newWorkspace();
    const answers = await together(() => [
      post({ text: 'd1' }),
      post({ text: 'd2' }, { 'x-workspace': other }),
      post({ text: 'd3' }),
    ]);
    expect(answers.map((one) => one.statusCode)).toEqual([201, 201, 201]);
    expect(groups.toSorted((one, two) => one.length - two.length)).toEqual([['d2'], ['d1', 'd3']]);
    const { rows } = await db.owner.query("select workspace_id as id from note where text = 'd2'");
    expect(rows).toEqual([{ id: other }]);
  });

  test('make several groups when they are heavy; one heavier than a group goes by itself', async () => {
    await together(() => [
      post({ text: 'e1', weight: 100 }),
      post({ text: 'e2', weight: 100 }),
      post({ text: 'e3', weight: 1_000 }),
      post({ text: 'e4', weight: 28 }),
    ]);
    expect(groups).toEqual([['e1', 'e4'], ['e2'], ['e3']]);
  });
});

describe('a call with an Idempotency-Key', () => {
  test('has one effect, however many come at once', async () => {
    const answers = await together(() =>
      Array.from({ length: 5 }, () => post({ text: 'f1' }, { 'idempotency-key': 'f' })),
    );
    expect(new Set(answers.map((one) => one.body)).size).toBe(1);
    expect(answers.map((one) => one.statusCode)).toEqual([201, 201, 201, 201, 201]);
    expect(answers.filter((one) => one.headers['idempotency-replayed'] === 'true')).toHaveLength(4);
    expect(groups).toEqual([['f1']]);
  });

  test('that was refused may be put right under the same key', async () => {
    expect((await post({ text: 'refused' }, { 'idempotency-key': 'g' })).statusCode).toBe(422);
    expect((await post({ text: 'g1' }, { 'idempotency-key': 'g' })).statusCode).toBe(201);
  });

  test('used for something else is refused, beside others that are not', async () => {
    await post({ text: 'h1' }, { 'idempotency-key': 'h' });
    await post({ text: 'h2' }, { 'idempotency-key': 'h-plain' }, '/api/v1/plain');
    const answers = await together(() => [
      post({ text: 'h3' }, { 'idempotency-key': 'h' }),
      post({ text: 'h2' }, { 'idempotency-key': 'h-plain' }),
      post({ text: 'h4' }, { 'idempotency-key': 'h-new' }),
    ]);
    expect(answers.map((one) => one.statusCode)).toEqual([409, 409, 201]);
    expect(answers[0]?.json().code).toBe('idempotency-key-reused');
  });

  test('is forgotten after 24 hours', async () => {
    const first = await post({ text: 'i1' }, { 'idempotency-key': 'i' });
    db.clock.advance(25 * 3600 * 1000);
    const later = await post({ text: 'i2' }, { 'idempotency-key': 'i' });
    expect(later.statusCode).toBe(201);
    expect(later.json().id).not.toBe(first.json().id);
  });

  test('that another process is just answering gets the same answer, and has no effect of its own', async () => {
    const body = { text: 'j1' };
    const opened = Promise.withResolvers<void>();
    gate = opened.promise;
    const mine = post(body, { 'idempotency-key': 'j' });
    await until(() => begun === 1);
    const other = await createTestApp(db, [
      groupRoute(note, async (_tx, calls) => calls.map((call) => ({ answer: { id: call.mintedId, text: 'theirs' } }))),
    ]);
    const theirs = await other.inject({
      method: 'POST',
      url: '/api/v1/notes',
      headers: { authorization: 'test', 'content-type': 'application/json', 'idempotency-key': 'j' },
      payload: JSON.stringify(body),
    });
    await other.close();
    opened.resolve();
    expect((await mine).json()).toEqual(theirs.json());
    expect(await kept('j1')).toEqual([]);
  });
});
