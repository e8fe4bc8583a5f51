import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { permissions as allPermissions } from '../../contract/permissions.ts';
import type { Permission } from '../../contract/permissions.ts';
import { endpoints } from '../../contract/index.ts';
import {
  builtInRole,
  builtInRoles,
  isReservedRole,
  knownPermissions,
  permissionsOf,
  refuseGrant,
  refuseShutOut,
} from './roles.rules.ts';

const granterOf = (role: string) => ({ role, permissions: new Set(permissionsOf(role, null, false)) });
const targetOf = (role: string) => ({ role, permissions: permissionsOf(role, null, false) });
const mayCall = (role: string, method: string, path: string) => {
  const endpoint = endpoints.find((one) => one.method === method && one.path === path);
  if (endpoint === undefined) throw new Error(`no ${method} ${path}`);
  return new Set<string>(permissionsOf(role, null, false)).has(endpoint.permission);
};

describe('built-in roles', () => {
  test('are the eight that are promised', () => {
    expect(builtInRoles.map((role) => role.key)).toEqual([
      'owner',
      'admin',
      'marketer',
      'approver',
      'analyst',
      'support',
      'developer',
      'auditor',
    ]);
  });

  test('name only permissions there are, each once', () => {
    for (const role of builtInRoles) expect(knownPermissions(role.permissions)).toHaveLength(role.permissions.length);
  });

  test.each([
    ['owner', 'POST', '/campaigns/:id/start', true],
    ['admin', 'POST', '/invitations', true],
    ['marketer', 'POST', '/campaigns/:id/start', true],
    ['marketer', 'POST', '/invitations', false],
    ['marketer', 'POST', '/providers', false],
    ['marketer', 'GET', '/audit/logs', false],
    ['approver', 'POST', '/campaigns/:id/start', true],
    ['approver', 'POST', '/campaigns', false],
    ['analyst', 'GET', '/campaigns', true],
    ['analyst', 'POST', '/campaigns', false],
    ['support', 'POST', '/contacts/:id/reveal', true],
    ['support', 'POST', '/campaigns/:id/start', false],
    ['developer', 'POST', '/messages/send_with_consent', true],
    ['developer', 'POST', '/api-keys', true],
    ['developer', 'POST', '/permissions', false],
    ['developer', 'POST', '/campaigns/:id/start', false],
    ['auditor', 'GET', '/audit/verify', true],
    ['auditor', 'POST', '/audit/logs', false],
  ])('%s on %s %s: %s', (role, method, path, may) => {
    expect(mayCall(role, method, path)).toBe(may);
  });

  test('an auditor and an analyst can write nothing', () => {
    for (const role of ['auditor', 'analyst'])
      expect(permissionsOf(role, null, false).filter((permission) => !permission.endsWith(':read'))).toEqual([]);
    expect(permissionsOf('auditor', null, false)).toContain('audit:read');
  });

  test('cannot be replaced by a stored set of the same key', () => {
    expect(permissionsOf('analyst', allPermissions, false)).toEqual(builtInRole('analyst')?.permissions);
    expect(isReservedRole('owner')).toBe(true);
    expect(isReservedRole('custom')).toBe(true);
    expect(isReservedRole('intern')).toBe(false);
  });
});

describe('what a member may do', () => {
  test('is nothing once shut out, whatever the role', () => {
    for (const role of builtInRoles) expect(permissionsOf(role.key, null, true)).toEqual([]);
  });

  test('is what is stored for an own set, unknown permissions dropped', () => {
    expect(permissionsOf('custom', ['topics:read', 'contacts:fly', 'topics:read'], false)).toEqual(['topics:read']);
    expect(permissionsOf('vanished-role', null, false)).toEqual([]);
  });
});

describe('granting', () => {
  test('an owner may make and unmake owners, as long as one stays', () => {
    expect(refuseGrant(granterOf('owner'), undefined, targetOf('owner'), 1)).toBeUndefined();
    expect(refuseGrant(granterOf('owner'), targetOf('owner'), targetOf('admin'), 1)).toBeUndefined();
    expect(refuseGrant(granterOf('owner'), targetOf('owner'), targetOf('admin'), 0)).toBe('last-owner');
    expect(refuseGrant(granterOf('owner'), targetOf('owner'), targetOf('owner'), 0)).toBeUndefined();
  });

  test('an admin may make admins, but neither make nor touch an owner', () => {
    expect(refuseGrant(granterOf('admin'), undefined, targetOf('admin'), 1)).toBeUndefined();
    expect(refuseGrant(granterOf('admin'), undefined, targetOf('owner'), 1)).toBe('owners-only');
    expect(refuseGrant(granterOf('admin'), targetOf('owner'), targetOf('analyst'), 5)).toBe('owners-only');
  });

  test('a key with every scope cannot touch owners either', () => {
    const key = { role: undefined, permissions: new Set(allPermissions) };
    expect(refuseGrant(key, undefined, targetOf('owner'), 1)).toBe('owners-only');
    expect(refuseGrant(key, undefined, targetOf('admin'), 1)).toBeUndefined();
  });

  test('nobody gives what they do not hold, nor takes from who holds more', () => {
    const lead = { role: 'team-lead', permissions: new Set<Permission>(['team:write', 'team:read', 'topics:read']) };
    expect(refuseGrant(lead, undefined, { role: 'custom', permissions: ['topics:read'] }, 1)).toBeUndefined();
    expect(refuseGrant(lead, undefined, { role: 'custom', permissions: ['topics:write'] }, 1)).toBe('more-than-own');
    expect(refuseGrant(lead, targetOf('admin'), { role: 'custom', permissions: [] }, 1)).toBe('more-than-own');
  });

  test('never ends with more than the granter had, for any set', () => {
    const someOf = fc.subarray([...allPermissions]);
    fc.assert(
      fc.property(someOf, someOf, (held, wanted) => {
        const refusal = refuseGrant(
          { role: 'x', permissions: new Set(held) },
          undefined,
          { role: 'custom', permissions: wanted },
          1,
        );
        expect(refusal === undefined).toBe(wanted.every((permission) => held.includes(permission)));
      }),
    );
  });
});

describe('shutting out', () => {
  test('spares the last owner, and owners from who is none', () => {
    expect(refuseShutOut(granterOf('owner'), targetOf('owner'), 0)).toBe('last-owner');
    expect(refuseShutOut(granterOf('owner'), targetOf('owner'), 1)).toBeUndefined();
    expect(refuseShutOut(granterOf('admin'), targetOf('owner'), 3)).toBe('owners-only');
    expect(refuseShutOut(granterOf('admin'), targetOf('marketer'), 1)).toBeUndefined();
    expect(refuseShutOut({ role: 'x', permissions: new Set(['team:write']) }, targetOf('marketer'), 1)).toBe(
      'more-than-own',
    );
  });
});
