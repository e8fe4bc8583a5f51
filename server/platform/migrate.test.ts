import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { queues } from '../queues.ts';
import { silentLog } from './log.ts';
import { MigrationError, migrate } from './migrate.ts';
import type { MigrateOptions } from './migrate.ts';

const now = Temporal.Instant.from('2026-02-10T12:00:00Z');
const made: string[] = [];
let admin: pg.Client;
beforeAll(async () => {
  admin = new pg.Client({ connectionString: inject('postgres').ownerUrl });
  await admin.connect();
});
afterAll(async () => {
  for (const name of made) await admin.query(`drop database if exists ${name} with (force)`);
  for (const name of made) await admin.query(`drop role if exists ${name}`);
  await admin.end();
});

const urlOf = (database: string, role?: string) => {
  const url = new URL(inject('postgres').ownerUrl);
  url.pathname = `/${database}`;
  if (role !== undefined) url.username = role;
  if (role !== undefined) url.password = 'pw';
  return url.toString();
};
/** An empty database with a plain role of the same name. */
async function newDatabase(template = 'template1'): Promise<string> {
  const name = `m_${randomBytes(6).toString('hex')}`;
  await admin.query(`create database ${name} template ${template} strategy file_copy`);
  await admin.query(`create role ${name} login password 'pw'`);
  made.push(name);
  return name;
}
const options = (name: string, change: Partial<MigrateOptions> = {}): MigrateOptions => ({
  ownerUrl: urlOf(name),
  serverUrl: urlOf(name, name),
  queues,
  now,
  log: silentLog,
  ...change,
});
async function query<Row extends pg.QueryResultRow>(url: string, text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}

describe('migrating', () => {
  let name: string;
  beforeAll(async () => {
    name = await newDatabase();
    await migrate(options(name));
  });

  test('an empty database gives it every table, and the server’s role what it needs and no more', async () => {
    expect(await query(urlOf(name, name), 'select count(*)::int as count from audit_entry')).toEqual([{ count: 0 }]);
    for (const text of [
      'update audit_entry set action = action',
      'delete from consent_event',
      'truncate message',
      'alter table message disable row level security',
      'drop table contact',
      "insert into schema_migration (name, hash) values ('x', 'x')",
    ])
      await expect(query(urlOf(name, name), text), text).rejects.toMatchObject({ code: '42501' });
  });

  test('again changes nothing, also when two do it at once', async () => {
    const state = () => query(urlOf(name), 'select name, hash, applied_at from schema_migration order by name');
    const before = await state();
    expect(before.length).toBeGreaterThan(0);
    const serverUrls = await Promise.all([migrate(options(name)), migrate(options(name))]);
    expect(serverUrls).toEqual([urlOf(name, name), urlOf(name, name)]);
    expect(await state()).toEqual(before);
  });

  test('makes the months from the last one to three ahead, each behind the wall between workspaces', async () => {
    const monthsOf = async () => {
      const rows = await query<{ name: string; walled: boolean }>(
        urlOf(name),
        "select relname as name, relrowsecurity and relforcerowsecurity as walled from pg_class where relkind = 'r' and relname like 'message\\_2%' order by 1",
      );
      expect(rows.every((row) => row.walled)).toBe(true);
      return rows.map((row) => row.name.slice('message_'.length));
    };
    expect(await monthsOf()).toEqual(['2026_01', '2026_02', '2026_03', '2026_04', '2026_05']);
    await migrate(options(name, { now: now.add({ hours: 24 * 31 }) }));
    expect(await monthsOf()).toEqual(['2026_01', '2026_02', '2026_03', '2026_04', '2026_05', '2026_06']);
  });

  test('refuses a migration that was changed after it had been applied, naming it', async () => {
    const [first] = await query<{ name: string }>(urlOf(name), 'select name from schema_migration order by name');
    await query(urlOf(name), 'update schema_migration set hash = hash || $2 where name = $1', [first?.name, 'x']);
    await expect(migrate(options(name))).rejects.toThrow(new RegExp(`${first?.name} was changed after`));
    await query(urlOf(name), 'update schema_migration set hash = rtrim(hash, $2) where name = $1', [first?.name, 'x']);
    await migrate(options(name));
  });

  test('tells the queues what the settings say, also those that are there already', async () => {
    await migrate(options(name, { queues: { ...queues, 'platform.daily': { retryLimit: 3, expireInSeconds: 60 } } }));
    expect(
      await query(urlOf(name), "select retry_limit, expire_seconds from pgboss.queue where name = 'platform.daily'"),
    ).toEqual([{ retry_limit: 3, expire_seconds: 60 }]);
  });
});

describe('a migration that cannot be', () => {
  test('breaks off whole: what its file did before the mistake is not there either', async () => {
    const name = await newDatabase();
    // In the way of a table that a migration makes.
    await query(urlOf(name), 'create table workspace (id int)');
    await expect(migrate(options(name))).rejects.toThrow(/Migration \d{4}_\S+ failed: relation "workspace" already/);
    const [first] = await query<{ tables: number; applied: number }>(
      urlOf(name),
      "select (select count(*)::int from pg_tables where schemaname = 'public') as tables, (select count(*)::int from schema_migration) as applied",
    );
    expect(first).toEqual({ tables: 2, applied: 0 });
  });

  test('names where it could not get, without the password', async () => {
    const told = await migrate(options('x', { ownerUrl: 'postgres://ada:secret@127.0.0.1:1/none' })).then(
      () => '',
      (error: unknown) => (error instanceof MigrationError ? error.message : ''),
    );
    expect(told).toMatch(/^The database 127\.0\.0\.1:1\/none cannot be reached as ada: .+/);
    expect(told).not.toContain('secret');
  });

  test('is one whose server is of another database, even of one that is migrated', async () => {
    const name = await newDatabase();
    const other = await newDatabase();
    await migrate(options(other));
    await expect(migrate(options(name, { serverUrl: urlOf(other, other) }))).rejects.toThrow('different databases');
  });

  test('is one whose server could look past the wall, or is nobody', async () => {
    const name = await newDatabase();
    const owner = new URL(inject('postgres').ownerUrl).username;
    await expect(migrate(options(name, { serverUrl: urlOf(name, owner) }))).rejects.toThrow(
      /bypass row-level security/,
    );
    await expect(migrate(options(name, { serverUrl: urlOf(name, 'nobody_here') }))).rejects.toThrow(/does not exist/);
  });
});
