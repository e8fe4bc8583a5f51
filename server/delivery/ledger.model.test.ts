import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Receipt, SendResult } from '../channels/index.ts';
import { AppError } from '../platform/errors.ts';
import { ensureMonths } from '../platform/migrate.ts';
import { createTestDb, inWorkspaceOfItsOwn } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { cancelMessage, resolveMessage, retryNamed } from './act.ts';
import { createBudget } from './budget.ts';
import { claimNext } from './claim.ts';
import { handOver } from './handover.ts';
import type { MessageDeps } from './ports.ts';
import type { PlanRow } from './plan.store.ts';
import { createDeliveryBench } from './testing.ts';
import type { DeliveryBench } from './testing.ts';

/**
 * The ledger as a state machine: whatever people, workers, crashes and vendors do to it, in whatever order, no message
 * makes a forbidden move, the counts add up, and nobody is written to twice unless its history says why.
 */

let database: TestDb;
beforeAll(async () => {
  database = await createTestDb();
});
afterAll(() => database.close());

/** `overtaken`: the vendor's callback is there before his answer. */
type Answer = 'overtaken' | 'accepted' | 'address' | 'content' | 'account' | 'later' | 'down' | 'throttled' | 'unknown';
type Command =
  | { readonly do: 'plan'; readonly people: number; readonly agreed: boolean }
  | { readonly do: 'work'; readonly answers: readonly Answer[] }
  /** A worker claims, hands over, hears nothing, and is killed. */
  | { readonly do: 'die' }
  | { readonly do: 'wait'; readonly seconds: number }
  | {
      readonly do: 'tell';
      readonly receipts: readonly { nth: number; kind: Receipt['kind']; category: Receipt['category'] }[];
    }
  | { readonly do: 'pause' | 'resume' | 'stop'; readonly nth: number }
  | { readonly do: 'cancel' | 'retry'; readonly nth: number }
  | { readonly do: 'resolve'; readonly nth: number; readonly as: 'accepted' | 'failed' | 'resend' }
  | { readonly do: 'policy'; readonly policy: 'hold' | 'resend' | 'give-up' };

const nth = fc.nat(40);
const answer = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Answer>('accepted') },
  {
    weight: 5,
    arbitrary: fc.constantFrom<Answer>(
      'address',
      'content',
      'account',
      'later',
      'down',
      'throttled',
      'unknown',
      'overtaken',
    ),
  },
);
const told = fc.record({
  nth,
  kind: fc.constantFrom<Receipt['kind']>(
    'accepted',
    'deferred',
    'delivered',
    'read',
    'bounced',
    'failed',
    'complained',
  ),
  category: fc.constantFrom<Receipt['category']>('address', 'content', 'transient'),
});
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('plan' as const),
      people: fc.integer({ min: 1, max: 12 }),
      agreed: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('work' as const),
      answers: fc.array(answer, { minLength: 1, maxLength: 12 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'die' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(1, 31, 120, 4_000) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('tell' as const),
      receipts: fc.array(told, { minLength: 1, maxLength: 6 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('pause' as const, 'resume' as const, 'stop' as const), nth }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('cancel' as const, 'retry' as const), nth }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('resolve' as const),
      nth,
      as: fc.constantFrom('accepted' as const, 'failed' as const, 'resend' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('policy' as const),
      policy: fc.constantFrom('hold' as const, 'resend' as const, 'give-up' as const),
    }),
  },
);

const results: Readonly<Record<Answer, SendResult>> = {
  accepted: { kind: 'accepted', ref: 'ref' },
  overtaken: { kind: 'accepted', ref: 'ref' },
  address: { kind: 'refused', category: 'address', code: '550', reason: 'gone', permanent: true },
  content: { kind: 'refused', category: 'content', code: '554', reason: 'no', permanent: true },
  account: { kind: 'refused', category: 'account', code: '535', reason: 'password', permanent: true },
  later: { kind: 'retry', category: 'transient', code: '451', reason: 'later' },
  down: { kind: 'retry', category: 'provider-down', code: '421', reason: 'down' },
  throttled: { kind: 'retry', category: 'throttled', code: '451', reason: 'slow down' },
  unknown: { kind: 'unknown', code: 'timeout', cause: 'no answer came' },
};
const mayHaveArrived = (result: SendResult) => result.kind === 'accepted' || result.kind === 'unknown';

/** Where a message may go from each state in one step; staying is always allowed. */
const moves: Readonly<Record<string, readonly string[]>> = {
  planned: [
    'held',
    'suppressed',
    'accepted',
    'delivered',
    'bounced',
    'complained',
    'failed',
    'unknown',
    'cancelled',
    'expired',
  ],
  held: ['planned', 'suppressed', 'cancelled', 'expired', 'accepted', 'failed', 'unknown'],
  unknown: ['planned', 'accepted', 'failed', 'delivered', 'bounced', 'complained'],
  failed: ['planned', 'accepted', 'delivered', 'bounced', 'complained', 'unknown', 'held', 'suppressed'],
  accepted: ['delivered', 'bounced', 'complained', 'failed'],
  delivered: ['bounced', 'complained'],
  bounced: ['complained'],
  complained: [],
  suppressed: [],
  cancelled: [],
  expired: [],
};

interface World {
  readonly db: TestDb;
  readonly bench: DeliveryBench;
  readonly plans: PlanRow[];
  /** How often each address may have been written to. */
  readonly arrivals: Map<string, number>;
  before: ReadonlyMap<string, string>;
}

interface Row {
  readonly id: string;
  readonly plan_id: string;
  readonly state: string;
  readonly address_id: string;
}

async function rowsOf({ db, plans }: World): Promise<Row[]> {
  const { rows } = await db.owner.query<Row>(
    'select id, plan_id, state, address_id from message where plan_id = any($1) order by id',
    [plans.map((plan) => plan.id)],
  );
  return rows;
}

const actDeps = ({ bench }: World): MessageDeps =>
  ({
    ...bench.deps,
    record: () => Promise.resolve(),
    campaignNames: () => Promise.resolve(new Map()),
  }) as unknown as MessageDeps;

/** What people try may be refused; nothing else may go wrong. */
async function attempt(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
  }
}

async function die({ db, bench, arrivals }: World): Promise<void> {
  const before = bench.sent.length;
  bench.answer = (to) => {
    arrivals.set(to, (arrivals.get(to) ?? 0) + 1);
    return new Promise(() => undefined);
  };
  const claim = await db.pinned.transaction(db.workspaceId, (tx) =>
    claimNext(tx, bench.deps, 1, { priority: 4, deferrals: true, fallbacks: true }),
  );
  if (claim === undefined || claim === 'again') return;
  void handOver(claim, bench.deps, createBudget(64), 1, new AbortController().signal).catch(() => undefined);
  const expected = Math.min(64, claim.end - claim.batch.begun);
  for (let i = 0; i < 20 && bench.sent.length - before < expected; i++)
    await new Promise((resolve) => setTimeout(resolve, 2));
}

async function tellDelivered({ db, bench }: World, to: string): Promise<void> {
  const { rows } = await db.owner.query<{ id: string }>('select id from message where address_id = $1', [
    to.split('@')[0],
  ]);
  await db.write((tx) =>
    bench.delivery.applyReceipts(
      tx,
      db.workspaceId,
      rows.map(({ id }) => ({ kind: 'delivered', key: id, messageId: id, at: '2026-02-01T10:00:00Z' })),
    ),
  );
}

async function perform(world: World, one: Command): Promise<void> {
  const { db, bench, plans } = world;
  const messages = await rowsOf(world);
  const pick = (place: number) => messages[place % Math.max(1, messages.length)];
  const pickPlan = (place: number) => plans[place % Math.max(1, plans.length)];
  switch (one.do) {
    case 'plan':
      plans.push(await bench.plan(await bench.people(one.people, one.agreed ? 'granted' : null)));
      return;
    case 'work':
      bench.answer = async (to, count) => {
        const choice = one.answers[count % one.answers.length] ?? 'accepted';
        if (mayHaveArrived(results[choice])) world.arrivals.set(to, (world.arrivals.get(to) ?? 0) + 1);
        if (choice === 'overtaken') await tellDelivered(world, to);
        return results[choice];
      };
      return bench.delivery.worker.drain();
    case 'die':
      return die(world);
    case 'wait':
      return db.clock.advance(one.seconds * 1000);
    case 'tell': {
      const receipts = one.receipts.flatMap(({ nth: place, kind, category }): Receipt[] => {
        const message = pick(place);
        if (message === undefined) return [];
        const key = `${message.id} ${kind}`;
        return [
          {
            kind,
            key,
            messageId: message.id,
            at: '2026-02-01T10:00:00Z',
            ...(category === undefined ? {} : { category }),
          },
        ];
      });
      await db.write((tx) => bench.delivery.applyReceipts(tx, db.workspaceId, receipts));
      return;
    }
    case 'pause':
    case 'resume':
    case 'stop': {
      const plan = pickPlan(one.nth);
      if (plan === undefined) return;
      const { pausePlan, resumePlan, cancelPlan } = bench.delivery;
      const act = { pause: pausePlan, resume: resumePlan, stop: cancelPlan }[one.do];
      return attempt(() => db.write((tx) => act(tx, plan.id)));
    }
    case 'cancel':
      return attempt(() => db.write((tx) => cancelMessage(tx, actDeps(world), pick(one.nth)?.id ?? db.workspaceId)));
    case 'retry':
      return attempt(() => db.write((tx) => retryNamed(tx, actDeps(world), [pick(one.nth)?.id ?? db.workspaceId])));
    case 'resolve':
      return attempt(() =>
        db.write((tx) => resolveMessage(tx, actDeps(world), pick(one.nth)?.id ?? db.workspaceId, one.as)),
      );
    case 'policy':
      bench.policy = one.policy;
  }
}

async function check(world: World): Promise<void> {
  const { db, bench, plans, before, arrivals } = world;
  const rows = await rowsOf(world);
  for (const { id, state } of rows) {
    const was = before.get(id) ?? state;
    if (was !== state) expect(moves[was], `${was} -> ${state}`).toContain(state);
  }
  const told = new Map<string, number>();
  for (const event of bench.events)
    if (event.kind === 'message.unknown' || event.kind === 'message.retried')
      told.set(event.messageId ?? '', (told.get(event.messageId ?? '') ?? 0) + 1);
  for (const { id, address_id } of rows) {
    const times = arrivals.get(`${address_id}@example.com`) ?? 0;
    // One that was never answered is not told yet: it is in the window of the batch until the lease ends.
    expect(times, `${id} may have arrived ${times} times`).toBeLessThanOrEqual(1 + (told.get(id) ?? 0));
  }
  const stats = await db.read((tx) =>
    bench.delivery.planStats(
      tx,
      plans.map((plan) => plan.id),
    ),
  );
  for (const plan of plans) {
    const of = (state: string) => rows.filter((row) => row.plan_id === plan.id && row.state === state).length;
    const counted = stats.get(plan.id);
    const parts = { delivered: of('delivered'), bounced: of('bounced'), complained: of('complained') };
    expect(counted).toMatchObject({
      planned: rows.filter((row) => row.plan_id === plan.id).length,
      held: of('held'),
      suppressed: of('suppressed'),
      accepted: of('accepted') + parts.delivered + parts.bounced + parts.complained,
      failed: of('failed'),
      unknown: of('unknown'),
      cancelled: of('cancelled'),
      expired: of('expired'),
      ...parts,
    });
    expect((counted?.waiting ?? 0) + (counted?.sending ?? 0)).toBe(of('planned'));
  }
  world.before = new Map(rows.map((row) => [row.id, row.state]));
}

const runs = Number(process.env['PARLEY_MODEL_RUNS'] ?? 40);

test('no sequence of commands, crashes and callbacks reaches a forbidden state', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 4, maxLength: 18 }), async (commands) => {
      const db = await inWorkspaceOfItsOwn(database);
      // The clock of all runs is one, and goes on for months.
      await ensureMonths((text, values) => db.owner.query(text, values), db.clock.now());
      const world: World = {
        db,
        bench: await createDeliveryBench(db),
        plans: [],
        arrivals: new Map(),
        before: new Map(),
      };
      for (const one of commands) {
        await perform(world, one);
        await check(world);
      }
      // In the end, with the lease of every dead worker over and a provider that takes all, nothing is left waiting.
      world.bench.policy = 'hold';
      for (const plan of world.plans)
        await attempt(() => db.write((tx) => world.bench.delivery.resumePlan(tx, plan.id)));
      for (let round = 0; round < 6; round++) {
        db.clock.advance(4_000_000);
        await perform(world, { do: 'work', answers: ['accepted'] });
        await check(world);
      }
      const left = (await rowsOf(world)).filter((row) => row.state === 'planned' || row.state === 'held');
      expect(left).toEqual([]);
    }),
    { numRuns: runs, endOnFailure: false },
  );
}, 600_000);
