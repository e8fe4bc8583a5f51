import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { nowhere } from './order.rules.ts';
import type { Position } from './order.rules.ts';

/** What a slice announces. `data` holds ids, counts and codes; never an address or a name. */
export interface EventDraft {
  readonly kind: string;
  readonly occurredAt: Temporal.Instant;
  readonly contactId?: string | undefined;
  readonly messageId?: string | undefined;
  readonly campaignId?: string | undefined;
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}

export interface LoggedEvent {
  readonly id: string;
  readonly kind: string;
  readonly occurredAt: Temporal.Instant;
  readonly recordedAt: Temporal.Instant;
  readonly contactId: string | null;
  readonly messageId: string | null;
  readonly campaignId: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

const columns = `id, kind, occurred_at as "occurredAt", recorded_at as "recordedAt",
  contact_id as "contactId", message_id as "messageId", campaign_id as "campaignId", data`;

const appendText = `
  insert into event (workspace_id, recorded_at, id, epoch, xid, kind, occurred_at, contact_id, message_id, campaign_id, data)
  select $1, $2, e.id, (select epoch from event_epoch), $3, e.kind, e.at, e.contact, e.message, e.campaign, e.data::jsonb
  from unnest($4::uuid[], $5::text[], $6::timestamptz[], $7::uuid[], $8::uuid[], $9::uuid[], $10::text[])
    as e (id, kind, at, contact, message, campaign, data)
  on conflict do nothing`;

/** Writes all of them in one statement, in the order given. */
export async function appendEvents(tx: Tx, clock: Clock, drafts: readonly EventDraft[]): Promise<void> {
  if (tx.xid === 0) throw new Error('events are appended in a writing transaction only');
  await tx.hot(appendText, [
    tx.workspaceId,
    clock.now(),
    tx.xid,
    drafts.map(() => newId(clock)),
    drafts.map((draft) => draft.kind),
    drafts.map((draft) => draft.occurredAt),
    drafts.map((draft) => draft.contactId ?? null),
    drafts.map((draft) => draft.messageId ?? null),
    drafts.map((draft) => draft.campaignId ?? null),
    drafts.map((draft) => JSON.stringify(draft.data ?? {})),
  ]);
}

// Whatever the statistics say: a page in the order of the index. A sort would read everything unread for each page.
const indexOnly = ['enable_sort', 'enable_bitmapscan', 'enable_seqscan'];
export const pinPlans = indexOnly.map((setting) => `set_config('${setting}', 'off', true)`).join(', ');
const unpinPlans = indexOnly.map((setting) => `set local ${setting} = on`).join('; ');

/** Takes the consumer's place in the log for this transaction; undefined while another process holds it. */
export async function lockCursor(tx: Tx, clock: Clock, consumer: string): Promise<Position | undefined> {
  const lock = () =>
    tx.hot<Position>(
      `select epoch, xid, id, ${pinPlans} from event_cursor where workspace_id = $1 and consumer = $2 for update skip locked`,
      [tx.workspaceId, consumer],
    );
  const [found] = await lock();
  if (found !== undefined) return found;
  await tx.query(
    `insert into event_cursor (workspace_id, consumer, epoch, xid, id, updated_at) values ($1, $2, $3, $4, $5, $6)
     on conflict do nothing`,
    [tx.workspaceId, consumer, nowhere.epoch, nowhere.xid, nowhere.id, clock.now()],
  );
  return (await lock())[0];
}

export async function moveCursor(tx: Tx, clock: Clock, consumer: string, to: Position): Promise<void> {
  await tx.hot(
    `update event_cursor set epoch = $3, xid = $4, id = $5, updated_at = $6 where workspace_id = $1 and consumer = $2`,
    [tx.workspaceId, consumer, to.epoch, to.xid, to.id, clock.now()],
  );
}

/**
 * A row of the log as a consumer reads it: `settled` when no transaction that is still running could write before it.
 * `event` is null where the kind is not asked for.
 */
export interface PageRow extends Position {
  readonly settled: boolean;
  /** How many rows the page looked at, wanted or not: as many as asked for means that more may follow. */
  readonly scanned: number;
  readonly event: LoggedEvent | null;
}

// The horizon and the rows come from one snapshot, in one statement: taken apart, a commit between the two would be skipped.
export const pageText = `
  with page as materialized (
    select e.epoch, e.xid, e.id, e.kind, e.occurred_at, e.recorded_at, e.contact_id, e.message_id, e.campaign_id, e.data,
      row_number() over (order by e.epoch, e.xid, e.id) as place,
      (e.epoch < (select epoch from event_epoch) or e.xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint) as settled
    from event e
    where e.workspace_id = $1 and (e.epoch, e.xid, e.id) > ($2, $3, $4)
    order by e.epoch, e.xid, e.id limit $5
  )
  select epoch, xid, settled, (select count(*)::integer from page) as scanned, kind = any($6) as wanted, ${columns}
  from page
  where (settled and (kind = any($6)
      or place = (select max(place) from page where settled)))
    or place = (select min(place) from page where not settled)
  order by place`;

interface RawRow extends LoggedEvent {
  readonly epoch: number;
  readonly xid: number;
  readonly settled: boolean;
  readonly scanned: number;
  readonly wanted: boolean;
}

/** The next events after `from`: the wanted ones, the last settled one, and the first unsettled one, if any. */
export async function readAfter(tx: Tx, from: Position, kinds: readonly string[], most: number): Promise<PageRow[]> {
  const rows = await tx.hot<RawRow>(pageText, [tx.workspaceId, from.epoch, from.xid, from.id, most, kinds]);
  if (rows.length > 0) await tx.query(unpinPlans);
  return rows.map(({ epoch, xid, settled, scanned, wanted, ...event }) => ({
    epoch,
    xid,
    id: event.id,
    settled,
    scanned,
    event: wanted ? event : null,
  }));
}

export interface Backlog {
  readonly workspaceId: string;
  readonly consumer: string;
  readonly waitingSince: Temporal.Instant;
}

export async function findBacklogs(tx: Tx, consumers: readonly string[]): Promise<Backlog[]> {
  return tx.hot<Backlog>(
    `select workspace_id as "workspaceId", consumer, waiting_since as "waitingSince" from parley_event_news($1)`,
    [consumers],
  );
}

/** Opens the next epoch if the data was restored into another cluster; safe to call at every start. */
export async function enterEpoch(tx: Tx): Promise<number> {
  const [row] = await tx.query<{ epoch: number }>('select parley_enter_epoch() as epoch');
  return row?.epoch ?? 0;
}

export interface TimelinePage {
  readonly data: LoggedEvent[];
  readonly nextCursor: string | null;
}

/** A contact's events, newest first; `before` is the id of the last one already seen. */
export async function readTimeline(tx: Tx, contactId: string, before: string, most: number): Promise<LoggedEvent[]> {
  return tx.query<LoggedEvent>(
    `select ${columns} from event where workspace_id = $1 and contact_id = $2 and id < $3 order by id desc limit $4`,
    [tx.workspaceId, contactId, before, most],
  );
}

/** What happened to one message, oldest first; found by its contact, since events are indexed by contact only. */
export async function readMessageTimeline(
  tx: Tx,
  contactId: string,
  messageId: string,
  most: number,
): Promise<LoggedEvent[]> {
  return tx.query<LoggedEvent>(
    `select ${columns} from event where workspace_id = $1 and contact_id = $2 and message_id = $3 order by id limit $4`,
    [tx.workspaceId, contactId, messageId, most],
  );
}
