import { z } from 'zod';
import { endpoint, id, idParams, line, page, pageQuery, time } from './endpoint.ts';
import { email } from './mailbox.ts';
import { permissions } from './permissions.ts';

const tag = 'Team';
const permission = z.enum(permissions);
const permissionSet = z.array(permission).max(permissions.length);
/** Built in: owner, admin, marketer, approver, analyst, support, developer, auditor; others are the workspace's own sets. */
export const roleKey = z.string().regex(/^[a-z][a-z0-9-]{1,40}$/, 'must be lower-case letters, digits and dashes');

/** A role by key, or a set of permissions of this person's own. */
export const grant = z.union([z.strictObject({ role: roleKey }), z.strictObject({ permissions: permissionSet })]);

export const user = z.strictObject({
  id,
  name: z.string(),
  email: z.string(),
  /** `custom` when the person has a set of their own. */
  role: z.string(),
  roleName: z.string(),
  twoFactorEnabled: z.boolean(),
  disabledAt: time.nullable(),
  lastSeenAt: time.nullable(),
  createdAt: time,
});
export type User = z.output<typeof user>;

export const listUsers = endpoint({
  method: 'GET',
  path: '/users',
  permission: 'team:read',
  summary: 'The people of the workspace',
  tag,
  query: z.strictObject({ ...pageQuery }),
  status: 200,
  response: page(user),
});

export const getUser = endpoint({
  method: 'GET',
  path: '/users/:id',
  permission: 'team:read',
  summary: 'One person of the workspace',
  tag,
  params: idParams,
  status: 200,
  response: user,
});

export const updateUser = endpoint({
  method: 'PATCH',
  path: '/users/:id',
  permission: 'team:write',
  summary: 'Shut a person out (ends their sessions), or let them in again; the last owner cannot be shut out',
  tag,
  params: idParams,
  body: z.strictObject({ disabled: z.boolean() }),
  status: 200,
  response: user,
});

export const invitation = z.strictObject({
  id,
  email: z.string(),
  role: z.string(),
  roleName: z.string(),
  state: z.enum(['open', 'accepted', 'revoked', 'expired']),
  invitedBy: z.string(),
  createdAt: time,
  expiresAt: time,
});
export type Invitation = z.output<typeof invitation>;

export const createInvitation = endpoint({
  method: 'POST',
  path: '/invitations',
  permission: 'team:write',
  summary: 'Invite by e-mail; the link is also answered, once, to be passed on by hand',
  tag,
  body: z.strictObject({ email, grant }),
  status: 201,
  // Not idempotent by key: the answer holds the link, which is kept nowhere but as a hash.
  response: invitation.extend({ url: z.string(), mailed: z.boolean() }),
});

export const listInvitations = endpoint({
  method: 'GET',
  path: '/invitations',
  permission: 'team:read',
  summary: 'Invitations, newest first',
  tag,
  query: z.strictObject({ ...pageQuery, state: z.enum(['open', 'accepted', 'revoked', 'expired']).optional() }),
  status: 200,
  response: page(invitation),
});

export const revokeInvitation = endpoint({
  method: 'DELETE',
  path: '/invitations/:id',
  permission: 'team:write',
  summary: 'Make an invitation link worthless',
  tag,
  params: idParams,
  status: 204,
});

export const role = z.strictObject({
  key: z.string(),
  name: z.string(),
  description: z.string(),
  permissions: z.array(permission),
  builtIn: z.boolean(),
  members: z.int().nonnegative(),
});
export type Role = z.output<typeof role>;

const roleContent = { name: line(60), description: z.string().trim().max(300).default(''), permissions: permissionSet };

export const listRoles = endpoint({
  method: 'GET',
  path: '/roles',
  permission: 'team:read',
  summary: 'Built-in roles and the permission sets of the workspace',
  tag,
  status: 200,
  response: z.strictObject({ data: z.array(role) }),
});

export const createRole = endpoint({
  method: 'POST',
  path: '/roles',
  permission: 'team:write',
  summary: 'Make a permission set; nobody can give away more than they have',
  tag,
  body: z.strictObject({ key: roleKey, ...roleContent }),
  status: 201,
  response: role,
  idempotent: true,
});

export const updateRole = endpoint({
  method: 'PUT',
  path: '/roles/:key',
  permission: 'team:write',
  summary: 'Change a permission set; built-in roles stay as they are',
  tag,
  params: z.strictObject({ key: roleKey }),
  body: z.strictObject(roleContent),
  status: 200,
  response: role,
});

export const deleteRole = endpoint({
  method: 'DELETE',
  path: '/roles/:key',
  permission: 'team:write',
  summary: 'Remove a permission set that nobody has any more',
  tag,
  params: z.strictObject({ key: roleKey }),
  status: 204,
});

export const userPermissions = z.strictObject({
  userId: id,
  name: z.string(),
  role: z.string(),
  permissions: z.array(permission),
  updatedAt: time,
});

export const listPermissions = endpoint({
  method: 'GET',
  path: '/permissions',
  permission: 'team:read',
  summary: 'Who may do what',
  tag,
  query: z.strictObject({ ...pageQuery }),
  status: 200,
  response: page(userPermissions),
});

export const grantPermissions = endpoint({
  method: 'POST',
  path: '/permissions',
  permission: 'team:write',
  summary: 'Give a person a role or a set of permissions',
  tag,
  body: z.strictObject({ userId: id, grant }),
  status: 201,
  response: userPermissions,
  idempotent: true,
});

export const getPermissions = endpoint({
  method: 'GET',
  path: '/permissions/:userId',
  permission: 'team:read',
  summary: 'What one person may do',
  tag,
  params: z.strictObject({ userId: id }),
  status: 200,
  response: userPermissions,
});

export const updatePermissions = endpoint({
  method: 'PUT',
  path: '/permissions/:userId',
  permission: 'team:write',
  summary: 'Change what a person may do; the last owner stays owner',
  tag,
  params: z.strictObject({ userId: id }),
  body: grant,
  status: 200,
  response: userPermissions,
});

export const teamEndpoints = [
  listUsers,
  getUser,
  updateUser,
  createInvitation,
  listInvitations,
  revokeInvitation,
  listRoles,
  createRole,
  updateRole,
  deleteRole,
  listPermissions,
  grantPermissions,
  getPermissions,
  updatePermissions,
] as const;
