import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Permission } from '../contract/permissions.ts';
import { permissions } from '../contract/permissions.ts';
import { compose } from '../server/compose.ts';
import type { Parley } from '../server/compose.ts';
import { readConfig } from '../server/config.ts';
import { systemClock } from '../server/platform/clock.ts';
import { newId } from '../server/platform/ids.ts';
import { silentLog } from '../server/platform/log.ts';
import type { Log } from '../server/platform/log.ts';
import { createTestDb } from '../server/platform/testing.ts';
import type { TestDb } from '../server/platform/testing.ts';

export const ownerEmail = 'owner@example.com';
export const ownerPassword = 'correct horse battery staple';

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; undefined when it is not JSON. */
  readonly json: Record<string, unknown> | undefined;
}

export interface Asking {
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** A caller's view of one server. Strings and forms go as they are, everything else as JSON. */
export type Ask = (method: string, path: string, asking?: Asking) => Promise<Answer>;

export function asker(url: string): Ask {
  return async (method, path, { key, headers = {}, body } = {}) => {
    const isRaw = typeof body === 'string' || body instanceof FormData || body instanceof Blob;
    const answer = await fetch(`${url}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined || isRaw ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isRaw ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    const type = answer.headers.get('content-type') ?? '';
    const isJson = /^application\/(problem\+)?json/.test(type);
    return {
      status: answer.status,
      type,
      headers: answer.headers,
      text,
      json: isJson ? (JSON.parse(text) as Record<string, unknown>) : undefined,
    };
  };
}

/** The whole server, as `start` puts it together, in this process, on a database of its own; everything runs. */
export interface World {
  readonly parley: Parley;
  readonly url: string;
  readonly ask: Ask;
  /** The first workspace, its owner (`ownerEmail`) and its key with every permission. */
  readonly workspaceId: string;
  readonly key: string;
  readonly test: TestDb;
  newWorkspace(name: string): Promise<{ readonly id: string; readonly key: string }>;
  newKey(workspaceId: string, scopes?: readonly Permission[]): Promise<string>;
  close(): Promise<void>;
}

export async function openWorld(log: Log = silentLog): Promise<World> {
  const test = await createTestDb(systemClock.now().toString());
  // The fixture's own workspace would make this database one that is in use.
  await test.owner.query('delete from workspace_key where workspace_id = $1', [test.workspaceId]);
  await test.owner.query('delete from workspace where id = $1', [test.workspaceId]);
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-world-'));
  chmodSync(dataDir, 0o711);
  const key = `parley_${randomBytes(24).toString('hex')}`;
  let url = '';
  const parley = await compose({
    config: readConfig({ PARLEY_DATA_DIR: dataDir, PARLEY_PORT: '0', PARLEY_IMPORT_MAX_MB: '2' }),
    clock: systemClock,
    log,
    vault: test.vault,
    serverUrl: test.url,
    origin: () => url,
    localOrigin: () => url,
  });
  await parley.workspaces.ensureFirst({ admin: { email: ownerEmail, password: ownerPassword }, bootstrapKey: key });
  url = await parley.app.listen({ host: '127.0.0.1', port: 0 });
  await parley.start();
  const { rows } = await test.owner.query<{ id: string }>('select id from workspace');
  const newKey = (workspaceId: string, scopes: readonly Permission[] = permissions) =>
    makeKey(test, workspaceId, scopes);
  return {
    parley,
    url,
    ask: asker(url),
    workspaceId: rows[0]?.id ?? '',
    key,
    test,
    newKey,
    newWorkspace: async (name) => {
      const id = newId(systemClock);
      const actor = { kind: 'system', id: null, name: 'Parley' } as const;
      await parley.db.transaction(id, (tx) => parley.workspaces.createWorkspace(tx, name, { actor }));
      return { id, key: await newKey(id) };
    },
    close: async () => {
      await parley.stop();
      await test.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Past the API, which lets nobody make keys for a workspace that is not theirs. */
async function makeKey(test: TestDb, workspaceId: string, scopes: readonly Permission[]): Promise<string> {
  const secret = `parley_${randomBytes(24).toString('hex')}`;
  await test.owner.query(
    `insert into api_key (workspace_id, id, name, prefix, hash, scopes, created_by, created_at)
     values ($1, $2, 'Test', $3, $4, $5, 'Test', now())`,
    [workspaceId, newId(systemClock), secret.slice(0, 12), createHash('sha256').update(secret).digest(), [...scopes]],
  );
  return secret;
}
