import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { hotStatements } from './contact.store.ts';

let db: TestDb;
beforeAll(async () => {
  db = await createTestDb();
});
afterAll(() => db.close());

/** What each look-up must go by, whatever the planner knows of the table. */
const expected: Readonly<Record<keyof typeof hotStatements, readonly string[]>> = {
  findByExternalIds: ['contact_external_id'],
  findByHashes: ['address_hash'],
  findAddress: ['address_hash'],
  readContacts: ['contact_pkey'],
  readOwned: ['address_of_contact'],
  readAddresses: ['address_of_contact'],
  insertContacts: [],
  insertAddresses: [],
  updateContacts: [],
};

/** Statements whose plan is not the one wanted, with the plan. */
async function wrongPlans(): Promise<string[]> {
  const wrong: string[] = [];
  for (const [name, text] of Object.entries(hotStatements)) {
    const plan = await db.pinned.transaction(db.workspaceId, (tx) =>
      tx.query<{ 'QUERY PLAN': string }>(`explain (generic_plan) ${text}`),
    );
    const lines = plan.map((line) => line['QUERY PLAN']);
    const all = lines.join('\n');
    const indexes = [...all.matchAll(/(?:Index(?: Only)? Scan using|Bitmap Index Scan on) (\w+)/gu)].map(
      (match) => match[1],
    );
    const wanted = expected[name as keyof typeof hotStatements];
    // The whole key, not just the workspace, of which everything is one.
    const isWhole = lines
      .filter((line) => line.includes('Index Cond'))
      .every((line) => /external_id = |hash = |\bid = |contact_id = /u.test(line));
    const isOther = /Seq Scan|Hash Join|Merge Join/u.test(all);
    if (!isWhole || isOther || indexes.join() !== wanted.join()) wrong.push(`${name}\n${all}`);
  }
  return wrong;
}

const fill = (count: number) =>
  db.owner.query(
    `with made as (
       insert into contact (workspace_id, id, external_id, salt, created_at, updated_at)
       select $1, gen_random_uuid(), 'x' || $2::int || '-' || n, '\\x00', now(), now() from generate_series(1, $2::int) n
       returning id, external_id)
     insert into address (workspace_id, id, contact_id, kind, hash, hash_version, sealed, created_at)
     select $1, gen_random_uuid(), id, 'email', sha256(external_id::bytea), 1, '\\x00', now() from made`,
    [db.workspaceId, count],
  );

test('hot statements go by their own index on empty, just filled, small and large tables', async () => {
  expect(await wrongPlans()).toEqual([]);
  await fill(200);
  expect(await wrongPlans()).toEqual([]);
  await db.owner.query('analyze contact, address');
  expect(await wrongPlans()).toEqual([]);
  await fill(20_000);
  expect(await wrongPlans()).toEqual([]);
  await db.owner.query('analyze contact, address');
  expect(await wrongPlans()).toEqual([]);
});
