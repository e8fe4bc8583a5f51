import type { Tx } from '../platform/db.ts';
import type { DueTurn } from './fairness.rules.ts';
import { addCounts } from './plan.store.ts';
import { countColumns } from './settle.rules.ts';
import type { CountColumn } from './settle.rules.ts';

/** Who holds a batch, how far its hand-over has begun, and what is in doubt should he die. */
export interface BatchRow {
  readonly id: string;
  readonly planId: string;
  readonly planMonth: string;
  readonly channel: string;
  readonly messageIds: readonly string[];
  readonly size: number;
  readonly begun: number;
  readonly inFlight: readonly string[];
  readonly fence: number;
  /** Set when another worker held it and let its lease run out. */
  readonly leaseUntil: Temporal.Instant | null;
}

/** Locks the oldest free batch of a priority; batches somebody else is claiming right now are passed over. */
export async function lockDueBatch(tx: Tx, now: Temporal.Instant, priority: number): Promise<BatchRow | undefined> {
  const rows = await tx.hot<BatchRow>(
    `select id, plan_id as "planId", plan_month as "planMonth", channel, message_ids as "messageIds", size, begun,
            in_flight as "inFlight", fence, lease_until as "leaseUntil"
     from batch where workspace_id = $1 and priority = $3 and due_at <= $2 and (lease_until is null or lease_until <= $2)
     order by due_at, id limit 1 for update skip locked`,
    [tx.workspaceId, now, priority],
  );
  return rows[0];
}

/** Small batches taken into one at a time: bounds what one look can cost. */
const mostAbsorbed = 64;

/**
 * Moves the messages of other free batches of the same plan into this locked one, at most `room` of them; answers which.
 * Batches that somebody else is at are passed over, so that nobody waits in a circle.
 */
export async function absorbBatches(
  tx: Tx,
  batch: Pick<BatchRow, 'id' | 'planId'>,
  room: number,
  now: Temporal.Instant,
): Promise<string[]> {
  const [row] = await tx.hot<{ added: string[] }>(
    `with near as (
       select b.id, b.size from batch b where b.workspace_id = $1 and b.plan_id = $3 and b.id <> $2 and b.begun = 0
         and b.lease_until is null and b.due_at <= $4 limit ${mostAbsorbed} for update skip locked
     ), fitting as (
       select n.id from (select id, sum(size) over (order by id) as sum from near) n where n.sum <= $5
     ), gone as (
       delete from batch b using fitting f where b.workspace_id = $1 and b.id = f.id returning b.id, b.message_ids
     ), added as (
       select array(select unnest(g.message_ids) from (select message_ids from gone order by id) g) as ids
     )
     update batch b set message_ids = b.message_ids || a.ids, size = b.size + cardinality(a.ids) from added a
     where b.workspace_id = $1 and b.id = $2 and cardinality(a.ids) > 0 returning a.ids as added`,
    [tx.workspaceId, batch.id, batch.planId, now, room],
  );
  return row?.added ?? [];
}

/** Leaves these messages in a locked batch of which nothing has begun. */
export async function cutBatch(tx: Tx, id: string, messageIds: readonly string[]): Promise<void> {
  await tx.hot(
    'update batch set message_ids = $3::uuid[], size = $4 where workspace_id = $1 and id = $2 and begun = 0 returning id',
    [tx.workspaceId, id, messageIds, messageIds.length],
  );
}

/** Takes the lease under a new fence: whoever held it before can no longer settle. */
export async function leaseBatch(tx: Tx, id: string, worker: string, until: Temporal.Instant): Promise<number> {
  const [row] = await tx.hot<{ fence: number }>(
    `update batch set fence = fence + 1, lease_until = $4, worker = $3, in_flight = '{}' where workspace_id = $1 and id = $2 returning fence`,
    [tx.workspaceId, id, worker, until],
  );
  if (row === undefined) throw new Error('the batch that was locked is gone');
  return row.fence;
}

/** Moves the window: which messages may have reached the wire from now on. Locked by `lockWindow` before. */
const moveWindow = `update batch set begun = $4, in_flight = $5::uuid[], lease_until = $6
  where workspace_id = $1 and id = $2 and fence = $3 returning id`;

export interface WindowMove {
  readonly batchId: string;
  readonly fence: number;
  readonly begun: number;
  readonly inFlight: readonly string[];
  readonly leaseUntil: Temporal.Instant;
}

/**
 * The last statement of a move: the window, and with it the counts of the plan and of the lane, in one round trip. The
 * batch is ours, since it was locked under the same fence in the same transaction.
 */
export async function closeWindow(
  tx: Tx,
  move: WindowMove,
  planId: string,
  shard: number,
  tally: Tally,
): Promise<void> {
  const { counts, lane } = tally;
  await tx.hot(
    `with moved as (${moveWindow}), counted as (${addCounts(7)}), laned as (${addLaneHour(18)}) select id from moved`,
    [
      tx.workspaceId,
      move.batchId,
      move.fence,
      move.begun,
      move.inFlight,
      move.leaseUntil,
      planId,
      shard,
      counts.size > 0,
      ...countColumns.map((column) => counts.get(column) ?? 0),
      ...laneValues(lane, shard),
    ],
  );
}

/**
 * Locks the batch for a move of its window; false when the lease was lost. How its plan stands is read afterwards, by
 * a statement of its own: one that has waited for this lock still sees the plan as it was before the wait.
 */
export async function lockWindow(tx: Tx, id: string, fence: number): Promise<boolean> {
  const rows = await tx.hot('select 1 from batch where workspace_id = $1 and id = $2 and fence = $3 for update', [
    tx.workspaceId,
    id,
    fence,
  ]);
  return rows.length > 0;
}

export async function renewLease(tx: Tx, id: string, fence: number, until: Temporal.Instant): Promise<boolean> {
  const rows = await tx.hot(
    'update batch set lease_until = $4 where workspace_id = $1 and id = $2 and fence = $3 returning id',
    [tx.workspaceId, id, fence, until],
  );
  return rows.length > 0;
}

/** Gives the rest of a batch back; `dueAt` is when somebody may take it up. */
export async function releaseBatch(
  tx: Tx,
  id: string,
  fence: number,
  dueAt: Temporal.Instant | 'infinity',
): Promise<void> {
  await tx.hot(
    `update batch set lease_until = null, worker = null, due_at = $4 where workspace_id = $1 and id = $2 and fence = $3 returning id`,
    [tx.workspaceId, id, fence, dueAt],
  );
}

export async function deleteBatch(tx: Tx, id: string, fence: number): Promise<void> {
  await tx.hot('delete from batch where workspace_id = $1 and id = $2 and fence = $3', [tx.workspaceId, id, fence]);
}

/**
 * Nothing of this channel and priority, or less urgent, can go before `until`: one statement for all its free batches,
 * not one look at each. Those that somebody holds are passed over: he waits for the lane that we have locked, and will
 * find out himself.
 */
export async function postponeChannel(
  tx: Tx,
  channel: string,
  priority: number,
  until: Temporal.Instant,
): Promise<void> {
  await tx.query(
    `update batch b set due_at = $3 from (
       select id from batch where workspace_id = $1 and channel = $2 and priority >= $4 and due_at < $3 and lease_until is null
       for update skip locked) free
     where b.workspace_id = $1 and b.id = free.id`,
    [tx.workspaceId, channel, until, priority],
  );
}

/** A lane was opened by somebody: what was postponed is due now; what is paused stays at infinity. */
export async function hastenChannel(tx: Tx, channel: string, now: Temporal.Instant): Promise<void> {
  await tx.query(hasten(''), [tx.workspaceId, channel, now]);
}

/** The same by whoever holds the lane: what is being claimed is passed over, since that claim waits to look at the lane. */
export async function hastenOthers(tx: Tx, channel: string, now: Temporal.Instant): Promise<void> {
  await tx.query(hasten('skip locked'), [tx.workspaceId, channel, now]);
}

function hasten(locked: string): string {
  return `update batch b set due_at = $3 from (
      select id from batch where workspace_id = $1 and channel = $2 and due_at > $3 and due_at < 'infinity' for update ${locked}) put
    where b.workspace_id = $1 and b.id = put.id`;
}

export interface DueDeferral {
  readonly messageId: string;
  readonly planId: string;
}

/** Takes messages whose time has come off the waiting list. */
export async function takeDeferrals(
  tx: Tx,
  now: Temporal.Instant,
  priority: number,
  most: number,
): Promise<DueDeferral[]> {
  return tx.hot<DueDeferral>(
    `delete from deferral d using (
       select message_id from deferral where workspace_id = $1 and priority = $4 and due_at <= $2
       order by due_at limit $3 for update skip locked
     ) due
     where d.workspace_id = $1 and d.message_id = due.message_id returning d.message_id as "messageId", d.plan_id as "planId"`,
    [tx.workspaceId, now, most, priority],
  );
}

export async function deleteDeferral(tx: Tx, messageId: string): Promise<void> {
  await tx.query('delete from deferral where workspace_id = $1 and message_id = $2', [tx.workspaceId, messageId]);
}

/** More than these are looked at in several goes. */
export const mostTurns = 500;

/** What is due in workspaces behind `after`, a row for each priority. */
export async function dueTurns(tx: Tx, now: Temporal.Instant, after: string): Promise<DueTurn[]> {
  return tx.hot(
    `select workspace_id as "workspaceId", priority, weight, batches, deferrals, fallbacks from parley_due_work($1, $2, ${mostTurns})`,
    [now, after],
  );
}

/** When the next work comes due anywhere; undefined when nothing waits. */
export async function nextDue(tx: Tx, now: Temporal.Instant): Promise<Temporal.Instant | undefined> {
  const [row] = await tx.hot<{ at: Temporal.Instant | null }>(`select nullif(parley_next_due($1), 'infinity') as at`, [
    now,
  ]);
  return row?.at ?? undefined;
}

export interface LaneTally {
  readonly accountId: string;
  readonly at: Temporal.Instant;
  readonly accepted: number;
  readonly failed: number;
  readonly unknown: number;
  readonly lastFailure: string | null;
}

/** What some outcomes add up to. */
export interface Tally {
  readonly counts: ReadonlyMap<CountColumn, number>;
  /** Undefined when no provider was asked. */
  readonly lane: LaneTally | undefined;
}

/** Adds to the account's current hour; parameters from `$n` on: account, time, accepted, failed, unknown, last failure, shard. */
function addLaneHour(n: number): string {
  const [account, at, accepted, failed, unknown, failure, shard] = [0, 1, 2, 3, 4, 5, 6].map((k) => `$${n + k}`);
  return `insert into lane_hour as h (workspace_id, account_id, hour, shard, accepted, failed, unknown, last_accepted_at, last_failure_at, last_failure)
     select $1, ${account}::uuid, date_trunc('hour', ${at}::timestamptz), ${shard}::smallint, ${accepted}::int, ${failed}::int, ${unknown}::int,
       case when ${accepted}::int > 0 then ${at}::timestamptz end, case when ${failure}::text is not null then ${at}::timestamptz end, ${failure}::text
     where ${account}::uuid is not null
     on conflict (workspace_id, account_id, hour, shard) do update set accepted = h.accepted + excluded.accepted, failed = h.failed + excluded.failed,
       unknown = h.unknown + excluded.unknown, last_accepted_at = coalesce(excluded.last_accepted_at, h.last_accepted_at),
       last_failure_at = coalesce(excluded.last_failure_at, h.last_failure_at), last_failure = coalesce(excluded.last_failure, h.last_failure)
     returning 1`;
}

function laneValues(lane: LaneTally | undefined, shard: number): unknown[] {
  if (lane === undefined) return [null, null, 0, 0, 0, null, shard];
  return [lane.accountId, lane.at, lane.accepted, lane.failed, lane.unknown, lane.lastFailure, shard];
}

export interface LaneHealth {
  readonly accepted: number;
  readonly failed: number;
  readonly unknown: number;
  readonly lastAcceptedAt: Temporal.Instant | undefined;
  readonly lastFailureAt: Temporal.Instant | undefined;
  readonly lastFailure: string | undefined;
}

/** This hour and the one before. */
export async function readLaneHealth(tx: Tx, accountId: string, now: Temporal.Instant): Promise<LaneHealth> {
  const [row] = await tx.query<{
    accepted: number;
    failed: number;
    unknown: number;
    acceptedAt: Temporal.Instant | null;
    failureAt: Temporal.Instant | null;
    failure: string | null;
  }>(
    `select coalesce(sum(accepted), 0)::int as accepted, coalesce(sum(failed), 0)::int as failed, coalesce(sum(unknown), 0)::int as unknown,
            max(last_accepted_at) as "acceptedAt", max(last_failure_at) as "failureAt",
            (array_agg(last_failure order by hour desc) filter (where last_failure is not null))[1] as failure
     from lane_hour where workspace_id = $1 and account_id = $2 and hour >= date_trunc('hour', $3::timestamptz) - interval '1 hour'`,
    [tx.workspaceId, accountId, now],
  );
  return {
    accepted: row?.accepted ?? 0,
    failed: row?.failed ?? 0,
    unknown: row?.unknown ?? 0,
    lastAcceptedAt: row?.acceptedAt ?? undefined,
    lastFailureAt: row?.failureAt ?? undefined,
    lastFailure: row?.failure ?? undefined,
  };
}
