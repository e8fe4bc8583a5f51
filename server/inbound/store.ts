import type { Tx } from '../platform/db.ts';

/** What a link of a message leads to. */
export interface MessageFacts {
  readonly id: string;
  readonly contactId: string;
  /** Null once the address is gone. */
  readonly addressId: string | null;
  readonly erased: boolean;
  readonly channel: string;
  readonly planId: string;
  readonly campaignId: string | null;
  readonly topicId: string | null;
  readonly templateId: string;
  readonly templateVersion: number;
  readonly variables: Readonly<Record<string, unknown>> | null;
  readonly locale: string | null;
  readonly handedOverAt: Temporal.Instant | null;
}

/** A plan's month is fixed when it starts; its messages are made then or, after a long pause, some months later. */
const likelyMonths = [0, 1];
const possibleMonths = [2, 3, 4, 5, 6];

/** The first days of the months so many months before the time in an id (UUIDv7). */
function monthsBefore(messageId: string, backs: readonly number[]): string[] {
  const ms = Number.parseInt(messageId.replaceAll('-', '').slice(0, 12), 16);
  const made = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO('UTC').toPlainDate().with({ day: 1 });
  return backs.map((months) => made.subtract({ months }).toString());
}

// The primary key leads with the month: without it, every message of the workspace would be read. One look-up a month, so that
// only that partition is touched (an array of months is not pruned by in a prepared plan).
const messagesText = `
  select m.id, m.contact_id as "contactId", a.id as "addressId", c.erased_at is not null as erased, m.channel,
    m.plan_id as "planId", case p.source when 'campaign' then p.source_id end as "campaignId", p.topic_id as "topicId",
    p.template_id as "templateId", p.template_version as "templateVersion", m.variables, c.locale, m.settled_at as "handedOverAt"
  from unnest($2::uuid[]) as k (id) cross join unnest($3::date[]) as t (month)
  cross join lateral (select * from message x where x.workspace_id = $1 and x.plan_month = t.month and x.id = k.id offset 0) m
  cross join lateral (select * from plan x where x.workspace_id = $1 and x.id = m.plan_id offset 0) p
  cross join lateral (select * from contact x where x.workspace_id = $1 and x.id = m.contact_id offset 0) c
  left join lateral (select x.id from address x where x.workspace_id = $1 and x.id = m.address_id offset 0) a on true`;

async function readIn(tx: Tx, ids: readonly string[], backs: readonly number[]): Promise<MessageFacts[]> {
  const months = [...new Set(ids.flatMap((id) => monthsBefore(id, backs)))];
  return tx.hot<MessageFacts>(messagesText, [tx.workspaceId, ids, months]);
}

export async function readMessages(tx: Tx, ids: readonly string[]): Promise<Map<string, MessageFacts>> {
  const found = new Map((await readIn(tx, ids, likelyMonths)).map((row) => [row.id, row]));
  const missing = ids.filter((id) => !found.has(id));
  if (missing.length > 0) for (const row of await readIn(tx, missing, possibleMonths)) found.set(row.id, row);
  return found;
}

export async function readWorkspaceName(tx: Tx): Promise<string> {
  const [row] = await tx.query<{ name: string }>('select name from workspace where id = $1', [tx.workspaceId]);
  return row?.name ?? '';
}
