import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDb } from './testing.ts';
import type { TestDb } from './testing.ts';

let db: TestDb;
beforeAll(async () => {
  db = await createTestDb();
});
afterAll(() => db.close());

describe('transactions', () => {
  test('one workspace does not see the rows of another, nor can it write them', async () => {
    const other = await db.newWorkspace('Other');
    const seen = await db.db.read(other, (tx) => tx.query('select id from workspace'));
    expect(seen).toEqual([{ id: other }]);
    await expect(
      db.write((tx) =>
        tx.query(
          "insert into attribute (workspace_id, key, label, type, created_at) values ($1, 'x', 'x', 'text', now())",
          [other],
        ),
      ),
    ).rejects.toThrow('row-level security');
  });

  test('without a workspace nothing is visible', async () => {
    expect(await db.db.system((tx) => tx.query('select * from workspace'))).toEqual([]);
  });

  test('a swallowed failure does not pass for a commit', async () => {
    await expect(db.write((tx) => tx.query('select 1/0').catch(() => []))).rejects.toThrow('rolled back');
  });

  test('what waits for the commit runs only when it came', async () => {
    let ran = 0;
    await db.write(async (tx) => tx.afterCommit(() => void ran++));
    await db
      .write(async (tx) => {
        tx.afterCommit(() => void ran++);
        throw new Error('no');
      })
      .catch(() => undefined);
    expect(ran).toBe(1);
  });

  test('the transaction id is the one the database gave', async () => {
    const [xid, rows] = await db.write(async (tx) => [
      tx.xid,
      await tx.query<{ xid: string }>('select pg_current_xact_id()::text as xid'),
    ]);
    expect(rows).toEqual([{ xid: String(xid) }]);
  });

  test('every table with a workspace, and every partition, forces row-level security, or is named here as exempt', async () => {
    const { rows } = await db.owner.query<{ name: string; secured: boolean; policies: number }>(
      `select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as secured,
              (select count(*)::int from pg_policy p where p.polrelid = c.oid) as policies
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'public' and c.relkind in ('r', 'p')`,
    );
    const exempt = new Set([
      'schema_migration', // the owner's notes on itself: which files were applied
      'event_epoch', // one row for the whole cluster: how often it was restored
      ...rows.map((row) => row.name).filter((name) => name.startsWith('auth_')), // people belong to several workspaces; reached by credential only
    ]);
    const open = rows
      .filter((row) => !exempt.has(row.name) && (!row.secured || row.policies === 0))
      .map((row) => row.name);
    expect(rows.length).toBeGreaterThan(20);
    expect(open).toEqual([]);
  });

  test('the server cannot change or remove what is append-only, nor read a partition past its parent', async () => {
    for (const table of ['consent_event', 'audit_entry', 'event', 'template_version'])
      for (const statement of [
        `update ${table} set workspace_id = workspace_id`,
        `delete from ${table}`,
        `truncate ${table}`,
      ])
        await expect(
          db.write((tx) => tx.query(statement)),
          statement,
        ).rejects.toThrow('permission denied');
    await expect(db.write((tx) => tx.query('select * from message_2026_02'))).rejects.toThrow('permission denied');
  });
});
