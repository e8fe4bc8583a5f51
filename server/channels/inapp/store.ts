import type { Tx } from '../../platform/db.ts';

/** All that is written to `in_app_message`. */

export interface InAppRow {
  readonly id: string;
  readonly sealed: Buffer;
  readonly createdAt: Temporal.Instant;
  readonly expiresAt: Temporal.Instant | null;
  readonly readAt: Temporal.Instant | null;
  readonly archivedAt: Temporal.Instant | null;
}

export interface NewInApp {
  readonly id: string;
  readonly contactId: string;
  readonly accountId: string;
  readonly sealed: Buffer;
  readonly expiresAt: Temporal.Instant | null;
}

/** The salts of contacts that are there and not erased. */
export async function saltsOf(tx: Tx, contactIds: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
  const rows = await tx.hot<{ id: string; salt: Buffer }>(
    `select c.id, c.salt from unnest($2::uuid[]) as k (id)
     cross join lateral (select x.id, x.salt from contact x where x.workspace_id = $1 and x.id = k.id
       and x.salt is not null and x.erased_at is null offset 0) c`,
    [tx.workspaceId, contactIds],
  );
  return new Map(rows.map((row) => [row.id, row.salt]));
}

/** What is there already stays as it is: a message that is handed over again is not a second one. */
export async function insertMessages(tx: Tx, rows: readonly NewInApp[], at: Temporal.Instant): Promise<void> {
  await tx.hot(
    `insert into in_app_message (workspace_id, id, contact_id, account_id, sealed, expires_at, created_at)
     select $1, k.id, k.contact, k.account, k.sealed, k.expires, $7
     from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::bytea[], $6::timestamptz[]) as k (id, contact, account, sealed, expires)
     on conflict (workspace_id, id) do nothing`,
    [
      tx.workspaceId,
      rows.map((row) => row.id),
      rows.map((row) => row.contactId),
      rows.map((row) => row.accountId),
      rows.map((row) => row.sealed),
      rows.map((row) => row.expiresAt),
      at,
    ],
  );
}

export async function isThere(tx: Tx, id: string): Promise<boolean> {
  const rows = await tx.query(`select 1 from in_app_message where workspace_id = $1 and id = $2`, [tx.workspaceId, id]);
  return rows.length > 0;
}

export type Show = 'inbox' | 'unread' | 'archived';

const shown: Readonly<Record<Show, string>> = {
  inbox: 'm.archived_at is null',
  unread: 'm.archived_at is null and m.read_at is null',
  archived: 'm.archived_at is not null',
};

/** Newest first, after the given place. Planned anew each time, here and below: a plan kept from when the table was empty would read all of it. */
export async function listMessages(
  tx: Tx,
  query: {
    readonly contactId: string;
    readonly show: Show;
    readonly after: readonly [at: string, id: string] | undefined;
    readonly now: Temporal.Instant;
    readonly most: number;
  },
): Promise<InAppRow[]> {
  return tx.query<InAppRow>(
    `select m.id, m.sealed, m.created_at as "createdAt", m.expires_at as "expiresAt", m.read_at as "readAt", m.archived_at as "archivedAt"
     from in_app_message m
     where m.workspace_id = $1 and m.contact_id = $2 and ${shown[query.show]} and (m.expires_at is null or m.expires_at > $3)
       and (m.created_at, m.id) < (coalesce($4::timestamptz, 'infinity'), coalesce($5::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
     order by m.created_at desc, m.id desc limit $6`,
    [tx.workspaceId, query.contactId, query.now, query.after?.[0] ?? null, query.after?.[1] ?? null, query.most],
  );
}

export async function countUnread(tx: Tx, contactId: string, now: Temporal.Instant): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    `select count(*)::int as count from in_app_message
     where workspace_id = $1 and contact_id = $2 and read_at is null and archived_at is null and (expires_at is null or expires_at > $3)`,
    [tx.workspaceId, contactId, now],
  );
  return row?.count ?? 0;
}

export interface Marks {
  readonly read: boolean;
  readonly clicked: boolean;
  readonly archived: boolean;
}

/** Which of the marks are new; undefined when the contact has no such message. */
export async function markMessage(
  tx: Tx,
  contactId: string,
  id: string,
  marks: Marks,
  at: Temporal.Instant,
): Promise<Marks | undefined> {
  const [before] = await tx.query<Marks>(
    `select read_at is not null as read, clicked_at is not null as clicked, archived_at is not null as archived
     from in_app_message where workspace_id = $1 and contact_id = $2 and id = $3 for update`,
    [tx.workspaceId, contactId, id],
  );
  if (before === undefined) return undefined;
  const fresh = {
    read: marks.read && !before.read,
    clicked: marks.clicked && !before.clicked,
    archived: marks.archived && !before.archived,
  };
  if (fresh.read || fresh.clicked || fresh.archived)
    await tx.query(
      `update in_app_message set read_at = case when $4 then $7 else read_at end,
         clicked_at = case when $5 then $7 else clicked_at end, archived_at = case when $6 then $7 else archived_at end
       where workspace_id = $1 and contact_id = $2 and id = $3`,
      [tx.workspaceId, contactId, id, fresh.read, fresh.clicked, fresh.archived, at],
    );
  return fresh;
}

/** Answers which were unread. */
export async function markAllRead(tx: Tx, contactId: string, at: Temporal.Instant): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `update in_app_message set read_at = $3
     where workspace_id = $1 and contact_id = $2 and read_at is null and archived_at is null and (expires_at is null or expires_at > $3)
     returning id`,
    [tx.workspaceId, contactId, at],
  );
  return rows.map((row) => row.id);
}

/** The person is erased: so is what was said to him. */
export async function forgetContact(tx: Tx, contactId: string): Promise<void> {
  await tx.query(`delete from in_app_message where workspace_id = $1 and contact_id = $2`, [tx.workspaceId, contactId]);
}

export async function forgetOld(tx: Tx, before: Temporal.Instant): Promise<void> {
  await tx.query(`delete from in_app_message where workspace_id = $1 and created_at < $2`, [tx.workspaceId, before]);
}

/** Origins that the workspace's in-app accounts let in. */
export async function allowedOrigins(tx: Tx): Promise<string[]> {
  const rows = await tx.hot<{ origins: string[] | null }>(
    `select settings -> 'allowedOrigins' as origins from provider_account
     where workspace_id = $1 and kind = 'inapp' and archived_at is null`,
    [tx.workspaceId],
  );
  return rows.flatMap((row) => row.origins ?? []);
}
