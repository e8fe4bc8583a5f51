import type { Tx } from '../platform/db.ts';
import type { AccountLimits, Fields, SenderIdentity } from './account.rules.ts';
import type { Channel } from './port.ts';

/** All that is written to `provider_account` and `route`. */

export interface AccountRow {
  readonly id: string;
  readonly channel: Channel;
  readonly kind: string;
  readonly name: string;
  readonly settings: Fields;
  readonly secrets: Buffer | null;
  readonly limits: AccountLimits;
  readonly sender: SenderIdentity;
  readonly pausedAt: Temporal.Instant | null;
  readonly createdAt: Temporal.Instant;
  readonly updatedAt: Temporal.Instant;
  readonly revision: number;
}

const columns = `id, channel, kind, name, settings, secrets, limits, sender, paused_at as "pausedAt",
  created_at as "createdAt", updated_at as "updatedAt", revision`;

export async function insertAccount(
  tx: Tx,
  row: Omit<AccountRow, 'pausedAt' | 'updatedAt' | 'revision'>,
): Promise<AccountRow> {
  const [made] = await tx.query<AccountRow>(
    `insert into provider_account (workspace_id, id, channel, kind, name, settings, secrets, limits, sender, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10) returning ${columns}`,
    [
      tx.workspaceId,
      row.id,
      row.channel,
      row.kind,
      row.name,
      JSON.stringify(row.settings),
      row.secrets,
      JSON.stringify(row.limits),
      JSON.stringify(row.sender),
      row.createdAt,
    ],
  );
  if (made === undefined) throw new Error('the account was not written');
  return made;
}

/** Live accounts, oldest first, after the given id. */
export async function listAccounts(
  tx: Tx,
  filter: { channel: string | undefined; after: string | undefined; most: number },
): Promise<AccountRow[]> {
  return tx.query<AccountRow>(
    `select ${columns} from provider_account
     where workspace_id = $1 and archived_at is null and ($2::text is null or channel = $2) and ($3::uuid is null or id > $3)
     order by id limit $4`,
    [tx.workspaceId, filter.channel ?? null, filter.after ?? null, filter.most],
  );
}

/** `lock` when it is going to be changed. */
export async function findAccount(tx: Tx, id: string, lock = false): Promise<AccountRow | undefined> {
  const [row] = await tx.query<AccountRow>(
    `select ${columns} from provider_account where workspace_id = $1 and id = $2 and archived_at is null${lock ? ' for update' : ''}`,
    [tx.workspaceId, id],
  );
  return row;
}

/** The accounts a channel sends through, in the order of its route. */
export async function routeAccounts(tx: Tx, channel: string): Promise<AccountRow[]> {
  return tx.query<AccountRow>(
    `select ${columns} from provider_account a
     where workspace_id = $1 and archived_at is null and id = any (
       (select account_ids from route where workspace_id = $1 and channel = $2)::uuid[])
     order by array_position((select account_ids from route where workspace_id = $1 and channel = $2), id)`,
    [tx.workspaceId, channel],
  );
}

export async function updateAccount(
  tx: Tx,
  id: string,
  row: Pick<AccountRow, 'name' | 'settings' | 'secrets' | 'limits' | 'sender' | 'updatedAt'>,
): Promise<AccountRow> {
  const [changed] = await tx.query<AccountRow>(
    `update provider_account set name = $3, settings = $4, secrets = $5, limits = $6, sender = $7, updated_at = $8, revision = revision + 1
     where workspace_id = $1 and id = $2 returning ${columns}`,
    [
      tx.workspaceId,
      id,
      row.name,
      JSON.stringify(row.settings),
      row.secrets,
      JSON.stringify(row.limits),
      JSON.stringify(row.sender),
      row.updatedAt,
    ],
  );
  if (changed === undefined) throw new Error('the account was not changed');
  return changed;
}

export async function setPausedAt(
  tx: Tx,
  id: string,
  pausedAt: Temporal.Instant | null,
  now: Temporal.Instant,
): Promise<void> {
  await tx.query(
    `update provider_account set paused_at = $3, updated_at = $4, revision = revision + 1 where workspace_id = $1 and id = $2`,
    [tx.workspaceId, id, pausedAt, now],
  );
}

/** The row stays for the ledger's sake; its secrets do not. */
export async function archiveAccount(tx: Tx, id: string, now: Temporal.Instant): Promise<void> {
  await tx.query(
    `update provider_account set archived_at = $3, updated_at = $3, secrets = null, revision = revision + 1
     where workspace_id = $1 and id = $2`,
    [tx.workspaceId, id, now],
  );
}

export interface RouteRow {
  readonly channel: Channel;
  readonly accountIds: readonly string[];
  readonly updatedAt: Temporal.Instant;
}

export async function findRoute(tx: Tx, channel: string): Promise<RouteRow | undefined> {
  const [row] = await tx.query<RouteRow>(
    `select channel, account_ids as "accountIds", updated_at as "updatedAt" from route where workspace_id = $1 and channel = $2`,
    [tx.workspaceId, channel],
  );
  return row;
}

export async function routesUsing(tx: Tx, accountId: string): Promise<string[]> {
  const rows = await tx.query<{ channel: string }>(
    `select channel from route where workspace_id = $1 and account_ids @> array[$2::uuid]`,
    [tx.workspaceId, accountId],
  );
  return rows.map((row) => row.channel);
}

export async function writeRoute(
  tx: Tx,
  channel: string,
  accountIds: readonly string[],
  now: Temporal.Instant,
): Promise<void> {
  await tx.query(
    `insert into route (workspace_id, channel, account_ids, updated_at) values ($1, $2, $3, $4)
     on conflict (workspace_id, channel) do update set account_ids = excluded.account_ids, updated_at = excluded.updated_at`,
    [tx.workspaceId, channel, accountIds, now],
  );
}

/** Of the workspace's settings, what readiness looks at. */
export async function workspaceFacts(tx: Tx): Promise<{ name: string; postalAddress: string | null }> {
  const [row] = await tx.query<{ name: string; postalAddress: string | null }>(
    `select name, settings ->> 'postalAddress' as "postalAddress" from workspace where id = $1`,
    [tx.workspaceId],
  );
  return row ?? { name: '', postalAddress: null };
}
