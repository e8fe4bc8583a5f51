import type { Tx } from '../platform/db.ts';
import type { FallbackStep } from './fallback.rules.ts';
import type { CountColumn } from './settle.rules.ts';
import { countColumns } from './settle.rules.ts';

/** What a plan says of all its messages. */
export interface PlanRow {
  readonly id: string;
  readonly month: string;
  readonly source: 'campaign' | 'api' | 'test' | 'fallback';
  readonly sourceId: string | null;
  readonly channel: string;
  readonly category: string;
  readonly topicId: string | null;
  readonly templateId: string;
  readonly templateVersion: number;
  readonly sender: SenderOverride;
  readonly priority: number;
  readonly state: 'open' | 'paused' | 'cancelled';
  readonly complete: boolean;
  readonly expiresAt: Temporal.Instant | null;
  /** The next channels for whom this one does not reach. */
  readonly fallback: readonly FallbackStep[];
}

export interface SenderOverride {
  readonly accountId?: string | undefined;
  readonly from?: { readonly address: string; readonly name?: string | undefined } | undefined;
  readonly replyTo?: { readonly address: string; readonly name?: string | undefined } | undefined;
}

const columns = `id, month, source, source_id as "sourceId", channel, category, topic_id as "topicId", template_id as "templateId",
  template_version as "templateVersion", sender, priority, state, complete, expires_at as "expiresAt", fallback`;

export async function insertPlan(
  tx: Tx,
  plan: PlanRow,
  digest: Buffer | null,
  now: Temporal.Instant,
  follows: string | null = null,
): Promise<boolean> {
  const rows = await tx.hot(
    `insert into plan (workspace_id, id, month, source, source_id, digest, channel, category, topic_id, template_id, template_version,
       sender, priority, state, complete, created_at, expires_at, fallback, follows)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) on conflict do nothing returning id`,
    [
      tx.workspaceId,
      plan.id,
      plan.month,
      plan.source,
      plan.sourceId,
      digest,
      plan.channel,
      plan.category,
      plan.topicId,
      plan.templateId,
      plan.templateVersion,
      JSON.stringify(plan.sender),
      plan.priority,
      plan.state,
      plan.complete,
      now,
      plan.expiresAt,
      JSON.stringify(plan.fallback),
      follows,
    ],
  );
  return rows.length > 0;
}

export async function findPlan(tx: Tx, id: string): Promise<PlanRow | undefined> {
  return (
    await tx.hot<PlanRow>(`select ${columns} from plan where workspace_id = $1 and id = $2`, [tx.workspaceId, id])
  )[0];
}

/** By digest, as hexadecimal text. */
export async function findPlansByDigest(
  tx: Tx,
  month: string,
  digests: readonly Buffer[],
): Promise<Map<string, PlanRow>> {
  const rows = await tx.hot<PlanRow & { digest: string }>(
    `select encode(k.digest, 'hex') as digest, p.* from unnest($3::bytea[]) as k (digest)
     cross join lateral (select ${columns} from plan x where x.workspace_id = $1 and x.month = $2 and x.digest = k.digest offset 0) p`,
    [tx.workspaceId, month, digests],
  );
  return new Map(rows.map(({ digest, ...row }) => [digest, row]));
}

/** Also keeps two who finish its last batches at once from missing each other. */
export async function lockPlan(tx: Tx, id: string): Promise<PlanRow | undefined> {
  return (
    await tx.hot<PlanRow>(`select ${columns} from plan where workspace_id = $1 and id = $2 for update`, [
      tx.workspaceId,
      id,
    ])
  )[0];
}

export async function setPlanState(tx: Tx, id: string, state: PlanRow['state']): Promise<void> {
  await tx.query('update plan set state = $3 where workspace_id = $1 and id = $2', [tx.workspaceId, id, state]);
}

export async function setPlanComplete(tx: Tx, id: string): Promise<void> {
  await tx.query('update plan set complete = true where workspace_id = $1 and id = $2', [tx.workspaceId, id]);
}

/**
 * Nothing of the plan is taken up any more, and every batch is locked, so that no window begins meanwhile. One that is
 * leased keeps its time: should its holder die, somebody must come to say what is in doubt.
 */
export async function parkPlan(tx: Tx, id: string): Promise<void> {
  await tx.query(
    `update batch set due_at = case when lease_until is null then 'infinity' else due_at end where workspace_id = $1 and plan_id = $2`,
    [tx.workspaceId, id],
  );
}

/** When the plan's waiting work may be taken up. */
export async function setPlanDue(tx: Tx, id: string, at: Temporal.Instant): Promise<void> {
  await tx.query('update batch set due_at = $3 where workspace_id = $1 and plan_id = $2', [tx.workspaceId, id, at]);
}

/** Held messages of a cancelled plan need not wait for their time. */
export async function hastenDeferrals(tx: Tx, id: string, at: Temporal.Instant): Promise<void> {
  await tx.query('update deferral set due_at = least(due_at, $3) where workspace_id = $1 and plan_id = $2', [
    tx.workspaceId,
    id,
    at,
  ]);
}

export async function planHasWork(tx: Tx, id: string): Promise<boolean> {
  const [row] = await tx.hot<{ work: boolean }>(
    `select exists (select 1 from batch where workspace_id = $1 and plan_id = $2)
         or exists (select 1 from deferral where workspace_id = $1 and plan_id = $2) as work`,
    [tx.workspaceId, id],
  );
  return row?.work ?? false;
}

export interface NewMessage {
  readonly id: string;
  readonly recipientKey: string;
  readonly contactId: string;
  readonly addressId: string | null;
  readonly state: 'planned' | 'held' | 'suppressed';
  readonly reason: string | null;
  readonly notBefore: Temporal.Instant | null;
  readonly variables: Readonly<Record<string, unknown>> | null;
}

/** Writes ledger rows in one statement; answers which are new (the rest had been planned before). In the order given. */
export async function insertMessages(
  tx: Tx,
  plan: PlanRow,
  messages: readonly NewMessage[],
  now: Temporal.Instant,
): Promise<Set<string>> {
  const rows = await tx.hot<{ id: string }>(
    `insert into message (workspace_id, plan_month, id, plan_id, recipient_key, contact_id, address_id, channel, state, reason, not_before, variables, planned_at, settled_at)
     select $1, $2, m.id, $3, m.key, m.contact, m.address, $4, m.state, m.reason, m.not_before, m.variables::jsonb, $5,
            case m.state when 'suppressed' then $5::timestamptz end
     from unnest($6::uuid[], $7::uuid[], $8::uuid[], $9::uuid[], $10::text[], $11::text[], $12::timestamptz[], $13::text[])
       as m (id, key, contact, address, state, reason, not_before, variables)
     on conflict do nothing returning id`,
    [
      tx.workspaceId,
      plan.month,
      plan.id,
      plan.channel,
      now,
      messages.map((one) => one.id),
      messages.map((one) => one.recipientKey),
      messages.map((one) => one.contactId),
      messages.map((one) => one.addressId),
      messages.map((one) => one.state),
      messages.map((one) => one.reason),
      messages.map((one) => one.notBefore),
      messages.map((one) => (one.variables === null ? null : JSON.stringify(one.variables))),
    ],
  );
  return new Set(rows.map((row) => row.id));
}

export async function insertBatch(
  tx: Tx,
  plan: PlanRow,
  id: string,
  messageIds: readonly string[],
  dueAt: Temporal.Instant | 'infinity',
): Promise<void> {
  await tx.hot(
    `insert into batch (workspace_id, id, plan_id, plan_month, channel, priority, message_ids, size, due_at)
     values ($1, $2, $3, $4, $5, $6, $7::uuid[], $8, $9) returning id`,
    [tx.workspaceId, id, plan.id, plan.month, plan.channel, plan.priority, messageIds, messageIds.length, dueAt],
  );
}

export interface Deferral {
  readonly messageId: string;
  readonly dueAt: Temporal.Instant;
}

export async function insertDeferrals(tx: Tx, plan: PlanRow, deferrals: readonly Deferral[]): Promise<void> {
  if (deferrals.length === 0) return;
  await tx.hot(
    `insert into deferral (workspace_id, message_id, plan_month, plan_id, channel, priority, due_at)
     select $1, d.id, $2, $3, $4, $5, d.due from unnest($6::uuid[], $7::timestamptz[]) as d (id, due)
     on conflict (workspace_id, message_id) do update set due_at = excluded.due_at`,
    [
      tx.workspaceId,
      plan.month,
      plan.id,
      plan.channel,
      plan.priority,
      deferrals.map((one) => one.messageId),
      deferrals.map((one) => one.dueAt),
    ],
  );
}

/** Adds to the counts of a plan; parameters from `$n` on: plan, shard, whether there is anything to add, then the columns. */
export function addCounts(n: number): string {
  const places = countColumns.map((_, i) => `$${n + 3 + i}::int`).join(', ');
  const sums = countColumns.map((column) => `${column} = plan_count.${column} + excluded.${column}`).join(', ');
  return `insert into plan_count (workspace_id, plan_id, shard, ${countColumns.join(', ')})
     select $1, $${n}::uuid, $${n + 1}::smallint, ${places} where $${n + 2}::boolean
     on conflict (workspace_id, plan_id, shard) do update set ${sums} returning 1`;
}

/** Moves the counts of a plan by deltas; `shard` keeps workers off each other's row. */
export async function moveCounts(
  tx: Tx,
  planId: string,
  shard: number,
  deltas: ReadonlyMap<CountColumn, number>,
): Promise<void> {
  if (deltas.size === 0) return;
  const values = countColumns.map((column) => deltas.get(column) ?? 0);
  await tx.hot(addCounts(2), [tx.workspaceId, planId, shard, true, ...values]);
}

export interface ReasonDelta {
  readonly state: string;
  readonly reason: string;
  readonly delta: number;
}

/** Rows are written in one order by everybody, so that two workers never wait for each other in a circle. */
export async function moveReasons(
  tx: Tx,
  planId: string,
  shard: number,
  deltas: readonly ReasonDelta[],
): Promise<void> {
  if (deltas.length === 0) return;
  const sorted = [...deltas].sort((a, b) => (`${a.state} ${a.reason}` < `${b.state} ${b.reason}` ? -1 : 1));
  await tx.hot(
    `insert into plan_reason_count (workspace_id, plan_id, shard, state, reason, count)
     select $1, $2, $6, r.state, r.reason, r.delta from unnest($3::text[], $4::text[], $5::int[]) as r (state, reason, delta)
     on conflict (workspace_id, plan_id, shard, state, reason) do update set count = plan_reason_count.count + excluded.count`,
    [
      tx.workspaceId,
      planId,
      sorted.map((one) => one.state),
      sorted.map((one) => one.reason),
      sorted.map((one) => one.delta),
      shard,
    ],
  );
}

export type PlanCounts = Record<
  | CountColumn
  | 'delivered'
  | 'bounced'
  | 'complained'
  | 'opened'
  | 'clicked'
  | 'unsubscribed'
  | 'machineOpened'
  | 'inFlight',
  number
>;

/** All counts of some plans in one statement, hence of one moment: they add up at every poll. */
export async function readCounts(tx: Tx, planIds: readonly string[]): Promise<Map<string, PlanCounts>> {
  const sum = (column: string, name = column) => `coalesce(sum(c.${column}), 0)::int as "${name}"`;
  const rows = await tx.hot<PlanCounts & { id: string }>(
    `select p.id, ${[...countColumns, 'delivered', 'bounced', 'complained', 'opened', 'clicked', 'unsubscribed'].map((one) => sum(one)).join(', ')},
       ${sum('machine_opened', 'machineOpened')},
       (select coalesce(sum(cardinality(b.in_flight)), 0)::int from batch b where b.workspace_id = $1 and b.plan_id = p.id) as "inFlight"
     from unnest($2::uuid[]) as p (id) left join plan_count c on c.workspace_id = $1 and c.plan_id = p.id
     group by p.id`,
    [tx.workspaceId, planIds],
  );
  return new Map(rows.map(({ id, ...counts }) => [id, counts]));
}

export async function readReasons(tx: Tx, planId: string): Promise<{ state: string; reason: string; count: number }[]> {
  return tx.query(
    `select state, reason, sum(count)::int as count from plan_reason_count where workspace_id = $1 and plan_id = $2
     group by state, reason having sum(count) > 0 order by state, 3 desc`,
    [tx.workspaceId, planId],
  );
}
