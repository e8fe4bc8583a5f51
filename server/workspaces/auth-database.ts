import { AsyncLocalStorage } from 'node:async_hooks';
import { Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely';
import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely';
import type { PoolClient } from 'pg';
import type { Db, Tx } from '../platform/db.ts';

/**
 * The way better-auth reaches the database: through our pool, or, inside `within(tx, ...)`, through the open transaction,
 * so that a change it makes and the audit entry about it are committed together. It works with `Date`, we with `Temporal`.
 */
export interface AuthDatabase {
  // The tables are named by better-auth's own configuration, not by our row types.
  readonly kysely: Kysely<Record<string, never>>;
  within<T>(tx: Tx, work: () => Promise<T>): Promise<T>;
}

interface Connection extends DatabaseConnection {
  /** Begin, commit, roll back: real ones on a connection of its own, savepoints inside a transaction of ours. */
  readonly control: (step: 'begin' | 'commit' | 'rollback') => Promise<unknown>;
  readonly release: () => void;
}

export function createAuthDatabase(db: Pick<Db, 'pool'>): AuthDatabase {
  const current = new AsyncLocalStorage<Tx>();
  const driver: Driver = {
    init: () => Promise.resolve(),
    acquireConnection: async () => {
      const tx = current.getStore();
      return tx === undefined ? onClient(await db.pool.connect()) : onTransaction(tx);
    },
    beginTransaction: async (connection) => void (await asOurs(connection).control('begin')),
    commitTransaction: async (connection) => void (await asOurs(connection).control('commit')),
    rollbackTransaction: async (connection) => void (await asOurs(connection).control('rollback')),
    releaseConnection: async (connection) => asOurs(connection).release(),
    destroy: () => Promise.resolve(),
  };
  const kysely = new Kysely<Record<string, never>>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => driver,
      createIntrospector: (instance) => new PostgresIntrospector(instance),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
  return { kysely, within: (tx, work) => current.run(tx, work) };
}

function onClient(client: PoolClient): Connection {
  return {
    executeQuery: async <R>(compiled: CompiledQuery): Promise<QueryResult<R>> => {
      const result = await client.query(compiled.sql, [...compiled.parameters]);
      return { rows: result.rows.map(withDates) as R[], numAffectedRows: BigInt(result.rowCount ?? 0) };
    },
    streamQuery: noStreams,
    control: (step) => client.query(step),
    release: () => client.release(),
  };
}

const savepoint = {
  begin: 'savepoint auth',
  commit: 'release savepoint auth',
  rollback: 'rollback to savepoint auth',
} as const;

function onTransaction(tx: Tx): Connection {
  return {
    executeQuery: async <R>(compiled: CompiledQuery): Promise<QueryResult<R>> => {
      const { rows, ...rest } = await tx.kysely.executeQuery<R>(compiled);
      return { ...rest, rows: rows.map(withDates) as R[] };
    },
    streamQuery: noStreams,
    control: (step) => tx.query(savepoint[step]),
    release: () => undefined,
  };
}

// eslint-disable-next-line require-yield -- the interface wants a generator; better-auth reads whole results
async function* noStreams(): AsyncGenerator<never> {
  throw new Error('rows are not streamed here');
}

function asOurs(connection: DatabaseConnection): Connection {
  if ('control' in connection && 'release' in connection) return connection as Connection;
  throw new Error('not a connection of this driver');
}

function withDates(row: unknown): unknown {
  if (typeof row !== 'object' || row === null) return row;
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      value instanceof Temporal.Instant ? new Date(value.epochMilliseconds) : value,
    ]),
  );
}
