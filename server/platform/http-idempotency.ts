import { hash } from 'node:crypto';
import pg from 'pg';
import type { Endpoint } from '../../contract/endpoint.ts';
import type { Tx } from './db.ts';
import { AppError } from './errors.ts';
import type { Call } from './http.ts';

/** What a repeated request is answered with. */
export interface Remembered {
  readonly status: number;
  readonly response: string;
}

export interface Claim {
  readonly key: string;
  readonly route: string;
  readonly bodyHash: Buffer;
  readonly mintedId: string;
  readonly now: Temporal.Instant;
}

const keptHours = 24;

/** A key counts for the path it came on. */
export function claimOf(endpoint: Endpoint, call: Call<Endpoint>, key: string, now: Temporal.Instant): Claim {
  const { raw, body, mintedId } = call;
  const bodyHash = hash('sha256', JSON.stringify(body ?? null), 'buffer');
  return { key, route: `${endpoint.method} ${raw.url.split('?', 1)[0]}`, bodyHash, mintedId, now };
}

/**
 * First request with this key: remembers it, in the transaction of its effect. Repeated: the answer to give
 * again. A second one at the same time waits here for the first to commit.
 */
export async function claimKey(tx: Tx, claim: Claim): Promise<Remembered | undefined> {
  const oldest = claim.now.subtract({ hours: keptHours });
  await tx.hot('delete from idempotency_key where workspace_id = $1 and key = $2 and created_at < $3', [
    tx.workspaceId,
    claim.key,
    oldest,
  ]);
  const inserted = await tx.hot(
    `insert into idempotency_key (workspace_id, key, route, body_hash, minted_id, created_at)
     values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning key`,
    [tx.workspaceId, claim.key, claim.route, claim.bodyHash, claim.mintedId, claim.now],
  );
  if (inserted.length > 0) return undefined;
  const [found] = await tx.hot<{ route: string; body_hash: Buffer; status: number | null; response: string | null }>(
    'select route, body_hash, status, response from idempotency_key where workspace_id = $1 and key = $2',
    [tx.workspaceId, claim.key],
  );
  if (found === undefined || found.route !== claim.route || !found.body_hash.equals(claim.bodyHash)) throw keyReused();
  return { status: found.status ?? 200, response: found.response ?? '' };
}

function keyReused(): AppError {
  return new AppError(
    'idempotency-key-reused',
    'This Idempotency-Key came with another request within the last 24 hours. Use a new one.',
  );
}

export async function rememberAnswer(tx: Tx, key: string, status: number, response: string): Promise<void> {
  await tx.hot('update idempotency_key set status = $3, response = $4 where workspace_id = $1 and key = $2', [
    tx.workspaceId,
    key,
    status,
    response,
  ]);
}

/** What requests with these keys were answered with; by key. A refusal where the key came with another request. */
export async function findAnswers(
  tx: Tx,
  claims: readonly Claim[],
): Promise<ReadonlyMap<string, Remembered | AppError>> {
  const [first] = claims;
  if (first === undefined) return new Map();
  const rows = await tx.hot<{ key: string; route: string; hash: Buffer; status: number | null; response: string }>(
    `select f.key, f.route, f.body_hash as hash, f.status, coalesce(f.response, '') as response
     from unnest($2::text[]) as k (key)
     cross join lateral (select * from idempotency_key x
       where x.workspace_id = $1 and x.key = k.key and x.created_at >= $3 offset 0) f`,
    [tx.workspaceId, claims.map((one) => one.key), first.now.subtract({ hours: keptHours })],
  );
  const found = new Map(rows.map((row) => [row.key, row]));
  return new Map(
    claims.flatMap(({ key, route, bodyHash }) => {
      const row = found.get(key);
      if (row === undefined) return [];
      const same = row.route === route && row.hash.equals(bodyHash);
      return [[key, same ? { status: row.status ?? 200, response: row.response } : keyReused()] as const];
    }),
  );
}

/**
 * Keeps what requests are about to be answered with, in the transaction of their effect. Written once, at its end, where
 * `claimKey` writes twice; so two with one key at the same time may both work, and here the second waits for the first
 * to commit and fails: nothing of it happened (`isKeyTaken`).
 */
export function keepAnswers(tx: Tx, answers: readonly (Claim & Remembered)[]): void {
  const [first] = answers;
  if (first === undefined) return;
  // In one order by everybody, so that two groups never wait for each other in a circle.
  const sorted = [...answers].sort((a, b) => (a.key < b.key ? -1 : 1));
  const keys = sorted.map((one) => one.key);
  tx.unawaited(
    tx.hot(
      `delete from idempotency_key i using unnest($2::text[]) as k (key)
       where i.workspace_id = $1 and i.key = k.key and i.created_at < $3`,
      [tx.workspaceId, keys, first.now.subtract({ hours: keptHours })],
    ),
    tx.hot(
      `insert into idempotency_key (workspace_id, key, route, body_hash, minted_id, status, response, created_at)
       select $1, k.key, k.route, k.hash, k.minted, k.status, k.response, $2
       from unnest($3::text[], $4::text[], $5::bytea[], $6::uuid[], $7::int[], $8::text[]) as k (key, route, hash, minted, status, response)`,
      [
        tx.workspaceId,
        first.now,
        keys,
        sorted.map((one) => one.route),
        sorted.map((one) => one.bodyHash),
        sorted.map((one) => one.mintedId),
        sorted.map((one) => one.status),
        sorted.map((one) => one.response),
      ],
    ),
  );
}

/** Between our look and our write somebody else answered a request with the same key: look again. */
export function isKeyTaken(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '23505' && error.table === 'idempotency_key';
}

/** Part of the daily tidy-up. */
export async function forgetOldKeys(tx: Tx, now: Temporal.Instant): Promise<void> {
  await tx.query('delete from idempotency_key where workspace_id = $1 and created_at < $2', [
    tx.workspaceId,
    now.subtract({ hours: keptHours }),
  ]);
}
