import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { PgBoss } from 'pg-boss';
import type { Log } from './log.ts';
import { queueOptions } from './jobs.ts';
import type { QueueSettings } from './jobs.ts';

/**
 * Brings a database up to date: plain SQL files in order, each in a transaction of its own, under an advisory
 * lock; then the server's role and its privileges, the months ahead, and the schema of the job queue.
 */
export interface MigrateOptions {
  /** The owner's URL: may create tables, and the server's role unless `serverUrl` is given. */
  readonly ownerUrl: string;
  /** The server's URL when the operator made its role; otherwise `serverRole` is made here. */
  readonly serverUrl?: string;
  readonly serverRole?: { readonly name: string; readonly password: string };
  readonly queues: Readonly<Record<string, QueueSettings>>;
  readonly now: Temporal.Instant;
  readonly log: Log;
}

export class MigrationError extends Error {}

const folder = join(import.meta.dirname, '../../db');
const migrationLock = 7_236_402;
const oldestVersion = 150_000;
/** How many months ahead partitions are made; a daily job keeps this true. */
export const monthsAhead = 3;

/** Returns the URL the server is to use. */
export async function migrate(options: MigrateOptions): Promise<string> {
  const client = await reach(options.ownerUrl);
  try {
    await assertVersion(client);
    await client.query('select pg_advisory_lock($1)', [migrationLock]);
    await applyAll(client, options.log);
    const serverUrl = await prepareRole(client, options);
    const role = decodeURIComponent(new URL(serverUrl).username);
    const quoted = client.escapeIdentifier(role);
    await ensureMonths((text, values) => client.query(text, values), options.now);
    await client.query((await readFile(join(folder, 'grants.sql'), 'utf8')).replaceAll(':server', quoted));
    await prepareQueues(options, client, quoted);
    return serverUrl;
  } finally {
    await client.end();
  }
}

/** Names the address, never the password. */
async function reach(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  try {
    await client.connect();
    return client;
  } catch (error) {
    const { username, host, pathname } = new URL(url);
    const reasons = error instanceof AggregateError ? error.errors : [error];
    const reason = reasons.map((one) => (one instanceof Error ? one.message : String(one))).join('; ');
    throw new MigrationError(
      `The database ${host}${pathname} cannot be reached as ${username || 'nobody'}: ${reason}`,
      {
        cause: error,
      },
    );
  }
}

async function assertVersion(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ version: string }>("select current_setting('server_version_num') as version");
  if (Number(rows[0]?.version) < oldestVersion) throw new MigrationError('PostgreSQL 15 or newer is needed.');
}

async function applyAll(client: pg.Client, log: Log): Promise<void> {
  await client.query(
    'create table if not exists schema_migration (name text primary key, hash text not null, applied_at timestamptz not null default now())',
  );
  const done = await client.query<{ name: string; hash: string }>('select name, hash from schema_migration');
  const applied = new Map(done.rows.map((row) => [row.name, row.hash]));
  const files = (await readdir(join(folder, 'migrations'))).filter((name) => name.endsWith('.sql')).sort();
  for (const name of files) {
    const text = await readFile(join(folder, 'migrations', name), 'utf8');
    const hash = createHash('sha256').update(text).digest('hex');
    const before = applied.get(name);
    if (before !== undefined && before !== hash)
      throw new MigrationError(
        `Migration ${name} was changed after it had been applied. Migrations only go forward: write a new one.`,
      );
    if (before === undefined) await applyOne(client, name, text, hash);
    if (before === undefined) log.info({ migration: name }, 'migrated');
  }
}

async function applyOne(client: pg.Client, name: string, text: string, hash: string): Promise<void> {
  const alone = text.startsWith('-- no transaction');
  try {
    if (!alone) await client.query('begin');
    await client.query(text);
    await client.query('insert into schema_migration (name, hash) values ($1, $2)', [name, hash]);
    if (!alone) await client.query('commit');
  } catch (error) {
    if (!alone) await client.query('rollback');
    throw new MigrationError(`Migration ${name} failed: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

async function prepareRole(client: pg.Client, options: MigrateOptions): Promise<string> {
  if (options.serverUrl !== undefined) {
    await assertHarmless(client, decodeURIComponent(new URL(options.serverUrl).username));
    await assertSameDatabase(options.serverUrl);
    return options.serverUrl;
  }
  if (options.serverRole === undefined) throw new MigrationError('Neither a server URL nor a server role was given.');
  const { name, password } = options.serverRole;
  const url = new URL(options.ownerUrl);
  url.username = name;
  url.password = encodeURIComponent(password);
  const quoted = client.escapeIdentifier(name);
  const found = await client.query('select 1 from pg_roles where rolname = $1', [name]);
  try {
    // A new role is harmless unless told otherwise; to say so again of an old one takes a superuser.
    const change = found.rowCount === 0 ? 'create' : 'alter';
    await client.query(`${change} role ${quoted} login password ${client.escapeLiteral(password)}`);
  } catch (error) {
    throw new MigrationError(
      'The role of DATABASE_URL may not create the role of the server. Give it CREATEROLE, or set PARLEY_MIGRATE_URL to the owner and DATABASE_URL to a plain role.',
      { cause: error },
    );
  }
  await assertHarmless(client, name);
  return url.toString();
}

/** The server's role must not be able to look past row-level security, nor to take it off. */
async function assertHarmless(client: pg.Client, role: string): Promise<void> {
  const { rows } = await client.query<{ strong: boolean; owns: boolean }>(
    `select rolsuper or rolbypassrls as strong,
       exists (select from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
                 and pg_has_role(r.oid, c.relowner, 'member')) as owns
     from pg_roles r where rolname = $1`,
    [role],
  );
  const found = rows[0];
  if (found === undefined) throw new MigrationError(`The role "${role}" of DATABASE_URL does not exist.`);
  if (found.strong || found.owns)
    throw new MigrationError(
      `The server's role "${role}" could bypass row-level security (superuser, BYPASSRLS or owner of the tables). Use a plain role.`,
    );
}

/** Advisory locks are of one database: where the lock of this migration can be had, nobody is migrating. */
async function assertSameDatabase(serverUrl: string): Promise<void> {
  const client = await reach(serverUrl);
  try {
    const { rows } = await client.query<{ free: boolean }>('select pg_try_advisory_lock($1) as free', [migrationLock]);
    if (rows[0]?.free !== false)
      throw new MigrationError('DATABASE_URL and PARLEY_MIGRATE_URL name different databases.');
  } finally {
    await client.end();
  }
}

const partitioned = ['message', 'engagement', 'event'];

/** Makes the partitions from last month to `monthsAhead` months from now. */
export async function ensureMonths(
  query: (text: string, values: unknown[]) => Promise<unknown>,
  now: Temporal.Instant,
): Promise<void> {
  const first = now.toZonedDateTimeISO('UTC').toPlainDate().with({ day: 1 });
  for (const table of partitioned)
    for (let ahead = -1; ahead <= monthsAhead; ahead++)
      await query('select parley_ensure_month($1, $2)', [table, first.add({ months: ahead }).toString()]);
}

async function prepareQueues(options: MigrateOptions, client: pg.Client, quotedRole: string): Promise<void> {
  const boss = new PgBoss({
    connectionString: options.ownerUrl,
    schema: 'pgboss',
    supervise: false,
    schedule: false,
    max: 2,
  });
  boss.on('error', () => undefined); // every failure also rejects the call below
  await boss.start();
  try {
    for (const [name, settings] of Object.entries(options.queues)) {
      const { policy, ...rest } = queueOptions(settings);
      if ((await boss.getQueue(name)) === null) await boss.createQueue(name, { policy, ...rest });
      else await boss.updateQueue(name, rest);
    }
  } finally {
    await boss.stop({ graceful: false });
  }
  await client.query(`grant usage on schema pgboss to ${quotedRole}`);
  await client.query(`grant select, insert, update, delete on all tables in schema pgboss to ${quotedRole}`);
  await client.query(`grant usage, select on all sequences in schema pgboss to ${quotedRole}`);
  await client.query(`grant execute on all functions in schema pgboss to ${quotedRole}`);
}
