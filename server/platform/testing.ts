import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import pg from 'pg';
import { inject } from 'vitest';
import { permissions } from '../../contract/permissions.ts';
import type { Permission } from '../../contract/permissions.ts';
import { createVirtualClock } from './clock.ts';
import type { VirtualClock } from './clock.ts';
import { createDb } from './db.ts';
import type { Db, Tx } from './db.ts';
import type { Authenticate, Caller, Route } from './http.ts';
import { createHttpServer } from './http-server.ts';
import { newId } from './ids.ts';
import { silentLog } from './log.ts';
import { createMetrics } from './metrics.ts';
import { createVault } from './sealing.ts';
import type { Vault } from './sealing.ts';

/** A database of its own for one test file, cloned from the migrated one, seen as the server's role sees it. */
export interface TestDb {
  readonly db: Db;
  /** The pool of the hot loops, with pinned plans. */
  readonly pinned: Db;
  readonly url: string;
  /** As the owner, past row-level security: to look, and to tamper. */
  readonly owner: pg.Pool;
  readonly clock: VirtualClock;
  readonly vault: Vault;
  /** The first workspace. */
  readonly workspaceId: string;
  newWorkspace(name?: string): Promise<string>;
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  read<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

function inDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.toString();
}

async function administer(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: inDatabase(inject('postgres').ownerUrl, 'postgres') });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

/** `start` is the virtual clock's first moment; months around it have partitions. */
export async function createTestDb(start = '2026-02-10T12:00:00Z'): Promise<TestDb> {
  const name = `t_${randomBytes(8).toString('hex')}`;
  await cloneDatabase(name);
  const url = inDatabase(inject('postgres').serverUrl, name);
  const clock = createVirtualClock(start);
  const vault = createVault(Buffer.alloc(32, 7), clock);
  const db = createDb({ url, log: silentLog });
  const pinned = createDb({ url, log: silentLog, pinned: true });
  const owner = new pg.Pool({ connectionString: inDatabase(inject('postgres').ownerUrl, name), max: 2 });
  // The pool says it has ended before its connections have; dropping the database then breaks one that nobody listens to.
  owner.on('error', () => undefined);
  const newWorkspace = async (workspaceName = 'Test') => {
    const id = newId(clock);
    await db.transaction(id, async (tx) => {
      await tx.query('insert into workspace (id, name, created_at, updated_at) values ($1, $2, $3, $3)', [
        id,
        workspaceName,
        clock.now(),
      ]);
      await vault.create(tx);
    });
    return id;
  };
  const workspaceId = await newWorkspace();
  return {
    db,
    pinned,
    url,
    owner,
    clock,
    vault,
    workspaceId,
    newWorkspace,
    write: (work) => db.transaction(workspaceId, work),
    read: (work) => db.read(workspaceId, work),
    close: async () => {
      await db.close();
      await pinned.close();
      await owner.end();
      await administer(`drop database if exists ${name} with (force)`);
    },
  };
}

/** Cloning needs the template to be alone for a moment; another test file may be cloning it right now. */
async function cloneDatabase(name: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await administer(`create database ${name} template parley strategy file_copy`);
    } catch (error) {
      const busy = error instanceof Error && 'code' in error && error.code === '55006';
      if (!busy || attempt >= 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** For one test of a file: cloning a database for each would take longer than the tests. */
export async function inWorkspaceOfItsOwn(database: TestDb): Promise<TestDb> {
  const workspaceId = await database.newWorkspace();
  return {
    ...database,
    workspaceId,
    write: (work) => database.db.transaction(workspaceId, work),
    read: (work) => database.db.read(workspaceId, work),
  };
}

export function callerOf(workspaceId: string, granted: readonly Permission[] = permissions, id = 'test-key'): Caller {
  return { workspaceId, kind: 'key', id, name: 'Test key', permissions: new Set(granted) };
}

/**
 * The HTTP shell around some routes. Whoever sends `authorization: test` is a caller with every permission in the
 * first workspace; `authorization: test contacts:read,topics:read` one with these; `x-workspace: <id>` chooses another.
 */
export async function createTestApp(
  test: TestDb,
  routes: readonly Route[],
  authenticate?: Authenticate,
): Promise<FastifyInstance> {
  const byHeader: Authenticate = async (request) => {
    const header = request.headers.authorization;
    if (header === undefined) return undefined;
    const workspace = request.headers['x-workspace'];
    const granted = header === 'test' ? permissions : permissions.filter((one) => header.includes(one));
    return callerOf(typeof workspace === 'string' ? workspace : test.workspaceId, granted);
  };
  return createHttpServer(routes, {
    db: test.db,
    pinned: test.pinned,
    clock: test.clock,
    log: silentLog,
    metrics: createMetrics(),
    authenticate: authenticate ?? byHeader,
    trustedProxies: [],
    origin: () => 'http://127.0.0.1:3000',
  });
}
