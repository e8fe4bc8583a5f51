import type { Tx } from '../platform/db.ts';

/** A message in doubt whose provider is to be asked. */
export interface Doubt {
  readonly id: string;
  readonly state: string;
  readonly channel: string;
  readonly reason: string | null;
  readonly accountId: string | null;
  /** Askings before this one. */
  readonly asks: number;
  readonly at: Temporal.Instant;
  readonly plannedAt: Temporal.Instant;
  readonly attempt: number;
  readonly sealed: Buffer | null;
  readonly salt: Buffer | null;
}

/** Where something is to be asked now, across workspaces. */
export async function doubtWork(tx: Tx, now: Temporal.Instant, most: number): Promise<string[]> {
  const rows = await tx.hot<{ id: string }>('select workspace_id as id from parley_doubts($1, $2)', [now, most]);
  return rows.map((row) => row.id);
}

/** Those that are due; nobody else asks about them until `until`. */
export async function takeDoubts(
  tx: Tx,
  now: Temporal.Instant,
  until: Temporal.Instant,
  most: number,
): Promise<Doubt[]> {
  return tx.hot<Doubt>(
    `with due as (
       select d.message_id from dead_letter d where d.workspace_id = $1 and d.ask_at <= $2 order by d.ask_at limit $4 for update skip locked
     ), taken as (
       update dead_letter d set ask_at = $3 from due where d.workspace_id = $1 and d.message_id = due.message_id
       returning d.message_id, d.state, d.channel, d.reason, d.account_id, d.asks, d.at
     )
     select t.message_id as id, m.state, t.channel, t.reason, coalesce(m.account_id, t.account_id) as "accountId", t.asks, t.at,
            m.planned_at as "plannedAt", m.attempt, a.sealed, c.salt
     from taken t
     cross join lateral (select * from message x where x.workspace_id = $1 and x.id = t.message_id offset 0) m
     left join lateral (select x.sealed from address x where x.workspace_id = $1 and x.id = m.address_id offset 0) a on true
     left join lateral (select x.salt from contact x where x.workspace_id = $1 and x.id = m.contact_id offset 0) c on true`,
    [tx.workspaceId, now, until, most],
  );
}

export interface Asked {
  readonly id: string;
  /** How often, in all. */
  readonly asks: number;
  /** When again; null: no more. */
  readonly at: Temporal.Instant | null;
}

export async function askAgain(tx: Tx, asked: readonly Asked[]): Promise<void> {
  if (asked.length === 0) return;
  await tx.hot(
    `update dead_letter d set asks = k.asks, ask_at = k.at from unnest($2::uuid[], $3::smallint[], $4::timestamptz[]) as k (id, asks, at)
     where d.workspace_id = $1 and d.message_id = k.id and d.state = 'unknown'`,
    [tx.workspaceId, asked.map((one) => one.id), asked.map((one) => one.asks), asked.map((one) => one.at)],
  );
}

/** The provider's id of what it turned out to have taken. */
export async function setRefs(
  tx: Tx,
  found: readonly { readonly id: string; readonly ref: string; readonly accountId: string | null }[],
): Promise<void> {
  if (found.length === 0) return;
  await tx.hot(
    `update message m set provider_ref = k.ref, account_id = coalesce(m.account_id, k.account)
     from unnest($2::uuid[], $3::text[], $4::uuid[]) as k (id, ref, account)
     where m.workspace_id = $1 and m.id = k.id`,
    [tx.workspaceId, found.map((one) => one.id), found.map((one) => one.ref), found.map((one) => one.accountId)],
  );
}
