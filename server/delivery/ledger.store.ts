import type { Tx } from '../platform/db.ts';
import { firstOf, lastInboundOfA } from './needs.ts';
import type { Needs, Reach } from './needs.ts';
import type { Outcome } from './settle.rules.ts';

/** What the gate and the renderer need of one message, read in that moment, one row a message. */
export interface CandidateRow extends Reach {
  readonly id: string;
  readonly state: string;
  readonly attempt: number;
  readonly notBefore: Temporal.Instant | null;
  readonly plannedAt: Temporal.Instant;
  readonly variables: Readonly<Record<string, unknown>> | null;
  readonly contactId: string;
  readonly addressId: string | null;
  readonly externalId: string | null;
  readonly salt: Buffer | null;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly locale: string | null;
  readonly timeZone: string | null;
  readonly country: string | null;
  readonly erasedAt: Temporal.Instant | null;
  readonly addressState: string | null;
  readonly sealed: Buffer | null;
  /** The contact's first phone, and first e-mail address, when they were asked for. */
  readonly phone: Buffer | null;
  readonly email: Buffer | null;
  readonly suppression: string | null;
  readonly consent: string | null;
  readonly planState: 'open' | 'paused' | 'cancelled';
  readonly planExpiresAt: Temporal.Instant | null;
}

/** Suppression and consent of address `a`, for channel and topic; the plan can only go along the keys. */
const guards = `
  left join lateral (select s.reason from suppression s
    where s.workspace_id = $1 and s.kind = a.kind and s.hash_version = a.hash_version and s.hash = a.hash
      and s.channel in ('', $3) order by s.channel limit 1) s on true
  left join lateral (select c.state from consent c
    where c.workspace_id = $1 and c.address_id = a.id and c.channel = $3 and c.topic_id = $4 offset 0) t on true`;

/** One statement for each set of needs, so that what most templates do not need costs them nothing. */
function candidatesSql({ phone = false, email = false, lastInbound = false }: Needs): string {
  return `select m.id, m.state, m.attempt, m.not_before as "notBefore", m.planned_at as "plannedAt", m.variables, m.contact_id as "contactId",
            m.address_id as "addressId", p.external_id as "externalId", p.salt, p.attributes, p.locale, p.time_zone as "timeZone", p.country,
            p.erased_at as "erasedAt", a.state as "addressState", a.sealed, a.line_type as "lineType", a.country as "addressCountry",
            ${phone ? 'f.sealed' : 'null::bytea'} as phone, ${email ? 'e.sealed' : 'null::bytea'} as email,
            ${lastInbound ? 'w.written_at' : 'null::timestamptz'} as "lastInboundAt",
            s.reason as suppression, t.state as consent, q.state as "planState", q.expires_at as "planExpiresAt"
     from unnest($5::uuid[]) with ordinality as k (id, place)
     cross join lateral (select * from message x where x.workspace_id = $1 and x.plan_month = $2 and x.id = k.id offset 0) m
     cross join lateral (select x.state, x.expires_at from plan x where x.workspace_id = $1 and x.id = m.plan_id offset 0) q
     cross join lateral (select * from contact x where x.workspace_id = $1 and x.id = m.contact_id offset 0) p
     left join lateral (select * from address x where x.workspace_id = $1 and x.id = m.address_id and x.contact_id = m.contact_id offset 0) a on true
     ${phone ? firstOf('f', 'phone', 'm.contact_id') : ''}
     ${email ? firstOf('e', 'email', 'm.contact_id') : ''}
     ${lastInbound ? lastInboundOfA : ''}
     ${guards}
     order by k.place`;
}

/** In the order of `ids`. */
export async function readCandidates(
  tx: Tx,
  month: string,
  channel: string,
  topicId: string | null,
  ids: readonly string[],
  needs: Needs = {},
): Promise<CandidateRow[]> {
  return tx.hot<CandidateRow>(candidatesSql(needs), [tx.workspaceId, month, channel, topicId, ids]);
}

/** The platforms (`fcm`, `apns`, `webpush`) that messages go to, by message; one whose address is gone is left out. */
export async function platformsOf(tx: Tx, month: string, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await tx.hot<{ id: string; platform: string | null }>(
    `select k.id, a.line_type as platform from unnest($3::uuid[]) as k (id)
     cross join lateral (select x.address_id from message x where x.workspace_id = $1 and x.plan_month = $2 and x.id = k.id offset 0) m
     cross join lateral (select x.line_type from address x where x.workspace_id = $1 and x.id = m.address_id offset 0) a`,
    [tx.workspaceId, month, ids],
  );
  return new Map(rows.flatMap(({ id, platform }) => (platform === null ? [] : [[id, platform] as const])));
}

export interface Settled {
  readonly id: string;
  readonly outcome: Outcome;
}

/**
 * Writes outcomes in one statement. Only a message that is still planned can be settled; answers which were. Each is
 * looked up by its key and written at its place: joined directly, a plan made while the table grew may go through all
 * of it for each window. One that is changed in between is no longer at its place, and is left to who changed it.
 */
export async function settleMessages(
  tx: Tx,
  month: string,
  accountId: string | null,
  settled: readonly Settled[],
  now: Temporal.Instant,
): Promise<Set<string>> {
  const rows = await tx.hot<{ id: string }>(
    `update message m set state = o.state, reason = o.reason, provider_ref = o.ref, account_id = coalesce($3, m.account_id),
            attempt = m.attempt + o.tried, settled_at = case when o.state in ('planned', 'held') then null else $4::timestamptz end,
            not_before = coalesce(o.due, m.not_before)
     from (select k.*, x.ctid as place
           from unnest($5::uuid[], $6::text[], $7::text[], $8::text[], $9::smallint[], $10::timestamptz[]) as k (id, state, reason, ref, tried, due)
           cross join lateral (select y.ctid from message y where y.workspace_id = $1 and y.plan_month = $2 and y.id = k.id offset 0) x) o
     where m.workspace_id = $1 and m.plan_month = $2 and m.ctid = o.place and m.state = 'planned'
     returning m.id`,
    [
      tx.workspaceId,
      month,
      accountId,
      now,
      settled.map((one) => one.id),
      settled.map((one) => one.outcome.state),
      settled.map((one) => one.outcome.reason),
      settled.map((one) => one.outcome.ref ?? null),
      settled.map((one) => (one.outcome.tried ? 1 : 0)),
      settled.map((one) => one.outcome.dueAt ?? null),
    ],
  );
  return new Set(rows.map((row) => row.id));
}

export interface MovedMessage {
  readonly id: string;
  readonly month: string;
  readonly planId: string;
  readonly contactId: string;
  readonly from: string;
  readonly fromReason: string | null;
}

/** Moves single messages from one of some states to another; answers what they were. Locked by id, in order. */
export async function moveMessages(
  tx: Tx,
  ids: readonly string[],
  from: readonly string[],
  to: string,
  reason: string | null,
  now: Temporal.Instant,
): Promise<MovedMessage[]> {
  return tx.hot<MovedMessage>(
    `with old as (
       select x.plan_month, x.id, x.state, x.reason from unnest($2::uuid[]) as k (id)
       cross join lateral (select * from message y where y.workspace_id = $1 and y.id = k.id offset 0) x
       where x.state = any($3::text[]) order by x.id
     )
     update message m set state = $4, reason = $5, settled_at = case when $4 in ('planned', 'held') then null else $6::timestamptz end
     from old where m.workspace_id = $1 and m.plan_month = old.plan_month and m.id = old.id and m.state = old.state
     returning m.id, m.plan_month as month, m.plan_id as "planId", m.contact_id as "contactId", old.state as "from", old.reason as "fromReason"`,
    [tx.workspaceId, ids, from, to, reason, now],
  );
}

/**
 * Locks the batch a message waits in, so that its window cannot move meanwhile; answers whether the message is inside
 * the window (then it can no longer be taken back). False as well when it waits in no batch.
 */
export async function lockBatchOf(tx: Tx, planId: string, messageId: string): Promise<{ inFlight: boolean }> {
  const look = () =>
    tx.query<{ inFlight: boolean }>(
      `select $3 = any(in_flight) as "inFlight" from batch where workspace_id = $1 and plan_id = $2 and $3 = any(message_ids)
       order by begun desc limit 1 for update`,
      [tx.workspaceId, planId, messageId],
    );
  // One that was waited for may be gone into another meanwhile, which only a statement of its own sees.
  const [row] = await look();
  return { inFlight: (row ?? (await look())[0])?.inFlight ?? false };
}
