import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { permissions as allPermissions } from '../../contract/permissions.ts';
import { createSetting, firstOwner, newMember } from './testing.ts';
import type { Setting, Visitor } from './testing.ts';

let setting: Setting;
let owner: Visitor;

beforeAll(async () => {
  setting = await createSetting();
  owner = await firstOwner(setting);
});
afterAll(() => setting.close());

async function newKey(
  scopes: readonly string[],
  more: object = {},
  by = owner,
): Promise<{ id: string; secret: string }> {
  const made = await by.call('POST', '/api-keys', { name: 'Key', scopes, ...more });
  expect(made.status).toBe(201);
  return { id: String(made.body['id']), secret: String(made.body['secret']) };
}

describe('an API key', () => {
  test('does what its scopes allow and no more, and shows its secret once', async () => {
    const { id, secret } = await newKey(['keys:read', 'team:read']);
    expect(secret).toMatch(/^parley_[\w-]{43}$/);
    const caller = setting.bearer(secret);
    expect((await caller.call('GET', '/me')).body).toMatchObject({
      kind: 'key',
      id,
      user: null,
      permissions: ['team:read', 'keys:read'],
    });
    expect((await caller.call('GET', '/users')).status).toBe(200);
    expect(await caller.call('GET', '/audit/logs')).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    const listed = await caller.call('GET', '/api-keys');
    expect(listed.body.data?.[0]).toMatchObject({ id, prefix: secret.slice(0, 12), createdBy: 'Olga Owner' });
    expect(JSON.stringify(listed.body)).not.toContain(secret);
    const dump = await setting.test.owner.query<{ all: string }>(
      `select string_agg(t, '') as all from (select k::text as t from api_key k union all select a::text from audit_entry a) x`,
    );
    expect(dump.rows[0]?.all).not.toContain(secret.slice(12));
  });

  test.each(['parley_wrong', 'x', `parley_${'A'.repeat(43)}`, "parley_' or 1=1 --"])(
    'that is wrong is refused: %s',
    async (secret) => {
      const answer = await setting.bearer(secret).call('GET', '/me');
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toContain('Bearer');
      expect(answer.headers['content-type']).toContain('application/problem+json');
    },
  );

  test('does not replace a bad Authorization header by a good cookie', async () => {
    expect((await owner.call('GET', '/me', undefined, { authorization: 'Basic b2xnYTp4' })).status).toBe(401);
    expect((await owner.call('GET', '/me', undefined, { authorization: 'Bearer parley_wrong' })).body['code']).toBe(
      'auth/invalid-key',
    );
  });

  test('ends when it is revoked: here at once, elsewhere within five seconds', async () => {
    const { id, secret } = await newKey(['keys:read']);
    const caller = setting.bearer(secret);
    expect((await caller.call('GET', '/me')).status).toBe(200);
    expect((await owner.call('DELETE', `/api-keys/${id}`)).status).toBe(204);
    expect(await caller.call('GET', '/me')).toMatchObject({ status: 401, body: { code: 'auth/key-revoked' } });
    expect((await owner.call('DELETE', `/api-keys/${id}`)).status).toBe(404);

    const other = await newKey(['keys:read']);
    expect((await setting.bearer(other.secret).call('GET', '/me')).status).toBe(200);
    // As another process would: past this one's cache.
    await setting.test.owner.query('update api_key set revoked_at = now() where id = $1', [other.id]);
    setting.test.clock.advance(5_000);
    expect(await setting.bearer(other.secret).call('GET', '/me')).toMatchObject({
      status: 401,
      body: { code: 'auth/key-revoked' },
    });
  });

  test('ends to the second when it expires, though it was cached', async () => {
    const expiresAt = setting.test.clock.now().add({ seconds: 3 }).toString();
    const { secret } = await newKey(['keys:read'], { expiresAt });
    expect((await setting.bearer(secret).call('GET', '/me')).status).toBe(200);
    setting.test.clock.advance(3_001);
    expect(await setting.bearer(secret).call('GET', '/me')).toMatchObject({
      status: 401,
      body: { code: 'auth/key-expired' },
    });
    const past = await owner.call('POST', '/api-keys', { name: 'Late', scopes: ['keys:read'], expiresAt });
    expect(past).toMatchObject({ status: 422, body: { code: 'keys/expired-already' } });
  });

  test('has at most the scopes of who makes it', async () => {
    const dev = await newMember(owner, setting, 'dev@example.com', { role: 'developer' });
    expect(await dev.call('POST', '/api-keys', { name: 'K', scopes: ['team:write'] })).toMatchObject({
      status: 403,
      body: { code: 'keys/more-than-own' },
    });
    const { secret } = await newKey(['keys:write'], {}, dev);
    expect((await setting.bearer(secret).call('POST', '/api-keys', { name: 'K', scopes: ['keys:read'] })).status).toBe(
      403,
    );
  });

  test('notes when it was last used, at most once a minute, beside the request', async () => {
    const { id, secret } = await newKey(['keys:read']);
    const lastUsed = async () => {
      await setting.workspaces.idle();
      const found = await setting.test.owner.query<{ at: string | null }>(
        'select last_used_at::text as at from api_key where id = $1',
        [id],
      );
      return found.rows[0]?.at;
    };
    expect(await lastUsed()).toBeNull();
    await setting.bearer(secret).call('GET', '/me');
    const first = await lastUsed();
    expect(first).toEqual(expect.any(String));
    setting.test.clock.advance(30_000);
    await setting.bearer(secret).call('GET', '/me');
    expect(await lastUsed()).toBe(first);
    setting.test.clock.advance(31_000);
    await setting.bearer(secret).call('GET', '/me');
    expect(await lastUsed()).not.toBe(first);
  });

  test('is found by one indexed read, as the role of the server, however many there are', async () => {
    const { id } = await newKey(['keys:read']);
    await setting.test.owner.query(
      `insert into api_key select workspace_id, gen_random_uuid(), name, prefix, sha256(n::text::bytea), scopes, created_by, created_at
       from api_key, generate_series(1, 20000) n where id = $1`,
      [id],
    );
    await setting.test.owner.query('analyze api_key');
    const plan = await setting.test.owner.query<{ 'QUERY PLAN': string }>(
      'explain select * from api_key where hash = sha256($1::bytea) limit 1',
      [Buffer.from('x')],
    );
    expect(plan.rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('api_key_hash');
    await setting.test.owner.query(
      `delete from api_key where hash in (select sha256(n::text::bytea) from generate_series(1, 20000) n)`,
    );
  });

  test('cannot do what is about a person', async () => {
    const { secret } = await newKey(allPermissions);
    for (const [method, path, body] of [
      ['PUT', '/auth/password', { currentPassword: 'x', newPassword: 'a phrase of my own' }],
      ['POST', '/auth/two-factor/enable', { password: 'x' }],
      ['GET', '/auth/sessions', undefined],
      ['PATCH', '/me', { name: 'Robot' }],
      ['POST', '/auth/sign-out', undefined],
    ] as const)
      expect(await setting.bearer(secret).call(method, path, body)).toMatchObject({
        status: 403,
        body: { code: 'auth/person-only' },
      });
  });
});

describe('a token', () => {
  test('made from a key does the same or less, and ends with it', async () => {
    const { id, secret } = await newKey(['keys:read', 'team:read']);
    const made = await setting.bearer(secret).call('POST', '/auth/token', { scopes: ['team:read'] });
    expect(made).toMatchObject({ status: 201, body: { tokenType: 'Bearer', scopes: ['team:read'] } });
    const token = setting.bearer(String(made.body['token']));
    expect((await token.call('GET', '/me')).body).toMatchObject({ kind: 'token', id, permissions: ['team:read'] });
    expect((await token.call('GET', '/api-keys')).status).toBe(403);
    expect(await token.call('POST', '/auth/token', {})).toMatchObject({ status: 403 });
    const more = await setting.bearer(secret).call('POST', '/auth/token', { scopes: ['audit:read'] });
    expect(more).toMatchObject({ status: 403, body: { code: 'keys/more-than-own' } });
    await owner.call('DELETE', `/api-keys/${id}`);
    expect(await token.call('GET', '/me')).toMatchObject({ status: 401, body: { code: 'auth/key-revoked' } });
  });

  test('made from a session speaks for the person, and ends with the session', async () => {
    const ann = await newMember(owner, setting, 'ann@example.com', { role: 'analyst' });
    const made = await ann.call('POST', '/auth/token', {});
    const token = setting.bearer(String(made.body['token']));
    expect((await token.call('GET', '/me')).body).toMatchObject({
      kind: 'token',
      id: ann.userId,
      name: 'ann',
      user: null,
    });
    await ann.call('POST', '/auth/sign-out');
    expect(await token.call('GET', '/me')).toMatchObject({ status: 401, body: { code: 'auth/session-ended' } });
  });

  test('expires when it says', async () => {
    const { secret } = await newKey(['keys:read']);
    const made = await setting.bearer(secret).call('POST', '/auth/token', { expiresInSeconds: 60 });
    const token = setting.bearer(String(made.body['token']));
    expect((await token.call('GET', '/me')).status).toBe(200);
    setting.test.clock.advance(61_000);
    expect(await token.call('GET', '/me')).toMatchObject({ status: 401, body: { code: 'auth/token-expired' } });
  });

  test('that was forged, changed or signed by nobody is refused', async () => {
    const { id, secret } = await newKey(['keys:read']);
    const me = await owner.call('GET', '/me');
    const workspaceId = String((me.body['workspace'] as { id: string }).id);
    const good = String((await setting.bearer(secret).call('POST', '/auth/token', {})).body['token']);
    const [head = '', payload = '', signature = ''] = good.split('.');
    const wider = Buffer.from(
      JSON.stringify({ ...JSON.parse(Buffer.from(payload, 'base64url').toString()), scp: allPermissions }),
    ).toString('base64url');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const forged = await new SignJWT({ wid: workspaceId, src: 'key', scp: allPermissions })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(id)
      .setIssuer('parley')
      .setAudience('parley-api')
      .setExpirationTime('1h')
      .sign(Buffer.alloc(32, 9));
    for (const token of [
      `${head}.${wider}.${signature}`,
      `${none}.${payload}.`,
      `${none}.${payload}.${signature}`,
      forged,
      `${good}x`,
    ])
      expect((await setting.bearer(token).call('GET', '/me')).status).toBe(401);
  });

  test('of one workspace opens no other', async () => {
    const foreign = await setting.test.newWorkspace();
    const { id } = await newKey(['keys:read']);
    const { token } = await setting.workspaces.routeDeps.tokens.issue(
      { workspaceId: foreign, madeFrom: 'key', sourceId: id, scopes: ['keys:read'] },
      60,
    );
    expect(await setting.bearer(token).call('GET', '/me')).toMatchObject({
      status: 401,
      body: { code: 'auth/invalid-token' },
    });
  });
});
