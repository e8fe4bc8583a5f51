import type { Tx } from '../platform/db.ts';
import type { AddressKind } from './consent.rules.ts';
import type { HashedAddress } from './suppression.rules.ts';

export interface Topic {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly description: string | null;
  readonly createdAt: Temporal.Instant;
  readonly updatedAt: Temporal.Instant;
  readonly archivedAt: Temporal.Instant | null;
  readonly revision: number;
}

const topicColumns = `id, key, name, description, created_at as "createdAt", updated_at as "updatedAt", archived_at as "archivedAt", revision`;

/** Undefined when the key is taken. */
export async function insertTopic(
  tx: Tx,
  topic: Pick<Topic, 'id' | 'key' | 'name' | 'description' | 'createdAt'>,
): Promise<Topic | undefined> {
  const [made] = await tx.query<Topic>(
    `insert into topic (workspace_id, id, key, name, description, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $6)
     on conflict (workspace_id, key) do nothing returning ${topicColumns}`,
    [tx.workspaceId, topic.id, topic.key, topic.name, topic.description, topic.createdAt],
  );
  return made;
}

export async function updateTopic(
  tx: Tx,
  topic: Omit<Topic, 'revision' | 'createdAt' | 'key'>,
): Promise<Topic | undefined> {
  const [changed] = await tx.query<Topic>(
    `update topic set name = $3, description = $4, archived_at = $5, updated_at = $6, revision = revision + 1
     where workspace_id = $1 and id = $2 returning ${topicColumns}`,
    [tx.workspaceId, topic.id, topic.name, topic.description, topic.archivedAt, topic.updatedAt],
  );
  return changed;
}

export async function findTopic(tx: Tx, id: string, lock = false): Promise<Topic | undefined> {
  const [topic] = await tx.query<Topic>(
    `select ${topicColumns} from topic where workspace_id = $1 and id = $2${lock ? ' for update' : ''}`,
    [tx.workspaceId, id],
  );
  return topic;
}

export async function findTopicByKey(tx: Tx, key: string): Promise<Topic | undefined> {
  const [topic] = await tx.hot<Topic>(`select ${topicColumns} from topic where workspace_id = $1 and key = $2`, [
    tx.workspaceId,
    key,
  ]);
  return topic;
}

export async function findTopicsByKey(tx: Tx, keys: readonly string[]): Promise<Topic[]> {
  if (keys.length === 0) return [];
  return tx.hot<Topic>(
    `select x.* from unnest($2::text[]) as k (key)
     cross join lateral (select ${topicColumns} from topic where workspace_id = $1 and key = k.key offset 0) x`,
    [tx.workspaceId, keys],
  );
}

/** By key, after `afterKey`. */
export async function listTopics(tx: Tx, archived: boolean, afterKey: string, most: number): Promise<Topic[]> {
  return tx.query<Topic>(
    `select ${topicColumns} from topic where workspace_id = $1 and key > $2 and (archived_at is not null) = $3 order by key limit $4`,
    [tx.workspaceId, afterKey, archived, most],
  );
}

export async function countConsents(tx: Tx, topicId: string): Promise<{ granted: number; withdrawn: number }> {
  const [counts] = await tx.query<{ granted: number; withdrawn: number }>(
    `select count(*) filter (where state = 'granted')::integer as granted, count(*) filter (where state = 'withdrawn')::integer as withdrawn
     from consent where workspace_id = $1 and topic_id = $2`,
    [tx.workspaceId, topicId],
  );
  return counts ?? { granted: 0, withdrawn: 0 };
}

export type SuppressionReason = 'bounce' | 'complaint' | 'opt-out' | 'manual' | 'erased';

export interface Suppression extends HashedAddress {
  /** Empty: on every channel. */
  readonly channel: string;
  readonly reason: SuppressionReason;
  readonly createdAt: Temporal.Instant;
}

const suppressionColumns = `kind, hash, hash_version as version, channel, reason, created_at as "createdAt"`;

/** Keeps what is there: the first reason stays. */
export async function insertSuppressions(
  tx: Tx,
  addresses: readonly (HashedAddress & { readonly reason: SuppressionReason })[],
  at: Temporal.Instant,
): Promise<Suppression[]> {
  return tx.query<Suppression>(
    `insert into suppression (workspace_id, kind, hash, hash_version, reason, created_at)
     select distinct on (s.kind, s.version, s.hash) $1::uuid, s.kind, s.hash, s.version, s.reason, $6::timestamptz
     from unnest($2::text[], $3::bytea[], $4::integer[], $5::text[]) as s (kind, hash, version, reason)
     on conflict (workspace_id, kind, hash_version, hash, channel) do nothing returning ${suppressionColumns}`,
    [
      tx.workspaceId,
      addresses.map((one) => one.kind),
      addresses.map((one) => one.hash),
      addresses.map((one) => one.version),
      addresses.map((one) => one.reason),
      at,
    ],
  );
}

export async function findSuppression(tx: Tx, address: HashedAddress): Promise<Suppression | undefined> {
  const [found] = await tx.query<Suppression>(
    `select ${suppressionColumns} from suppression where workspace_id = $1 and kind = $2 and hash_version = $3 and hash = $4
     order by channel limit 1`,
    [tx.workspaceId, address.kind, address.version, address.hash],
  );
  return found;
}

export async function deleteSuppression(tx: Tx, address: HashedAddress, only?: SuppressionReason): Promise<boolean> {
  const rows = await tx.query(
    `delete from suppression where workspace_id = $1 and kind = $2 and hash_version = $3 and hash = $4
     and ($5::text is null or reason = $5) returning 1`,
    [tx.workspaceId, address.kind, address.version, address.hash, only ?? null],
  );
  return rows.length > 0;
}

export interface SuppressionFilter {
  readonly reason?: SuppressionReason | undefined;
  readonly kind?: AddressKind | undefined;
  readonly before?: { readonly createdAt: string; readonly address: HashedAddress } | undefined;
}

/** Newest first. */
export async function listSuppressions(tx: Tx, filter: SuppressionFilter, most: number): Promise<Suppression[]> {
  const { reason = null, kind = null, before } = filter;
  return tx.query<Suppression>(
    `select ${suppressionColumns} from suppression where workspace_id = $1
       and ($2::text is null or reason = $2) and ($3::text is null or kind = $3)
       and ($4::timestamptz is null or created_at < $4 or (created_at = $4 and (kind, hash_version, hash) > ($5, $6, $7)))
     order by created_at desc, kind, hash_version, hash limit $8`,
    [
      tx.workspaceId,
      reason,
      kind,
      before?.createdAt ?? null,
      before?.address.kind ?? null,
      before?.address.version ?? null,
      before?.address.hash ?? null,
      most,
    ],
  );
}

export interface KnownSuppression {
  readonly addressId: string;
  readonly reason: SuppressionReason;
  /** Only there; on every channel when absent. */
  readonly channel?: string;
}

/** Suppresses known addresses; their hashes are read where they are kept. */
export async function suppressKnown(
  tx: Tx,
  addresses: readonly KnownSuppression[],
  at: Temporal.Instant,
): Promise<number> {
  const rows = await tx.query(
    `insert into suppression (workspace_id, kind, hash, hash_version, channel, reason, created_at)
     select distinct on (a.kind, a.hash_version, a.hash, s.channel) $1::uuid, a.kind, a.hash, a.hash_version, s.channel, s.reason, $4::timestamptz
     from unnest($2::uuid[], $3::text[], $5::text[]) as s (id, reason, channel)
     cross join lateral (select a.kind, a.hash, a.hash_version from address a where a.workspace_id = $1 and a.id = s.id offset 0) a
     on conflict (workspace_id, kind, hash_version, hash, channel) do nothing returning 1`,
    [
      tx.workspaceId,
      addresses.map((one) => one.addressId),
      addresses.map((one) => one.reason),
      at,
      addresses.map((one) => one.channel ?? ''),
    ],
  );
  return rows.length;
}

/** Takes the opt-out of a known address back: the person said so. */
export async function liftOptOut(tx: Tx, addressId: string): Promise<void> {
  await tx.query(
    `delete from suppression s using address a where a.workspace_id = $1 and a.id = $2 and s.workspace_id = $1 and s.kind = a.kind
     and s.hash_version = a.hash_version and s.hash = a.hash and s.reason = 'opt-out'`,
    [tx.workspaceId, addressId],
  );
}
