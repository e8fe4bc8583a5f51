import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '../platform/ids.ts';
import { createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { forgetOldDelivery } from './tidy.store.ts';

let db: TestDb;
beforeAll(async () => {
  db = await createTestDb();
});
afterAll(() => db.close());

test('what nothing looks back at any more goes; the rest, and what other workspaces have, stays', async () => {
  const other = await db.newWorkspace();
  const now = db.clock.now();
  const [fresh, old] = [now.subtract({ hours: 24 }), now.subtract({ hours: 24 * 100 })].map(String);
  for (const workspace of [db.workspaceId, other])
    for (const at of [fresh, old]) {
      await db.owner.query('insert into message_ref values ($1, $2, $3, $4, $5)', [
        workspace,
        newId(db.clock),
        'ref',
        newId(db.clock),
        at,
      ]);
      await db.owner.query('insert into recipient_mark values ($1, $2, $3, $4, $5)', [
        workspace,
        newId(db.clock),
        newId(db.clock),
        newId(db.clock),
        at,
      ]);
    }
  await forgetOldDelivery(db.db, db.workspaceId, now);
  for (const table of ['message_ref', 'recipient_mark']) {
    const { rows } = await db.owner.query<{ workspace_id: string; n: number }>(
      `select workspace_id, count(*)::int as n from ${table} group by 1`,
    );
    const counts = Object.fromEntries(rows.map((row) => [row.workspace_id, row.n]));
    expect(counts, table).toEqual({ [db.workspaceId]: 1, [other]: 2 });
  }
});
