import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestDb, inWorkspaceOfItsOwn } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { createDeliveryBench } from './testing.ts';
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
});

/** Puts the only address of a person on the list, for each channel given; the empty one means all. */
async function suppress(addressId: string, ...channels: readonly string[]): Promise<void> {
  await db.write((tx) =>
    tx.query(
      `insert into suppression (workspace_id, kind, hash, hash_version, channel, reason, created_at)
       select $1, a.kind, a.hash, a.hash_version, c, 'bounce', now() from address a, unnest($3::text[]) c where a.workspace_id = $1 and a.id = $2`,
      [tx.workspaceId, addressId, channels],
    ),
  );
}

test.each([
  ['another channel', ['whatsapp'], { accepted: 1 }],
  ['this channel', ['email'], { suppressed: 1 }],
  ['every channel', [''], { suppressed: 1 }],
  ['several at once', ['', 'email', 'sms'], { suppressed: 1 }],
] as const)('an address that is dead on %s', async (_what, channels, states) => {
  const [person] = await bench.people(1);
  if (person === undefined) throw new Error('nobody');
  await suppress(person.addressId, ...channels);
  const plan = await bench.plan([person]);
  await bench.delivery.worker.drain();
  expect(await bench.states(plan.id)).toEqual(states);
  expect(bench.sent).toHaveLength('accepted' in states ? 1 : 0);
});
