import type { Tx } from '../platform/db.ts';
import type { ReasonDelta } from './plan.store.ts';
import { monthOf } from './receipt.rules.ts';
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

const toldColumns = `m.id, m.plan_month as month, m.plan_id as "planId", m.contact_id as "contactId", m.address_id as "addressId", m.channel, m.state, m.reason,
  (select case p.source when 'campaign' then p.source_id end from plan p where p.workspace_id = $1 and p.id = m.plan_id) as "campaignId"`;

// The month as one value: only its partition is opened, however many there are.
const inMonthText = `
  select ${toldColumns} from unnest($2::uuid[]) as k (id) cross join lateral (
    select * from message x where x.workspace_id = $1 and x.plan_month = $3 and x.id = k.id offset 0 for update) m`;

const anywhereText = `
  with wanted as (
    select x.plan_month, x.id from unnest($2::uuid[]) as k (id)
    cross join lateral (select y.plan_month, y.id from message y where y.workspace_id = $1 and y.id = k.id offset 0) x
    order by x.id
  )
  select ${toldColumns} from wanted w cross join lateral (
    select * from message x where x.workspace_id = $1 and x.plan_month = w.plan_month and x.id = w.id offset 0 for update) m`;

/**
 * First where nearly all are, in the month of their id; the others (planned before the turn of a month, or unknown) in
 * every month. Each message is always found in the same step, and each step locks in the order of months and ids: two
 * readers of callbacks never wait for each other in a circle.
 */
export async function lockTold(tx: Tx, ids: readonly string[]): Promise<ToldRow[]> {
  const months = [...Map.groupBy(ids.toSorted(), monthOf)].sort(([a], [b]) => (a < b ? -1 : 1));
  const asked = months.flatMap(([month, list]) =>
    month === '' ? [] : [tx.hot<ToldRow>(inMonthText, [tx.workspaceId, list, month])],
  );
  const rows = (await Promise.all(asked)).flat();
  const found = new Set(rows.map((row) => row.id));
  const missing = ids.filter((id) => !found.has(id)).sort();
  if (missing.length === 0) return rows;
  return [...rows, ...(await tx.hot<ToldRow>(anywhereText, [tx.workspaceId, missing]))];
}

export interface Moved {
  readonly id: string;
  readonly month: string;
  readonly state: LedgerState;
  readonly reason: string | null;
}

/**
 * The rows are locked, so nothing can have moved them meanwhile, nor to another place. By their place, so that no plan goes
 * through the whole month for each of them.
 */
export async function moveTold(
  tx: Tx,
  accountId: string,
  moved: readonly Moved[],
  now: Temporal.Instant,
): Promise<void> {
  const months = [...Map.groupBy(moved, (one) => one.month)];
  await Promise.all(
    months.map(([month, list]) =>
      tx.hot(
        `update message m set state = o.state, reason = o.reason, account_id = coalesce(m.account_id, $3), settled_at = coalesce(m.settled_at, $4),
                attempt = greatest(m.attempt, 1)
         from (select k.state, k.reason, x.ctid as place from unnest($2::uuid[], $6::text[], $7::text[]) as k (id, state, reason)
               cross join lateral (select y.ctid from message y where y.workspace_id = $1 and y.plan_month = $5 and y.id = k.id offset 0) x) o
         where m.workspace_id = $1 and m.plan_month = $5 and m.ctid = o.place`,
        [
          tx.workspaceId,
          list.map((one) => one.id),
          accountId,
          now,
          month,
          list.map((one) => one.state),
          list.map((one) => one.reason),
        ],
      ),
    ),
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

/** In the order given; whoever calls gives plans in the order of their ids. */
export async function addTold(
  tx: Tx,
  plans: readonly { readonly planId: string; readonly counts: ToldCounts }[],
): Promise<void> {
  if (plans.length === 0) return;
  const of = (column: keyof ToldCounts) => plans.map(({ counts }) => counts[column]);
  await tx.hot(
    `insert into plan_count (workspace_id, plan_id, shard, planned, accepted, failed, unknown, delivered, bounced, complained)
     select $1, c.plan, $3, c.planned, c.accepted, c.failed, c.unknown, c.delivered, c.bounced, c.complained
     from unnest($2::uuid[], $4::int[], $5::int[], $6::int[], $7::int[], $8::int[], $9::int[], $10::int[])
       as c (plan, planned, accepted, failed, unknown, delivered, bounced, complained)
     on conflict (workspace_id, plan_id, shard) do update set planned = plan_count.planned + excluded.planned,
       accepted = plan_count.accepted + excluded.accepted, failed = plan_count.failed + excluded.failed,
       unknown = plan_count.unknown + excluded.unknown, delivered = plan_count.delivered + excluded.delivered,
       bounced = plan_count.bounced + excluded.bounced, complained = plan_count.complained + excluded.complained`,
    [
      tx.workspaceId,
      plans.map(({ planId }) => planId),
      receiptShard,
      of('planned'),
      of('accepted'),
      of('failed'),
      of('unknown'),
      of('delivered'),
      of('bounced'),
      of('complained'),
    ],
  );
}

/** Of many plans; in the order of plans, states and reasons. */
export async function moveToldReasons(
  tx: Tx,
  moves: readonly (ReasonDelta & { readonly planId: string })[],
): Promise<void> {
  if (moves.length === 0) return;
  const keyOf = (one: (typeof moves)[number]) => `${one.planId} ${one.state} ${one.reason}`;
  const sorted = moves.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  await tx.hot(
    `insert into plan_reason_count (workspace_id, plan_id, shard, state, reason, count)
     select $1, r.plan, $6, r.state, r.reason, r.delta from unnest($2::uuid[], $3::text[], $4::text[], $5::int[]) as r (plan, state, reason, delta)
     on conflict (workspace_id, plan_id, shard, state, reason) do update set count = plan_reason_count.count + excluded.count`,
    [
      tx.workspaceId,
      sorted.map((one) => one.planId),
      sorted.map((one) => one.state),
      sorted.map((one) => one.reason),
      sorted.map((one) => one.delta),
      receiptShard,
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
