import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDb, inWorkspaceOfItsOwn } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { createDelivery } from './delivery.ts';
import { accepted, createDeliveryBench } from './testing.ts';
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
  return async () => {
    for (const table of ['batch', 'deferral'])
      await db.owner.query(`delete from ${table} where workspace_id = $1`, [db.workspaceId]);
  };
});

const drain = () => bench.delivery.worker.drain();
const reasons = (planId: string) => db.read((tx) => bench.delivery.planReasons(tx, planId));
const until = async (ready: () => boolean, what: string) => {
  for (let look = 0; look < 2_000 && !ready(); look++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(ready(), what).toBe(true);
};

describe('what a message can meet on its way', () => {
  test('a provider that throws leaves it in doubt, since it may have left; the others are sent', async () => {
    const people = await bench.people(5);
    const plan = await bench.plan(people);
    bench.answer = (to) => {
      if (to.startsWith(people[2]?.addressId ?? '?')) throw new Error('undefined is not a function');
      return accepted(to);
    };
    await drain();
    db.clock.advance(48 * 3_600_000);
    await drain();
    expect(await bench.states(plan.id)).toEqual({ accepted: 4, unknown: 1 });
    expect(await reasons(plan.id)).toEqual([{ state: 'unknown', reason: 'provider-bug', count: 1 }]);
    expect(bench.sent).toHaveLength(5);
    expect(bench.events.find((event) => event.kind === 'message.unknown')?.data).toMatchObject({
      code: 'provider-bug',
      detail: 'undefined is not a function',
    });
  });

  test('an address that somebody tampered with is not sent to, and does not hold up the others', async () => {
    const people = await bench.people(3);
    const plan = await bench.plan(people);
    await db.owner.query("update address set sealed = sealed || '\\x00' where workspace_id = $1 and id = $2", [
      db.workspaceId,
      people[1]?.addressId,
    ]);
    await drain();
    expect(await bench.states(plan.id)).toEqual({ accepted: 2, failed: 1 });
    expect(await reasons(plan.id)).toEqual([{ state: 'failed', reason: 'address-unreadable', count: 1 }]);
  });

  test('a text that cannot be made for one person costs nobody else theirs', async () => {
    const people = await bench.people(3);
    const plan = await bench.plan(people);
    const { composerFor } = bench.deps;
    const delivery = createDelivery({
      ...bench.deps,
      composerFor: async (...asked) => {
        const composer = await composerFor(...asked);
        return {
          compose: (row, ...rest) =>
            row.contactId === people[0]?.contactId
              ? { ok: false, reason: 'missing-variable', detail: 'contact.first_name' }
              : composer.compose(row, ...rest),
        };
      },
    });
    await delivery.worker.drain();
    expect(await bench.states(plan.id)).toEqual({ accepted: 2, suppressed: 1 });
    expect(await reasons(plan.id)).toEqual([{ state: 'suppressed', reason: 'missing-variable', count: 1 }]);
    expect(bench.events.find((event) => event.kind === 'message.suppressed')?.data).toMatchObject({
      detail: 'contact.first_name',
    });
  });

  test('a provider that says "slow down" is left in peace: no further window begins, nobody is lost or written to twice', async () => {
    const plan = await bench.plan(await bench.people(300));
    let throttled = 0;
    bench.answer = (to, nth) => {
      if (nth !== 5) return accepted(to);
      throttled += 1;
      return { kind: 'retry', category: 'throttled', code: '421', reason: 'slow down', afterMs: 60_000 };
    };
    await drain();
    expect(throttled).toBe(1);
    expect(bench.sent.length).toBeLessThanOrEqual(64);
    const before = bench.sent.length;
    db.clock.advance(59_000);
    await drain();
    expect(bench.sent.length).toBe(before);
    bench.answer = accepted;
    db.clock.advance(2_000);
    await drain();
    expect(await bench.states(plan.id)).toEqual({ accepted: 300 });
    // The one that was refused came again; everybody else came once.
    expect(bench.sent.length).toBe(301);
    expect(new Set(bench.sent).size).toBe(300);
  });
});

describe('the dispatcher', () => {
  test('survives a database that does not answer for a while, and goes on where it was', async () => {
    const plan = await bench.plan(await bench.people(3));
    let broken = true;
    let asked = 0;
    const errors: unknown[] = [];
    const { worker } = createDelivery({
      ...bench.deps,
      log: Object.assign(Object.create(bench.deps.log), {
        error: (facts: { reason: string }) => void errors.push(facts.reason),
      }),
      hot: {
        ...bench.deps.hot,
        glance: (look) => {
          asked += 1;
          return broken ? Promise.reject(new Error('the database is away')) : bench.deps.hot.glance(look);
        },
      },
    });
    worker.start();
    await until(() => errors.length === 1, 'the trouble is told');
    expect(errors).toEqual(['the database is away']);
    await until(() => db.clock.sleepers() > 0, 'it waits before it asks again');
    expect(asked).toBe(1);
    broken = false;
    for (let look = 0; look < 400 && bench.sent.length < 3; look++) {
      db.clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await worker.stop();
    expect(await bench.states(plan.id)).toEqual({ accepted: 3 });
    expect(errors).toHaveLength(1);
  });

  test('that is asked to stop ends what is on the wire and begins nothing more', async () => {
    const plan = await bench.plan(await bench.people(200));
    const { worker } = createDelivery(bench.deps);
    const answers: (() => void)[] = [];
    bench.answer = (to) => new Promise((resolve) => answers.push(() => resolve(accepted(to))));
    worker.start();
    await until(() => answers.length > 0, 'something is on the wire');
    let stopped = false;
    const stopping = worker.stop().then(() => (stopped = true));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(stopped).toBe(false);
    bench.answer = accepted;
    for (let look = 0; look < 500 && !stopped; look++) {
      for (const answer of answers.splice(0)) answer();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await stopping;
    const states = await bench.states(plan.id);
    expect(states).toEqual({ accepted: bench.sent.length, planned: 200 - bench.sent.length });
    expect(bench.sent.length).toBeLessThanOrEqual(64);
  });
});
