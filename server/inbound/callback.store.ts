import { hash } from 'node:crypto';
import type { Tx } from '../platform/db.ts';

export interface CallbackRow {
  readonly id: string;
  readonly accountId: string;
  readonly provider: string;
  readonly sealed: Buffer;
  readonly tries: number;
}

/** A callback to be kept; with `mark`, unless one with that mark was kept before. */
export interface NewCallback extends Omit<CallbackRow, 'tries'> {
  readonly mark?: Mark | undefined;
}

/** No two of them with the same mark. */
export async function insertCallbacks(tx: Tx, rows: readonly NewCallback[], now: Temporal.Instant): Promise<void> {
  await tx.hot(
    `with given as materialized (
       select * from unnest($3::uuid[], $4::uuid[], $5::text[], $6::bytea[], $7::bytea[]) as c (id, account, provider, sealed, mark)
     ), fresh as (
       insert into callback_mark (workspace_id, account_id, mark, seen_at)
       select $1, g.account, g.mark, $2 from given g where g.mark is not null order by g.account, g.mark
       on conflict do nothing returning account_id, mark
     )
     insert into callback (workspace_id, id, account_id, provider, sealed, received_at, due_at)
     select $1, g.id, g.account, g.provider, g.sealed, $2, $2 from given g
     where g.mark is null or exists (select 1 from fresh f where f.account_id = g.account and f.mark = g.mark)
     on conflict do nothing`,
    [
      tx.workspaceId,
      now,
      rows.map((row) => row.id),
      rows.map((row) => row.accountId),
      rows.map((row) => row.provider),
      rows.map((row) => row.sealed),
      rows.map((row) => row.mark ?? null),
    ],
  );
}

/**
 * The oldest that are due, all of one account and provider; what another reader has is passed over. One account, so that
 * two readers ask for marks in the same order and never wait for each other in a circle.
 */
export async function takeCallbacks(tx: Tx, now: Temporal.Instant, most: number): Promise<CallbackRow[]> {
  return tx.hot<CallbackRow>(
    `with first as materialized (
       select c.account_id, c.provider from callback c
       where c.workspace_id = $1 and c.due_at <= $2 order by c.due_at, c.id limit 1 for update skip locked)
     select c.id, c.account_id as "accountId", c.provider, c.sealed, c.tries from first f cross join lateral (
       select * from callback x where x.workspace_id = $1 and x.due_at <= $2 and x.account_id = f.account_id and x.provider = f.provider
       order by x.due_at, x.id limit $3 for update skip locked) c`,
    [tx.workspaceId, now, most],
  );
}

/** The oldest that are due, without holding them. */
export async function peekCallbacks(tx: Tx, now: Temporal.Instant, most: number): Promise<CallbackRow[]> {
  return tx.hot<CallbackRow>(
    `select id, account_id as "accountId", provider, sealed, tries from callback
     where workspace_id = $1 and due_at <= $2 order by due_at, id limit $3`,
    [tx.workspaceId, now, most],
  );
}

/** False when it was read or postponed meanwhile, or is being read. */
export async function lockCallback(tx: Tx, id: string, now: Temporal.Instant): Promise<boolean> {
  const rows = await tx.hot(
    'select 1 from callback where workspace_id = $1 and id = $2 and due_at <= $3 for update skip locked',
    [tx.workspaceId, id, now],
  );
  return rows.length > 0;
}

export async function deleteCallbacks(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length > 0)
    await tx.hot('delete from callback where workspace_id = $1 and id = any($2::uuid[])', [tx.workspaceId, ids]);
}

export interface Postponed {
  readonly id: string;
  /** Undefined: it is given up, and kept for a person to look at. */
  readonly dueAt: Temporal.Instant | undefined;
}

export async function postponeCallbacks(tx: Tx, rows: readonly Postponed[]): Promise<void> {
  if (rows.length > 0)
    await tx.hot(
      `update callback c set tries = c.tries + 1, due_at = coalesce(p.due, 'infinity')
       from unnest($2::uuid[], $3::timestamptz[]) as p (id, due) where c.workspace_id = $1 and c.id = p.id`,
      [tx.workspaceId, rows.map((row) => row.id), rows.map((row) => row.dueAt ?? null)],
    );
}

export interface Work {
  readonly workspaceId: string;
  /** Of the first one to be read there. */
  readonly dueAt: Temporal.Instant;
}

export async function callbackWork(tx: Tx, most: number): Promise<Work[]> {
  return tx.hot<Work>(
    'select workspace_id as "workspaceId", due_at as "dueAt" from parley_callback_work($1) order by due_at',
    [most],
  );
}

export async function workspaceOf(tx: Tx, accountId: string, provider: string): Promise<string | undefined> {
  const [row] = await tx.hot<{ id: string | null }>('select parley_account_workspace($1, $2) as id', [
    accountId,
    provider,
  ]);
  return row?.id ?? undefined;
}

/** What must count once: a fact a vendor told, a nonce a vendor used. */
export type Mark = Buffer;

export function markOf(kind: 'receipt' | 'inbound' | 'news' | 'once', key: string): Mark {
  return hash('sha256', `${kind}:${key}`, 'buffer').subarray(0, 16);
}

/** Which of them are new; each is from now on known. */
export async function addMarks(
  tx: Tx,
  accountId: string,
  marks: readonly Mark[],
  now: Temporal.Instant,
): Promise<ReadonlySet<string>> {
  if (marks.length === 0) return new Set();
  const rows = await tx.hot<{ mark: Buffer }>(
    `insert into callback_mark (workspace_id, account_id, mark, seen_at)
     select distinct on (m.mark) $1::uuid, $2::uuid, m.mark, $3::timestamptz from unnest($4::bytea[]) as m (mark) order by m.mark
     on conflict do nothing returning mark`,
    [tx.workspaceId, accountId, now, marks],
  );
  return new Set(rows.map((row) => row.mark.toString('hex')));
}

/** Told too early: it may be told again. */
export async function dropMarks(tx: Tx, accountId: string, marks: readonly Mark[]): Promise<void> {
  if (marks.length > 0)
    await tx.hot('delete from callback_mark where workspace_id = $1 and account_id = $2 and mark = any($3::bytea[])', [
      tx.workspaceId,
      accountId,
      marks,
    ]);
}

const keptDays = 30;

/** Part of the nightly round: no vendor repeats itself after so long. */
export async function forgetMarks(tx: Tx, now: Temporal.Instant): Promise<void> {
  await tx.query('delete from callback_mark where workspace_id = $1 and seen_at < $2', [
    tx.workspaceId,
    now.subtract({ hours: 24 * keptDays }),
  ]);
}

export interface InboundRow {
  readonly id: string;
  readonly accountId: string;
  readonly channel: string;
  readonly contactId: string | null;
  readonly addressId: string | null;
  readonly senderHash: Buffer;
  readonly sealed: Buffer;
  readonly inReplyTo: string | null;
  readonly automatic: boolean;
  readonly keyword: string | null;
  readonly writtenAt: Temporal.Instant;
}

export async function insertInbound(tx: Tx, row: InboundRow, now: Temporal.Instant): Promise<void> {
  await tx.hot(
    `insert into inbound_message (workspace_id, id, account_id, channel, contact_id, address_id, sender_hash, sealed, in_reply_to, automatic, keyword, written_at, received_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict do nothing`,
    [
      tx.workspaceId,
      row.id,
      row.accountId,
      row.channel,
      row.contactId,
      row.addressId,
      row.senderHash,
      row.sealed,
      row.inReplyTo,
      row.automatic,
      row.keyword,
      row.writtenAt,
      now,
    ],
  );
}

/** A callback that waits, as far as people are shown it: not what it says. */
export interface KeptRow {
  readonly id: string;
  readonly provider: string;
  readonly accountId: string;
  readonly receivedAt: Temporal.Instant;
  readonly tries: number;
  /** Null: given up. */
  readonly dueAt: Temporal.Instant | null;
}

const kept = `id, provider, account_id as "accountId", received_at as "receivedAt", tries, nullif(due_at, 'infinity') as "dueAt"`;

export async function listCallbacks(
  tx: Tx,
  state: 'waiting' | 'given-up' | undefined,
  before: string | undefined,
  most: number,
): Promise<KeptRow[]> {
  return tx.query<KeptRow>(
    `select ${kept} from callback where workspace_id = $1 and ($2::uuid is null or id < $2)
       and ($3::text is null or (due_at = 'infinity') = ($3 = 'given-up')) order by id desc limit $4`,
    [tx.workspaceId, before ?? null, state ?? null, most],
  );
}

/** To be read now, as if for the first time. */
export async function hastenCallback(tx: Tx, id: string, now: Temporal.Instant): Promise<KeptRow | undefined> {
  const [row] = await tx.query<KeptRow>(
    `update callback set due_at = $3, tries = 0 where workspace_id = $1 and id = $2 returning ${kept}`,
    [tx.workspaceId, id, now],
  );
  return row;
}

/** Only one that was given up. */
export async function discardCallback(tx: Tx, id: string): Promise<KeptRow | undefined> {
  const [row] = await tx.query<KeptRow>(
    `delete from callback where workspace_id = $1 and id = $2 and due_at = 'infinity' returning ${kept}`,
    [tx.workspaceId, id],
  );
  return row;
}
