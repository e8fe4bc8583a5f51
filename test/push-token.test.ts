import { afterAll, beforeAll, expect, test } from 'vitest';
import { parsePushAddress } from '../contract/push-address.ts';
import { fcmProvider } from '../server/channels/push/fcm/provider.ts';
import { fcmToken, startFcm } from '../server/channels/push/fcm/testing.ts';
import { push } from '../server/channels/push/testing.ts';
import type { PlayedPush } from '../server/channels/push/testing.ts';
import type { Sender } from '../server/channels/port.ts';
import { createDelivery } from '../server/delivery/delivery.ts';
import type { Delivery } from '../server/delivery/delivery.ts';
import { createDeliveryBench } from '../server/delivery/testing.ts';
import type { DeliveryBench } from '../server/delivery/testing.ts';
import { newId } from '../server/platform/ids.ts';
import { createTestDb } from '../server/platform/testing.ts';
import type { TestDb } from '../server/platform/testing.ts';

/** What becomes of a push token that its service calls dead: ledger, provider and played service together. */
let db: TestDb;
let bench: DeliveryBench;
let vendor: PlayedPush;
let sender: Sender;
let delivery: Delivery;

beforeAll(async () => {
  db = await createTestDb();
  bench = await createDeliveryBench(db);
  vendor = await startFcm();
  sender = fcmProvider.create(vendor.account() as never, vendor.open());
  const account = { id: db.workspaceId, name: 'FCM', kind: 'fcm', channel: 'push', paused: false, limits: {}, sender };
  delivery = createDelivery({
    ...bench.deps,
    accountsFor: () => Promise.resolve([account]),
    composerFor: () =>
      Promise.resolve({
        compose: (row, address) => {
          const read = parsePushAddress(address);
          if (!read.ok) return { ok: false, reason: 'render-failed', detail: read.reason };
          return { ok: true, outgoing: push(read.address.token, { messageId: row.id }) };
        },
      }),
  });
});
afterAll(async () => {
  await sender.close();
  await vendor.close();
  await db.close();
});

/** Somebody with one device. */
async function person(token: string): Promise<{ contactId: string; addressId: string }> {
  const [one] = await bench.people(1, null);
  if (one === undefined) throw new Error('nobody');
  await db.write(async (tx) => {
    const keys = await db.vault.keys(tx);
    const [row] = await tx.query<{ salt: Buffer }>('select salt from contact where workspace_id = $1 and id = $2', [
      tx.workspaceId,
      one.contactId,
    ]);
    const value = `fcm:${token}`;
    await tx.query(
      `update address set kind = 'push', line_type = 'fcm', hash = $3, sealed = $4 where workspace_id = $1 and id = $2`,
      [
        tx.workspaceId,
        one.addressId,
        keys.blindIndex('push', value).hash,
        keys.sealFor(row?.salt ?? Buffer.alloc(0), value, 'address'),
      ],
    );
  });
  return one;
}

async function send(people: readonly { contactId: string; addressId: string }[]): Promise<string> {
  const plan = await db.write((tx) =>
    delivery.createPlan(tx, {
      id: newId(db.clock),
      source: 'campaign',
      sourceId: newId(db.clock),
      channel: 'push',
      category: 'transactional',
      topicId: null,
      templateId: newId(db.clock),
      templateVersion: 1,
    }),
  );
  await db.write((tx) => delivery.planPage(tx, plan, people));
  await db.write((tx) => delivery.completePlan(tx, plan.id));
  await delivery.worker.drain();
  return plan.id;
}

test('a token that is dead retires itself: it is asked once, and never written to again', async () => {
  const people = [await person(fcmToken), await person(`bounce-${fcmToken}`)];
  const first = await send(people);
  expect(await bench.states(first)).toEqual({ accepted: 1, failed: 1 });
  const { rows } = await db.owner.query('select state from address where id = any($1) order by state', [
    people.map((one) => one.addressId),
  ]);
  expect(rows).toEqual([{ state: 'bounced' }, { state: 'ok' }]);
  expect(vendor.heard).toHaveLength(2);

  const second = await send(people);
  expect(await bench.states(second)).toEqual({ accepted: 1, suppressed: 1 });
  const reasons = await db.owner.query(`select reason from message where plan_id = $1 and state = 'suppressed'`, [
    second,
  ]);
  expect(reasons.rows).toEqual([{ reason: 'address-bounced' }]);
  expect(vendor.heard).toHaveLength(3);
});
