import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDb, inWorkspaceOfItsOwn } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { createDeliveryBench } from './testing.ts';
import type { DeliveryBench } from './testing.ts';

let database: TestDb;
let db: TestDb;
let bench: DeliveryBench;
beforeAll(async () => {
  database = await createTestDb();
});
afterAll(() => database.close());
beforeEach(async () => {
  db = await inWorkspaceOfItsOwn(database);
  bench = await createDeliveryBench(db);
});

describe('a provider that takes many in one request', () => {
  test('gets no more than it takes and no more than a window, and each message has its own outcome', async () => {
    bench.most = 20;
    bench.answer = (to, nth) =>
      nth % 10 === 0
        ? { kind: 'refused', category: 'address', code: '550', reason: 'gone', permanent: true }
        : { kind: 'accepted', ref: to };
    const plan = await bench.plan(await bench.people(100));
    await bench.delivery.worker.drain();
    expect(await bench.states(plan.id)).toEqual({ accepted: 90, failed: 10 });
    expect(Math.max(...bench.requests)).toBe(20);
    expect(bench.requests.reduce((sum, size) => sum + size, 0)).toBe(100);
    expect(new Set(bench.sent).size).toBe(100);
  });

  test('is given one by one what has to keep a pace', async () => {
    bench.most = 20;
    bench.account.limits = { perSecond: 1000 };
    const plan = await bench.plan(await bench.people(3));
    let done = false;
    const draining = bench.delivery.worker.drain().then(() => (done = true));
    while (!done) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      if (db.clock.sleepers() > 0) db.clock.advance(1);
    }
    await draining;
    expect(await bench.states(plan.id)).toEqual({ accepted: 3 });
    expect(bench.requests).toEqual([]);
  });

  test('that throws leaves the whole request in doubt, and nothing is sent again', async () => {
    bench.most = 50;
    bench.answer = () => {
      throw new Error('a bug of the adapter');
    };
    const plan = await bench.plan(await bench.people(10));
    await bench.delivery.worker.drain();
    expect(await bench.states(plan.id)).toEqual({ unknown: 10 });
    await bench.delivery.worker.drain();
    expect(bench.sent).toHaveLength(10);
  });
});
