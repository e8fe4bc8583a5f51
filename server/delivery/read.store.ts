import type { Tx } from '../platform/db.ts';

export interface MessageRow {
  readonly id: string;
  readonly month: string;
  readonly planId: string;
  readonly state: string;
  readonly sending: boolean;
  readonly channel: string;
  readonly reason: string | null;
  readonly attempt: number;
  readonly contactId: string;
  readonly templateId: string;
  readonly templateName: string;
  readonly templateVersion: number;
  readonly campaignId: string | null;
  readonly campaignName: string | null;
  readonly topic: string | null;
  readonly category: string;
  readonly accountId: string | null;
  readonly providerRef: string | null;
  readonly notBefore: Temporal.Instant | null;
  readonly plannedAt: Temporal.Instant;
  readonly settledAt: Temporal.Instant | null;
  readonly opens: number;
  readonly clicks: number;
  readonly kind: string | null;
  readonly sealed: Buffer | null;
  readonly salt: Buffer | null;
  readonly country: string | null;
}

const columns = `m.id, m.plan_month as month, m.plan_id as "planId", m.state, m.channel, m.reason, m.attempt, m.contact_id as "contactId",
  p.template_id as "templateId", t.name as "templateName", p.template_version as "templateVersion",
  case p.source when 'campaign' then p.source_id end as "campaignId", null::text as "campaignName", x.key as topic, p.category, m.account_id as "accountId", m.provider_ref as "providerRef",
  m.not_before as "notBefore", m.planned_at as "plannedAt", m.settled_at as "settledAt", coalesce(e.opens, 0) as opens, coalesce(e.clicks, 0) as clicks,
  a.kind, a.sealed, c.salt, a.country,
  exists (select 1 from batch b where b.workspace_id = m.workspace_id and b.plan_id = m.plan_id and m.id = any(b.in_flight)) as sending`;

const joins = `
  join plan p on p.workspace_id = m.workspace_id and p.id = m.plan_id
  join template t on t.workspace_id = m.workspace_id and t.id = p.template_id
  join contact c on c.workspace_id = m.workspace_id and c.id = m.contact_id
  left join topic x on x.workspace_id = m.workspace_id and x.id = p.topic_id
  left join address a on a.workspace_id = m.workspace_id and a.id = m.address_id
  left join engagement e on e.workspace_id = m.workspace_id and e.plan_month = m.plan_month and e.message_id = m.id`;

/** By id; one that is not there is left out. */
export async function messagesById(tx: Tx, ids: readonly string[]): Promise<ReadonlyMap<string, MessageRow>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.query<MessageRow>(
    `select ${columns} from (
       select l.* from unnest($2::uuid[]) as k (id) cross join lateral (select * from message x where x.workspace_id = $1 and x.id = k.id offset 0) l
     ) m ${joins}`,
    [tx.workspaceId, ids],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

export async function findMessage(tx: Tx, id: string): Promise<MessageRow | undefined> {
  const rows = await tx.query<MessageRow>(
    `select ${columns} from (select * from message where workspace_id = $1 and id = $2) m ${joins}`,
    [tx.workspaceId, id],
  );
  return rows[0];
}

/** How many messages wait, by channel. */
export async function waitingByChannel(tx: Tx): Promise<Map<string, number>> {
  const rows = await tx.query<{ channel: string; count: number }>(
    'select channel, sum(size - begun)::int as count from batch where workspace_id = $1 group by channel',
    [tx.workspaceId],
  );
  return new Map(rows.map((row) => [row.channel, row.count]));
}

/** What waits on a plan's channel with its urgency or more, and when the plan was made. */
export async function waitingBefore(
  tx: Tx,
  { id, channel, priority }: { id: string; channel: string; priority: number },
): Promise<{ count: number; plannedAt: Temporal.Instant }> {
  const [row] = await tx.query<{ count: number; plannedAt: Temporal.Instant }>(
    `select p.created_at as "plannedAt", (select coalesce(sum(b.size - b.begun), 0)::int from batch b
       where b.workspace_id = $1 and b.channel = $3 and b.priority <= $4 and b.due_at < 'infinity') as count
     from plan p where p.workspace_id = $1 and p.id = $2`,
    [tx.workspaceId, id, channel, priority],
  );
  if (row === undefined) throw new Error('the plan is gone');
  return row;
}
