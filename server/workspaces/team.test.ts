import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { permissions as allPermissions } from '../../contract/permissions.ts';
import { createSetting, firstOwner, newMember, ownerPassword } from './testing.ts';
import type { Setting, Visitor } from './testing.ts';

let setting: Setting;
let owner: Visitor;
let ownerId: string;
let admin: Visitor & { userId: string };

beforeAll(async () => {
  setting = await createSetting();
  owner = await firstOwner(setting);
  ownerId = String((await owner.call('GET', '/me')).body['id']);
  admin = await newMember(owner, setting, 'adam@example.com', { role: 'admin' });
});
afterAll(() => setting.close());

const tokenOf = (answer: { body: Record<string, unknown> }) => String(answer.body['url']).split('/').at(-1) ?? '';

describe('an invitation', () => {
  test('is mailed, its link also answered, and lets a newcomer join once with the role it names', async () => {
    setting.mails.length = 0;
    const invited = await owner.call('POST', '/invitations', { email: 'Mia@Example.com', grant: { role: 'marketer' } });
    expect(invited).toMatchObject({
      status: 201,
      body: {
        email: 'mia@example.com',
        role: 'marketer',
        roleName: 'Marketer',
        state: 'open',
        mailed: true,
        invitedBy: 'Olga Owner',
      },
    });
    const token = tokenOf(invited);
    expect(setting.mails).toMatchObject([
      { to: 'mia@example.com', text: expect.stringContaining(String(invited.body['url'])) },
    ]);
    const mia = setting.visitor();
    expect(await mia.call('GET', `/auth/invitations/${token}`)).toMatchObject({
      status: 200,
      body: { email: 'mia@example.com', workspaceName: 'Acme', roleName: 'Marketer', invitedBy: 'Olga Owner' },
    });
    const accept = (password: string) =>
      mia.call('POST', `/auth/invitations/${token}/accept`, { name: 'Mia M.', password });
    expect(await accept('mia@example.com')).toMatchObject({ status: 422, body: { code: 'auth/weak-password' } });
    expect((await accept('a phrase of my own')).status).toBe(201);
    expect((await mia.call('GET', '/me')).body).toMatchObject({ name: 'Mia M.', user: { role: 'marketer' } });
    expect(await accept('a phrase of my own')).toMatchObject({ status: 422, body: { code: 'auth/link-worthless' } });
    const listed = await owner.call('GET', '/invitations?state=accepted');
    expect(listed.body.data?.map((row) => row['email'])).toContain('mia@example.com');
    const again = await owner.call('POST', '/invitations', { email: 'mia@example.com', grant: { role: 'analyst' } });
    expect(again).toMatchObject({ status: 409, body: { code: 'team/member-already' } });
  });

  test('says when it could not be mailed, and works all the same', async () => {
    setting.trouble.mail = true;
    const invited = await owner.call('POST', '/invitations', {
      email: 'nomail@example.com',
      grant: { role: 'analyst' },
    });
    setting.trouble.mail = false;
    expect(invited).toMatchObject({ status: 201, body: { mailed: false } });
    expect((await setting.visitor().call('GET', `/auth/invitations/${tokenOf(invited)}`)).status).toBe(200);
  });

  test('is worthless once revoked or a week old, or when made up', async () => {
    const first = await owner.call('POST', '/invitations', { email: 'gone@example.com', grant: { role: 'analyst' } });
    expect((await owner.call('DELETE', `/invitations/${String(first.body['id'])}`)).status).toBe(204);
    const second = await owner.call('POST', '/invitations', { email: 'late@example.com', grant: { role: 'analyst' } });
    await setting.test.owner.query(
      `update invitation set expires_at = now() - interval '1 day' where email = 'late@example.com'`,
    );
    for (const token of [tokenOf(first), tokenOf(second), 'inv_made-up-made-up-made-up']) {
      expect(await setting.visitor().call('GET', `/auth/invitations/${token}`)).toMatchObject({
        status: 422,
        body: { code: 'auth/link-worthless' },
      });
      const body = { name: 'X', password: 'a phrase of my own' };
      expect((await setting.visitor().call('POST', `/auth/invitations/${token}/accept`, body)).status).toBe(422);
    }
    expect((await owner.call('GET', '/invitations?state=revoked')).body.data).toHaveLength(1);
    expect((await owner.call('GET', '/invitations?state=expired')).body.data).toHaveLength(1);
  });

  test('is accepted by one, when two try at once', async () => {
    const token = tokenOf(
      await owner.call('POST', '/invitations', { email: 'twice@example.com', grant: { role: 'analyst' } }),
    );
    const body = { name: 'T', password: 'a phrase of my own' };
    const tries = await Promise.all(
      [1, 2, 3].map(() => setting.visitor().call('POST', `/auth/invitations/${token}/accept`, body)),
    );
    expect(tries.filter((one) => one.status === 201)).toHaveLength(1);
    expect(tries.filter((one) => one.status >= 500)).toEqual([]);
  });

  test('keeps its link nowhere in the database', async () => {
    const token = tokenOf(
      await owner.call(
        'POST',
        '/invitations',
        { email: 'secret@example.com', grant: { role: 'analyst' } },
        { 'idempotency-key': 'k1' },
      ),
    );
    const dump = await setting.test.owner.query<{ all: string }>(
      `select string_agg(t::text, '') as all from (select i::text as t from invitation i union all select k::text from idempotency_key k
        union all select a::text from audit_entry a) x`,
    );
    expect(dump.rows[0]?.all).not.toContain(token);
  });
});

describe('permissions', () => {
  test('of people are listed, read, given and changed', async () => {
    const sue = await newMember(owner, setting, 'sue@example.com', { role: 'support' });
    expect((await owner.call('GET', `/permissions/${sue.userId}`)).body).toMatchObject({
      role: 'support',
      name: 'sue',
    });
    const put = await owner.call('PUT', `/permissions/${sue.userId}`, {
      permissions: ['topics:read', 'contacts:read'],
    });
    expect(put).toMatchObject({ status: 200, body: { role: 'custom', permissions: ['contacts:read', 'topics:read'] } });
    expect((await sue.call('GET', '/me')).body['permissions']).toEqual(['contacts:read', 'topics:read']);
    const post = await owner.call('POST', '/permissions', { userId: sue.userId, grant: { role: 'analyst' } });
    expect(post).toMatchObject({ status: 201, body: { role: 'analyst' } });
    const listed = await owner.call('GET', '/permissions?limit=2');
    expect(listed.body.data).toHaveLength(2);
    expect(listed.body['nextCursor']).toEqual(expect.any(String));
    const log = await owner.call('GET', `/audit/logs?action=member.permissions-changed&targetId=${sue.userId}`);
    expect(log.body.data?.[1]).toMatchObject({ before: { role: 'support' }, after: { role: 'custom' } });
  });

  test('cannot be given beyond the own, by nobody and to nobody', async () => {
    const lead = await newMember(owner, setting, 'lead@example.com', {
      permissions: ['team:read', 'team:write', 'topics:read'],
    });
    const small = await newMember(owner, setting, 'small@example.com', { permissions: ['topics:read'] });
    const give = (grant: object) => lead.call('PUT', `/permissions/${small.userId}`, grant);
    expect(await give({ permissions: ['topics:write'] })).toMatchObject({
      status: 403,
      body: { code: 'team/more-than-own' },
    });
    expect(await give({ role: 'analyst' })).toMatchObject({ status: 403 });
    expect((await give({ permissions: [] })).status).toBe(200);
    expect(await lead.call('PUT', `/permissions/${lead.userId}`, { role: 'admin' })).toMatchObject({ status: 403 });
    expect(await lead.call('PUT', `/permissions/${admin.userId}`, { permissions: [] })).toMatchObject({ status: 403 });
    expect(await lead.call('POST', '/invitations', { email: 'x@example.com', grant: { role: 'admin' } })).toMatchObject(
      { status: 403 },
    );
    expect(
      await lead.call('POST', '/roles', { key: 'boss', name: 'Boss', permissions: ['settings:write'] }),
    ).toMatchObject({ status: 403 });
    expect(await lead.call('PATCH', `/users/${admin.userId}`, { disabled: true })).toMatchObject({ status: 403 });
  });

  test('of owners are changed by owners only, and the last one stays', async () => {
    expect(await admin.call('PUT', `/permissions/${admin.userId}`, { role: 'owner' })).toMatchObject({
      status: 403,
      body: { code: 'team/owners-only' },
    });
    expect(await admin.call('PUT', `/permissions/${ownerId}`, { role: 'analyst' })).toMatchObject({ status: 403 });
    expect(await admin.call('PATCH', `/users/${ownerId}`, { disabled: true })).toMatchObject({ status: 403 });
    const secret = String(
      (await owner.call('POST', '/api-keys', { name: 'All', scopes: allPermissions })).body['secret'],
    );
    expect(await setting.bearer(secret).call('PUT', `/permissions/${admin.userId}`, { role: 'owner' })).toMatchObject({
      status: 403,
    });
    expect(await owner.call('PUT', `/permissions/${ownerId}`, { role: 'admin' })).toMatchObject({
      status: 409,
      body: { code: 'team/last-owner' },
    });
    expect(await owner.call('PATCH', `/users/${ownerId}`, { disabled: true })).toMatchObject({
      status: 409,
      body: { code: 'team/last-owner' },
    });
  });

  test('leave an owner even when two step down at once', async () => {
    const second = await newMember(owner, setting, 'second@example.com', { role: 'owner' });
    const [one, two] = await Promise.all([
      owner.call('PUT', `/permissions/${ownerId}`, { role: 'admin' }),
      second.call('PUT', `/permissions/${second.userId}`, { role: 'admin' }),
    ]);
    expect([one.status, two.status].toSorted((left, right) => left - right)).toEqual([200, 409]);
    const owners = await setting.test.owner.query(`select 1 from member where role = 'owner'`);
    expect(owners.rowCount).toBe(1);
    // Whoever stayed puts it right for the tests that follow.
    if (one.status === 200) await second.call('PUT', `/permissions/${ownerId}`, { role: 'owner' });
    expect((await owner.call('PUT', `/permissions/${second.userId}`, { role: 'analyst' })).status).toBe(200);
  });

  test('of a stranger are not found', async () => {
    const stranger = '01890000-0000-7000-8000-000000000000';
    expect((await owner.call('GET', `/permissions/${stranger}`)).status).toBe(404);
    expect((await owner.call('PUT', `/permissions/${stranger}`, { role: 'analyst' })).status).toBe(404);
    expect((await owner.call('PUT', `/permissions/${admin.userId}`, { role: 'no-such-role' })).body['code']).toBe(
      'team/role-unknown',
    );
  });
});

describe('a person', () => {
  test('who is shut out is out at once, and back when let in', async () => {
    const max = await newMember(owner, setting, 'max@example.com', { role: 'analyst' });
    const out = await owner.call('PATCH', `/users/${max.userId}`, { disabled: true });
    expect(out).toMatchObject({ status: 200, body: { disabledAt: expect.any(String) } });
    expect((await max.call('GET', '/me')).status).toBe(401);
    const credentials = { email: 'max@example.com', password: ownerPassword };
    expect(await max.call('POST', '/auth/sign-in', credentials)).toMatchObject({
      status: 403,
      body: { code: 'auth/shut-out' },
      setCookies: [],
    });
    expect((await max.call('GET', '/me')).status).toBe(401);
    expect((await owner.call('GET', `/permissions/${max.userId}`)).body['permissions']).toEqual([]);
    expect((await owner.call('PATCH', `/users/${max.userId}`, { disabled: false })).body['disabledAt']).toBeNull();
    expect((await max.call('POST', '/auth/sign-in', credentials)).status).toBe(200);
  });

  test('is listed with role and last sign-in, page by page', async () => {
    const seen: unknown[] = [];
    for (let cursor = ''; cursor !== 'null';) {
      const page = await owner.call('GET', `/users?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...(page.body.data ?? []).map((row) => row['email']));
      cursor = String(page.body['nextCursor']);
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toContain('olga@example.com');
    expect((await owner.call('GET', `/users/${admin.userId}`)).body).toMatchObject({
      roleName: 'Admin',
      lastSeenAt: expect.any(String),
    });
    expect(await owner.call('GET', '/users?cursor=nonsense')).toMatchObject({ status: 422 });
    expect(await owner.call('GET', `/users?cursor=${Buffer.from('["x"]').toString('base64url')}`)).toMatchObject({
      status: 422,
    });
  });
});

describe('a role of the workspace', () => {
  test('is made, given, changed for all who have it, and removed when nobody does', async () => {
    const content = { name: 'Intern', description: 'Reads', permissions: ['topics:read'] };
    expect(await owner.call('POST', '/roles', { key: 'intern', ...content })).toMatchObject({
      status: 201,
      body: { key: 'intern', builtIn: false, members: 0 },
    });
    expect(await owner.call('POST', '/roles', { key: 'intern', ...content })).toMatchObject({ status: 409 });
    expect(await owner.call('POST', '/roles', { key: 'owner', ...content })).toMatchObject({
      status: 409,
      body: { code: 'team/role-taken' },
    });
    const ina = await newMember(owner, setting, 'ina@example.com', { role: 'intern' });
    expect((await ina.call('GET', '/me')).body['permissions']).toEqual(['topics:read']);
    expect(
      (await owner.call('PUT', '/roles/intern', { ...content, permissions: ['topics:read', 'templates:read'] })).status,
    ).toBe(200);
    setting.test.clock.advance(5_001);
    expect((await ina.call('GET', '/me')).body['permissions']).toEqual(['topics:read', 'templates:read']);
    expect(await owner.call('DELETE', '/roles/intern')).toMatchObject({
      status: 409,
      body: { code: 'team/role-in-use' },
    });
    expect(await owner.call('PUT', '/roles/admin', content)).toMatchObject({
      status: 409,
      body: { code: 'team/role-built-in' },
    });
    await owner.call('PUT', `/permissions/${ina.userId}`, { role: 'analyst' });
    expect((await owner.call('DELETE', '/roles/intern')).status).toBe(204);
    expect((await owner.call('DELETE', '/roles/intern')).status).toBe(404);
    const roles = await owner.call('GET', '/roles');
    expect(roles.body.data?.map((row) => row['key'])).toEqual([
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
});

describe('the settings of the workspace', () => {
  test('start with their defaults, change one by one, and refuse a stale change', async () => {
    const first = await owner.call('GET', '/settings/workspace');
    expect(first.body).toMatchObject({
      name: 'Acme',
      postalAddress: null,
      defaultCountry: null,
      unknownPolicy: 'hold',
    });
    const etag = String(first.headers['etag']);
    const change = { postalAddress: 'Main Street 1\n1010 Vienna', unknownPolicy: 'give-up' };
    expect(await owner.call('PATCH', '/settings/workspace', change, { 'if-match': etag })).toMatchObject({
      status: 200,
      body: { name: 'Acme', ...change },
    });
    expect(await owner.call('PATCH', '/settings/workspace', { name: 'Beta' }, { 'if-match': etag })).toMatchObject({
      status: 412,
    });
    expect(
      (await owner.call('PATCH', '/settings/workspace', { name: 'Beta', defaultCountry: 'AT' })).body,
    ).toMatchObject({
      name: 'Beta',
      defaultCountry: 'AT',
      unknownPolicy: 'give-up',
    });
    const log = await owner.call('GET', '/audit/logs?action=workspace.settings-changed&limit=1');
    expect(log.body.data?.[0]).toMatchObject({
      before: { name: 'Acme', defaultCountry: null },
      after: { name: 'Beta', defaultCountry: 'AT' },
    });
    const workspaceId = String(first.body['id']);
    expect(await setting.test.db.read(workspaceId, setting.workspaces.settings)).toMatchObject({
      name: 'Beta',
      unknownPolicy: 'give-up',
    });
  });
});

describe('the audit log over HTTP', () => {
  test('shows what one person did, and takes notes from outside marked as such', async () => {
    const note = {
      action: 'order.refunded',
      target: { kind: 'order', id: '77' },
      after: { by: 'mia@example.com', password: 'x' },
    };
    expect(await owner.call('POST', '/audit/logs', note)).toMatchObject({
      status: 201,
      body: { action: 'external.order.refunded', after: { by: 'm•••@example.com', password: '•••' } },
    });
    const own = await owner.call('GET', `/audit/logs/${ownerId}?limit=200`);
    expect(new Set(own.body.data?.map((row) => (row['actor'] as { id: string }).id))).toEqual(new Set([ownerId]));
    const first = await owner.call('GET', '/audit/logs?limit=2');
    const second = await owner.call('GET', `/audit/logs?limit=2&cursor=${String(first.body['nextCursor'])}`);
    expect(Number(second.body.data?.[0]?.['seq'])).toBe(Number(first.body.data?.[1]?.['seq']) - 1);
    expect(await owner.call('GET', '/audit/logs?from=2000-01-01T00:00:00Z&to=2000-01-02T00:00:00Z')).toMatchObject({
      body: { data: [] },
    });
    expect((await owner.call('GET', '/audit/verify')).body).toMatchObject({ ok: true, broken: null });
  });

  test('is read by an auditor, who can write nothing', async () => {
    const aud = await newMember(owner, setting, 'aud@example.com', { role: 'auditor' });
    expect((await aud.call('GET', '/audit/verify')).status).toBe(200);
    for (const [method, path, body] of [
      ['POST', '/audit/logs', { action: 'a.b' }],
      ['POST', '/api-keys', { name: 'K', scopes: ['topics:read'] }],
      ['POST', '/invitations', { email: 'a@example.com', grant: { role: 'analyst' } }],
      ['PATCH', '/settings/workspace', { name: 'X' }],
      ['PUT', `/permissions/${ownerId}`, { role: 'analyst' }],
      ['PATCH', `/users/${ownerId}`, { disabled: true }],
    ] as const)
      expect(await aud.call(method, path, body)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  });

  test('names the first broken entry', async () => {
    await setting.test.owner.query(`update audit_entry set actor_name = 'Nobody' where seq = 2`);
    expect((await owner.call('GET', '/audit/verify')).body).toMatchObject({
      ok: false,
      broken: { seq: 2, id: expect.any(String) },
    });
  });
});
