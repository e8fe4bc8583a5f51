import { afterEach, describe, expect, test } from 'vitest';
import { createSetting, ownerPassword } from './testing.ts';
import type { Setting } from './testing.ts';

let setting: Setting | undefined;
afterEach(async () => {
  await setting?.close();
  setting = undefined;
});
const fresh = async (publicOrigin?: string) => (setting = await createSetting(publicOrigin));

const admin = { email: 'Root@example.com', password: ownerPassword };
const bootstrapKey = 'an-api-key-of-the-operator-0123456789';

describe('the first start', () => {
  test('with an administrator and a bootstrap key makes owner, workspace and key, once', async () => {
    const { workspaces, visitor, bearer, created, test: db } = await fresh();
    await Promise.all([
      workspaces.ensureFirst({ admin, bootstrapKey }),
      workspaces.ensureFirst({ admin, bootstrapKey }),
    ]);
    await workspaces.ensureFirst({
      admin: { ...admin, password: 'another phrase entirely' },
      bootstrapKey: `${bootstrapKey}-2`,
    });
    expect(created).toHaveLength(1);
    const person = visitor();
    expect((await person.call('POST', '/auth/sign-in', admin)).status).toBe(200);
    expect((await person.call('GET', '/me')).body).toMatchObject({
      name: 'Root',
      user: { role: 'owner', email: 'root@example.com' },
    });
    expect((await bearer(bootstrapKey).call('GET', '/audit/verify')).body).toMatchObject({ ok: true });
    expect((await bearer(`${bootstrapKey}-2`).call('GET', '/me')).status).toBe(401);
    expect((await person.call('GET', '/auth/setup')).body).toEqual({ needed: false });
    const keys = await db.owner.query('select 1 from workspace_key');
    expect(keys.rowCount).toBe(3);
  });

  test('with a bootstrap key alone makes the workspace; the first owner then joins that one', async () => {
    const { workspaces, visitor, bearer, created } = await fresh();
    await workspaces.ensureFirst({ bootstrapKey });
    const before = (await bearer(bootstrapKey).call('GET', '/me')).body;
    expect(before).toMatchObject({ kind: 'key', name: 'Bootstrap' });
    const person = visitor();
    expect((await person.call('GET', '/auth/setup')).body).toEqual({ needed: true });
    const owner = { workspaceName: 'Acme', name: 'Olga', email: 'olga@example.com', password: ownerPassword };
    expect((await person.call('POST', '/auth/setup', owner)).status).toBe(201);
    const workspace = { ...(before['workspace'] as object), name: 'Acme' };
    expect((await person.call('GET', '/me')).body['workspace']).toEqual(workspace);
    expect(created).toHaveLength(1);
  });

  test('without settings leaves the database empty', async () => {
    const { workspaces, visitor, test: db } = await fresh();
    await workspaces.ensureFirst({});
    expect((await visitor().call('GET', '/auth/setup')).body).toEqual({ needed: true });
    expect((await db.owner.query('select 1 from workspace')).rowCount).toBe(0);
  });

  test('refuses a bootstrap key that is too short, or could not be sent, by its name', async () => {
    const { workspaces } = await fresh();
    for (const key of ['short', 'a key with blanks, and long enough for it', `eyJ${'a'.repeat(30)}.b.c`])
      await expect(workspaces.ensureFirst({ bootstrapKey: key })).rejects.toThrow(/PARLEY_BOOTSTRAP_KEY/);
  });

  test('makes nothing when a part of it fails', async () => {
    const { workspaces, test: db } = await fresh();
    await db.owner.query('alter table member rename to member_gone');
    await expect(workspaces.ensureFirst({ admin, bootstrapKey })).rejects.toThrow();
    await db.owner.query('alter table member_gone rename to member');
    for (const table of ['workspace', 'auth_user', 'auth_account', 'api_key', 'audit_entry'])
      expect((await db.owner.query(`select 1 from ${table}`)).rowCount).toBe(0);
    await workspaces.ensureFirst({ admin, bootstrapKey });
    expect((await db.owner.query('select 1 from member')).rowCount).toBe(1);
  });
});

describe('behind https', () => {
  test('the session cookie is sent over https only', async () => {
    const { workspaces, visitor } = await fresh('https://parley.example.com');
    await workspaces.ensureFirst({ admin });
    const person = visitor();
    const { setCookies } = await person.call('POST', '/auth/sign-in', admin);
    const [cookie = ''] = setCookies.filter((line) => line.startsWith('__Secure-parley_session='));
    expect(cookie).toMatch(/; Secure/);
    expect(cookie).toMatch(/; HttpOnly/);
    expect((await person.call('GET', '/me')).status).toBe(200);
  });
});
