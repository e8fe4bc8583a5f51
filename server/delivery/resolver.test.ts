import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Found } from '../channels/index.ts';
import { createTestDb, inWorkspaceOfItsOwn } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { createDelivery } from './delivery.ts';
import type { Delivery } from './delivery.ts';
import type { LookUp } from './ports.ts';
import { askPausesMs } from './resolve.rules.ts';
import { createDeliveryBench } from './testing.ts';
import type { DeliveryBench } from './testing.ts';

let database: TestDb;
let db: TestDb;
let bench: DeliveryBench;
let delivery: Delivery;
let planId = '';
/** What the vendor says, and what it was asked. */
let says: Found | 'throws' = { kind: 'unclear', reason: 'no list' };
let asked: Parameters<LookUp>[0][] = [];
let canBeAsked = true;

beforeAll(async () => {
  database = await createTestDb();
});
afterAll(() => database.close());
beforeEach(async () => {
  db = await inWorkspaceOfItsOwn(database);
  bench = await createDeliveryBench(db);
  asked = [];
  canBeAsked = true;
  says = { kind: 'unclear', reason: 'no list' };
  const lookUp: LookUp = async (message) => {
    asked.push(message);
    if (says === 'throws') throw new Error('the vendor is down');
    return says;
  };
  delivery = createDelivery({
    ...bench.deps,
    accountsFor: async (...given) =>
      (await bench.deps.accountsFor(...given)).map((account) => ({ ...account, tellsLater: canBeAsked })),
    lookUpFor: async () => (canBeAsked ? lookUp : undefined),
  });
  return () =>
    db.write(async (tx) => {
      await tx.query('delete from batch where workspace_id = $1', [tx.workspaceId]);
      await tx.query('delete from dead_letter where workspace_id = $1', [tx.workspaceId]);
    });
});

async function doubt(): Promise<void> {
  bench.answer = () => ({ kind: 'unknown', code: 'timeout', cause: 'no answer' });
  planId = (await bench.plan(await bench.people(1))).id;
  await delivery.worker.drain();
  bench.answer = (to) => ({ kind: 'accepted', ref: `again-${to}` });
}
const states = () => bench.states(planId);
const round = async (pauseMs: number) => {
  db.clock.advance(pauseMs);
  await delivery.resolveDoubts(new AbortController().signal);
};
const resolutions = () => bench.events.filter((one) => one.kind === 'message.resolved').map((one) => one.data);
const refs = async () =>
  (await db.owner.query<{ ref: string }>('select provider_ref as ref from message where plan_id = $1', [planId])).rows;

describe('a message in doubt whose provider can be asked', () => {
  test('is asked about once its time has come, and is accepted when the provider has it', async () => {
    await doubt();
    says = { kind: 'accepted', ref: 'SM77' };
    await round(askPausesMs[0] - 1_000);
    expect(asked).toEqual([]);
    await round(1_000);
    expect(asked).toHaveLength(1);
    expect(asked[0]?.to).toBe(bench.sent[0]);
    expect(await states()).toEqual({ accepted: 1 });
    expect(await refs()).toEqual([{ ref: 'SM77' }]);
    expect(resolutions()).toEqual([expect.objectContaining({ as: 'accepted', by: 'provider', from: 'unknown' })]);
    await round(askPausesMs[1]);
    expect(asked).toHaveLength(1);
  });

  test('is sent again when the provider says twice that it never took it, and that stands in its history', async () => {
    await doubt();
    says = { kind: 'absent' };
    await round(askPausesMs[0]);
    expect(await states()).toEqual({ unknown: 1 });
    await round(askPausesMs[1]);
    expect(await states()).toEqual({ planned: 1 });
    expect(resolutions()).toEqual([
      expect.objectContaining({ as: 'planned', answer: 'absent', reason: 'resolved-absent' }),
    ]);
    await delivery.worker.drain();
    expect(await states()).toEqual({ accepted: 1 });
    expect(bench.sent).toHaveLength(2);
  });

  test.each(['hold', 'resend', 'give-up'] as const)(
    'is left to the policy (%s) only after all askings came to nothing',
    async (policy) => {
      bench.policy = policy;
      await doubt();
      expect(await states()).toEqual({ unknown: 1 });
      for (const [at, pauseMs] of askPausesMs.entries()) {
        says = at % 2 === 0 ? 'throws' : { kind: 'unclear', reason: 'not listed yet' };
        expect(await states()).toEqual({ unknown: 1 });
        await round(pauseMs);
      }
      expect(asked).toHaveLength(askPausesMs.length);
      expect(await states()).toEqual(
        { hold: { unknown: 1 }, resend: { planned: 1 }, 'give-up': { failed: 1 } }[policy],
      );
      await round(86_400_000);
      expect(asked).toHaveLength(askPausesMs.length);
    },
  );

  test('is asked about by one process only', async () => {
    await doubt();
    db.clock.advance(askPausesMs[0]);
    const signal = new AbortController().signal;
    await Promise.all([delivery.resolveDoubts(signal), delivery.resolveDoubts(signal)]);
    expect(asked).toHaveLength(1);
  });

  test('is asked about no more once a callback has settled it', async () => {
    await doubt();
    const { rows } = await db.owner.query<{ id: string }>('select id from message where plan_id = $1', [planId]);
    await db.write((tx) =>
      delivery.applyReceipts(tx, db.workspaceId, [
        { kind: 'delivered', key: 'k', messageId: rows[0]?.id ?? '', at: db.clock.now().toString() },
      ]),
    );
    await round(askPausesMs[0]);
    expect(asked).toEqual([]);
    expect(await states()).toEqual({ delivered: 1 });
  });
});

describe('a message in doubt of which nobody can say more', () => {
  test('is left to the policy at once', async () => {
    canBeAsked = false;
    bench.policy = 'give-up';
    await doubt();
    expect(await states()).toEqual({ failed: 1 });
  });

  test('and is held comes under the policy that has been chosen since, after the time of all askings', async () => {
    canBeAsked = false;
    await doubt();
    await round(askPausesMs[0]);
    bench.policy = 'give-up';
    await round(askPausesMs[1]);
    expect(await states()).toEqual({ unknown: 1 });
    await round(askPausesMs.slice(2).reduce<number>((sum, pause) => sum + pause, 0));
    expect(asked).toEqual([]);
    expect(await states()).toEqual({ failed: 1 });
  });
});
