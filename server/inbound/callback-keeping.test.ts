import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { newId } from '../platform/ids.ts';
import { createTestApp, createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { insertCallbacks, postponeCallbacks, takeCallbacks } from './callback.store.ts';
import { callbackKeepingRoutes } from './callback-keeping.ts';

let db: TestDb;
let app: Awaited<ReturnType<typeof createTestApp>>;
let woken = 0;
const accountId = '00000000-0000-7000-8000-00000000000a';
const audited: string[] = [];

beforeAll(async () => {
  db = await createTestDb();
  app = await createTestApp(
    db,
    callbackKeepingRoutes({
      clock: db.clock,
      accountNames: async () => new Map([[accountId, 'Acme']]),
      record: async (_tx, _by, entry) => void audited.push(entry.action),
      wake: () => void (woken += 1),
    }),
  );
});
afterAll(async () => {
  await app.close();
  await db.close();
});
beforeEach(async () => {
  await db.owner.query('delete from callback');
  audited.length = 0;
});

const ask = async (method: 'GET' | 'POST', path: string) => {
  const headers = { authorization: 'test', 'x-workspace': db.workspaceId };
  const answer = await app.inject({ method, url: `/api/v1/callbacks${path}`, headers });
  return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() };
};

async function keep(state: 'waiting' | 'given-up'): Promise<string> {
  const id = newId(db.clock);
  await db.write(async (tx) => {
    await insertCallbacks(tx, [{ id, accountId, provider: 'acme', sealed: Buffer.from('secret') }], db.clock.now());
    if (state === 'given-up') await postponeCallbacks(tx, [{ id, dueAt: undefined }]);
  });
  return id;
}

test('callbacks that wait or were given up are listed without what they say', async () => {
  const waiting = await keep('waiting');
  const lost = await keep('given-up');
  const { body } = await ask('GET', '');
  expect(body.data).toMatchObject([
    { id: lost, accountName: 'Acme', state: 'given-up', tries: 1, dueAt: null },
    { id: waiting, provider: 'acme', state: 'waiting', tries: 0, dueAt: db.clock.now().toString() },
  ]);
  expect(JSON.stringify(body)).not.toContain('sealed');
  expect((await ask('GET', '?state=given-up')).body.data).toMatchObject([{ id: lost }]);
  expect((await ask('GET', '?limit=1')).body.nextCursor).toEqual(expect.any(String));
});

test('one that was given up is read again when a person says so', async () => {
  const id = await keep('given-up');
  const before = woken;
  expect(await db.read((tx) => takeCallbacksOf(tx))).toEqual([]);
  expect((await ask('POST', `/${id}/retry`)).body).toMatchObject({ id, state: 'waiting', tries: 0 });
  expect(woken).toBe(before + 1);
  expect(await db.write((tx) => takeCallbacks(tx, db.clock.now(), 10))).toMatchObject([{ id }]);
  expect(audited).toEqual(['callback.retried']);
});

test('one that was given up can be thrown away, one that waits cannot', async () => {
  const waiting = await keep('waiting');
  const lost = await keep('given-up');
  expect((await ask('POST', `/${waiting}/discard`)).status).toBe(404);
  expect((await ask('POST', `/${lost}/discard`)).status).toBe(204);
  expect((await ask('POST', `/${lost}/discard`)).status).toBe(404);
  expect((await ask('GET', '')).body.data).toMatchObject([{ id: waiting }]);
  expect(audited).toEqual(['callback.discarded']);
});

const takeCallbacksOf = (tx: Parameters<typeof takeCallbacks>[0]) =>
  tx.query('select id from callback where workspace_id = $1 and due_at <= $2', [tx.workspaceId, db.clock.now()]);
