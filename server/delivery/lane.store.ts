import type { Tx } from '../platform/db.ts';
import type { LaneState } from './breaker.rules.ts';
import type { CountedLimit, Level, Used } from './limit.rules.ts';

export interface LaneRow extends LaneState {
  readonly nextAt: Temporal.Instant;
  readonly coolReason: string | null;
}

const columns =
  'next_at as "nextAt", cool_until as "coolUntil", cool_reason as "coolReason", failures, probe_until as "probeUntil"';

/** Everybody who takes slots, allowances or marks of a lane holds this lock: they take turns. */
export async function lockLane(tx: Tx, accountId: string, now: Temporal.Instant): Promise<LaneRow> {
  await tx.hot(
    'insert into lane (workspace_id, account_id, next_at) values ($1, $2, $3) on conflict do nothing returning account_id',
    [tx.workspaceId, accountId, now],
  );
  const [row] = await tx.hot<LaneRow>(
    `select ${columns} from lane where workspace_id = $1 and account_id = $2 for update`,
    [tx.workspaceId, accountId],
  );
  if (row === undefined) throw new Error('a lane vanished');
  return row;
}

export async function readLanes(tx: Tx): Promise<(LaneRow & { accountId: string })[]> {
  return tx.query(`select account_id as "accountId", ${columns} from lane where workspace_id = $1`, [tx.workspaceId]);
}

export async function setLaneNext(tx: Tx, accountId: string, nextAt: Temporal.Instant): Promise<void> {
  await tx.hot('update lane set next_at = $3 where workspace_id = $1 and account_id = $2', [
    tx.workspaceId,
    accountId,
    nextAt,
  ]);
}

/** Slots that were reserved and not used go back, unless somebody has reserved behind them. */
export async function returnSlots(
  tx: Tx,
  accountId: string,
  reservedUntil: Temporal.Instant,
  usedUntil: Temporal.Instant,
): Promise<void> {
  await tx.hot('update lane set next_at = $4 where workspace_id = $1 and account_id = $2 and next_at = $3', [
    tx.workspaceId,
    accountId,
    reservedUntil,
    usedUntil,
  ]);
}

export async function coolLane(tx: Tx, accountId: string, until: Temporal.Instant, reason: string): Promise<void> {
  await tx.hot(
    `update lane set cool_until = greatest(cool_until, $3), cool_reason = $4, failures = failures + 1, probe_until = null
     where workspace_id = $1 and account_id = $2`,
    [tx.workspaceId, accountId, until, reason],
  );
}

/** It works again. */
export async function warmLane(tx: Tx, accountId: string): Promise<void> {
  await tx.hot(
    `update lane set cool_until = null, cool_reason = null, failures = 0, probe_until = null
     where workspace_id = $1 and account_id = $2 and failures > 0`,
    [tx.workspaceId, accountId],
  );
}

/** Until when one message tries the lane; null: it found nothing out, the next may try. */
export async function setProbe(tx: Tx, accountId: string, until: Temporal.Instant | null): Promise<void> {
  await tx.hot('update lane set probe_until = $3 where workspace_id = $1 and account_id = $2 and failures > 0', [
    tx.workspaceId,
    accountId,
    until,
  ]);
}

const usedColumns = `coalesce(sum(m.used) filter (where m.minute > $2::timestamptz - interval '61 minutes'), 0)::int as hour,
  coalesce(sum(m.used), 0)::int as day, min(m.minute) filter (where m.minute > $2::timestamptz - interval '61 minutes' and m.used > 0) as "hourSince",
  min(m.minute) filter (where m.used > 0) as "daySince"`;
const usedMinutes = `m.minute > $2::timestamptz - interval '1441 minutes'`;
const leased = (account: string) =>
  `(select coalesce(sum(l.tokens), 0)::int from lane_lease l where l.workspace_id = $1 and l.account_id = ${account}) as leased`;

/** A minute counts until a minute after its period: what it counts may have happened at its end. */
export async function readUsed(tx: Tx, accountId: string, now: Temporal.Instant): Promise<Used> {
  const [row] = await tx.hot<Used>(
    `select ${usedColumns}, ${leased('$3')} from lane_minute m where m.workspace_id = $1 and m.account_id = $3 and ${usedMinutes}`,
    [tx.workspaceId, now, accountId],
  );
  if (row === undefined) throw new Error('an aggregate without a row');
  return row;
}

export async function readAllUsed(tx: Tx, now: Temporal.Instant): Promise<Map<string, Used>> {
  const rows = await tx.query<Used & { accountId: string }>(
    `select a.account_id as "accountId", ${usedColumns}, ${leased('a.account_id')}
     from lane a left join lane_minute m on m.workspace_id = $1 and m.account_id = a.account_id and ${usedMinutes}
     where a.workspace_id = $1 group by a.account_id`,
    [tx.workspaceId, now],
  );
  return new Map(rows.map(({ accountId, ...used }) => [accountId, used]));
}

export interface Lease {
  readonly batchId: string;
  readonly accountId: string;
  /** Where the batch stands. */
  readonly position: number;
  readonly tokens: number;
}

export async function insertLease(tx: Tx, { batchId, accountId, position, tokens }: Lease): Promise<void> {
  await tx.hot(
    `insert into lane_lease (workspace_id, batch_id, account_id, position, tokens) values ($1, $2, $3, $4, $5)
     on conflict (workspace_id, batch_id) do update set account_id = excluded.account_id, position = excluded.position, tokens = excluded.tokens
     returning batch_id`,
    [tx.workspaceId, batchId, accountId, position, tokens],
  );
}

/**
 * The end of a lease: what was used counts from now on, the rest is free again. `begun` instead of `used` when whoever
 * held it can no longer say: at most that many positions of the batch can have left.
 */
export async function endLease(
  tx: Tx,
  batchId: string,
  end: { readonly used: number } | { readonly begun: number },
  now: Temporal.Instant,
): Promise<void> {
  const [used, begun] = 'used' in end ? [end.used, null] : [null, end.begun];
  await tx.hot(
    `with ended as (
       delete from lane_lease where workspace_id = $1 and batch_id = $2 returning account_id, least(tokens, coalesce($3::int, $4::int - position)) as used
     ), old as (
       delete from lane_minute m using ended e where m.workspace_id = $1 and m.account_id = e.account_id and m.minute < $5::timestamptz - interval '25 hours'
     )
     insert into lane_minute as m (workspace_id, account_id, minute, used)
     select $1, account_id, date_trunc('minute', $5::timestamptz), used from ended where used > 0
     on conflict (workspace_id, account_id, minute) do update set used = m.used + excluded.used returning 1`,
    [tx.workspaceId, batchId, used, begun, now],
  );
}

/** Notes that a limit is near or reached; answers the ones that had not been told of within their period. */
export async function noteAlerts(
  tx: Tx,
  accountId: string,
  alerts: readonly { kind: string; level: Level; seconds: number }[],
  now: Temporal.Instant,
): Promise<{ kind: string; level: Level }[]> {
  return tx.hot(
    `insert into lane_alert as l (workspace_id, account_id, kind, level, at)
     select $1, $2, a.kind, a.level, $3 from unnest($4::text[], $5::text[]) as a (kind, level)
     on conflict (workspace_id, account_id, kind, level) do update set at = excluded.at
     where l.at <= excluded.at - case excluded.kind when 'hour' then interval '1 hour' else interval '1 day' end
     returning kind, level`,
    [tx.workspaceId, accountId, now, alerts.map((one) => one.kind), alerts.map((one) => one.level)],
  );
}

export interface AlertRow {
  readonly accountId: string;
  readonly kind: CountedLimit['kind'];
  readonly level: Level;
  readonly at: Temporal.Instant;
}

/** Those of the running hour or day. */
export async function readAlerts(tx: Tx, now: Temporal.Instant): Promise<AlertRow[]> {
  return tx.query<AlertRow>(
    `select account_id as "accountId", kind, level, at from lane_alert where workspace_id = $1
       and at > $2::timestamptz - case kind when 'hour' then interval '1 hour' else interval '1 day' end
     order by account_id, at`,
    [tx.workspaceId, now],
  );
}

export interface KeyRow {
  readonly key: string;
  readonly nextAt: Temporal.Instant;
  readonly tailAt: Temporal.Instant;
}

export async function readKeys(tx: Tx, accountId: string, keys: readonly string[]): Promise<Map<string, KeyRow>> {
  const rows = await tx.hot<KeyRow>(
    `select x.key, x.next_at as "nextAt", x.tail_at as "tailAt" from unnest($3::text[]) as k (key)
     cross join lateral (select * from lane_key y where y.workspace_id = $1 and y.account_id = $2 and y.key = k.key offset 0) x`,
    [tx.workspaceId, accountId, keys],
  );
  return new Map(rows.map((row) => [row.key, row]));
}

export async function writeKeys(tx: Tx, accountId: string, rows: readonly KeyRow[]): Promise<void> {
  await tx.hot(
    `insert into lane_key (workspace_id, account_id, key, next_at, tail_at)
     select $1, $2, k.key, k.next, k.tail from unnest($3::text[], $4::timestamptz[], $5::timestamptz[]) as k (key, next, tail)
     on conflict (workspace_id, account_id, key) do update set next_at = excluded.next_at, tail_at = excluded.tail_at returning 1`,
    [
      tx.workspaceId,
      accountId,
      rows.map((row) => row.key),
      rows.map((row) => row.nextAt),
      rows.map((row) => row.tailAt),
    ],
  );
}

/** Marks count a minute longer than a day: a marked message may leave that much later. */
export const markedSeconds = 86_400 + 60;

export interface RecentRow {
  readonly contactId: string;
  readonly messageId: string;
  readonly at: Temporal.Instant;
}

/** What some people got, or are about to get, through one account since a moment. */
export async function readRecent(
  tx: Tx,
  accountId: string,
  contactIds: readonly string[],
  since: Temporal.Instant,
): Promise<RecentRow[]> {
  return tx.hot<RecentRow>(
    `select k.id as "contactId", m.id as "messageId", max(m.at) as at from (select distinct id from unnest($3::uuid[]) as u (id)) k
     cross join lateral (
       select x.id, x.settled_at as at from message x
       where x.workspace_id = $1 and x.contact_id = k.id and x.account_id = $2 and x.settled_at > $4
         and x.state in ('accepted', 'delivered', 'bounced', 'complained', 'unknown')
       union all
       select r.message_id, r.at from recipient_mark r where r.workspace_id = $1 and r.account_id = $2 and r.contact_id = k.id and r.at > $4
       offset 0) m
     group by k.id, m.id`,
    [tx.workspaceId, accountId, contactIds, since],
  );
}

export interface Mark {
  readonly contactId: string;
  readonly messageId: string;
}

export async function writeMarks(
  tx: Tx,
  accountId: string,
  marks: readonly Mark[],
  now: Temporal.Instant,
): Promise<void> {
  await tx.hot(
    `with old as (delete from recipient_mark r using unnest($3::uuid[]) as k (id)
       where r.workspace_id = $1 and r.account_id = $2 and r.contact_id = k.id and r.at < $5::timestamptz - interval '25 hours')
     insert into recipient_mark (workspace_id, account_id, contact_id, message_id, at)
     select $1, $2, m.contact, m.message, $5 from unnest($3::uuid[], $4::uuid[]) as m (contact, message)
     on conflict (workspace_id, account_id, contact_id, message_id) do update set at = excluded.at returning 1`,
    [tx.workspaceId, accountId, marks.map((one) => one.contactId), marks.map((one) => one.messageId), now],
  );
}

/** They did not leave after all. */
export async function removeMarks(tx: Tx, accountId: string, marks: readonly Mark[]): Promise<void> {
  await tx.hot(
    `delete from recipient_mark r using unnest($3::uuid[], $4::uuid[]) as m (contact, message)
     where r.workspace_id = $1 and r.account_id = $2 and r.contact_id = m.contact and r.message_id = m.message`,
    [tx.workspaceId, accountId, marks.map((one) => one.contactId), marks.map((one) => one.messageId)],
  );
}
