import type { Tx } from '../platform/db.ts';

/** People and their sign-in: tables beside all workspaces. better-auth writes here too, through `auth-database.ts`. */

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly twoFactorEnabled: boolean;
  readonly timeZone: string | null;
  readonly locale: string | null;
}

const personColumns = `id, name, email, coalesce(two_factor_enabled, false) as "twoFactorEnabled", time_zone as "timeZone", locale`;

export async function anybody(tx: Tx): Promise<boolean> {
  return (await tx.query('select 1 from auth_user limit 1')).length > 0;
}

/** Held until the transaction ends: only one can be making the first owner. */
export async function lockSetup(tx: Tx): Promise<void> {
  await tx.query('select pg_advisory_xact_lock(7236403)');
}

export async function findPerson(tx: Tx, id: string): Promise<Person | undefined> {
  const [person] = await tx.query<Person>(`select ${personColumns} from auth_user where id = $1`, [id]);
  return person;
}

export async function findPersonByEmail(tx: Tx, email: string): Promise<Person | undefined> {
  const [person] = await tx.query<Person>(`select ${personColumns} from auth_user where email = $1`, [
    email.toLowerCase(),
  ]);
  return person;
}

export interface NewPerson {
  readonly id: string;
  readonly accountId: string;
  readonly name: string;
  readonly email: string;
  readonly passwordHash: string;
  readonly now: Temporal.Instant;
}

/** A person and their password, as better-auth expects to find them: provider `credential`, account id = person id. */
export async function insertPerson(tx: Tx, person: NewPerson): Promise<void> {
  await tx.query(
    `insert into auth_user (id, name, email, email_verified, created_at, updated_at) values ($1, $2, $3, true, $4, $4)`,
    [person.id, person.name, person.email.toLowerCase(), person.now],
  );
  await tx.query(
    `insert into auth_account (id, user_id, account_id, provider_id, password, created_at, updated_at)
     values ($1, $2::uuid, ($2::uuid)::text, 'credential', $3, $4, $4)`,
    [person.accountId, person.id, person.passwordHash, person.now],
  );
}

export async function findPasswordHash(tx: Tx, userId: string): Promise<string | undefined> {
  const [row] = await tx.query<{ password: string | null }>(
    `select password from auth_account where user_id = $1 and provider_id = 'credential'`,
    [userId],
  );
  return row?.password ?? undefined;
}

export interface ProfileChange {
  readonly name: string;
  readonly timeZone: string | null;
  readonly locale: string | null;
}

export async function updateProfile(tx: Tx, id: string, change: ProfileChange, now: Temporal.Instant): Promise<void> {
  await tx.query('update auth_user set name = $2, time_zone = $3, locale = $4, updated_at = $5 where id = $1', [
    id,
    change.name,
    change.timeZone,
    change.locale,
    now,
  ]);
}

export interface SessionRow {
  readonly id: string;
  readonly createdAt: Temporal.Instant;
  readonly lastSeenAt: Temporal.Instant;
  readonly expiresAt: Temporal.Instant;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

const sessionColumns = `id, created_at as "createdAt", coalesce(last_seen_at, created_at) as "lastSeenAt", expires_at as "expiresAt",
  ip_address as ip, user_agent as "userAgent"`;

/** Sessions that still work, the last used first. */
export async function sessionsOf(
  tx: Tx,
  userId: string,
  unseenSince: Temporal.Instant,
  now: Temporal.Instant,
): Promise<SessionRow[]> {
  return tx.query<SessionRow>(
    `select ${sessionColumns} from auth_session
     where user_id = $1 and expires_at > $2 and coalesce(last_seen_at, created_at) > $3 order by "lastSeenAt" desc, id limit 200`,
    [userId, now, unseenSince],
  );
}

export async function findSession(tx: Tx, id: string): Promise<(SessionRow & { userId: string }) | undefined> {
  const [row] = await tx.query<SessionRow & { userId: string }>(
    `select ${sessionColumns}, user_id as "userId" from auth_session where id = $1`,
    [id],
  );
  return row;
}

export async function touchSession(tx: Tx, id: string, now: Temporal.Instant): Promise<void> {
  await tx.query('update auth_session set last_seen_at = $2 where id = $1', [id, now]);
}

/** `id` as the person gave it: compared as text, since it may be anything. */
export async function deleteSession(tx: Tx, userId: string, id: string): Promise<boolean> {
  const rows = await tx.query('delete from auth_session where user_id = $1 and id::text = $2 returning id', [
    userId,
    id,
  ]);
  return rows.length > 0;
}

export async function deleteSessions(tx: Tx, userId: string, except?: string): Promise<void> {
  await tx.query('delete from auth_session where user_id = $1 and ($2::uuid is null or id <> $2)', [
    userId,
    except ?? null,
  ]);
}

/** Takes back the session that was just made. */
export async function deleteSessionByToken(tx: Tx, token: string): Promise<void> {
  await tx.query('delete from auth_session where token = $1', [token]);
}

/** Reset links and half-done sign-ins of a person. */
export async function deleteVerifications(tx: Tx, userId: string): Promise<void> {
  await tx.query('delete from auth_verification where value = $1', [userId]);
}

export interface MembershipRow {
  readonly workspaceId: string;
  readonly workspaceName: string;
  readonly role: string;
  readonly permissions: string[] | null;
  readonly disabledAt: Temporal.Instant | null;
}

/** Where a person belongs, in the order of joining; across workspaces, through a narrow look-up. */
export async function membershipsOf(tx: Tx, userId: string): Promise<MembershipRow[]> {
  return tx.query<MembershipRow>(
    `select workspace_id as "workspaceId", workspace_name as "workspaceName", role, permissions, disabled_at as "disabledAt"
     from parley_memberships($1)`,
    [userId],
  );
}

export interface AttemptWindow {
  readonly attempts: number;
  readonly endsAt: Temporal.Instant;
}

export async function findAttempts(
  tx: Tx,
  keys: readonly string[],
  now: Temporal.Instant,
): Promise<Map<string, AttemptWindow>> {
  const rows = await tx.query<{ key: string } & AttemptWindow>(
    'select key, attempts, window_ends_at as "endsAt" from auth_rate_limit where key = any($1) and window_ends_at > $2',
    [keys, now],
  );
  return new Map(rows.map((row) => [row.key, row]));
}

/** Counts one more; a window that has ended starts anew. Returns the count with this one. */
export async function addAttempt(tx: Tx, key: string, windowSeconds: number, now: Temporal.Instant): Promise<number> {
  const [row] = await tx.query<{ attempts: number }>(
    `insert into auth_rate_limit as r (key, attempts, window_ends_at) values ($1, 1, $2)
     on conflict (key) do update set
       attempts = case when r.window_ends_at > $3 then r.attempts + 1 else 1 end,
       window_ends_at = case when r.window_ends_at > $3 then r.window_ends_at else excluded.window_ends_at end
     returning attempts`,
    [key, now.add({ seconds: windowSeconds }), now],
  );
  return row?.attempts ?? 1;
}

export async function forgetAttempts(tx: Tx, key: string): Promise<void> {
  await tx.query('delete from auth_rate_limit where key = $1', [key]);
}

/** What has expired; part of the daily tidy-up. */
export async function deleteExpired(tx: Tx, unseenSince: Temporal.Instant, now: Temporal.Instant): Promise<void> {
  await tx.query('delete from auth_session where expires_at < $1 or coalesce(last_seen_at, created_at) < $2', [
    now,
    unseenSince,
  ]);
  await tx.query('delete from auth_verification where expires_at < $1', [now]);
  await tx.query('delete from auth_rate_limit where window_ends_at < $1', [now]);
}
