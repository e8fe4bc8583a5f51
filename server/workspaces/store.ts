import type { Tx } from '../platform/db.ts';

/** Members, permission sets, invitations, and the workspace itself. People, keys and audit have stores of their own. */

export interface WorkspaceRow {
  readonly id: string;
  readonly name: string;
  readonly settings: unknown;
  readonly createdAt: Temporal.Instant;
  readonly updatedAt: Temporal.Instant;
  readonly revision: number;
}

export async function insertWorkspace(tx: Tx, name: string, now: Temporal.Instant): Promise<void> {
  await tx.query('insert into workspace (id, name, created_at, updated_at) values ($1, $2, $3, $3)', [
    tx.workspaceId,
    name,
    now,
  ]);
}

const workspaceColumns = `id, name, settings, created_at as "createdAt", updated_at as "updatedAt", revision`;

export async function findWorkspace(tx: Tx, lock: 'lock' | 'look'): Promise<WorkspaceRow | undefined> {
  const [row] = await tx.query<WorkspaceRow>(
    `select ${workspaceColumns} from workspace where id = $1 ${lock === 'lock' ? 'for update' : ''}`,
    [tx.workspaceId],
  );
  return row;
}

export async function updateWorkspace(
  tx: Tx,
  name: string,
  settings: object,
  now: Temporal.Instant,
): Promise<WorkspaceRow | undefined> {
  const [row] = await tx.query<WorkspaceRow>(
    `update workspace set name = $2, settings = $3, updated_at = $4, revision = revision + 1 where id = $1 returning ${workspaceColumns}`,
    [tx.workspaceId, name, JSON.stringify(settings), now],
  );
  return row;
}

/** All workspaces there are; ids only. */
export async function workspaceIds(tx: Tx): Promise<string[]> {
  const rows = await tx.query<{ id: string }>('select id from parley_workspace_ids() as id order by id');
  return rows.map((row) => row.id);
}

export interface MemberRow {
  readonly userId: string;
  readonly name: string;
  readonly email: string;
  readonly twoFactorEnabled: boolean;
  readonly role: string;
  /** Of the person's own set, or of the workspace's role of that key. */
  readonly permissions: string[] | null;
  readonly roleName: string | null;
  readonly disabledAt: Temporal.Instant | null;
  readonly lastSeenAt: Temporal.Instant | null;
  readonly createdAt: Temporal.Instant;
  readonly updatedAt: Temporal.Instant;
}

const memberSelect = `
  select m.user_id as "userId", u.name, u.email, coalesce(u.two_factor_enabled, false) as "twoFactorEnabled", m.role,
    coalesce(m.permissions, s.permissions) as permissions, s.name as "roleName", m.disabled_at as "disabledAt",
    m.created_at as "createdAt", m.updated_at as "updatedAt",
    (select max(coalesce(e.last_seen_at, e.created_at)) from auth_session e where e.user_id = m.user_id) as "lastSeenAt"
  from member m
  join auth_user u on u.id = m.user_id
  left join permission_set s on s.workspace_id = m.workspace_id and s.key = m.role
  where m.workspace_id = $1`;

export async function listMembers(tx: Tx, afterId: string | undefined, most: number): Promise<MemberRow[]> {
  return tx.query<MemberRow>(`${memberSelect} and ($2::uuid is null or m.user_id > $2) order by m.user_id limit $3`, [
    tx.workspaceId,
    afterId ?? null,
    most,
  ]);
}

export async function findMember(tx: Tx, userId: string): Promise<MemberRow | undefined> {
  const [row] = await tx.query<MemberRow>(`${memberSelect} and m.user_id = $2`, [tx.workspaceId, userId]);
  return row;
}

/** Whoever changes memberships stands in line, so that two cannot each take away the other last owner. */
export async function lockMembers(tx: Tx): Promise<void> {
  await tx.query('select id from workspace where id = $1 for update', [tx.workspaceId]);
}

export async function countOtherOwners(tx: Tx, userId: string): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    `select count(*) as count from member where workspace_id = $1 and role = 'owner' and disabled_at is null and user_id <> $2`,
    [tx.workspaceId, userId],
  );
  return row?.count ?? 0;
}

/** `permissions` only for the role `custom`. */
export async function insertMember(
  tx: Tx,
  userId: string,
  role: string,
  permissions: readonly string[] | null,
  now: Temporal.Instant,
): Promise<void> {
  await tx.query(
    'insert into member (workspace_id, user_id, role, permissions, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)',
    [tx.workspaceId, userId, role, permissions, now],
  );
}

export async function updateMemberRole(
  tx: Tx,
  userId: string,
  role: string,
  permissions: readonly string[] | null,
  now: Temporal.Instant,
): Promise<void> {
  await tx.query(
    'update member set role = $3, permissions = $4, updated_at = $5 where workspace_id = $1 and user_id = $2',
    [tx.workspaceId, userId, role, permissions, now],
  );
}

export async function disableMember(
  tx: Tx,
  userId: string,
  disabledAt: Temporal.Instant | null,
  now: Temporal.Instant,
): Promise<void> {
  await tx.query('update member set disabled_at = $3, updated_at = $4 where workspace_id = $1 and user_id = $2', [
    tx.workspaceId,
    userId,
    disabledAt,
    now,
  ]);
}

export interface RoleRow {
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly permissions: string[];
}

export async function listRoles(tx: Tx): Promise<RoleRow[]> {
  return tx.query<RoleRow>(
    'select key, name, description, permissions from permission_set where workspace_id = $1 order by key',
    [tx.workspaceId],
  );
}

export async function findRole(tx: Tx, key: string): Promise<RoleRow | undefined> {
  const [row] = await tx.query<RoleRow>(
    'select key, name, description, permissions from permission_set where workspace_id = $1 and key = $2',
    [tx.workspaceId, key],
  );
  return row;
}

/** False when there is one of that key already. */
export async function insertRole(tx: Tx, role: RoleRow, now: Temporal.Instant): Promise<boolean> {
  const rows = await tx.query(
    `insert into permission_set (workspace_id, key, name, description, permissions, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $6) on conflict do nothing returning key`,
    [tx.workspaceId, role.key, role.name, role.description, role.permissions, now],
  );
  return rows.length > 0;
}

export async function updateRole(tx: Tx, role: RoleRow, now: Temporal.Instant): Promise<void> {
  await tx.query(
    `update permission_set set name = $3, description = $4, permissions = $5, updated_at = $6 where workspace_id = $1 and key = $2`,
    [tx.workspaceId, role.key, role.name, role.description, role.permissions, now],
  );
}

export async function deleteRole(tx: Tx, key: string): Promise<void> {
  await tx.query('delete from permission_set where workspace_id = $1 and key = $2', [tx.workspaceId, key]);
}

export async function countMembersByRole(tx: Tx): Promise<Map<string, number>> {
  const rows = await tx.query<{ role: string; count: number }>(
    'select role, count(*) as count from member where workspace_id = $1 group by role',
    [tx.workspaceId],
  );
  return new Map(rows.map((row) => [row.role, row.count]));
}

/** Members who have it, shut out or not, and open invitations to it. */
export async function isRoleInUse(tx: Tx, key: string, now: Temporal.Instant): Promise<boolean> {
  const rows = await tx.query(
    `select 1 from member where workspace_id = $1 and role = $2
     union all
     select 1 from invitation where workspace_id = $1 and role = $2 and accepted_at is null and revoked_at is null and expires_at > $3
     limit 1`,
    [tx.workspaceId, key, now],
  );
  return rows.length > 0;
}

export interface InvitationRow {
  readonly id: string;
  readonly email: string;
  readonly role: string;
  readonly permissions: string[] | null;
  readonly roleName: string | null;
  readonly invitedBy: string;
  readonly createdAt: Temporal.Instant;
  readonly expiresAt: Temporal.Instant;
  readonly acceptedAt: Temporal.Instant | null;
  readonly revokedAt: Temporal.Instant | null;
}

const invitationSelect = `
  select i.id, i.email, i.role, coalesce(i.permissions, s.permissions) as permissions, s.name as "roleName",
    i.invited_by as "invitedBy", i.created_at as "createdAt", i.expires_at as "expiresAt", i.accepted_at as "acceptedAt",
    i.revoked_at as "revokedAt"
  from invitation i left join permission_set s on s.workspace_id = i.workspace_id and s.key = i.role
  where i.workspace_id = $1`;

export interface NewInvitation {
  readonly id: string;
  readonly email: string;
  readonly role: string;
  readonly permissions: readonly string[] | null;
  readonly tokenHash: Buffer;
  readonly invitedBy: string;
  readonly createdAt: Temporal.Instant;
  readonly expiresAt: Temporal.Instant;
}

export async function insertInvitation(tx: Tx, invitation: NewInvitation): Promise<void> {
  await tx.query(
    `insert into invitation (workspace_id, id, email, role, permissions, token_hash, invited_by, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      tx.workspaceId,
      invitation.id,
      invitation.email,
      invitation.role,
      invitation.permissions,
      invitation.tokenHash,
      invitation.invitedBy,
      invitation.createdAt,
      invitation.expiresAt,
    ],
  );
}

export type InvitationState = 'open' | 'accepted' | 'revoked' | 'expired';

const stateCondition: Readonly<Record<InvitationState, string>> = {
  open: 'and i.accepted_at is null and i.revoked_at is null and i.expires_at > $4',
  accepted: 'and i.accepted_at is not null and $4::timestamptz is not null',
  revoked: 'and i.revoked_at is not null and $4::timestamptz is not null',
  expired: 'and i.accepted_at is null and i.revoked_at is null and i.expires_at <= $4',
};

/** Newest first, below `beforeId`. */
export async function listInvitations(
  tx: Tx,
  state: InvitationState | undefined,
  now: Temporal.Instant,
  beforeId: string | undefined,
  most: number,
): Promise<InvitationRow[]> {
  const condition = state === undefined ? 'and $4::timestamptz is not null' : stateCondition[state];
  return tx.query<InvitationRow>(
    `${invitationSelect} and ($2::uuid is null or i.id < $2) ${condition} order by i.id desc limit $3`,
    [tx.workspaceId, beforeId ?? null, most, now],
  );
}

export async function lockInvitation(tx: Tx, id: string): Promise<InvitationRow | undefined> {
  const [row] = await tx.query<InvitationRow>(`${invitationSelect} and i.id = $2 for update of i`, [
    tx.workspaceId,
    id,
  ]);
  return row;
}

export async function findInvitation(tx: Tx, id: string): Promise<InvitationRow | undefined> {
  const [row] = await tx.query<InvitationRow>(`${invitationSelect} and i.id = $2`, [tx.workspaceId, id]);
  return row;
}

/** Across workspaces, through a narrow look-up: the token comes before the workspace is known. */
export async function findInvitationByToken(
  tx: Tx,
  tokenHash: Buffer,
): Promise<{ workspaceId: string; id: string } | undefined> {
  const [row] = await tx.query<{ workspaceId: string; id: string }>(
    'select workspace_id as "workspaceId", id from parley_invitation($1)',
    [tokenHash],
  );
  return row;
}

export async function markInvitation(
  tx: Tx,
  id: string,
  as: 'accepted' | 'revoked',
  now: Temporal.Instant,
): Promise<void> {
  const column = as === 'accepted' ? 'accepted_at' : 'revoked_at';
  await tx.query(`update invitation set ${column} = $3 where workspace_id = $1 and id = $2`, [tx.workspaceId, id, now]);
}
