import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { notFound } from '../platform/errors.ts';
import type { Caller } from '../platform/http.ts';
import type { Audit, AuditOrigin } from './audit.ts';
import type { Callers } from './callers.ts';
import { granterOf, grantRefused, resolveGrant } from './grants.ts';
import type { Grant } from './grants.ts';
import { deleteSessions, membershipsOf } from './people.store.ts';
import { permissionsOf, refuseGrant, refuseShutOut } from './roles.rules.ts';
import * as store from './store.ts';

export interface Members {
  list(tx: Tx, afterId: string | undefined, most: number): Promise<store.MemberRow[]>;
  get(tx: Tx, userId: string): Promise<store.MemberRow>;
  /** Gives another role or set. Throws when the caller may not, or the last owner would go. */
  grant(tx: Tx, caller: Caller, origin: AuditOrigin, userId: string, grant: Grant): Promise<store.MemberRow>;
  /** Shuts out, or lets in again. */
  setDisabled(tx: Tx, caller: Caller, origin: AuditOrigin, userId: string, disabled: boolean): Promise<store.MemberRow>;
}

export interface MemberDeps {
  readonly audit: Audit;
  readonly clock: Clock;
  readonly forget: Callers['forget'];
}

export function createMembers({ audit, clock, forget }: MemberDeps): Members {
  const get = async (tx: Tx, userId: string) => {
    const member = await store.findMember(tx, userId);
    if (member === undefined) throw notFound('person in this workspace');
    return member;
  };

  return {
    list: store.listMembers,
    get,

    grant: async (tx, caller, origin, userId, grant) => {
      await store.lockMembers(tx);
      const member = await get(tx, userId);
      const target = await resolveGrant(tx, grant);
      const current = { role: member.role, permissions: permissionsOf(member.role, member.permissions, false) };
      const refused = refuseGrant(
        await granterOf(tx, caller),
        current,
        target,
        await store.countOtherOwners(tx, userId),
      );
      if (refused !== undefined)
        throw grantRefused(
          refused,
          target.permissions.filter((one) => !caller.permissions.has(one)),
        );
      await store.updateMemberRole(tx, userId, target.role, target.stored, clock.now());
      await audit.record(tx, {
        ...origin,
        action: 'member.permissions-changed',
        target: { kind: 'user', id: userId },
        before: { role: current.role, permissions: current.permissions },
        after: { role: target.role, permissions: target.permissions },
      });
      tx.afterCommit(() => forget(userId));
      return get(tx, userId);
    },

    setDisabled: async (tx, caller, origin, userId, disabled) => {
      await store.lockMembers(tx);
      const member = await get(tx, userId);
      if ((member.disabledAt !== null) === disabled) return member;
      const current = { role: member.role, permissions: permissionsOf(member.role, member.permissions, false) };
      const refused = refuseShutOut(await granterOf(tx, caller), current, await store.countOtherOwners(tx, userId));
      if (refused !== undefined) throw grantRefused(refused);
      const now = clock.now();
      await store.disableMember(tx, userId, disabled ? now : null, now);
      const memberships = await membershipsOf(tx, userId);
      if (memberships.every((one) => one.disabledAt !== null)) await deleteSessions(tx, userId);
      const action = disabled ? 'member.shut-out' : 'member.let-in';
      await audit.record(tx, { ...origin, action, target: { kind: 'user', id: userId } });
      tx.afterCommit(() => forget(userId));
      return get(tx, userId);
    },
  };
}
