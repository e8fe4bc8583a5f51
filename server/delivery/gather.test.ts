import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { absorbBatches, lockDueBatch } from './claim.store.ts';
import { claimNext } from './claim.ts';
import { lockBatchOf } from './ledger.store.ts';
import { batchSize } from './plan.ts';
import type { PlanRow } from './plan.store.ts';
import { createDeliveryBench } from './testing.ts';
import type { DeliveryBench } from './testing.ts';

/** Calls of the API plan a few messages each; the dispatcher works on whole batches all the same. */
const campaigns = { priority: 4, deferrals: true, fallbacks: false };
let db: TestDb;
let bench: DeliveryBench;
beforeAll(async () => {
  db = await createTestDb();
});
afterAll(() => db.close());
beforeEach(async () => {
  await db.owner.query('delete from batch');
  bench = await createDeliveryBench(db);
});

/** A plan of so many calls, each about so many people. */
async function calls(count: number, each: number): Promise<PlanRow> {
  const people = await bench.people(count * each);
  const plan = await bench.plan(people.slice(0, each));
  for (let call = 1; call < count; call++)
    await db.write((tx) => bench.delivery.planPage(tx, plan, people.slice(call * each, (call + 1) * each)));
  return plan;
}

const claim = () => db.pinned.transaction(db.workspaceId, (tx) => claimNext(tx, bench.deps, 1, campaigns));

async function batches(): Promise<{ id: string; size: number; ids: string[] }[]> {
  const { rows } = await db.owner.query<{ id: string; size: number; ids: string[] }>(
    'select id, size, message_ids as ids from batch order by id',
  );
  return rows;
}

describe('small batches of one plan', () => {
  test('are claimed as one, each of their messages once', async () => {
    await calls(20, 3);
    const before = (await batches()).flatMap((one) => one.ids);
    const claimed = await claim();
    if (claimed === undefined || claimed === 'again') throw new Error('nothing was claimed');
    expect(claimed.end).toBe(60);
    const [only, ...others] = await batches();
    expect(others).toEqual([]);
    expect(only?.size).toBe(60);
    expect(only?.ids).toEqual(claimed.batch.messageIds);
    expect(only?.ids.toSorted()).toEqual(before.toSorted());
  });

  test('reach everybody once, and the counts say so', async () => {
    const plan = await calls(30, 2);
    await bench.delivery.worker.drain();
    expect(bench.sent).toHaveLength(60);
    expect(new Set(bench.sent).size).toBe(60);
    expect(await bench.states(plan.id)).toEqual({ accepted: 60 });
    expect(await batches()).toEqual([]);
  });

  test('never become more than a whole one', async () => {
    await calls(4, batchSize / 2 - 10);
    await claim();
    expect((await batches()).map((one) => one.size).toSorted((a, b) => a - b)).toEqual([240, 240, 480]);
  });

  test('of another plan, or in other hands, stay where they are', async () => {
    const mine = await calls(3, 2);
    await calls(1, 5);
    await db.owner.query("update batch set due_at = due_at - interval '1 minute' where plan_id = $1", [mine.id]);
    await db.pinned
      .transaction(db.workspaceId, async (tx) => {
        const held = await lockDueBatch(tx, db.clock.now(), 4);
        const claimed = await claim();
        if (claimed === undefined || claimed === 'again') throw new Error('nothing was claimed');
        expect(claimed.batch.planId).toBe(mine.id);
        expect(claimed.batch.messageIds).toHaveLength(4);
        expect(claimed.batch.messageIds).not.toContain(held?.messageIds[0]);
        throw new Error('only holding');
      })
      .catch((error: Error) => expect(error.message).toBe('only holding'));
    expect((await batches()).map((one) => one.size).toSorted()).toEqual([2, 4, 5]);
  });
});

test('a message whose batch goes into another just now is found there, so that it is not taken back while it leaves', async () => {
  const plan = await calls(2, 1);
  const [first, second] = await batches();
  const wanted = second?.ids[0] ?? '';
  const looking = Promise.withResolvers<void>();
  const looked = await db.pinned.transaction(db.workspaceId, async (tx) => {
    await tx.query('select 1 from batch where id = $1 for update', [first?.id]);
    const added = await absorbBatches(tx, { id: first?.id ?? '', planId: plan.id }, 100, db.clock.now());
    expect(added).toEqual([wanted]);
    await tx.query('update batch set begun = 2, in_flight = message_ids where id = $1', [first?.id]);
    const other = db.write(async (own) => {
      const look = lockBatchOf(own, plan.id, wanted);
      looking.resolve();
      return look;
    });
    await looking.promise;
    await waitsForLock();
    return { other };
  });
  expect(await looked.other).toEqual({ inFlight: true });
});

async function waitsForLock(): Promise<void> {
  for (;;) {
    const { rows } = await db.owner.query(
      "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    if (rows.length > 0) return;
  }
}
