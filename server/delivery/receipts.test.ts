import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Receipt } from '../channels/index.ts';
import { createTestDb, inWorkspaceOfItsOwn } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { createDeliveryBench } from './testing.ts';
import type { DeliveryBench } from './testing.ts';
import { insertRefs } from './receipt.store.ts';

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

const at = '2026-02-01T10:00:00Z';
/** The bench's one account has the workspace's id. */
const tell = (...receipts: readonly Receipt[]) =>
  db.write((tx) => bench.delivery.applyReceipts(tx, db.workspaceId, receipts));
const stats = async (planId: string) => (await db.read((tx) => bench.delivery.planStats(tx, [planId]))).get(planId);
const messagesOf = async (planId: string) => {
  const { rows } = await db.owner.query<{ id: string; state: string; address_id: string }>(
    'select id, state, address_id from message where plan_id = $1 order by id',
    [planId],
  );
  return rows;
};
const addressState = async (id: string | undefined) => {
  const { rows } = await db.owner.query<{ state: string }>('select state from address where id = $1', [id]);
  return rows[0]?.state;
};
let told = 0;
const receipt = (messageId: string | undefined, kind: Receipt['kind'], more: Partial<Receipt> = {}): Receipt => {
  return { kind, key: `fact-${++told}`, messageId: messageId ?? '', at, ...more };
};

describe('what a vendor tells', () => {
  test('moves messages on, and the counts with them: parts of accepted, whose sum stays', async () => {
    const plan = await bench.plan(await bench.people(4));
    await bench.delivery.worker.drain();
    const [one, two, three] = await messagesOf(plan.id);
    await tell(
      receipt(one?.id, 'delivered'),
      receipt(two?.id, 'bounced', { category: 'address', code: '5.1.1', reason: 'no such user' }),
      receipt(three?.id, 'complained'),
    );
    expect(await bench.states(plan.id)).toEqual({ accepted: 1, delivered: 1, bounced: 1, complained: 1 });
    expect(await stats(plan.id)).toMatchObject({ planned: 4, accepted: 4, delivered: 1, bounced: 1, complained: 1 });
    expect(await addressState(one?.address_id)).toBe('ok');
    expect(await addressState(two?.address_id)).toBe('bounced');
    expect(await addressState(three?.address_id)).toBe('complained');
    const bounce = bench.events.find((event) => event.kind === 'message.bounced');
    expect(bounce).toMatchObject({
      messageId: two?.id,
      data: { code: '5.1.1', detail: 'no such user', category: 'address', source: 'vendor' },
    });
  });

  test('a later complaint takes the place of the delivery in the counts', async () => {
    const plan = await bench.plan(await bench.people(1));
    await bench.delivery.worker.drain();
    const [one] = await messagesOf(plan.id);
    await tell(receipt(one?.id, 'delivered'));
    await tell(receipt(one?.id, 'complained'));
    await tell(receipt(one?.id, 'delivered'));
    expect(await stats(plan.id)).toMatchObject({ planned: 1, accepted: 1, delivered: 0, complained: 1 });
  });

  test('settles what was in doubt, without sending it again', async () => {
    bench.answer = () => ({ kind: 'unknown', code: 'timeout', cause: 'no answer came' });
    const plan = await bench.plan(await bench.people(2));
    await bench.delivery.worker.drain();
    expect(await bench.states(plan.id)).toEqual({ unknown: 2 });
    const [one, two] = await messagesOf(plan.id);
    await tell(receipt(one?.id, 'delivered'), receipt(two?.id, 'failed', { category: 'content', code: '30007' }));
    expect(await bench.states(plan.id)).toEqual({ delivered: 1, failed: 1 });
    expect(await stats(plan.id)).toMatchObject({ planned: 2, unknown: 0, accepted: 1, delivered: 1, failed: 1 });
    await bench.delivery.worker.drain();
    expect(bench.sent).toHaveLength(2);
  });

  test('that overtakes the answer of the hand-over itself settles the message right, and once', async () => {
    bench.answer = async (to) => {
      const [message] = await messagesOf(plan.id);
      await tell(receipt(message?.id, 'delivered'));
      return { kind: 'accepted', ref: to };
    };
    const plan = await bench.plan(await bench.people(1));
    await bench.delivery.worker.drain();
    expect(await bench.states(plan.id)).toEqual({ delivered: 1 });
    expect(await stats(plan.id)).toMatchObject({ planned: 1, waiting: 0, sending: 0, accepted: 1, delivered: 1 });
  });

  test('about a message that waits for another attempt: it is not sent again', async () => {
    bench.answer = () => ({ kind: 'retry', category: 'transient', code: '451', reason: 'later' });
    const plan = await bench.plan(await bench.people(1));
    await bench.delivery.worker.drain();
    const [one] = await messagesOf(plan.id);
    expect(one?.state).toBe('planned');
    await tell(receipt(one?.id, 'delivered'));
    db.clock.advance(3_600_000);
    await bench.delivery.worker.drain();
    expect(bench.sent).toHaveLength(1);
    expect(await stats(plan.id)).toMatchObject({ planned: 1, waiting: 0, held: 0, accepted: 1, delivered: 1 });
    expect(bench.events.map((event) => event.kind)).toContain('plan.done');
  });

  test('about nobody we know is given back; by the vendor’s id a message is found as well', async () => {
    const plan = await bench.plan(await bench.people(1));
    await bench.delivery.worker.drain();
    const [one] = await messagesOf(plan.id);
    const byRef: Receipt = { kind: 'delivered', key: 'k', ref: 'wamid.1', at };
    const strange = receipt('00000000-0000-7000-8000-000000000001', 'delivered');
    const forged = receipt('not an id', 'delivered');
    expect((await tell(byRef, strange, forged)).unmatched).toEqual([byRef, strange, forged]);
    const refs = [{ ref: 'wamid.1', messageId: one?.id ?? '' }];
    await db.write((tx) => insertRefs(tx, db.workspaceId, refs, db.clock.now()));
    expect((await tell(byRef)).unmatched).toEqual([]);
    expect(await bench.states(plan.id)).toEqual({ delivered: 1 });
  });

  test('never reaches into another workspace', async () => {
    const plan = await bench.plan(await bench.people(1));
    await bench.delivery.worker.drain();
    const [one] = await messagesOf(plan.id);
    const stranger = await inWorkspaceOfItsOwn(database);
    const others = await createDeliveryBench(stranger);
    const fact = receipt(one?.id, 'complained');
    const { unmatched } = await stranger.write((tx) => others.delivery.applyReceipts(tx, stranger.workspaceId, [fact]));
    expect(unmatched).toEqual([fact]);
    expect(await bench.states(plan.id)).toEqual({ accepted: 1 });
  });

  test('with NUL and half characters in it is taken like any other', async () => {
    const plan = await bench.plan(await bench.people(1));
    await bench.delivery.worker.drain();
    const [one] = await messagesOf(plan.id);
    const words = { category: 'content', code: '5\u0000', reason: 'no\u0000pe \ud800' } as const;
    await tell(receipt(one?.id, 'bounced', words), { kind: 'opened', key: 'k', ref: 'a\u0000b', at });
    expect(await bench.states(plan.id)).toEqual({ bounced: 1 });
    const bounce = bench.events.find((event) => event.kind === 'message.bounced');
    expect(bounce).toMatchObject({ data: { code: '5', detail: 'nope \ufffd' } });
  });

  test('is found in whatever month the plan of the message began', async () => {
    const plan = await bench.plan(await bench.people(2));
    await bench.delivery.worker.drain();
    const [one, two] = await messagesOf(plan.id);
    await db.owner.query(`update message set plan_month = plan_month - interval '1 month' where id = $1`, [one?.id]);
    const { unmatched } = await tell(receipt(one?.id, 'delivered'), receipt(two?.id, 'delivered'));
    expect(unmatched).toEqual([]);
    expect(await bench.states(plan.id)).toEqual({ delivered: 2 });
  });

  test('takes as many statements for a thousand facts as for ten', async () => {
    const plan = await bench.plan(await bench.people(300));
    await bench.delivery.worker.drain();
    const all = await messagesOf(plan.id);
    const count = async (messages: typeof all) => {
      let statements = 0;
      await db.write(async (tx) => {
        const counting = {
          ...tx,
          hot: (text: string, values?: readonly unknown[]) => (statements++, tx.hot(text, values)),
        };
        await bench.delivery.applyReceipts(
          counting as typeof tx,
          db.workspaceId,
          messages.map((one) => receipt(one.id, 'delivered')),
        );
      });
      return statements;
    };
    const few = await count(all.slice(0, 10));
    expect(await count(all.slice(10))).toBe(few);
  });
});
