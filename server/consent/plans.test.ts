import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { saltsText, standingsText } from './ledger.store.ts';

let lab: TestDb;
let client: pg.Client;
beforeAll(async () => {
  lab = await createTestDb();
  client = new pg.Client({ connectionString: lab.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await lab.close();
});

/** As the server's role, behind row-level security, with the plan a prepared statement ends up with. */
async function planOf(text: string, types: string, values: string): Promise<string> {
  await client.query('begin');
  await client.query(
    "select set_config('parley.workspace', $1, true), set_config('plan_cache_mode', 'force_generic_plan', true)",
    [lab.workspaceId],
  );
  await client.query(`prepare hot (${types}) as ${text}`);
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain execute hot (${values})`);
  await client.query('deallocate hot');
  await client.query('rollback');
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

const keys = `'${'0'.repeat(8)}-0000-7000-8000-000000000000'`;
const statements = [
  [
    'what counts for a page of keys',
    standingsText,
    'uuid, uuid[], text[], uuid[]',
    `${keys}, array[${keys}]::uuid[], array['email'], array[${keys}]::uuid[]`,
    'consent_',
  ],
  ['the salts of a page of contacts', saltsText, 'uuid, uuid[]', `${keys}, array[${keys}]::uuid[]`, 'contact_'],
] as const;

async function fill(rows: number): Promise<void> {
  await lab.owner.query(
    `insert into consent (workspace_id, address_id, channel, topic_id, state, basis, source, since, event_seq, event_id)
     select $1, gen_random_uuid(), 'email', gen_random_uuid(), 'granted', 'consent', 'api', now(), 1, gen_random_uuid() from generate_series(1, $2)`,
    [lab.workspaceId, rows],
  );
  await lab.owner.query(
    `insert into contact (workspace_id, id, created_at, updated_at) select $1, gen_random_uuid(), now(), now() from generate_series(1, $2)`,
    [lab.workspaceId, rows],
  );
}

test.each(statements)(
  '%s comes from an index, on an empty, a growing and a large table',
  async (_what, text, types, values, index) => {
    const check = async () => {
      const plan = await planOf(text, types, values);
      expect(plan).toMatch(new RegExp(`Index Scan using ${index}\\w+ .*\\n\\s+Index Cond`));
      expect(plan).not.toMatch(/Hash|Seq Scan/);
    };
    await check();
    await fill(300);
    await check();
    await fill(20_000);
    await check();
    await lab.owner.query('analyze consent, contact');
    await check();
  },
);
