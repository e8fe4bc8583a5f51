import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely';
import type { DatabaseConnection, Driver } from 'kysely';
import pg from 'pg';
import type { PoolClient } from 'pg';
import type { Database } from '../../db/types.ts';
import { encodeList, listTypes } from './db-arrays.ts';
import { databaseUnavailable } from './errors.ts';
import { isId } from './ids.ts';
import type { Log } from './log.ts';

/** One transaction, bound to one workspace by row-level security. */
export interface Tx {
  /** Empty in a `system` transaction. */
  readonly workspaceId: string;
  /**
   * Id of the transaction (64 bits, fits a double for any cluster's life); 0 in a read-only one. In an eager transaction
   * it is there once a statement was answered.
   */
  readonly xid: number;
  readonly kysely: Kysely<Database>;
  query<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** As a prepared statement: for what runs thousands of times. */
  hot<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Statements that were begun and that nothing waits for but the commit, which is sent right behind them. If one fails, nothing happened. */
  unawaited(...statements: readonly Promise<unknown>[]): void;
  /** Runs when, and only when, the transaction has been committed. */
  afterCommit(run: () => void): void;
}

export interface Db {
  /** Begins, sets the workspace, runs, commits; rolls back when `work` throws. */
  transaction<T>(workspaceId: string, work: (tx: Tx) => Promise<T>): Promise<T>;
  /** The same, but `work` starts at once: the statements it begins with travel together with the begin. */
  eager<T>(workspaceId: string, work: (tx: Tx) => Promise<T>): Promise<T>;
  read<T>(workspaceId: string, work: (tx: Tx) => Promise<T>): Promise<T>;
  /** No workspace: no workspace row is visible. For narrow look-ups and tables outside workspaces. */
  system<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** The same for a single statement that reads: it is its own transaction, so that looking for work costs one. */
  glance<T>(look: (tx: Tx) => Promise<T>): Promise<T>;
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

export interface DbOptions {
  readonly url: string;
  readonly maxConnections?: number;
  /**
   * For the hot loops (hand-over, import): statements are planned once, and only along indexes. On an empty, just
   * filled or growing table the planner would else flip to hashing the whole table for a page of keys.
   */
  readonly pinned?: boolean;
  readonly log: Log;
}

const timestamptz = 1184;
const date = 1082;
const int8 = 20;
const numeric = 1700;

function instantOf(text: string): Temporal.Instant {
  return Temporal.Instant.from(text);
}

/** Times come as `Temporal.Instant`, dates as text, 64-bit integers as numbers (ours stay below 2^53). */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => {
    if (oid === timestamptz) return instantOf;
    if (oid === date) return (text: string) => text;
    if (oid === int8 || oid === numeric) return Number;
    return format === 'binary' ? pg.types.getTypeParser(oid, 'binary') : pg.types.getTypeParser(oid, 'text');
  },
};

function parameter(value: unknown): unknown {
  if (value instanceof Temporal.Instant) return value.toString();
  if (Array.isArray(value) && value.some((one) => one instanceof Temporal.Instant))
    return value.map((one: unknown) => (one instanceof Temporal.Instant ? one.toString() : one));
  return value;
}

/** Of a prepared statement, whose text is one of a few hundred: lists go in binary. */
function hotParameters(text: string, values: readonly unknown[]): unknown[] {
  const types = listTypes(text);
  return values.map((value, place) => {
    const type = types[place];
    const list = type !== undefined && Array.isArray(value) ? encodeList(type, value) : undefined;
    return list ?? parameter(value);
  });
}

const names = new Map<string, string>();

/** A prepared statement is found by its text, so that two callers of the same text share it. */
function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `h${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
    names.set(text, name);
  }
  return name;
}

/** Kysely on one checked-out connection: builds and runs statements, never begins or ends the transaction. */
function kyselyOn(client: PoolClient): Kysely<Database> {
  const connection: DatabaseConnection = {
    executeQuery: async (compiled) => {
      const result = await client.query(compiled.sql, compiled.parameters.map(parameter));
      return { rows: result.rows, numAffectedRows: BigInt(result.rowCount ?? 0) };
    },
    // eslint-disable-next-line require-yield -- the interface wants a generator; streams go through `query` in pages
    async *streamQuery() {
      throw new Error('rows are read in pages, not streamed');
    },
  };
  const refuse = () => Promise.reject(new Error('a transaction is already open; use the one you were given'));
  const driver: Driver = {
    init: () => Promise.resolve(),
    acquireConnection: () => Promise.resolve(connection),
    beginTransaction: refuse,
    commitTransaction: refuse,
    rollbackTransaction: refuse,
    releaseConnection: () => Promise.resolve(),
    destroy: () => Promise.resolve(),
  };
  return new Kysely<Database>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => driver,
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
}

const builders = new WeakMap<PoolClient, Kysely<Database>>();

function builderOf(client: PoolClient): Kysely<Database> {
  let builder = builders.get(client);
  if (builder === undefined) {
    builder = kyselyOn(client);
    builders.set(client, builder);
  }
  return builder;
}

type Ask = (query: string | pg.QueryConfig) => Promise<pg.QueryResult>;

/**
 * Statements asked in one go are written in one go: a call into the system costs more than what it carries, and so does
 * waking up for an answer.
 */
function asker(client: PoolClient, isPipelined: boolean): Ask {
  const stream = isPipelined ? streamOf(client) : undefined;
  if (stream === undefined) return inTurn(client);
  let corked = false;
  return (query) => {
    if (!corked) {
      corked = true;
      stream.cork();
      process.nextTick(() => {
        corked = false;
        stream.uncork();
      });
    }
    return client.query(query);
  };
}

/** Without pipelining the driver wants a statement only when the one before is answered. */
function inTurn(client: PoolClient): Ask {
  let before: Promise<unknown> = Promise.resolve();
  return (query) => {
    const answer = before.then(() => client.query(query));
    before = answer.catch(() => undefined);
    return answer;
  };
}

/** The driver's own field; undefined in a driver that has none. */
function streamOf(client: PoolClient): Socket | undefined {
  const { connection } = client as PoolClient & { readonly connection?: { readonly stream?: Socket } };
  return connection?.stream;
}

function hotQuery(text: string, values: readonly unknown[]): pg.QueryConfig {
  return { name: nameOf(text), text, values: hotParameters(text, values) };
}

type Mode = 'write' | 'eager' | 'read' | 'system';

function opening(mode: Mode, workspaceId: string): string {
  if (mode === 'system') return 'begin';
  // The id is checked, so it can stand in the text: one round trip begins, sets the workspace and reads the transaction's id.
  if (!isId(workspaceId)) throw new Error('not a workspace id');
  const set = `select set_config('parley.workspace', '${workspaceId}', true)`;
  return mode === 'read' ? `begin read only; ${set}` : `begin; ${set}, pg_current_xact_id()::text as xid`;
}

function xidOf(result: unknown): number {
  const last: unknown = Array.isArray(result) ? result.at(-1) : undefined;
  if (typeof last !== 'object' || last === null || !('rows' in last) || !Array.isArray(last.rows)) return 0;
  const row: unknown = last.rows[0];
  return typeof row === 'object' && row !== null && 'xid' in row ? Number(row.xid) : 0;
}

const sessionSettings = '-c timezone=UTC -c statement_timeout=60000 -c idle_in_transaction_session_timeout=120000';
const pinnedSettings =
  '-c plan_cache_mode=force_generic_plan -c enable_hashjoin=off -c enable_mergejoin=off -c enable_seqscan=off';

/** Refused, no socket, no such host, shutting down: whatever keeps a connection from being made is one thing to a caller. */
async function connected(pool: pg.Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw databaseUnavailable('The database does not answer. Try again.', error);
  }
}

function openPool({ url, maxConnections = 12, pinned = false, log }: DbOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: maxConnections,
    idleTimeoutMillis: 10_000,
    connectionTimeoutMillis: 10_000,
    options: pinned ? `${sessionSettings} ${pinnedSettings}` : sessionSettings,
    types,
    // What is asked without waiting for the answer before is sent at once. Such a pool's statements are all of one kind
    // (no cursors), and each transaction has its connection to itself.
    pipeline: pinned,
  });
  pool.on('error', (error) => log.warn({ reason: error.message }, 'an idle database connection broke'));
  // A connection in use that breaks between two statements tells nobody but its own listeners; unheard, it would end the process.
  pool.on('connect', (client) =>
    client.on('error', (error) => log.warn({ reason: error.message }, 'a database connection broke')),
  );
  return pool;
}

/** Runs work in transactions of a pool. */
function runner(pool: pg.Pool, pinned: boolean, keepStatistics: () => void) {
  return async function run<T>(mode: Mode, workspaceId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    const begin = opening(mode, workspaceId);
    const client = await connected(pool);
    let broken: Error | undefined;
    const committed: (() => void)[] = [];
    let result: T;
    try {
      const ask = asker(client, pinned);
      let xid: number | undefined;
      const opened = ask(begin).then((answer) => (xid = xidOf(answer)));
      if (mode === 'eager') opened.catch(() => undefined);
      else await opened;
      const unawaited: Promise<unknown>[] = [opened];
      let isOver = false;
      // What nobody waited for could otherwise ask its next question behind the commit: in no transaction, or in another's.
      const inside: Ask = (query) =>
        isOver ? Promise.reject(new Error('a statement came after its transaction had ended')) : ask(query);
      const tx: Tx = {
        workspaceId,
        get xid() {
          if (xid === undefined)
            throw new Error('the id of an eager transaction is known once a statement was answered');
          return xid;
        },
        kysely: builderOf(client),
        query: async (text, values = []) => (await inside({ text, values: values.map(parameter) })).rows,
        hot: async (text, values = []) => (await inside(hotQuery(text, values))).rows,
        unawaited: (...statements) => {
          for (const one of statements) one.catch(() => undefined);
          unawaited.push(...statements);
        },
        afterCommit: (callback) => committed.push(callback),
      };
      result = await work(tx);
      isOver = true;
      const commit = ask('commit');
      await Promise.all([...unawaited, commit]);
      // A failed statement that `work` swallowed leaves an aborted transaction: commit then answers ROLLBACK without an error.
      if ((await commit).command !== 'COMMIT') throw new Error('the transaction was rolled back');
    } catch (error) {
      await client.query('rollback').catch((failure: unknown) => {
        broken = failure instanceof Error ? failure : new Error('rollback failed');
      });
      throw error;
    } finally {
      client.release(broken);
    }
    if (mode === 'write' || mode === 'eager') keepStatistics();
    for (const callback of committed) callback();
    return result;
  };
}

export function createDb(options: DbOptions): Db {
  const { pinned = false, log } = options;
  const pool = openPool(options);
  const keepStatistics = pinned ? statisticsKeeper(pool, log) : () => undefined;
  const run = runner(pool, pinned, keepStatistics);
  return {
    transaction: (workspaceId, work) => run('write', workspaceId, work),
    eager: (workspaceId, work) => run(pinned ? 'eager' : 'write', workspaceId, work),
    read: (workspaceId, work) => run('read', workspaceId, work),
    system: (work) => run('system', '', work),
    glance: (look) => glance(pool, pinned, look),
    pool,
    close: () => pool.end(),
  };
}

async function glance<T>(pool: pg.Pool, pinned: boolean, look: (tx: Tx) => Promise<T>): Promise<T> {
  const client = await connected(pool);
  let broken: Error | undefined;
  try {
    const ask = asker(client, pinned);
    const inTransaction = () => {
      throw new Error('a glance has no transaction');
    };
    return await look({
      workspaceId: '',
      xid: 0,
      get kysely() {
        return inTransaction();
      },
      query: async (text, values = []) => (await ask({ text, values: values.map(parameter) })).rows,
      hot: async (text, values = []) => (await ask(hotQuery(text, values))).rows,
      unawaited: inTransaction,
      afterCommit: inTransaction,
    });
  } catch (error) {
    // An answer of the database, however bad, leaves the connection whole.
    broken =
      error instanceof pg.DatabaseError ? undefined : error instanceof Error ? error : new Error('glance failed');
    throw error;
  } finally {
    client.release(broken);
  }
}

const statisticsEveryMs = 500;

/**
 * A plan made while a table was empty takes any index that fits, and is kept. So while the hot loops write, tables that
 * outgrow their statistics are analysed within half a second, which makes every session plan anew (measured: a window of
 * 32 messages 90 ms on the wrong index, 2 ms on the right one). Idle, nothing runs.
 */
function statisticsKeeper(pool: pg.Pool, log: Log): () => void {
  let planned = false;
  return () => {
    if (planned) return;
    planned = true;
    setTimeout(() => {
      pool
        .query('select parley_refresh_statistics()')
        .catch((error: unknown) =>
          log.warn({ reason: error instanceof Error ? error.message : String(error) }, 'statistics'),
        )
        .finally(() => (planned = false));
    }, statisticsEveryMs).unref();
  };
}
