import type { Tx } from '../platform/db.ts';

export interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: string[];
  readonly createdBy: string;
  readonly createdAt: Temporal.Instant;
  readonly lastUsedAt: Temporal.Instant | null;
  readonly expiresAt: Temporal.Instant | null;
}

export interface FoundKey {
  readonly workspaceId: string;
  readonly id: string;
  readonly name: string;
  readonly hash: Buffer;
  readonly scopes: string[];
  readonly expiresAt: Temporal.Instant | null;
  readonly revokedAt: Temporal.Instant | null;
  readonly lastUsedAt: Temporal.Instant | null;
}

const found = `id, name, hash, scopes, expires_at as "expiresAt", revoked_at as "revokedAt", last_used_at as "lastUsedAt",
  workspace_id as "workspaceId"`;

/** One indexed read, before the workspace is known. */
export async function findKeyByHash(tx: Tx, hash: Buffer): Promise<FoundKey | undefined> {
  const [row] = await tx.hot<FoundKey>(`select ${found} from parley_api_key($1)`, [hash]);
  return row;
}

export async function findKeyById(tx: Tx, id: string): Promise<FoundKey | undefined> {
  const [row] = await tx.hot<FoundKey>(`select ${found} from api_key where workspace_id = $1 and id = $2`, [
    tx.workspaceId,
    id,
  ]);
  return row;
}

export interface NewKey {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly hash: Buffer;
  readonly scopes: readonly string[];
  readonly createdBy: string;
  readonly createdAt: Temporal.Instant;
  readonly expiresAt: Temporal.Instant | null;
}

export async function insertKey(tx: Tx, key: NewKey): Promise<void> {
  await tx.query(
    `insert into api_key (workspace_id, id, name, prefix, hash, scopes, created_by, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [tx.workspaceId, key.id, key.name, key.prefix, key.hash, key.scopes, key.createdBy, key.createdAt, key.expiresAt],
  );
}

/** Keys that still work, newest first, below `beforeId`. */
export async function listKeys(
  tx: Tx,
  now: Temporal.Instant,
  beforeId: string | undefined,
  most: number,
): Promise<KeyRow[]> {
  return tx.query<KeyRow>(
    `select id, name, prefix, scopes, created_by as "createdBy", created_at as "createdAt", last_used_at as "lastUsedAt",
       expires_at as "expiresAt"
     from api_key
     where workspace_id = $1 and revoked_at is null and (expires_at is null or expires_at > $2) and ($3::uuid is null or id < $3)
     order by id desc limit $4`,
    [tx.workspaceId, now, beforeId ?? null, most],
  );
}

export async function revokeKey(
  tx: Tx,
  id: string,
  now: Temporal.Instant,
): Promise<{ name: string; prefix: string } | undefined> {
  const [row] = await tx.query<{ name: string; prefix: string }>(
    `update api_key set revoked_at = $3 where workspace_id = $1 and id = $2 and revoked_at is null returning name, prefix`,
    [tx.workspaceId, id, now],
  );
  return row;
}

export async function touchKey(tx: Tx, id: string, now: Temporal.Instant): Promise<void> {
  await tx.query('update api_key set last_used_at = $3 where workspace_id = $1 and id = $2', [tx.workspaceId, id, now]);
}
