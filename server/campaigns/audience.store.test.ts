import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Db, Tx } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { groupAudience, scanContacts } from './audience.store.ts';
import type { Target } from './audience.store.ts';

let db: TestDb;
let topicId: string;
beforeAll(async () => {
  db = await createTestDb();
  topicId = newId(db.clock);
});
afterAll(() => db.close());

const last = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** Contacts with two addresses each; every third agreed with the second, every fifth withdrew with the first. */
async function fill(count: number): Promise<void> {
  const ids = Array.from({ length: count }, () => newId(db.clock));
  const numbered = 'select id, row_number() over (order by id) as n from unnest($2::uuid[]) as x (id)';
  await db.write(async (tx) => {
    const values = [tx.workspaceId, ids];
    await tx.query(
      `insert into contact (workspace_id, id, created_at, updated_at) select $1, id, now(), now() from (${numbered}) n`,
      values,
    );
    await tx.query(
      `insert into address (workspace_id, id, contact_id, kind, position, hash, hash_version, sealed, created_at)
       select $1::uuid, md5(n.id::text || p)::uuid, n.id, 'email', p, decode(md5(n.id::text || p), 'hex'), 1, '\\x00', now()
       from (${numbered}) n cross join generate_series(0, 1) as p`,
      values,
    );
    await tx.query(
      `insert into consent (workspace_id, address_id, channel, topic_id, state, basis, source, since, event_seq, event_id)
       select $1::uuid, md5(n.id::text || 1)::uuid, 'email', $3::uuid, 'granted', 'consent', 'test', now(), n.n, n.id from (${numbered}) n where n.n % 3 = 0
       union all
       select $1::uuid, md5(n.id::text || 0)::uuid, 'email', $3::uuid, 'withdrawn', 'consent', 'test', now(), n.n, n.id from (${numbered}) n where n.n % 5 = 0`,
      [...values, topicId],
    );
  });
}

/** The plan the server's role gets. */
async function planOf(pool: Db, work: (tx: Tx) => Promise<unknown>): Promise<string> {
  return pool.read(db.workspaceId, async (tx) => {
    let plan = '';
    const explain = async (text: string, values: readonly unknown[] = []) => {
      if (text.includes('set_config')) return tx.query(text);
      const rows = await tx.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values);
      plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      return [];
    };
    await work({ ...tx, hot: explain, query: explain } as typeof tx);
    return plan;
  });
}

describe('a page of the audience', () => {
  const target = (): Target => ({ channel: 'email', topicId, audienceTopicId: topicId });
  const expectKeysOnly = async () => {
    const plan = await planOf(db.pinned, (tx) => scanContacts(tx, target(), null, last, 1000));
    expect(plan).not.toMatch(/Seq Scan|Hash|Merge Join|Bitmap|address_pkey/);
    expect(plan).toContain('contact_pkey');
    expect(plan).toContain('address_of_contact');
    expect(plan).toMatch(/using consent_(?:pkey|of_topic)/);
  };

  test('goes along the keys on an empty, a just filled and an analysed table', async () => {
    await expectKeysOnly();
    await fill(5_000);
    await expectKeysOnly();
    await db.owner.query('analyze contact; analyze address; analyze consent');
    await expectKeysOnly();
  });

  test('has everybody in the order of the ids, members or not, each with the address that agreed or else the first', async () => {
    const page = await db.pinned.read(db.workspaceId, (tx) => scanContacts(tx, target(), null, last, 15));
    expect(page.map((one) => one.isMember)).toEqual([
      false,
      false,
      true,
      false,
      true,
      true,
      false,
      false,
      true,
      true,
      false,
      true,
      false,
      false,
      true,
    ]);
    const rows = await db.read((tx) =>
      tx.query<{ id: string; position: number }>('select id, position from address where id = any($1)', [
        page.map((one) => one.addressId),
      ]),
    );
    const positions = new Map(rows.map((row) => [row.id, row.position]));
    expect(page.map((one) => positions.get(one.addressId ?? ''))).toEqual([
      0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1,
    ]);
    const next = await db.pinned.read(db.workspaceId, (tx) =>
      scanContacts(tx, target(), page.at(-1)?.contactId ?? null, last, 1),
    );
    expect(next[0]?.contactId.localeCompare(page.at(-1)?.contactId ?? '')).toBe(1);
  });

  test('and the waterfall see the same people', async () => {
    const groups = await db.read((tx) => groupAudience(tx, target(), db.clock.now()));
    const page = await db.pinned.read(db.workspaceId, (tx) => scanContacts(tx, target(), null, last, 10_000));
    const members = page.filter((one) => one.isMember).length;
    expect(groups.reduce((sum, one) => sum + one.count, 0)).toBe(members);
    const loops = await planOf(db.db, (tx) => groupAudience(tx, target(), db.clock.now()));
    expect(loops).not.toContain('Nested Loop');
    expect(groups.find((one) => one.consent === 'granted')?.count).toBe(Math.floor(5_000 / 3));
  });
});
