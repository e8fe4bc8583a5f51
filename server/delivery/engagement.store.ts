import type { Tx } from '../platform/db.ts';

/** What a person (or a machine) did with a message; told by the inbound slice through the event log. */
export interface Hit {
  readonly messageId: string;
  readonly kind: 'opened' | 'clicked' | 'unsubscribed' | 'machine-opened';
  readonly at: Temporal.Instant;
}

interface Known {
  readonly id: string;
  readonly month: string;
  readonly planId: string;
  readonly openedAt: Temporal.Instant | null;
  readonly clickedAt: Temporal.Instant | null;
  readonly unsubscribedAt: Temporal.Instant | null;
  readonly machineOpenedAt: Temporal.Instant | null;
}

interface Sums {
  opened: Temporal.Instant | null;
  clicked: Temporal.Instant | null;
  unsubscribed: Temporal.Instant | null;
  machineOpened: Temporal.Instant | null;
  opens: number;
  clicks: number;
}

/**
 * Folds hits into one row a message and the counts of its plan, where every message counts once however often it was
 * opened. Runs in the consumer's transaction, one at a time per workspace; hits on unknown messages are left out.
 */
export async function applyEngagement(tx: Tx, hits: readonly Hit[]): Promise<void> {
  const sums = sumUp(hits);
  const known = await readKnown(tx, [...sums.keys()]);
  if (known.length === 0) return;
  await upsert(tx, known, sums);
  const deltas = new Map<string, Record<'opened' | 'clicked' | 'unsubscribed' | 'machineOpened', number>>();
  for (const message of known) {
    const sum = sums.get(message.id);
    if (sum === undefined) continue;
    const delta = deltas.get(message.planId) ?? { opened: 0, clicked: 0, unsubscribed: 0, machineOpened: 0 };
    if (sum.opened !== null && message.openedAt === null) delta.opened += 1;
    if (sum.clicked !== null && message.clickedAt === null) delta.clicked += 1;
    if (sum.unsubscribed !== null && message.unsubscribedAt === null) delta.unsubscribed += 1;
    if (sum.machineOpened !== null && message.machineOpenedAt === null) delta.machineOpened += 1;
    deltas.set(message.planId, delta);
  }
  for (const [planId, delta] of [...deltas].sort(([a], [b]) => (a < b ? -1 : 1)))
    await tx.hot(
      `insert into plan_count (workspace_id, plan_id, shard, opened, clicked, unsubscribed, machine_opened) values ($1, $2, $3, $4, $5, $6, $7)
       on conflict (workspace_id, plan_id, shard) do update set opened = plan_count.opened + excluded.opened, clicked = plan_count.clicked + excluded.clicked,
         unsubscribed = plan_count.unsubscribed + excluded.unsubscribed, machine_opened = plan_count.machine_opened + excluded.machine_opened`,
      [tx.workspaceId, planId, engagementShard, delta.opened, delta.clicked, delta.unsubscribed, delta.machineOpened],
    );
}

/** A row of its own, so that readers of mail and senders of mail never wait for each other. */
const engagementShard = 100;

function sumUp(hits: readonly Hit[]): Map<string, Sums> {
  const sums = new Map<string, Sums>();
  for (const hit of hits) {
    const sum = sums.get(hit.messageId) ?? {
      opened: null,
      clicked: null,
      unsubscribed: null,
      machineOpened: null,
      opens: 0,
      clicks: 0,
    };
    if (hit.kind === 'opened') {
      sum.opened ??= hit.at;
      sum.opens += 1;
    } else if (hit.kind === 'clicked') {
      sum.clicked ??= hit.at;
      sum.clicks += 1;
    } else if (hit.kind === 'unsubscribed') sum.unsubscribed ??= hit.at;
    else sum.machineOpened ??= hit.at;
    sums.set(hit.messageId, sum);
  }
  return sums;
}

async function readKnown(tx: Tx, ids: readonly string[]): Promise<Known[]> {
  return tx.hot<Known>(
    `select m.id, m.plan_month as month, m.plan_id as "planId", e.opened_at as "openedAt", e.clicked_at as "clickedAt",
            e.unsubscribed_at as "unsubscribedAt", e.machine_opened_at as "machineOpenedAt"
     from unnest($2::uuid[]) as k (id)
     cross join lateral (select x.id, x.plan_month, x.plan_id from message x where x.workspace_id = $1 and x.id = k.id offset 0) m
     left join lateral (select * from engagement x where x.workspace_id = $1 and x.plan_month = m.plan_month and x.message_id = m.id offset 0) e on true`,
    [tx.workspaceId, ids],
  );
}

async function upsert(tx: Tx, known: readonly Known[], sums: ReadonlyMap<string, Sums>): Promise<void> {
  const of = <T>(read: (sum: Sums) => T) =>
    known.map((one) => {
      const sum = sums.get(one.id);
      if (sum === undefined) throw new Error('a message without its hits');
      return read(sum);
    });
  await tx.hot(
    `insert into engagement (workspace_id, plan_month, message_id, plan_id, opened_at, clicked_at, unsubscribed_at, machine_opened_at, opens, clicks)
     select $1, h.month, h.id, h.plan, h.opened, h.clicked, h.unsubscribed, h.machine, h.opens, h.clicks
     from unnest($2::date[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[], $8::timestamptz[], $9::int[], $10::int[])
       as h (month, id, plan, opened, clicked, unsubscribed, machine, opens, clicks)
     on conflict (workspace_id, plan_month, message_id) do update set
       opened_at = coalesce(engagement.opened_at, excluded.opened_at), clicked_at = coalesce(engagement.clicked_at, excluded.clicked_at),
       unsubscribed_at = coalesce(engagement.unsubscribed_at, excluded.unsubscribed_at),
       machine_opened_at = coalesce(engagement.machine_opened_at, excluded.machine_opened_at),
       opens = engagement.opens + excluded.opens, clicks = engagement.clicks + excluded.clicks`,
    [
      tx.workspaceId,
      known.map((one) => one.month),
      known.map((one) => one.id),
      known.map((one) => one.planId),
      of((sum) => sum.opened),
      of((sum) => sum.clicked),
      of((sum) => sum.unsubscribed),
      of((sum) => sum.machineOpened),
      of((sum) => sum.opens),
      of((sum) => sum.clicks),
    ],
  );
}
