import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SendResult } from '../channels/index.ts';
import { newId } from '../platform/ids.ts';
import { createTestDb, inWorkspaceOfItsOwn } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { createDelivery } from './delivery.ts';
import type { LaneAccount } from './ports.ts';
import { accepted, createDeliveryBench } from './testing.ts';
import type { DeliveryBench } from './testing.ts';

/** A route of two accounts, each with answers of its own. */
let database: TestDb;
let db: TestDb;
let bench: DeliveryBench;
let answers: Record<'first' | 'second', (to: string) => SendResult>;
let took: Record<'first' | 'second', string[]>;
let drain: () => Promise<void>;
const ids = { first: '', second: '' };
beforeAll(async () => {
  database = await createTestDb();
});
afterAll(() => database.close());
beforeEach(async () => {
  db = await inWorkspaceOfItsOwn(database);
  bench = await createDeliveryBench(db);
  answers = { first: accepted, second: accepted };
  took = { first: [], second: [] };
  const account = (name: 'first' | 'second'): LaneAccount => ({
    id: (ids[name] = newId(db.clock)),
    name,
    channel: 'email',
    kind: 'fake',
    paused: false,
    limits: {},
    sender: {
      capacity: 16,
      send: async (message) => {
        const to = message.channel === 'email' ? message.to : '';
        took[name].push(to);
        return answers[name](to);
      },
      close: () => Promise.resolve(),
    },
  });
  const route = [account('first'), account('second')];
  const { worker } = createDelivery({ ...bench.deps, accountsFor: () => Promise.resolve(route) });
  drain = worker.drain;
  return async () => {
    for (const table of ['batch', 'deferral'])
      await db.owner.query(`delete from ${table} where workspace_id = $1`, [db.workspaceId]);
  };
});

const down: SendResult = { kind: 'retry', category: 'provider-down', code: '503', reason: 'maintenance' };
const throttled: SendResult = {
  kind: 'retry',
  category: 'throttled',
  code: '429',
  reason: 'too fast',
  afterMs: 120_000,
};
const attempts = async (planId: string) =>
  (
    await db.owner.query<{ attempt: number; count: number }>(
      'select attempt, count(*)::int as count from message where plan_id = $1 group by 1 order by 1',
      [planId],
    )
  ).rows;

describe('the next account of the route', () => {
  test.each([
    ['is down', down],
    ['throttles', throttled],
  ])('takes over at once when the first one %s, also what that one refused, and no attempt is burnt', async (_, no) => {
    const plan = await bench.plan(await bench.people(100));
    answers.first = () => no;
    await drain();
    expect(await bench.states(plan.id)).toEqual({ accepted: 100 });
    expect(took.first.length).toBeGreaterThan(0);
    expect(new Set(took.second).size).toBe(100);
    expect(took.second).toHaveLength(100);
    expect(await attempts(plan.id)).toEqual([{ attempt: 1, count: 100 }]);
  });

  test('never takes what is in doubt', async () => {
    const plan = await bench.plan(await bench.people(5));
    answers.first = () => ({ kind: 'unknown', code: 'connection-lost', cause: 'no answer came' });
    await drain();
    expect(await bench.states(plan.id)).toEqual({ unknown: 5 });
    expect(took.second).toEqual([]);
  });

  test('does not take what a plan wants sent by the first', async () => {
    const plan = await bench.plan(await bench.people(1));
    await db.owner.query('update plan set sender = $2 where id = $1', [plan.id, { accountId: ids.first }]);
    const { worker } = createDelivery({
      ...bench.deps,
      accountsFor: async (_tx, _channel, accountId) => {
        expect(accountId).toBe(ids.first);
        return [];
      },
    });
    await worker.drain();
    expect(await bench.states(plan.id)).toEqual({ planned: 1 });
  });

  test('is given back to the first when that one works again', async () => {
    answers.first = () => throttled;
    await bench.plan(await bench.people(3));
    await drain();
    answers.first = accepted;
    db.clock.advance(120_000);
    const before = { first: took.first.length, second: took.second.length };
    const plan = await bench.plan(await bench.people(10));
    await drain();
    expect(await bench.states(plan.id)).toEqual({ accepted: 10 });
    expect(took.first.length - before.first).toBe(10);
    expect(took.second.length - before.second).toBe(0);
  });
});

describe('the breaker', () => {
  const both = (result: SendResult | undefined) => {
    answers.first = answers.second = result === undefined ? accepted : () => result;
  };

  test('lets one message a lane try whether it works again; what that costs is no attempt', async () => {
    both(down);
    const plan = await bench.plan(await bench.people(60));
    await drain();
    for (let round = 0; round < 4; round++) {
      const before = { first: took.first.length, second: took.second.length };
      db.clock.advance(300_000);
      await drain();
      expect(took.first.length - before.first).toBe(1);
      expect(took.second.length - before.second).toBe(1);
    }
    expect(await attempts(plan.id)).toEqual([{ attempt: 0, count: 60 }]);
    both(undefined);
    db.clock.advance(300_000);
    await drain();
    expect(await bench.states(plan.id)).toEqual({ accepted: 60 });
    const { rows } = await db.owner.query('select failures from lane where workspace_id = $1 and failures = 0', [
      db.workspaceId,
    ]);
    expect(rows.length).toBeGreaterThan(0);
  });

  test('stays open when the one that tried got no answer: nobody else is put in doubt', async () => {
    both(down);
    const plan = await bench.plan(await bench.people(40));
    await drain();
    both({ kind: 'unknown', code: 'timeout', cause: 'no answer came' });
    db.clock.advance(300_000);
    await drain();
    expect(await bench.states(plan.id)).toEqual({ unknown: 2, planned: 38 });
  });
});
