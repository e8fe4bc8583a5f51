import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { handOver } from './handover.ts';
import { createBudget } from './budget.ts';
import { claimNext } from './claim.ts';
import type { PlanStats } from './delivery.ts';
import { createDelivery } from './delivery.ts';
import { accepted, createDeliveryBench } from './testing.ts';
import type { DeliveryBench } from './testing.ts';

const campaigns = { priority: 4, deferrals: true, fallbacks: false };
let db: TestDb;
let bench: DeliveryBench;
beforeAll(async () => {
  db = await createTestDb();
});
afterAll(() => db.close());
beforeEach(async () => {
  bench = await createDeliveryBench(db);
});

const stats = async (planId: string): Promise<PlanStats> => {
  const found = (await db.read((tx) => bench.delivery.planStats(tx, [planId]))).get(planId);
  if (found === undefined) throw new Error('no stats');
  return found;
};
const sum = (s: PlanStats) =>
  s.waiting + s.held + s.sending + s.suppressed + s.accepted + s.failed + s.unknown + s.cancelled + s.expired;
const drain = () => bench.delivery.worker.drain();

/** The counts are a projection: they must say what the ledger says. */
async function expectTrueCounts(planId: string): Promise<PlanStats> {
  const s = await stats(planId);
  const states = await bench.states(planId);
  expect({
    planned: s.planned,
    accepted: s.accepted,
    suppressed: s.suppressed,
    unknown: s.unknown,
    failed: s.failed,
    cancelled: s.cancelled,
    held: s.held,
    waiting: s.waiting + s.sending,
  }).toEqual({
    planned: Object.values(states).reduce((a, b) => a + b, 0),
    accepted: states['accepted'] ?? 0,
    suppressed: states['suppressed'] ?? 0,
    unknown: states['unknown'] ?? 0,
    failed: states['failed'] ?? 0,
    cancelled: states['cancelled'] ?? 0,
    held: states['held'] ?? 0,
    waiting: states['planned'] ?? 0,
  });
  expect(sum(s)).toBe(s.planned);
  return s;
}

describe('the way of a message', () => {
  test('everybody who agreed is handed over once; everybody else has a reason', async () => {
    const yes = await bench.people(130);
    const no = await bench.people(7, 'withdrawn');
    const never = await bench.people(3, null);
    const plan = await bench.plan([
      ...yes,
      ...no,
      ...never,
      ...never.slice(0, 1).map((one) => ({ ...one, addressId: null })),
    ]);
    await drain();
    expect(new Set(bench.sent).size).toBe(130);
    expect(bench.sent.length).toBe(130);
    const s = await expectTrueCounts(plan.id);
    expect(s).toMatchObject({ planned: 140, accepted: 130, suppressed: 10, waiting: 0, sending: 0 });
    const reasons = await db.read((tx) => bench.delivery.planReasons(tx, plan.id));
    expect(reasons).toEqual([
      { state: 'suppressed', reason: 'withdrawn', count: 7 },
      { state: 'suppressed', reason: 'no-consent', count: 3 },
    ]);
    expect(bench.events.filter((event) => event.kind === 'message.accepted')).toHaveLength(130);
    expect(bench.events.at(-1)).toMatchObject({ kind: 'plan.done' });
  });

  test('a page planned twice plans nobody twice', async () => {
    const [one] = await bench.people(1);
    if (one === undefined) throw new Error('nobody');
    const plan = await bench.plan([one]);
    expect(await db.write((tx) => bench.delivery.planPage(tx, plan, [one]))).toEqual([]);
    await drain();
    expect(bench.sent).toHaveLength(1);
    await expectTrueCounts(plan.id);
  });

  test('a withdrawal while the campaign runs stops everything but windows already begun', async () => {
    const people = await bench.people(400);
    const plan = await bench.plan(people);
    let withdrawnAt = 0;
    bench.answer = async (to, nth) => {
      if (nth === 10) {
        await db.write((tx) =>
          tx.query("update consent set state = 'withdrawn' where workspace_id = $1 and address_id = any($2)", [
            tx.workspaceId,
            people.map((p) => p.addressId),
          ]),
        );
        withdrawnAt = bench.sent.length;
      }
      return accepted(to);
    };
    await drain();
    expect(withdrawnAt).toBeGreaterThan(0);
    expect(bench.sent.length).toBeLessThanOrEqual(withdrawnAt + 64);
    expect(await expectTrueCounts(plan.id)).toMatchObject({
      accepted: bench.sent.length,
      suppressed: 400 - bench.sent.length,
    });
  });

  test('a transient refusal comes back later, a hard one never, and marks the address', async () => {
    const people = await bench.people(3);
    const plan = await bench.plan(people);
    const [soft, hard] = people.map((one) => `${one.addressId}@example.com`);
    let softTries = 0;
    bench.answer = (to) => {
      if (to === soft && softTries++ === 0)
        return { kind: 'retry', category: 'transient', code: '451', reason: 'later' };
      if (to === hard)
        return { kind: 'refused', category: 'address', code: '5.1.1', reason: 'unknown user', permanent: true };
      return accepted(to);
    };
    await drain();
    expect(await expectTrueCounts(plan.id)).toMatchObject({ accepted: 1, failed: 1, waiting: 1 });
    db.clock.advance(60_000);
    await drain();
    expect(await expectTrueCounts(plan.id)).toMatchObject({ accepted: 2, failed: 1, waiting: 0 });
    const { rows } = await db.owner.query('select state from address where id = $1', [people[1]?.addressId]);
    expect(rows).toEqual([{ state: 'bounced' }]);
  });

  test('a lane that is down cools down, keeps every message, and goes on', async () => {
    const plan = await bench.plan(await bench.people(100));
    bench.answer = () => ({ kind: 'retry', category: 'provider-down', code: 'connection-lost', reason: 'no answer' });
    await drain();
    const tried = bench.sent.length;
    expect(tried).toBeLessThanOrEqual(64);
    expect(await expectTrueCounts(plan.id)).toMatchObject({ waiting: 100, accepted: 0 });
    bench.answer = accepted;
    db.clock.advance(300_000);
    await drain();
    expect(await expectTrueCounts(plan.id)).toMatchObject({ accepted: 100 });
  });

  test('what is scheduled is held until its time', async () => {
    const at = db.clock.now().add({ hours: 1 });
    const [one] = await bench.people(1);
    if (one === undefined) throw new Error('nobody');
    const plan = await bench.plan([{ ...one, notBefore: at }]);
    await drain();
    expect(await expectTrueCounts(plan.id)).toMatchObject({ held: 1, planned: 1 });
    db.clock.advance(3_600_000);
    await drain();
    expect(await expectTrueCounts(plan.id)).toMatchObject({ held: 0, accepted: 1 });
  });

  test('paused: nothing leaves; resumed: it goes on; cancelled: the rest is accounted for', async () => {
    const plan = await bench.plan(await bench.people(300));
    await db.write((tx) => bench.delivery.pausePlan(tx, plan.id));
    await drain();
    expect(await expectTrueCounts(plan.id)).toMatchObject({ waiting: 300, accepted: 0 });
    await db.write((tx) => bench.delivery.resumePlan(tx, plan.id));
    bench.answer = async (to, nth) => {
      if (nth === 1) await db.write((tx) => bench.delivery.cancelPlan(tx, plan.id));
      return accepted(to);
    };
    await drain();
    const s = await expectTrueCounts(plan.id);
    expect(s.accepted + s.cancelled).toBe(300);
    expect(s.cancelled).toBeGreaterThan(0);
    expect(s.accepted).toBe(bench.sent.length);
  });

  test('a paused lane holds everything back, without losing it', async () => {
    bench.account.paused = true;
    const plan = await bench.plan(await bench.people(5));
    await drain();
    expect(await expectTrueCounts(plan.id)).toMatchObject({ waiting: 5 });
    bench.account.paused = false;
    db.clock.advance(61_000);
    await drain();
    expect(await expectTrueCounts(plan.id)).toMatchObject({ accepted: 5 });
  });
});

describe('when a worker dies', () => {
  /** Claims and hands over with a provider that never answers, then abandons it, as a kill would. */
  async function dieWhileSending(): Promise<void> {
    bench.answer = () => new Promise(() => undefined);
    const claim = await db.pinned.transaction(db.workspaceId, (tx) => claimNext(tx, bench.deps, 1, campaigns));
    if (claim === undefined || claim === 'again') throw new Error('nothing to claim');
    void handOver(claim, bench.deps, createBudget(64), 1, new AbortController().signal).catch(() => undefined);
    for (let i = 0; i < 500 && bench.sent.length < 64; i++) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }

  test('what was on the wire is unknown, the rest is sent, nobody twice', async () => {
    const plan = await bench.plan(await bench.people(150));
    await dieWhileSending();
    const before = await stats(plan.id);
    expect(before.sending).toBe(64);
    expect(sum(before)).toBe(150);
    bench.answer = accepted;
    await drain();
    expect(await expectTrueCounts(plan.id)).toMatchObject({ sending: 64, accepted: 0 });
    db.clock.advance(31_000);
    await drain();
    expect(await expectTrueCounts(plan.id)).toMatchObject({ unknown: 64, accepted: 86, planned: 150 });
    expect(new Set(bench.sent).size).toBe(bench.sent.length);
  });

  test('resending what was in doubt happens only by policy, and leaves its trace', async () => {
    bench.policy = 'resend';
    const plan = await bench.plan(await bench.people(10));
    await dieWhileSending();
    bench.answer = accepted;
    db.clock.advance(31_000);
    await drain();
    db.clock.advance(60_000);
    await drain();
    expect(await expectTrueCounts(plan.id)).toMatchObject({ unknown: 0, accepted: 10 });
    expect(bench.events.filter((event) => event.kind === 'message.unknown')).toHaveLength(10);
  });

  test('a pause does not hide what was on the wire', async () => {
    const plan = await bench.plan(await bench.people(150));
    await dieWhileSending();
    await db.write((tx) => bench.delivery.pausePlan(tx, plan.id));
    bench.answer = accepted;
    db.clock.advance(31_000);
    await drain();
    expect(await expectTrueCounts(plan.id)).toMatchObject({ unknown: 64, sending: 0, waiting: 86, accepted: 0 });
    await db.write((tx) => bench.delivery.resumePlan(tx, plan.id));
    await drain();
    expect(await expectTrueCounts(plan.id)).toMatchObject({ unknown: 64, accepted: 86 });
  });

  test('a doubt that no crash made leaves the same trace', async () => {
    bench.policy = 'resend';
    const plan = await bench.plan(await bench.people(1));
    bench.answer = (to, nth) =>
      nth === 1 ? { kind: 'unknown', code: 'connection-lost', cause: 'no answer came' } : accepted(to);
    await drain();
    db.clock.advance(60_000);
    await drain();
    expect(await expectTrueCounts(plan.id)).toMatchObject({ accepted: 1, unknown: 0 });
    expect(bench.events.filter((event) => event.messageId !== undefined).map((event) => event.kind)).toEqual([
      'message.unknown',
      'message.deferred',
      'message.accepted',
    ]);
  });

  test('a worker that wakes up after its lease cannot settle any more', async () => {
    const plan = await bench.plan(await bench.people(3));
    let answerLate: (() => void) | undefined;
    bench.answer = (to) => new Promise((resolve) => (answerLate = () => resolve(accepted(to))));
    const claim = await db.pinned.transaction(db.workspaceId, (tx) => claimNext(tx, bench.deps, 1, campaigns));
    if (claim === undefined || claim === 'again') throw new Error('nothing to claim');
    const late = handOver(claim, bench.deps, createBudget(64), 1, new AbortController().signal);
    while (bench.sent.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    db.clock.advance(31_000);
    await createDelivery(bench.deps).worker.drain();
    expect(await expectTrueCounts(plan.id)).toMatchObject({ unknown: 3 });
    answerLate?.();
    await Promise.race([late, new Promise((resolve) => setTimeout(resolve, 200))]);
    expect(await expectTrueCounts(plan.id)).toMatchObject({ unknown: 3, accepted: 0 });
  });
});

describe('when the hand-over meets the unexpected', () => {
  const claimOne = async () => {
    const claim = await db.pinned.transaction(db.workspaceId, (tx) => claimNext(tx, bench.deps, 1, campaigns));
    if (claim === undefined || claim === 'again') throw new Error('nothing to claim');
    return claim;
  };
  const when = async (ready: () => boolean) => {
    for (let i = 0; i < 1000 && !ready(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(ready()).toBe(true);
  };

  test('an answer that comes while the window moves is in doubt until its outcome is written', async () => {
    // Three windows: the last one has begun when the worker dies, so nothing makes it write what came in meanwhile.
    const plan = await bench.plan(await bench.people(96));
    const answers: (() => void)[] = [];
    bench.answer = (to) => new Promise((resolve) => answers.push(() => resolve(accepted(to))));
    const { append } = bench.deps.events;
    let moving = false;
    const events = {
      ...bench.deps.events,
      append: async (tx: Parameters<typeof append>[0], drafts: Parameters<typeof append>[1]) => {
        if (drafts.some((one) => one.kind === 'message.accepted')) {
          moving = true;
          answers.splice(0, 10).forEach((answer) => answer());
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        return append(tx, drafts);
      },
    };
    void handOver(await claimOne(), { ...bench.deps, events }, createBudget(64), 1, new AbortController().signal).catch(
      () => undefined,
    );
    await when(() => answers.length === 64);
    answers.splice(0, 32).forEach((answer) => answer());
    await when(() => moving && bench.sent.length > 64);
    bench.answer = accepted;
    db.clock.advance(31_000);
    await createDelivery(bench.deps).worker.drain();
    const s = await expectTrueCounts(plan.id);
    expect(s).toMatchObject({ waiting: 0, sending: 0 });
    expect(s.accepted + s.unknown).toBe(96);
    expect(s.unknown).toBeLessThanOrEqual(64);
    expect(new Set(bench.sent).size).toBe(bench.sent.length);
  });

  test('a pause that was answered lets no further window begin, even one that waited for it', async () => {
    const plan = await bench.plan(await bench.people(200));
    const answers: (() => void)[] = [];
    bench.answer = (to) => new Promise((resolve) => answers.push(() => resolve(accepted(to))));
    const run = handOver(await claimOne(), bench.deps, createBudget(64), 1, new AbortController().signal);
    await when(() => answers.length === 64);
    await db.write(async (tx) => {
      await bench.delivery.pausePlan(tx, plan.id);
      bench.answer = accepted;
      answers.splice(0, 64).forEach((answer) => answer());
      // The outcomes want to be written and the next window to begin: they wait for this transaction.
      for (let waiting = 0; waiting === 0; await new Promise((resolve) => setTimeout(resolve, 5))) {
        const { rows } = await db.owner.query<{ count: number }>(
          'select count(*)::int as count from pg_locks where not granted and pid in (select pid from pg_stat_activity where datname = current_database())',
        );
        waiting = rows[0]?.count ?? 0;
      }
    });
    await run;
    expect(bench.sent).toHaveLength(64);
    expect(await expectTrueCounts(plan.id)).toMatchObject({ accepted: 64, waiting: 136, sending: 0 });
  });

  test('a hand-over that breaks off gives back everything it was allowed to have in doubt', async () => {
    await bench.plan(await bench.people(50));
    const claim = await claimOne();
    const budget = createBudget(64);
    const broken = { ...bench.deps.hot, transaction: () => Promise.reject(new Error('the database is away')) };
    let ended = false;
    const run = handOver(claim, { ...bench.deps, hot: broken }, budget, 1, new AbortController().signal).catch(
      () => (ended = true),
    );
    for (let i = 0; i < 1000 && !ended; i++) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      if (db.clock.sleepers() > 0) db.clock.advance(500);
    }
    await run;
    expect(ended).toBe(true);
    expect(budget.free()).toBe(64);
  });
});

describe('the pace', () => {
  test('ten a second means ten a second', async () => {
    bench.account.limits = { perSecond: 10 };
    const plan = await bench.plan(await bench.people(30));
    const times: number[] = [];
    bench.answer = (to) => {
      times.push(db.clock.now().epochMilliseconds);
      return accepted(to);
    };
    const draining = drain();
    let done = false;
    void draining.then(() => (done = true));
    for (let i = 0; i < 400 && !done; i++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (db.clock.sleepers() > 0) db.clock.advance(20);
    }
    await draining;
    expect(await expectTrueCounts(plan.id)).toMatchObject({ accepted: 30 });
    for (const [i, at] of times.entries()) {
      const later = times[i + 10];
      if (later !== undefined) expect(later - at).toBeGreaterThanOrEqual(1_000 - 20);
    }
  });

  test('nobody gets more through a lane in a day than it allows one person; the rest comes the next day', async () => {
    bench.account.limits = { perRecipientPerDay: 1 };
    const people = await bench.people(2);
    const first = await bench.plan(people);
    await drain();
    const second = await bench.plan(people);
    await drain();
    expect(await expectTrueCounts(first.id)).toMatchObject({ accepted: 2 });
    expect(await expectTrueCounts(second.id)).toMatchObject({ accepted: 0, held: 2 });
    db.clock.advance(24 * 3_600_000 + 61_000);
    await drain();
    expect(await expectTrueCounts(second.id)).toMatchObject({ accepted: 2, held: 0 });
  });
});
