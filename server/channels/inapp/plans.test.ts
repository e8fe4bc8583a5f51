import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Tx } from '../../platform/db.ts';
import { createTestDb } from '../../platform/testing.ts';
import type { TestDb } from '../../platform/testing.ts';
import * as store from './store.ts';
import { createInAppLab } from './testing.ts';

/** An inbox is opened as quickly with a million messages in the table as with none: by its index, for this contact alone. */
let db: TestDb;
let contactId: string;
beforeAll(async () => {
  db = await createTestDb();
  contactId = await createInAppLab(db).person();
});
afterAll(() => db.close());

/** The plan of the one statement that is run, as the server's role gets it. */
async function planOf(run: (tx: Tx) => Promise<unknown>): Promise<string> {
  return db.read(async (tx) => {
    let plan = '';
    const explain = async (text: string, values: readonly unknown[] = []) => {
      const rows = await tx.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values);
      plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      return [];
    };
    await run({ ...tx, query: explain, hot: explain } as never);
    return plan;
  });
}

const list = (tx: Tx) =>
  store.listMessages(tx, { contactId, show: 'inbox', after: undefined, now: db.clock.now(), most: 21 });
const count = (tx: Tx) => store.countUnread(tx, contactId, db.clock.now());

async function fill(messages: number, contacts: number): Promise<void> {
  await db.owner.query(
    `insert into contact (workspace_id, id, created_at, updated_at)
     select $1, gen_random_uuid(), now(), now() from generate_series(1, $2)`,
    [db.workspaceId, contacts],
  );
  await db.owner.query(
    `insert into in_app_message (workspace_id, id, contact_id, account_id, sealed, created_at)
     select $1, gen_random_uuid(), c.id, c.id, 'x', now() - n * interval '1 minute'
     from (select id, row_number() over () as at from contact where workspace_id = $1) c
     cross join lateral generate_series(1, $2::int) n`,
    [db.workspaceId, Math.round(messages / contacts)],
  );
}

test('of a table that has just grown, and of one whose size is known, only rows of the contact are read', async () => {
  await fill(60_000, 3_000);
  for (const settle of ['select 1', 'analyze in_app_message']) {
    await db.owner.query(settle);
    const ofList = await planOf(list);
    expect(ofList).not.toContain('Seq Scan');
    expect(ofList).toMatch(/Index Scan.* using in_app_message_of_contact/);
    const ofCount = await planOf(count);
    expect(ofCount).not.toContain('Seq Scan');
    expect(ofCount).toMatch(/in_app_message_(unread|of_contact)/);
  }
});
