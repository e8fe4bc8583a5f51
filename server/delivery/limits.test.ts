import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDb, inWorkspaceOfItsOwn } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import type { Limits } from './limit.rules.ts';
import { accepted, createDeliveryBench } from './testing.ts';
import type { DeliveryBench } from './testing.ts';
import { createFleet, mostIn } from './testing-time.ts';
import type { Fleet } from './testing-time.ts';

/** Three dispatchers on one account, one of them killed and replaced again and again, in virtual time. */
let database: TestDb;
let db: TestDb;
let bench: DeliveryBench;
let fleet: Fleet;
let times: number[];
beforeAll(async () => {
  database = await createTestDb();
});
afterAll(() => database.close());
beforeEach(async () => {
  db = await inWorkspaceOfItsOwn(database);
  bench = await createDeliveryBench(db);
  fleet = createFleet(db, bench.deps);
  times = [];
  bench.answer = (to) => {
    times.push(db.clock.now().epochMilliseconds);
    return accepted(to);
  };
  return async () => {
    await fleet.stop();
    for (const table of ['batch', 'deferral', 'lane_lease'])
      await db.owner.query(`delete from ${table} where workspace_id = $1`, [db.workspaceId]);
  };
});

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** Sends for so long, with a kill and a fresh dispatcher `deaths` times in between. */
async function sendFor(ms: number, stepMs: number, deaths: number): Promise<void> {
  fleet.start(3);
  for (let death = 0; death <= deaths; death++) {
    await fleet.pass(ms / (deaths + 1), stepMs);
    if (death === deaths) break;
    fleet.kill();
    fleet.start(1);
  }
}

interface Case {
  readonly name: string;
  readonly limits: Limits;
  readonly people: number;
  readonly windowMs: number;
  readonly limit: number;
  readonly forMs: number;
  readonly stepMs: number;
  readonly deaths: number;
}

const cases: Case[] = [
  {
    name: 'a second',
    limits: { perSecond: 20 },
    people: 420,
    windowMs: second,
    limit: 20,
    forMs: 12 * second,
    stepMs: 10,
    deaths: 0,
  },
  {
    name: 'a second, with deaths',
    limits: { perSecond: 20 },
    people: 420,
    windowMs: second,
    limit: 20,
    forMs: 9 * second,
    stepMs: 10,
    deaths: 2,
  },
  {
    name: 'a minute',
    limits: { perMinute: 90 },
    people: 700,
    windowMs: minute,
    limit: 90,
    forMs: 6 * minute,
    stepMs: 300,
    deaths: 2,
  },
  {
    name: 'an hour',
    limits: { perHour: 200 },
    people: 1_000,
    windowMs: hour,
    limit: 200,
    forMs: 4 * hour,
    stepMs: 60 * second,
    deaths: 3,
  },
  {
    name: 'a day',
    limits: { perDay: 150 },
    people: 700,
    windowMs: 24 * hour,
    limit: 150,
    forMs: 72 * hour,
    stepMs: 20 * minute,
    deaths: 3,
  },
  {
    name: 'a minute and a domain',
    limits: { perDomain: { 'example.com': { perMinute: 60 } } },
    people: 400,
    windowMs: minute,
    limit: 60,
    forMs: 5 * minute,
    stepMs: 250,
    deaths: 2,
  },
  {
    name: 'a second and a sender',
    limits: { perSenderPerSecond: 5 },
    people: 120,
    windowMs: second,
    limit: 5,
    forMs: 15 * second,
    stepMs: 20,
    deaths: 0,
  },
];

describe('so many messages in', () => {
  test.each(cases)(
    '$name: never more in any window, over deaths and three dispatchers',
    { timeout: 60_000 },
    async (one) => {
      bench.account.limits = one.limits;
      await bench.plan(await bench.people(one.people));
      const begun = db.clock.now().epochMilliseconds;
      await sendFor(one.forMs, one.stepMs, one.deaths);
      expect(mostIn(times, one.windowMs)).toBeLessThanOrEqual(one.limit);
      expect(new Set(bench.sent).size).toBe(bench.sent.length);
      // There is always more to send: whoever does not use the limit wastes it.
      expect(bench.sent.length).toBeLessThan(one.people);
      const passed = db.clock.now().epochMilliseconds - begun;
      const allowed =
        one.windowMs >= hour ? Math.ceil(passed / one.windowMs) * one.limit : (passed / one.windowMs) * one.limit;
      // A death costs what its claim had reserved.
      const lost = one.windowMs >= hour ? 0 : one.deaths * Math.ceil((one.limit * 3 * second) / one.windowMs);
      expect(bench.sent.length).toBeGreaterThanOrEqual(Math.floor(allowed * 0.95) - lost);
    },
  );

  test('a day to one person, through plans that reach him at the same time', { timeout: 60_000 }, async () => {
    bench.account.limits = { perRecipientPerDay: 2 };
    const people = await bench.people(8);
    for (let n = 0; n < 7; n++) await bench.plan(people);
    const to: { person: string; at: number }[] = [];
    bench.answer = (address) => {
      to.push({ person: address, at: db.clock.now().epochMilliseconds });
      return accepted(address);
    };
    await sendFor(76 * hour, 30 * minute, 1);
    for (const person of new Set(to.map((one) => one.person)))
      expect(
        mostIn(
          to.filter((one) => one.person === person).map((one) => one.at),
          24 * hour,
        ),
      ).toBe(2);
    // Two at once, and two more on each of the following three days, as far as there are any.
    expect(to).toHaveLength(7 * 8);
  });
});

describe('what a dispatcher took with it when it died', () => {
  test('comes back: an allowance counts only as far as messages can have left', async () => {
    bench.account.limits = { perDay: 300 };
    const plan = await bench.plan(await bench.people(250));
    bench.answer = () => new Promise(() => undefined);
    fleet.start(1);
    await fleet.pass(1_000, 500);
    expect(bench.sent).toHaveLength(64);
    fleet.kill();
    const lease = async () =>
      (await db.owner.query('select tokens from lane_lease where workspace_id = $1', [db.workspaceId])).rows;
    expect(await lease()).toEqual([{ tokens: 250 }]);
    bench.answer = accepted;
    fleet.start(1);
    await fleet.pass(40_000, 1_000);
    // 64 may have left; of the 300 a day, 236 were free again: the other 186 go out.
    expect(await bench.states(plan.id)).toEqual({ unknown: 64, accepted: 186 });
    expect(await lease()).toEqual([]);
    const { rows } = await db.owner.query<{ used: number }>(
      'select sum(used)::int as used from lane_minute where workspace_id = $1',
      [db.workspaceId],
    );
    expect(rows).toEqual([{ used: 250 }]);
  });
});
