import type { Tx } from '../platform/db.ts';
import type { LedgerState } from './settle.rules.ts';

/** A message that a receipt may be about. */
export interface ToldRow {
  readonly id: string;
  readonly month: string;
  readonly planId: string;
  readonly contactId: string;
  readonly addressId: string | null;
  readonly channel: string;
  readonly state: LedgerState;
  readonly reason: string | null;
  readonly campaignId: string | null;
}

/** Locked in the order of their ids, so that two readers of callbacks never wait for each other in a circle. */
export async function lockTold(tx: Tx, ids: readonly string[]): Promise<ToldRow[]> {
  if (ids.length === 0) return [];
  return tx.hot<ToldRow>(
    `with wanted as (
       select x.plan_month, x.id from unnest($2::uuid[]) as k (id)
       cross join lateral (select y.plan_month, y.id from message y where y.workspace_id = $1 and y.id = k.id offset 0) x
       order by x.id
     )
     select m.id, m.plan_month as month, m.plan_id as "planId", m.contact_id as "contactId", m.address_id as "addressId", m.channel,
            m.state, m.reason, (select case p.source when 'campaign' then p.source_id end from plan p where p.workspace_id = $1 and p.id = m.plan_id) as "campaignId"
     from wanted w cross join lateral (
       select * from message x where x.workspace_id = $1 and x.plan_month = w.plan_month and x.id = w.id offset 0 for update) m`,
    [tx.workspaceId, ids],
  );
}

export interface Moved {
  readonly id: string;
  readonly month: string;
  readonly state: LedgerState;
  readonly reason: string | null;
}

/** The rows are locked, so nothing can have moved them meanwhile. */
export async function moveTold(
  tx: Tx,
  accountId: string,
  moved: readonly Moved[],
  now: Temporal.Instant,
): Promise<void> {
  if (moved.length === 0) return;
  await tx.hot(
    `update message m set state = o.state, reason = o.reason, account_id = coalesce(m.account_id, $3), settled_at = coalesce(m.settled_at, $4),
            attempt = greatest(m.attempt, 1)
     from unnest($2::uuid[], $5::date[], $6::text[], $7::text[]) as o (id, month, state, reason)
     where m.workspace_id = $1 and m.plan_month = o.month and m.id = o.id`,
    [
      tx.workspaceId,
      moved.map((one) => one.id),
      accountId,
      now,
      moved.map((one) => one.month),
      moved.map((one) => one.state),
      moved.map((one) => one.reason),
    ],
  );
}

/** Nobody waits any more for what is settled now. */
export async function dropDeferrals(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.hot('delete from deferral where workspace_id = $1 and message_id = any($2::uuid[])', [tx.workspaceId, ids]);
}

/** What the counts of one plan move by; the last three are parts of accepted. */
export interface ToldCounts {
  readonly planned: number;
  readonly accepted: number;
  readonly failed: number;
  readonly unknown: number;
  readonly delivered: number;
  readonly bounced: number;
  readonly complained: number;
}

/** A row of its own, so that senders and readers of callbacks do not wait for each other. */
export const receiptShard = 101;

export async function addTold(tx: Tx, planId: string, counts: ToldCounts): Promise<void> {
  await tx.hot(
    `insert into plan_count (workspace_id, plan_id, shard, planned, accepted, failed, unknown, delivered, bounced, complained)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict (workspace_id, plan_id, shard) do update set planned = plan_count.planned + excluded.planned,
       accepted = plan_count.accepted + excluded.accepted, failed = plan_count.failed + excluded.failed,
       unknown = plan_count.unknown + excluded.unknown, delivered = plan_count.delivered + excluded.delivered,
       bounced = plan_count.bounced + excluded.bounced, complained = plan_count.complained + excluded.complained`,
    [
      tx.workspaceId,
      planId,
      receiptShard,
      counts.planned,
      counts.accepted,
      counts.failed,
      counts.unknown,
      counts.delivered,
      counts.bounced,
      counts.complained,
    ],
  );
}

export async function insertRefs(
  tx: Tx,
  accountId: string,
  refs: readonly { readonly ref: string; readonly messageId: string }[],
  now: Temporal.Instant,
): Promise<void> {
  if (refs.length === 0) return;
  await tx.hot(
    `insert into message_ref (workspace_id, account_id, ref, message_id, created_at)
     select $1, $2, r.ref, r.id, $3 from unnest($4::text[], $5::uuid[]) as r (ref, id) on conflict do nothing`,
    [tx.workspaceId, accountId, now, refs.map((one) => one.ref), refs.map((one) => one.messageId)],
  );
}

export async function findRefs(
  tx: Tx,
  accountId: string,
  refs: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (refs.length === 0) return new Map();
  const rows = await tx.hot<{ ref: string; messageId: string }>(
    `select r.ref, r.message_id as "messageId" from unnest($3::text[]) as k (ref)
     cross join lateral (select x.ref, x.message_id from message_ref x where x.workspace_id = $1 and x.account_id = $2 and x.ref = k.ref offset 0) r`,
    [tx.workspaceId, accountId, refs],
  );
  return new Map(rows.map((row) => [row.ref, row.messageId]));
}
