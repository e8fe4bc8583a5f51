import * as keyApi from '../../contract/api-keys.ts';
import * as api from '../../contract/team.ts';
import type { Clock } from '../platform/clock.ts';
import { decodeIdCursor, encodeCursor, route, streamRoute } from '../platform/http.ts';
import type { Route } from '../platform/http.ts';
import { originOf } from './audit.ts';
import type { Background } from './background.ts';
import { ownSetName } from './grants.ts';
import type { Invitations } from './invitations.ts';
import type { ApiKeys } from './keys.ts';
import type { KeyRow } from './keys.store.ts';
import { invitationMail, trySend } from './mail.ts';
import type { SendSystemMail } from './mail.ts';
import type { Members } from './members.ts';
import type { Roles } from './roles.ts';
import { builtInRole, knownPermissions, permissionsOf } from './roles.rules.ts';
import type { InvitationRow, InvitationState, MemberRow } from './store.ts';

export interface TeamRouteDeps {
  readonly background: Background;
  readonly clock: Clock;
  readonly invitations: Invitations;
  readonly keys: ApiKeys;
  readonly members: Members;
  readonly roles: Roles;
  readonly sendSystemMail: SendSystemMail;
}

/** Asks for one more than fits, to know whether there is more. */
function paged<Row, Shown>(rows: readonly Row[], limit: number, idOf: (row: Row) => string, show: (row: Row) => Shown) {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  return {
    data: data.map(show),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(idOf(last)) : null,
  };
}

export function teamRoutes(deps: TeamRouteDeps): Route[] {
  return [...memberRoutes(deps), ...invitationRoutes(deps), ...roleRoutes(deps), ...keyRoutes(deps)];
}

function presentUser(row: MemberRow): api.User {
  return {
    id: row.userId,
    name: row.name,
    email: row.email,
    role: row.role,
    roleName: roleNameOf(row.role, row.roleName),
    twoFactorEnabled: row.twoFactorEnabled,
    disabledAt: row.disabledAt?.toString() ?? null,
    lastSeenAt: row.lastSeenAt?.toString() ?? null,
    createdAt: row.createdAt.toString(),
  };
}

function roleNameOf(key: string, stored: string | null): string {
  return builtInRole(key)?.name ?? stored ?? ownSetName;
}

function presentPermissions(row: MemberRow) {
  const permissions = permissionsOf(row.role, row.permissions, row.disabledAt !== null);
  return { userId: row.userId, name: row.name, role: row.role, permissions, updatedAt: row.updatedAt.toString() };
}

function memberRoutes({ members }: TeamRouteDeps): Route[] {
  return [
    route(api.listUsers, async (tx, { query }) => {
      const rows = await members.list(tx, decodeIdCursor(query.cursor), query.limit + 1);
      return paged(rows, query.limit, (row) => row.userId, presentUser);
    }),
    route(api.getUser, async (tx, { params }) => presentUser(await members.get(tx, params.id))),
    route(api.updateUser, async (tx, call) =>
      presentUser(await members.setDisabled(tx, call.caller, originOf(call), call.params.id, call.body.disabled)),
    ),
    route(api.listPermissions, async (tx, { query }) => {
      const rows = await members.list(tx, decodeIdCursor(query.cursor), query.limit + 1);
      return paged(rows, query.limit, (row) => row.userId, presentPermissions);
    }),
    route(api.getPermissions, async (tx, { params }) => presentPermissions(await members.get(tx, params.userId))),
    route(api.grantPermissions, async (tx, call) =>
      presentPermissions(await members.grant(tx, call.caller, originOf(call), call.body.userId, call.body.grant)),
    ),
    route(api.updatePermissions, async (tx, call) =>
      presentPermissions(await members.grant(tx, call.caller, originOf(call), call.params.userId, call.body)),
    ),
  ];
}

function presentInvitation(row: InvitationRow, state: InvitationState): api.Invitation {
  return {
    id: row.id,
    email: row.email,
    role: row.role,
    roleName: roleNameOf(row.role, row.roleName),
    state,
    invitedBy: row.invitedBy,
    createdAt: row.createdAt.toString(),
    expiresAt: row.expiresAt.toString(),
  };
}

function invitationRoutes({ background, invitations, sendSystemMail }: TeamRouteDeps): Route[] {
  return [
    streamRoute(api.createInvitation, async (call, db) => {
      const { caller, body, origin } = call;
      const made = await db.transaction(caller.workspaceId, (tx) =>
        invitations.create(tx, caller, originOf(call), body.email, body.grant),
      );
      // After the commit: a mail server that takes its time must not hold the transaction.
      const url = `${origin}/join/${made.token}`;
      const { invitation, workspaceName } = made;
      const mail = invitationMail({ to: invitation.email, workspaceName, by: caller, url });
      const mailed = await trySend(sendSystemMail, background, caller.workspaceId, mail);
      return { ...presentInvitation(made.invitation, 'open'), url, mailed };
    }),
    route(api.listInvitations, async (tx, { query }) => {
      const rows = await invitations.list(tx, query.state, decodeIdCursor(query.cursor), query.limit + 1);
      const show = (row: InvitationRow) => presentInvitation(row, invitations.stateOf(row));
      return paged(rows, query.limit, (row) => row.id, show);
    }),
    route(api.revokeInvitation, (tx, call) => invitations.revoke(tx, originOf(call), call.params.id)),
  ];
}

function roleRoutes({ roles }: TeamRouteDeps): Route[] {
  return [
    route(api.listRoles, async (tx) => ({ data: await roles.list(tx) })),
    route(api.createRole, (tx, call) => {
      const { key, ...content } = call.body;
      return roles.create(tx, call.caller, originOf(call), key, content);
    }),
    route(api.updateRole, (tx, call) => roles.update(tx, call.caller, originOf(call), call.params.key, call.body)),
    route(api.deleteRole, (tx, call) => roles.remove(tx, call.caller, originOf(call), call.params.key)),
  ];
}

function presentKey(row: KeyRow): keyApi.ApiKey {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    scopes: knownPermissions(row.scopes),
    createdBy: row.createdBy,
    createdAt: row.createdAt.toString(),
    lastUsedAt: row.lastUsedAt?.toString() ?? null,
    expiresAt: row.expiresAt?.toString() ?? null,
  };
}

function keyRoutes({ keys }: TeamRouteDeps): Route[] {
  return [
    route(keyApi.listApiKeys, async (tx, { query }) => {
      const rows = await keys.list(tx, decodeIdCursor(query.cursor), query.limit + 1);
      return paged(rows, query.limit, (row) => row.id, presentKey);
    }),
    route(keyApi.createApiKey, async (tx, call) => {
      const { name, scopes, expiresAt } = call.body;
      const until = expiresAt === undefined || expiresAt === null ? null : Temporal.Instant.from(expiresAt);
      const { key, secret } = await keys.create(tx, call.caller, originOf(call), call.mintedId, {
        name,
        scopes,
        expiresAt: until,
      });
      return { ...presentKey(key), secret };
    }),
    route(keyApi.deleteApiKey, (tx, call) => keys.revoke(tx, originOf(call), call.params.id)),
  ];
}
