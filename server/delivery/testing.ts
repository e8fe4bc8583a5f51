import { randomBytes } from 'node:crypto';
import type { EventDraft } from '../activity/index.ts';
import type { Outgoing, SendResult, Sender } from '../channels/index.ts';
import { newId } from '../platform/ids.ts';
import { silentLog } from '../platform/log.ts';
import { createMetrics } from '../platform/metrics.ts';
import type { TestDb } from '../platform/testing.ts';
import { createDelivery } from './delivery.ts';
import type { Delivery } from './delivery.ts';
import type { Limits } from './limit.rules.ts';
import type { DeliveryDeps, LaneAccount } from './ports.ts';
import type { PlanRow } from './plan.store.ts';

/** The ledger on a real database with a provider whose answers the test gives. */
export interface DeliveryBench {
  readonly delivery: Delivery;
  readonly deps: DeliveryDeps;
  /** What reached the provider, in order. */
  readonly sent: string[];
  readonly events: EventDraft[];
  readonly account: { paused: boolean; limits: Limits };
  /** The provider takes so many in one request; undefined: one by one. */
  most: number | undefined;
  /** Sizes of the requests that carried many. */
  readonly requests: number[];
  answer: (to: string, nth: number) => SendResult | Promise<SendResult>;
  policy: 'hold' | 'resend' | 'give-up';
  /** Contacts with one address each and a consent of the given state for the bench's topic. */
  people(count: number, consent?: 'granted' | 'withdrawn' | null): Promise<{ contactId: string; addressId: string }[]>;
  plan(
    recipients: readonly { contactId: string; addressId: string | null; notBefore?: Temporal.Instant }[],
    category?: string,
  ): Promise<PlanRow>;
  states(planId: string): Promise<Record<string, number>>;
  readonly topicId: string;
}

export const accepted = (to: string): SendResult => ({ kind: 'accepted', ref: `ref-${to}` });

export async function createDeliveryBench(test: TestDb): Promise<DeliveryBench> {
  const topicId = newId(test.clock);
  await test.write((tx) =>
    tx.query(
      "insert into topic (workspace_id, id, key, name, created_at, updated_at) values ($1, $2, $3, 'News', now(), now())",
      [tx.workspaceId, topicId, `news-${topicId}`],
    ),
  );
  const bench: DeliveryBench = {
    sent: [],
    events: [],
    account: { paused: false, limits: {} },
    most: undefined,
    requests: [],
    answer: accepted,
    policy: 'hold',
    topicId,
    deps: undefined as never,
    delivery: undefined as never,
    people: (count, consent = 'granted') => people(test, topicId, count, consent),
    plan: async (recipients, category = 'marketing') => {
      const plan = await test.write((tx) =>
        bench.delivery.createPlan(tx, {
          id: newId(test.clock),
          source: 'campaign',
          sourceId: newId(test.clock),
          channel: 'email',
          category,
          topicId,
          templateId: newId(test.clock),
          templateVersion: 1,
        }),
      );
      await test.write((tx) => bench.delivery.planPage(tx, plan, recipients));
      await test.write((tx) => bench.delivery.completePlan(tx, plan.id));
      return plan;
    },
    states: async (planId) => {
      const { rows } = await test.owner.query<{ state: string; count: number }>(
        'select state, count(*)::int as count from message where plan_id = $1 group by state',
        [planId],
      );
      return Object.fromEntries(rows.map((row) => [row.state, row.count]));
    },
  };
  const deps = fakeDeps(test, bench);
  return Object.assign(bench, { deps, delivery: createDelivery(deps) });
}

function fakeDeps(test: TestDb, bench: DeliveryBench): DeliveryDeps {
  const send = async (message: Outgoing): Promise<SendResult> => {
    if (message.channel !== 'email') throw new Error(`the fake account was handed ${message.channel}`);
    bench.sent.push(message.to);
    return bench.answer(message.to, bench.sent.length);
  };
  const senderOf = ({ most }: DeliveryBench): Sender => ({
    capacity: 16,
    send,
    ...(most === undefined ? {} : { many: { most, send: sendMany } }),
    close: () => Promise.resolve(),
  });
  const sendMany = (messages: readonly Outgoing[]) => {
    bench.requests.push(messages.length);
    return Promise.all(messages.map(send));
  };
  const account = (): LaneAccount => ({
    id: test.workspaceId,
    name: 'Fake',
    channel: 'email',
    kind: 'fake',
    paused: bench.account.paused,
    limits: bench.account.limits,
    sender: senderOf(bench),
  });
  return {
    db: test.db,
    hot: test.pinned,
    clock: test.clock,
    log: silentLog,
    metrics: createMetrics(),
    vault: test.vault,
    events: {
      append: (_tx, drafts) => Promise.resolve(void bench.events.push(...drafts)),
      messageTimeline: () => Promise.resolve([]),
    },
    random: () => 0.5,
    worker: 'test-worker',
    accountsFor: () => Promise.resolve([account()]),
    composerFor: () =>
      Promise.resolve({
        compose: (row, address) => ({
          ok: true,
          outgoing: {
            channel: 'email',
            messageId: row.id,
            to: address,
            from: { address: 'us@example.com' },
            subject: 'Hello',
            text: 'Hello',
          },
        }),
      }),
    addressOpener: async (tx) => {
      const keys = await test.vault.keys(tx);
      return ({ salt, sealed }) => keys.openFor(salt, sealed, 'address');
    },
    markAddresses: async (tx, ids, state) => {
      await tx.query('update address set state = $3 where workspace_id = $1 and id = any($2)', [
        tx.workspaceId,
        ids,
        state,
      ]);
    },
    unknownPolicy: () => Promise.resolve(bench.policy),
    tell: () => undefined,
  };
}

async function people(
  test: TestDb,
  topicId: string,
  count: number,
  consent: 'granted' | 'withdrawn' | null,
): Promise<{ contactId: string; addressId: string }[]> {
  return test.write(async (tx) => {
    const keys = await test.vault.keys(tx);
    const list = Array.from({ length: count }, () => ({
      contactId: newId(test.clock),
      addressId: newId(test.clock),
      salt: randomBytes(16),
    }));
    const values = list.map((one) => `${one.addressId}@example.com`);
    await tx.query(
      'insert into contact (workspace_id, id, salt, created_at, updated_at) select $1, c.id, c.salt, now(), now() from unnest($2::uuid[], $3::bytea[]) as c (id, salt)',
      [tx.workspaceId, list.map((one) => one.contactId), list.map((one) => one.salt)],
    );
    await tx.query(
      `insert into address (workspace_id, id, contact_id, kind, hash, hash_version, sealed, created_at)
       select $1, a.id, a.contact, 'email', a.hash, 1, a.sealed, now() from unnest($2::uuid[], $3::uuid[], $4::bytea[], $5::bytea[]) as a (id, contact, hash, sealed)`,
      [
        tx.workspaceId,
        list.map((one) => one.addressId),
        list.map((one) => one.contactId),
        values.map((value) => keys.blindIndex('email', value).hash),
        values.map((value, i) => keys.sealFor(list[i]?.salt ?? Buffer.alloc(0), value, 'address')),
      ],
    );
    if (consent !== null)
      await tx.query(
        `insert into consent (workspace_id, address_id, channel, topic_id, state, basis, source, since, event_seq, event_id)
         select $1, a, 'email', $3, $4, 'consent', 'test', now(), 1, a from unnest($2::uuid[]) as x (a)`,
        [tx.workspaceId, list.map((one) => one.addressId), topicId, consent],
      );
    return list.map(({ contactId, addressId }) => ({ contactId, addressId }));
  });
}
