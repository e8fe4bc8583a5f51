import type { Permission } from '../../contract/permissions.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { AppError, notFound } from '../platform/errors.ts';
import type { Caller } from '../platform/http.ts';
import type { Audit, AuditOrigin } from './audit.ts';
import { assertHolds } from './grants.ts';
import { builtInRoles, isReservedRole, knownPermissions } from './roles.rules.ts';
import * as store from './store.ts';

export interface Role {
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly permissions: Permission[];
  readonly builtIn: boolean;
  readonly members: number;
}

export interface RoleContent {
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly Permission[];
}

export interface Roles {
  list(tx: Tx): Promise<Role[]>;
  create(tx: Tx, caller: Caller, origin: AuditOrigin, key: string, content: RoleContent): Promise<Role>;
  update(tx: Tx, caller: Caller, origin: AuditOrigin, key: string, content: RoleContent): Promise<Role>;
  remove(tx: Tx, caller: Caller, origin: AuditOrigin, key: string): Promise<void>;
}

export function createRoles({ audit, clock }: { readonly audit: Audit; readonly clock: Clock }): Roles {
  const ownRole = async (tx: Tx, key: string) => {
    if (isReservedRole(key))
      throw new AppError('team/role-built-in', `"${key}" is built in. Make a role of your own beside it.`);
    await store.lockMembers(tx);
    const role = await store.findRole(tx, key);
    if (role === undefined) throw notFound('role');
    return role;
  };
  return {
    list: listAll,

    create: async (tx, caller, origin, key, content) => {
      if (isReservedRole(key)) throw new AppError('team/role-taken', `"${key}" is a built-in role.`);
      assertHolds(caller.permissions, content.permissions);
      const role = { key, ...content, permissions: knownPermissions(content.permissions) };
      if (!(await store.insertRole(tx, role, clock.now())))
        throw new AppError('team/role-taken', `There is a role "${key}" already.`);
      await audit.record(tx, { ...origin, action: 'role.created', target: { kind: 'role', id: key }, after: content });
      return present(role, 0);
    },

    update: async (tx, caller, origin, key, content) => {
      const before = await ownRole(tx, key);
      // Both ways: a role that may do more than the caller is not the caller's to change.
      assertHolds(caller.permissions, [...content.permissions, ...knownPermissions(before.permissions)]);
      const role = { key, ...content, permissions: knownPermissions(content.permissions) };
      await store.updateRole(tx, role, clock.now());
      await audit.record(tx, {
        ...origin,
        action: 'role.changed',
        target: { kind: 'role', id: key },
        before,
        after: role,
      });
      return present(role, (await store.countMembersByRole(tx)).get(key) ?? 0);
    },

    remove: async (tx, caller, origin, key) => {
      const before = await ownRole(tx, key);
      assertHolds(caller.permissions, knownPermissions(before.permissions));
      if (await store.isRoleInUse(tx, key, clock.now()))
        throw new AppError('team/role-in-use', 'Give its members, and those invited to it, another role first.');
      await store.deleteRole(tx, key);
      await audit.record(tx, { ...origin, action: 'role.removed', target: { kind: 'role', id: key }, before });
    },
  };
}

function present(role: store.RoleRow, members: number): Role {
  return { ...role, permissions: knownPermissions(role.permissions), builtIn: false, members };
}

async function listAll(tx: Tx): Promise<Role[]> {
  const counts = await store.countMembersByRole(tx);
  const own = await store.listRoles(tx);
  const builtIn = builtInRoles.map((role) => ({
    ...role,
    permissions: [...role.permissions],
    builtIn: true,
    members: counts.get(role.key) ?? 0,
  }));
  return [...builtIn, ...own.map((role) => present(role, counts.get(role.key) ?? 0))];
}
