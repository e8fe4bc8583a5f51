import { createHash } from 'node:crypto';
import type { Tx } from './db.ts';
import { AppError } from './errors.ts';

/** What a repeated request is answered with. */
export interface Remembered {
  readonly status: number;
  readonly response: string;
}

export interface Claim {
  readonly key: string;
  readonly route: string;
  readonly body: unknown;
  readonly mintedId: string;
  readonly now: Temporal.Instant;
}

const keptHours = 24;

/**
 * First request with this key: remembers it, in the transaction of its effect. Repeated: the answer to give
 * again. A second one at the same time waits here for the first to commit.
 */
export async function claimKey(tx: Tx, claim: Claim): Promise<Remembered | undefined> {
  const hash = createHash('sha256')
    .update(JSON.stringify(claim.body ?? null))
    .digest();
  const oldest = claim.now.subtract({ hours: keptHours });
  await tx.hot('delete from idempotency_key where workspace_id = $1 and key = $2 and created_at < $3', [
    tx.workspaceId,
    claim.key,
    oldest,
  ]);
  const inserted = await tx.hot(
    `insert into idempotency_key (workspace_id, key, route, body_hash, minted_id, created_at)
     values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning key`,
    [tx.workspaceId, claim.key, claim.route, hash, claim.mintedId, claim.now],
  );
  if (inserted.length > 0) return undefined;
  const [found] = await tx.hot<{ route: string; body_hash: Buffer; status: number | null; response: string | null }>(
    'select route, body_hash, status, response from idempotency_key where workspace_id = $1 and key = $2',
    [tx.workspaceId, claim.key],
  );
  if (found === undefined || found.route !== claim.route || !found.body_hash.equals(hash))
    throw new AppError(
      'idempotency-key-reused',
      'This Idempotency-Key came with another request within the last 24 hours. Use a new one.',
    );
  return { status: found.status ?? 200, response: found.response ?? '' };
}

export async function rememberAnswer(tx: Tx, key: string, status: number, response: string): Promise<void> {
  await tx.hot('update idempotency_key set status = $3, response = $4 where workspace_id = $1 and key = $2', [
    tx.workspaceId,
    key,
    status,
    response,
  ]);
}

/** Part of the daily tidy-up. */
export async function forgetOldKeys(tx: Tx, now: Temporal.Instant): Promise<void> {
  await tx.query('delete from idempotency_key where workspace_id = $1 and created_at < $2', [
    tx.workspaceId,
    now.subtract({ hours: keptHours }),
  ]);
}
