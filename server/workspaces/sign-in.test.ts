import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAttempts, limits } from './attempts.ts';
import { createSetting, firstOwner, newMember, ownerPassword } from './testing.ts';
import type { Setting, Visitor } from './testing.ts';

let setting: Setting;
let owner: Visitor;

beforeAll(async () => {
  setting = await createSetting();
});
afterAll(() => setting.close());

const credentials = { email: 'olga@example.com', password: ownerPassword };

describe('the first run', () => {
  test('is needed on an empty database, and refuses a weak password', async () => {
    const stranger = setting.visitor();
    expect((await stranger.call('GET', '/auth/setup')).body).toEqual({ needed: true });
    const weak = { workspaceName: 'Acme', name: 'Olga', email: 'olga@example.com', password: 'password12345' };
    expect(await stranger.call('POST', '/auth/setup', weak)).toMatchObject({
      status: 422,
      body: { code: 'auth/weak-password' },
    });
    expect((await stranger.call('GET', '/auth/setup')).body).toEqual({ needed: true });
  });

  test('makes exactly one owner when several try at once', async () => {
    const tries = await Promise.all(
      Array.from({ length: 6 }, (_, at) =>
        setting.visitor().call('POST', '/auth/setup', {
          workspaceName: `Acme ${at}`,
          name: 'Olga Owner',
          email: 'Olga@example.com',
          password: ownerPassword,
        }),
      ),
    );
    expect(tries.map((one) => one.status).toSorted((left, right) => left - right)).toEqual([
      201, 409, 409, 409, 409, 409,
    ]);
    const counted = await setting.test.owner.query(
      'select (select count(*) from auth_user) as people, (select count(*) from workspace) as spaces',
    );
    expect(counted.rows[0]).toEqual({ people: '1', spaces: '1' });
    expect(setting.created).toHaveLength(1);
  });

  test('is over once an owner exists', async () => {
    await expect(firstOwner(setting)).rejects.toThrow(/auth\/setup-done/);
    expect((await setting.visitor().call('GET', '/auth/setup')).body).toEqual({ needed: false });
  });
});

describe('signing in', () => {
  test('gives a session in a cookie that scripts cannot read and other sites do not send', async () => {
    owner = setting.visitor();
    const answer = await owner.call('POST', '/auth/sign-in', { email: 'OLGA@Example.com', password: ownerPassword });
    expect(answer).toMatchObject({ status: 200, body: { twoFactorRequired: false } });
    const [cookie = ''] = answer.setCookies.filter((line) => line.startsWith('parley_session='));
    expect(cookie).toMatch(/HttpOnly/i);
    expect(cookie).toMatch(/SameSite=Lax/i);
    expect(cookie).toMatch(/Path=\//);
    expect(cookie).not.toMatch(/Secure/i);
    const me = await owner.call('GET', '/me');
    expect(me).toMatchObject({
      status: 200,
      body: {
        kind: 'user',
        name: 'Olga Owner',
        user: { email: 'olga@example.com', role: 'owner', twoFactorEnabled: false },
      },
    });
    expect(me.body['permissions']).toContain('team:write');
  });

  test('answers the same to a wrong password and an unknown address', async () => {
    const wrong = await setting
      .visitor('198.51.100.1')
      .call('POST', '/auth/sign-in', { ...credentials, password: 'not the one at all' });
    const unknown = await setting
      .visitor('198.51.100.1')
      .call('POST', '/auth/sign-in', { ...credentials, email: 'nobody@example.com' });
    const told = ({ status, body: { code, detail, title } }: typeof wrong) => ({ status, code, detail, title });
    expect(told(wrong)).toEqual(told(unknown));
    expect(wrong).toMatchObject({ status: 401, body: { code: 'auth/wrong-credentials' }, setCookies: [] });
  });

  test('from a page of another site is refused', async () => {
    const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    const answer = await setting.visitor().call('POST', '/auth/sign-in', credentials, headers);
    expect(answer).toMatchObject({ status: 403, body: { code: 'csrf-refused' } });
  });

  test('is refused for a while after ten wrong passwords, known account or not, however many come at once', async () => {
    for (const email of ['olga@example.com', 'nobody@example.com']) {
      const visitor = setting.visitor('198.51.100.2');
      const tries = await Promise.all(
        Array.from({ length: 20 }, () =>
          visitor.call('POST', '/auth/sign-in', { email, password: 'not the one at all' }),
        ),
      );
      const refused = tries.filter((one) => one.status === 401).length;
      // Up to three more may be under way when the tenth fails.
      expect(refused).toBeGreaterThanOrEqual(8);
      expect(refused).toBeLessThanOrEqual(13);
      const late = await visitor.call('POST', '/auth/sign-in', { email, password: ownerPassword });
      expect(late).toMatchObject({ status: 429, body: { code: 'auth/locked' } });
      expect(Number(late.headers['retry-after'])).toBeGreaterThan(600);
    }
    setting.test.clock.advance(15 * 60_000 + 1_000);
    expect((await setting.visitor('198.51.100.2').call('POST', '/auth/sign-in', credentials)).status).toBe(200);
  });

  test('survives many right ones at once', async () => {
    const tries = await Promise.all(
      Array.from({ length: 20 }, () => setting.visitor().call('POST', '/auth/sign-in', credentials)),
    );
    expect(tries.every((one) => one.status === 200)).toBe(true);
  });

  test('is limited per address too, counted by failures only', async () => {
    const visitor = setting.visitor('203.0.113.9');
    const attempts = createAttempts({
      db: setting.test.db,
      clock: setting.test.clock,
      key: setting.test.vault.derive('attempts'),
    });
    for (let at = 0; at < limits.signInAddress.most; at++)
      await attempts.count({ limit: limits.signInAddress, subject: '203.0.113.9' });
    expect(await visitor.call('POST', '/auth/sign-in', credentials)).toMatchObject({
      status: 429,
      body: { code: 'auth/locked' },
    });
    expect((await setting.visitor('203.0.113.10').call('POST', '/auth/sign-in', credentials)).status).toBe(200);
  });

  test('is written down, and failures of real accounts too', async () => {
    await setting.workspaces.idle();
    const started = await owner.call('GET', '/audit/logs?action=session.started&limit=1');
    expect(started.body.data?.[0]).toMatchObject({
      actor: { kind: 'user', name: 'Olga Owner' },
      userAgent: 'Test browser',
    });
    const failed = await owner.call('GET', '/audit/logs?action=sign-in.failed&limit=1');
    expect(failed.body.data?.[0]).toMatchObject({ ip: '198.51.100.2' });
    expect((await owner.call('GET', '/audit/verify')).body).toMatchObject({ ok: true });
  });
});

describe('a session', () => {
  test('changes nothing without the CSRF marker, or for another site', async () => {
    const body = { name: 'Olga' };
    expect(await owner.call('PATCH', '/me', body, { 'x-parley-csrf': '' })).toMatchObject({
      status: 403,
      body: { code: 'csrf-refused' },
    });
    expect(await owner.call('PATCH', '/me', body, { 'sec-fetch-site': 'cross-site' })).toMatchObject({ status: 403 });
    expect(await owner.call('PATCH', '/me', body, { 'sec-fetch-site': 'same-site' })).toMatchObject({ status: 403 });
    expect((await owner.call('GET', '/me')).body['name']).toBe('Olga Owner');
  });

  test('with a forged or mangled cookie is none', async () => {
    for (const value of ['x', 'abc.def', '%00', `${'a'.repeat(32)}.${'b'.repeat(43)}%3D`]) {
      const forged = setting.visitor();
      forged.cookies.set('parley_session', value);
      expect(await forged.call('GET', '/me')).toMatchObject({ status: 401, body: { code: 'auth/session-ended' } });
    }
  });

  test('can be listed and ended, one or all others', async () => {
    const [one, two] = [setting.visitor(), setting.visitor()];
    for (const visitor of [one, two]) await visitor.call('POST', '/auth/sign-in', credentials);
    const listed = await one.call('GET', '/auth/sessions');
    expect(listed.body.data?.filter((row) => row['current'] === true)).toHaveLength(1);
    const twoId = String(
      (await two.call('GET', '/auth/sessions')).body.data?.find((row) => row['current'] === true)?.['id'],
    );
    expect((await one.call('DELETE', `/auth/sessions/${twoId}`)).status).toBe(204);
    expect((await two.call('GET', '/me')).status).toBe(401);
    expect((await one.call('DELETE', `/auth/sessions/${twoId}`)).status).toBe(404);
    expect((await one.call('DELETE', '/auth/sessions')).status).toBe(204);
    expect((await one.call('GET', '/auth/sessions')).body.data).toHaveLength(1);
    expect((await owner.call('GET', '/me')).status).toBe(401);
    expect((await owner.call('POST', '/auth/sign-in', credentials)).status).toBe(200);
  });

  test('of somebody else cannot be ended', async () => {
    const other = await newMember(owner, setting, 'sam@example.com', { role: 'analyst' });
    const ownersId = String((await owner.call('GET', '/auth/sessions')).body.data?.[0]?.['id']);
    expect((await other.call('DELETE', `/auth/sessions/${ownersId}`)).status).toBe(404);
    expect((await owner.call('GET', '/me')).status).toBe(200);
  });

  test('ends with the sign-out, cookie included', async () => {
    const visitor = setting.visitor();
    await visitor.call('POST', '/auth/sign-in', credentials);
    const kept = new Map(visitor.cookies);
    expect((await visitor.call('POST', '/auth/sign-out')).status).toBe(204);
    expect(visitor.cookies.has('parley_session')).toBe(false);
    for (const [name, value] of kept) visitor.cookies.set(name, value);
    expect((await visitor.call('GET', '/me')).status).toBe(401);
  });

  test('ends after a week unused', async () => {
    const visitor = setting.visitor();
    await visitor.call('POST', '/auth/sign-in', credentials);
    await setting.test.owner.query(`update auth_session set last_seen_at = now() - interval '8 days'`);
    expect(await visitor.call('GET', '/me')).toMatchObject({ status: 401, body: { code: 'auth/session-ended' } });
    await setting.workspaces.tidyUp();
    expect((await setting.test.owner.query('select 1 from auth_session')).rowCount).toBe(0);
    await owner.call('POST', '/auth/sign-in', credentials);
  });

  test('keeps its profile: name, zone and language, each checked', async () => {
    const body = { name: 'Olga O.', timeZone: 'Europe/Vienna', locale: 'de-AT' };
    expect(await owner.call('PATCH', '/me', body)).toMatchObject({
      status: 200,
      body: { name: 'Olga O.', user: { name: 'Olga O.', timeZone: 'Europe/Vienna', locale: 'de-AT' } },
    });
    expect(await owner.call('PATCH', '/me', { timeZone: 'Mars/Base' })).toMatchObject({ status: 422 });
    expect(await owner.call('PATCH', '/me', { locale: '!' })).toMatchObject({ status: 422 });
    expect((await owner.call('PATCH', '/me', { timeZone: null })).body['user']).toMatchObject({
      timeZone: null,
      locale: 'de-AT',
    });
  });
});

describe('a password', () => {
  test('is changed with the current one; other sessions end, this one goes on', async () => {
    const elsewhere = setting.visitor();
    await elsewhere.call('POST', '/auth/sign-in', credentials);
    const next = 'purple lamp in a cupboard';
    expect(
      await owner.call('PUT', '/auth/password', { currentPassword: 'wrong wrong wrong', newPassword: next }),
    ).toMatchObject({
      status: 422,
      body: { code: 'auth/wrong-password', errors: [{ pointer: '/currentPassword' }] },
    });
    expect(
      await owner.call('PUT', '/auth/password', { currentPassword: ownerPassword, newPassword: 'olga@example.com' }),
    ).toMatchObject({
      status: 422,
      body: { code: 'auth/weak-password', errors: [{ pointer: '/newPassword' }] },
    });
    expect(
      (await owner.call('PUT', '/auth/password', { currentPassword: ownerPassword, newPassword: next })).status,
    ).toBe(204);
    expect((await elsewhere.call('GET', '/me')).status).toBe(401);
    expect((await owner.call('GET', '/me')).status).toBe(200);
    expect(
      (await owner.call('PUT', '/auth/password', { currentPassword: next, newPassword: ownerPassword })).status,
    ).toBe(204);
    const log = await owner.call('GET', '/audit/logs?action=password.changed');
    expect(log.body.data).toHaveLength(2);
  });

  test('is reset by a link that is mailed, works once, and ends every session', async () => {
    const stranger = setting.visitor();
    const asked = await stranger.call('POST', '/auth/password/forgot', { email: 'Olga@Example.com' });
    const unknown = await stranger.call('POST', '/auth/password/forgot', { email: 'nobody@example.com' });
    expect([asked.status, unknown.status]).toEqual([204, 204]);
    await setting.workspaces.idle();
    const mails = setting.mails.filter((mail) => /new password/i.test(mail.subject));
    expect(mails.map((mail) => mail.to)).toEqual(['olga@example.com']);
    const token = /\/reset-password\/(\S+)/.exec(mails[0]?.text ?? '')?.[1] ?? '';
    const stored = await setting.test.owner.query<{ identifier: string }>('select identifier from auth_verification');
    expect(stored.rows.some((row) => row.identifier.includes(token))).toBe(false);

    const reset = (password: string, link = token) =>
      stranger.call('POST', '/auth/password/reset', { token: link, password });
    expect(await reset('too short')).toMatchObject({ status: 422 });
    expect(await reset('password12345')).toMatchObject({ status: 422, body: { code: 'auth/weak-password' } });
    expect((await reset('a brand new phrase')).status).toBe(204);
    expect((await owner.call('GET', '/me')).status).toBe(401);
    expect(await reset('another brand new phrase')).toMatchObject({
      status: 422,
      body: { code: 'auth/link-worthless' },
    });
    expect((await stranger.call('POST', '/auth/sign-in', credentials)).status).toBe(401);
    expect((await owner.call('POST', '/auth/sign-in', { ...credentials, password: 'a brand new phrase' })).status).toBe(
      200,
    );
    await owner.call('PUT', '/auth/password', { currentPassword: 'a brand new phrase', newPassword: ownerPassword });
  });

  test('is not reset by a link that is an hour old, nor by a second link after the first was used', async () => {
    const stranger = setting.visitor();
    const ask = async () => {
      setting.mails.length = 0;
      await stranger.call('POST', '/auth/password/forgot', { email: 'olga@example.com' });
      await setting.workspaces.idle();
      return /\/reset-password\/(\S+)/.exec(setting.mails[0]?.text ?? '')?.[1] ?? '';
    };
    const reset = (token: string) => stranger.call('POST', '/auth/password/reset', { token, password: ownerPassword });
    const old = await ask();
    await setting.test.owner.query(`update auth_verification set expires_at = now() - interval '1 second'`);
    expect(await reset(old)).toMatchObject({ status: 422, body: { code: 'auth/link-worthless' } });
    const [first, second] = [await ask(), await ask()];
    expect((await reset(first)).status).toBe(204);
    expect((await reset(second)).status).toBe(422);
    await owner.call('POST', '/auth/sign-in', credentials);
  });

  test('reset links are not mailed more than five times an hour, silently', async () => {
    setting.test.clock.advance(3_600_000);
    setting.mails.length = 0;
    for (let at = 0; at < 8; at++)
      expect(
        (await setting.visitor().call('POST', '/auth/password/forgot', { email: 'olga@example.com' })).status,
      ).toBe(204);
    await setting.workspaces.idle();
    expect(setting.mails).toHaveLength(5);
  });
});

describe('a second factor', () => {
  let secret = '';
  let backupCodes: string[] = [];
  const code = (stepsAhead = 0) => totp(secret, Math.floor(Date.now() / 30_000) + stepsAhead);

  test('is enrolled with the password, and counts only once a code was shown', async () => {
    expect(await owner.call('POST', '/auth/two-factor/enable', { password: 'wrong wrong wrong' })).toMatchObject({
      status: 422,
      body: { code: 'auth/wrong-password' },
    });
    const begun = await owner.call('POST', '/auth/two-factor/enable', { password: ownerPassword });
    expect(begun).toMatchObject({ status: 200, body: { uri: expect.stringMatching(/^otpauth:\/\/totp\/Parley:/) } });
    secret = String(begun.body['secret']);
    backupCodes = begun.body['backupCodes'] as string[];
    expect(backupCodes.length).toBeGreaterThanOrEqual(8);
    expect((await setting.visitor().call('POST', '/auth/sign-in', credentials)).body).toEqual({
      twoFactorRequired: false,
    });
    expect(await owner.call('POST', '/auth/two-factor/confirm', { code: '000000' })).toMatchObject({
      status: 422,
      body: { code: 'auth/code-refused' },
    });
    expect((await owner.call('POST', '/auth/two-factor/confirm', { code: code() })).status).toBe(204);
    expect((await owner.call('GET', '/me')).body['user']).toMatchObject({ twoFactorEnabled: true });
    expect(await owner.call('POST', '/auth/two-factor/enable', { password: ownerPassword })).toMatchObject({
      status: 409,
    });
    const stored = await setting.test.owner.query<{ secret: string; backup_codes: string }>(
      'select secret, backup_codes from auth_two_factor',
    );
    expect(stored.rows[0]?.secret).not.toContain(secret);
    expect(stored.rows[0]?.backup_codes).not.toContain(backupCodes[0]);
  });

  test('stands between the password and the session', async () => {
    const visitor = setting.visitor();
    const half = await visitor.call('POST', '/auth/sign-in', credentials);
    expect(half.body).toEqual({ twoFactorRequired: true });
    expect(visitor.cookies.has('parley_session')).toBe(false);
    expect((await visitor.call('GET', '/me')).status).toBe(401);
    expect(await visitor.call('POST', '/auth/sign-in/two-factor', { code: '000000' })).toMatchObject({
      status: 401,
      body: { code: 'auth/wrong-code' },
    });
    expect((await visitor.call('POST', '/auth/sign-in/two-factor', { code: code() })).body).toEqual({
      twoFactorRequired: false,
    });
    expect((await visitor.call('GET', '/me')).status).toBe(200);
  });

  test('opens with each code only once', async () => {
    const [one, two] = [setting.visitor(), setting.visitor()];
    for (const visitor of [one, two]) await visitor.call('POST', '/auth/sign-in', credentials);
    const again = code(1);
    expect((await one.call('POST', '/auth/sign-in/two-factor', { code: again })).status).toBe(200);
    expect(await two.call('POST', '/auth/sign-in/two-factor', { code: again })).toMatchObject({ status: 401 });
    expect((await two.call('GET', '/me')).status).toBe(401);
  });

  test('opens with a backup code, each once', async () => {
    const backupCode = backupCodes[0];
    const [one, two] = [setting.visitor(), setting.visitor()];
    for (const visitor of [one, two]) await visitor.call('POST', '/auth/sign-in', credentials);
    expect((await one.call('POST', '/auth/sign-in/two-factor', { backupCode })).status).toBe(200);
    expect((await two.call('POST', '/auth/sign-in/two-factor', { backupCode })).status).toBe(401);
    expect((await two.call('POST', '/auth/sign-in/two-factor', { backupCode: backupCodes[1] })).status).toBe(200);
  });

  test('cannot be guessed: five wrong codes end the sign-in, ten lock it for a while', async () => {
    const visitor = setting.visitor();
    await visitor.call('POST', '/auth/sign-in', credentials);
    const codes: unknown[] = [];
    for (let at = 0; at < 6; at++)
      codes.push((await visitor.call('POST', '/auth/sign-in/two-factor', { code: '000000' })).body['code']);
    expect(codes).toEqual([...Array<string>(5).fill('auth/wrong-code'), 'auth/sign-in-expired']);
    const again = setting.visitor();
    await again.call('POST', '/auth/sign-in', credentials);
    let last;
    for (let at = 0; at < 6; at++) last = await again.call('POST', '/auth/sign-in/two-factor', { code: '000000' });
    expect(last).toMatchObject({ status: 429, body: { code: 'auth/locked' } });
    await setting.test.owner.query('update auth_two_factor set failed_verification_count = 0, locked_until = null');
  });

  test('without a sign-in before it is refused', async () => {
    expect(await setting.visitor().call('POST', '/auth/sign-in/two-factor', { code: '123456' })).toMatchObject({
      status: 401,
      body: { code: 'auth/sign-in-expired' },
    });
  });

  test('is turned off with the password', async () => {
    expect(await owner.call('POST', '/auth/two-factor/disable', { password: 'wrong wrong wrong' })).toMatchObject({
      status: 422,
    });
    expect((await owner.call('POST', '/auth/two-factor/disable', { password: ownerPassword })).status).toBe(204);
    expect((await setting.visitor().call('POST', '/auth/sign-in', credentials)).body).toEqual({
      twoFactorRequired: false,
    });
    expect(await owner.call('POST', '/auth/two-factor/disable', { password: ownerPassword })).toMatchObject({
      status: 409,
    });
    expect((await owner.call('GET', '/audit/logs?action=two-factor.disabled')).body.data).toHaveLength(1);
  });
});

/** RFC 6238 with the defaults of the apps: SHA-1, 6 digits, 30 s; the secret in base32 (RFC 4648). */
function totp(secret: string, step: number): string {
  const bits = [...secret].map((letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  );
  const bytes = (bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', Buffer.from(bytes)).update(counter).digest();
  const at = (mac.at(-1) ?? 0) & 0xf;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}
