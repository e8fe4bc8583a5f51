import type { Tx } from '../platform/db.ts';
import type { PlanRow } from './plan.store.ts';
import { addressOrder } from './recipients.store.ts';

export async function insertChecks(
  tx: Tx,
  plan: PlanRow,
  messageIds: readonly string[],
  dueAt: Temporal.Instant,
): Promise<void> {
  if (messageIds.length === 0) return;
  await tx.hot(
    `insert into fallback_check (workspace_id, message_id, plan_month, plan_id, priority, due_at)
     select $1, m.id, $2, $3, $4, $5 from unnest($6::uuid[]) as m (id) on conflict (workspace_id, message_id) do nothing returning 1`,
    [tx.workspaceId, plan.month, plan.id, plan.priority, dueAt, messageIds],
  );
}

/** Takes messages whose time to arrive is over off the list; in the transaction that goes on with them. */
export async function takeChecks(
  tx: Tx,
  now: Temporal.Instant,
  priority: number,
  most: number,
): Promise<{ messageId: string; planId: string }[]> {
  return tx.hot(
    `delete from fallback_check f using (
       select message_id from fallback_check where workspace_id = $1 and priority = $3 and due_at <= $2
       order by due_at limit $4 for update skip locked
     ) due
     where f.workspace_id = $1 and f.message_id = due.message_id returning f.message_id as "messageId", f.plan_id as "planId"`,
    [tx.workspaceId, now, priority, most],
  );
}

export interface LateRow {
  readonly messageId: string;
  readonly contactId: string;
  readonly state: string;
  readonly isRead: boolean;
  readonly variables: Readonly<Record<string, unknown>> | null;
  /** Where the next channel would reach the contact, with consent if it needs some; null when it cannot. */
  readonly addressId: string | null;
}

export interface NextChannel {
  readonly channel: string;
  /** Kind of its addresses; null: any. */
  readonly kind: string | null;
  readonly topicId: string | null;
  readonly needsConsent: boolean;
}

/** How some messages stand, and where their people could be reached next. */
export async function readLate(
  tx: Tx,
  month: string,
  messageIds: readonly string[],
  next: NextChannel,
): Promise<LateRow[]> {
  return tx.hot<LateRow>(
    `select m.id as "messageId", m.contact_id as "contactId", m.state, m.variables, a.id as "addressId",
            (e.opened_at is not null or e.clicked_at is not null) as "isRead"
     from unnest($3::uuid[]) with ordinality as k (id, place)
     cross join lateral (select * from message x where x.workspace_id = $1 and x.plan_month = $2 and x.id = k.id offset 0) m
     left join lateral (select * from engagement x where x.workspace_id = $1 and x.plan_month = $2 and x.message_id = m.id offset 0) e on true
     left join lateral (
       select x.id from address x where x.contact_id = m.contact_id and x.workspace_id = $1 and x.state = 'ok' and ($5::text is null or x.kind = $5)
         and (not $7::boolean or exists (select 1 from consent t where t.workspace_id = $1 and t.address_id = x.id and t.channel = $4
           and t.topic_id = $6 and t.state = 'granted'))
       order by ${addressOrder} limit 1) a on true
     order by k.place`,
    [tx.workspaceId, month, messageIds, next.channel, next.kind, next.topicId, next.needsConsent],
  );
}

/** The plan that goes on where another does not reach. */
export async function findFollower(tx: Tx, planId: string): Promise<string | undefined> {
  const [row] = await tx.hot<{ id: string }>('select id from plan where workspace_id = $1 and follows = $2', [
    tx.workspaceId,
    planId,
  ]);
  return row?.id;
}
