import { permissions as allPermissions } from '../../contract/permissions.ts';
import type { Permission } from '../../contract/permissions.ts';

/** What a role is: a named set of permissions. Nothing else in the program asks for a role; routes ask for permissions. */
export interface BuiltInRole {
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly Permission[];
}

const reading = allPermissions.filter((permission) => permission.endsWith(':read'));

/** A person whose permissions are their own, under no role's name. */
export const ownSet = 'custom';

export const builtInRoles: readonly BuiltInRole[] = [
  {
    key: 'owner',
    name: 'Owner',
    description: 'Everything, and the only one who can make or unmake owners.',
    permissions: allPermissions,
  },
  { key: 'admin', name: 'Admin', description: 'Everything but the owners.', permissions: allPermissions },
  {
    key: 'marketer',
    name: 'Marketer',
    description: 'Contacts, consent, templates and campaigns, from draft to results.',
    permissions: [
      'contacts:read',
      'contacts:write',
      'contacts:import',
      'contacts:export',
      'attributes:write',
      'consent:read',
      'consent:write',
      'topics:read',
      'topics:write',
      'templates:read',
      'templates:write',
      'campaigns:read',
      'campaigns:write',
      'campaigns:send',
      'messages:read',
      'providers:read',
      'sandbox:read',
      'settings:read',
    ],
  },
  {
    key: 'approver',
    name: 'Approver',
    description: 'Looks at what is to be sent, and sends it.',
    permissions: [
      'contacts:read',
      'consent:read',
      'topics:read',
      'templates:read',
      'campaigns:read',
      'campaigns:send',
      'messages:read',
      'providers:read',
      'sandbox:read',
      'settings:read',
    ],
  },
  {
    key: 'analyst',
    name: 'Analyst',
    description: 'Reads results; changes nothing.',
    permissions: ['contacts:read', 'consent:read', 'topics:read', 'templates:read', 'campaigns:read', 'messages:read'],
  },
  {
    key: 'support',
    name: 'Support',
    description: 'Helps one contact at a time: looks up, corrects, records a withdrawal.',
    permissions: [
      'contacts:read',
      'contacts:write',
      'contacts:reveal',
      'consent:read',
      'consent:write',
      'topics:read',
      'templates:read',
      'campaigns:read',
      'messages:read',
    ],
  },
  {
    key: 'developer',
    name: 'Developer',
    description: 'Connects programs: keys, providers, sandbox, messages by API.',
    permissions: [
      'contacts:read',
      'contacts:write',
      'contacts:import',
      'attributes:write',
      'consent:read',
      'consent:write',
      'topics:read',
      'topics:write',
      'templates:read',
      'templates:write',
      'campaigns:read',
      'messages:read',
      'messages:send',
      'inapp:tokens',
      'providers:read',
      'providers:write',
      'limits:write',
      'sandbox:read',
      'sandbox:write',
      'keys:read',
      'keys:write',
      'settings:read',
    ],
  },
  {
    key: 'auditor',
    name: 'Auditor',
    description: 'Reads everything, the audit log included; changes nothing.',
    permissions: reading,
  },
];

export function builtInRole(key: string): BuiltInRole | undefined {
  return builtInRoles.find((role) => role.key === key);
}

/** Keys that a workspace's own role cannot take. */
export function isReservedRole(key: string): boolean {
  return key === ownSet || builtInRole(key) !== undefined;
}

/** In the order of the permission list, unknown and repeated ones dropped: what is stored may be older than the program. */
export function knownPermissions(stored: readonly string[]): Permission[] {
  const held = new Set(stored);
  return allPermissions.filter((permission) => held.has(permission));
}

/** What a member may do. A role that no longer exists gives nothing; a shut-out member may do nothing. */
export function permissionsOf(role: string, stored: readonly string[] | null, disabled: boolean): Permission[] {
  if (disabled) return [];
  return [...(builtInRole(role)?.permissions ?? knownPermissions(stored ?? []))];
}

/** Who changes a membership. Keys and tokens have no role, so they can never touch an owner. */
export interface Granter {
  readonly role: string | undefined;
  readonly permissions: ReadonlySet<Permission>;
}

export interface GrantTarget {
  readonly role: string;
  readonly permissions: readonly Permission[];
}

export type GrantRefusal = 'owners-only' | 'more-than-own' | 'last-owner';

export function missing(held: ReadonlySet<Permission>, wanted: readonly Permission[]): Permission[] {
  return wanted.filter((permission) => !held.has(permission));
}

/** May `granter` give `target` to somebody who has `current` (undefined: a newcomer)? Undefined when yes. */
export function refuseGrant(
  granter: Granter,
  current: GrantTarget | undefined,
  target: GrantTarget,
  otherOwners: number,
): GrantRefusal | undefined {
  const touchesOwner = target.role === 'owner' || current?.role === 'owner';
  if (touchesOwner && granter.role !== 'owner') return 'owners-only';
  if (missing(granter.permissions, target.permissions).length > 0) return 'more-than-own';
  // Taking away from somebody stronger would let a weak role with team:write disarm its betters.
  if (current !== undefined && missing(granter.permissions, current.permissions).length > 0) return 'more-than-own';
  if (current?.role === 'owner' && target.role !== 'owner' && otherOwners === 0) return 'last-owner';
  return undefined;
}

/** May `granter` shut out (or let in again) somebody who has `current`? */
export function refuseShutOut(granter: Granter, current: GrantTarget, otherOwners: number): GrantRefusal | undefined {
  if (current.role === 'owner' && granter.role !== 'owner') return 'owners-only';
  if (missing(granter.permissions, current.permissions).length > 0) return 'more-than-own';
  if (current.role === 'owner' && otherOwners === 0) return 'last-owner';
  return undefined;
}
