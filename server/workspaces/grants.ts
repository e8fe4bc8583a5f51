import type { Permission } from '../../contract/permissions.ts';
import type { Tx } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import type { Caller } from '../platform/http.ts';
import { builtInRole, missing, ownSet, permissionsOf } from './roles.rules.ts';
import type { Granter, GrantRefusal, GrantTarget } from './roles.rules.ts';
import * as store from './store.ts';

/** What a caller asked to give: a role, or a set of the person's own. */
export type Grant = { readonly role: string } | { readonly permissions: readonly Permission[] };

export interface ResolvedGrant extends GrantTarget {
  readonly roleName: string;
  /** What the row keeps: only for the person's own set. */
  readonly stored: readonly Permission[] | null;
}

export const ownSetName = 'Own permissions';

export async function resolveGrant(tx: Tx, grant: Grant): Promise<ResolvedGrant> {
  if ('permissions' in grant)
    return { role: ownSet, roleName: ownSetName, permissions: grant.permissions, stored: grant.permissions };
  const builtIn = builtInRole(grant.role);
  if (builtIn !== undefined)
    return { role: builtIn.key, roleName: builtIn.name, permissions: builtIn.permissions, stored: null };
  const own = await store.findRole(tx, grant.role);
  if (own === undefined)
    throw new AppError('team/role-unknown', `There is no role "${grant.role}" here.`, {
      errors: [{ pointer: '/grant/role', message: 'is no role of this workspace' }],
    });
  return {
    role: own.key,
    roleName: own.name,
    permissions: permissionsOf(own.key, own.permissions, false),
    stored: null,
  };
}

/** Keys and tokens have no role, however much they may do. */
export async function granterOf(tx: Tx, caller: Caller): Promise<Granter> {
  const member = caller.kind === 'user' ? await store.findMember(tx, caller.id) : undefined;
  return { role: member?.disabledAt === null ? member.role : undefined, permissions: caller.permissions };
}

export function assertHolds(held: ReadonlySet<Permission>, wanted: readonly Permission[]): void {
  const lacking = missing(held, wanted);
  if (lacking.length > 0) throw grantRefused('more-than-own', lacking);
}

export function grantRefused(reason: GrantRefusal, lacking: readonly Permission[] = []): AppError {
  switch (reason) {
    case 'owners-only':
      return new AppError(
        'team/owners-only',
        'Only an owner, signed in, can make an owner or change what an owner is.',
      );
    case 'last-owner':
      return new AppError('team/last-owner', 'This is the last owner who can sign in. Make another one first.');
    case 'more-than-own':
      return new AppError(
        'team/more-than-own',
        lacking.length > 0
          ? `You do not have: ${lacking.join(', ')}.`
          : 'The person may do more than you; only somebody who may do as much can change that.',
      );
  }
}
