import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../platform/ids.ts';
import { createTestApp, createTestDb } from '../../platform/testing.ts';
import type { TestDb } from '../../platform/testing.ts';
import { providerDeps } from '../testing.ts';
import { inAppProvider } from './provider.ts';
import { answerPreflights, inAppRoutes } from './routes.ts';
import { createInAppLab } from './testing.ts';
import type { InAppLab } from './testing.ts';

const site = 'https://app.example.com';
let test: TestDb;
let lab: InAppLab;
let app: FastifyInstance;
let accountId: string;
const stop = new AbortController();

beforeAll(async () => {
  test = await createTestDb();
  lab = createInAppLab(test);
  accountId = await lab.account([site]);
  const { clock, vault } = test;
  app = await createTestApp(test, inAppRoutes({ inbox: lab.inbox, clock, vault, news: lab.news, stop: stop.signal }));
  answerPreflights(app);
});
afterAll(async () => {
  stop.abort();
  await app.close();
  await test.close();
});

async function tokenOf(contactId: string, seconds?: number, workspaceId = test.workspaceId): Promise<string> {
  const answer = await app.inject({
    method: 'POST',
    url: `/api/v1/contacts/${contactId}/inapp-token`,
    headers: { authorization: 'test', 'x-workspace': workspaceId },
    ...(seconds === undefined ? {} : { payload: { expiresInSeconds: seconds } }),
  });
  expect(answer.statusCode).toBe(200);
  return answer.json<{ token: string }>().token;
}

async function call(method: 'GET' | 'POST', path: string, token: string, headers: Record<string, string> = {}) {
  const answer = await app.inject({
    method,
    url: `/api/v1/inapp${path}`,
    headers: { authorization: `Bearer ${token}`, ...headers },
  });
  return { status: answer.statusCode, headers: answer.headers, json: answer.json<Page & { code?: string }>() };
}

interface Page {
  readonly data: { id: string; title: string; body: string; readAt: string | null; url: string | null }[];
  readonly nextCursor: string | null;
  readonly unread: number;
}

const sender = () =>
  inAppProvider.create(
    { workspaceId: test.workspaceId, id: accountId, revision: 1, settings: { allowedOrigins: null }, secrets: {} },
    { ...providerDeps(test.clock), inbox: lab.inbox },
  );

describe('handing over', () => {
  it('puts a message into the inbox of its contact, and tells of it', async () => {
    const contactId = await lab.person();
    const heard: unknown[] = [];
    lab.news.subscribe(test.workspaceId, (item) => heard.push(item));
    const message = lab.message(contactId, { url: '/orders/17', data: { order: '17' } });
    expect(await sender().send(message)).toEqual({ kind: 'accepted', ref: message.messageId });
    const { json } = await call('GET', '/messages', await tokenOf(contactId));
    expect(json).toMatchObject({
      data: [{ id: message.messageId, title: 'Hello', url: '/orders/17', data: { order: '17' }, readAt: null }],
      nextCursor: null,
      unread: 1,
    });
    expect(heard).toContainEqual({ kind: 'inapp', id: contactId });
  });

  it('the same message again is there once: nothing is ever in doubt', async () => {
    const contactId = await lab.person();
    const message = lab.message(contactId);
    const results = await sender().many?.send([message, lab.message(contactId), message]);
    expect(results?.map((one) => one.kind)).toEqual(['accepted', 'accepted', 'accepted']);
    expect(await sender().send(message)).toMatchObject({ kind: 'accepted' });
    expect((await call('GET', '/unread', await tokenOf(contactId))).json.unread).toBe(2);
  });

  it('of many, each has its own outcome', async () => {
    const contactId = await lab.person();
    const results = await sender().many?.send([
      lab.message(contactId),
      lab.message(newId(test.clock)),
      lab.message(contactId, { url: 'javascript:alert(1)' }),
      lab.message(contactId),
    ]);
    expect(results).toMatchObject([
      { kind: 'accepted' },
      { kind: 'refused', category: 'address', code: 'no-contact' },
      { kind: 'refused', category: 'content', code: 'unfit-content' },
      { kind: 'accepted' },
    ]);
  });

  it('a database that fails means later, and a closed account takes nothing', async () => {
    const account = {
      workspaceId: test.workspaceId,
      id: accountId,
      revision: 1,
      settings: { allowedOrigins: null },
      secrets: {},
    };
    const broken = inAppProvider.create(account, {
      ...providerDeps(test.clock),
      inbox: { keep: () => Promise.reject(new Error('gone')), isThere: () => Promise.resolve(false) },
    });
    const message = lab.message(await lab.person());
    expect(await broken.send(message)).toMatchObject({ kind: 'retry', category: 'provider-down', code: 'database' });
    const closed = sender();
    await closed.close();
    expect(await closed.send(message)).toMatchObject({ kind: 'retry', code: 'closed' });
  });

  it('is looked up by our id', async () => {
    const account = {
      workspaceId: test.workspaceId,
      id: accountId,
      revision: 1,
      settings: { allowedOrigins: null },
      secrets: {},
    };
    const deps = { ...providerDeps(test.clock), inbox: lab.inbox };
    const message = lab.message(await lab.person());
    const question = { messageId: message.messageId, to: message.contactId, sentAfter: test.clock.now() };
    expect(await inAppProvider.lookUp?.(account, question, deps)).toEqual({ kind: 'absent' });
    await sender().send(message);
    expect(await inAppProvider.lookUp?.(account, question, deps)).toEqual({ kind: 'accepted', ref: message.messageId });
  });

  it('keeps nothing readable in the table', async () => {
    const message = lab.message(await lab.person(), { title: 'Your secret diagnosis' });
    await sender().send(message);
    const { rows } = await test.owner.query('select * from in_app_message where id = $1', [message.messageId]);
    expect(rows).toHaveLength(1);
    const sealed = (rows[0] as { sealed: Buffer }).sealed;
    expect(sealed.toString('latin1')).not.toContain('diagnosis');
    expect(JSON.stringify({ ...rows[0], sealed: null })).not.toContain('diagnosis');
  });
});

describe('the inbox', () => {
  it('is read page by page, newest first, each message once', async () => {
    const contactId = await lab.person();
    for (let count = 1; count <= 7; count++) {
      await sender().send(lab.message(contactId, { title: `Number ${count}` }));
      test.clock.advance(count % 2 === 0 ? 1000 : 0);
    }
    const token = await tokenOf(contactId);
    const titles: string[] = [];
    let cursor: string | null = null;
    do {
      const page: { json: Page } = await call(
        'GET',
        `/messages?limit=3${cursor === null ? '' : `&cursor=${cursor}`}`,
        token,
      );
      titles.push(...page.json.data.map((one) => one.title));
      cursor = page.json.nextCursor;
    } while (cursor !== null);
    expect(titles).toEqual([7, 6, 5, 4, 3, 2, 1].map((count) => `Number ${count}`));
  });

  it('counts what is unread, and each act once, in the history too', async () => {
    const contactId = await lab.person();
    const token = await tokenOf(contactId);
    const messages = [1, 2, 3, 4].map(() => lab.message(contactId));
    await sender().many?.send(messages);
    const [first, second, third] = messages.map((one) => one.messageId);
    expect((await call('POST', `/messages/${first}/read`, token)).json.unread).toBe(3);
    expect((await call('POST', `/messages/${first}/read`, token)).json.unread).toBe(3);
    expect((await call('POST', `/messages/${second}/click`, token)).json.unread).toBe(2);
    expect((await call('POST', `/messages/${third}/archive`, token)).json.unread).toBe(1);
    expect((await call('POST', '/read-all', token)).json.unread).toBe(0);
    expect((await call('POST', '/read-all', token)).json.unread).toBe(0);
    expect(await lab.history(contactId)).toEqual([
      'message.read',
      'message.read',
      'message.clicked',
      'message.archived',
      'message.read',
    ]);
    expect((await call('GET', '/messages', token)).json.data).toHaveLength(3);
    expect((await call('GET', '/messages?show=archived', token)).json.data.map((one) => one.id)).toEqual([third]);
    expect((await call('GET', '/messages?show=unread', token)).json.data).toEqual([]);
  });

  it('shows nothing that has expired', async () => {
    const contactId = await lab.person();
    const token = await tokenOf(contactId);
    const expiresAt = test.clock.now().add({ seconds: 30 }).toString();
    await sender().send(lab.message(contactId, { expiresAt }));
    expect((await call('GET', '/messages', token)).json).toMatchObject({ data: [{ expiresAt }], unread: 1 });
    test.clock.advance(31_000);
    expect((await call('GET', '/messages', token)).json).toMatchObject({ data: [], unread: 0 });
  });

  it('is empty, and closed to every token, once the person is erased', async () => {
    const contactId = await lab.person();
    const token = await tokenOf(contactId);
    await sender().send(lab.message(contactId));
    await test.write(async (tx) => {
      await lab.inbox.forget(tx, contactId);
      await tx.query('update contact set salt = null, erased_at = $3 where workspace_id = $1 and id = $2', [
        tx.workspaceId,
        contactId,
        test.clock.now(),
      ]);
    });
    expect((await call('GET', '/messages', token)).status).toBe(401);
    expect((await call('GET', '/unread', token)).status).toBe(401);
    const { rows } = await test.owner.query('select 1 from in_app_message where contact_id = $1', [contactId]);
    expect(rows).toEqual([]);
    expect(await sender().send(lab.message(contactId))).toMatchObject({ kind: 'refused', category: 'address' });
  });

  it('forgets what is older than a year', async () => {
    const workspaceId = await test.newWorkspace();
    const contactId = await lab.person(workspaceId);
    const account = await lab.account([], workspaceId);
    await lab.inbox.keep(workspaceId, account, [lab.message(contactId)]);
    test.clock.advance(366 * 86_400_000);
    await lab.inbox.keep(workspaceId, account, [lab.message(contactId)]);
    await lab.inbox.forgetOld(workspaceId);
    const { rows } = await test.owner.query('select 1 from in_app_message where contact_id = $1', [contactId]);
    expect(rows).toHaveLength(1);
  });
});

describe('a stranger', () => {
  it('with the token of another contact sees and changes nothing', async () => {
    const [mine, theirs] = [await lab.person(), await lab.person()];
    const message = lab.message(mine);
    await sender().send(message);
    const token = await tokenOf(theirs);
    expect((await call('GET', '/messages', token)).json).toMatchObject({ data: [], unread: 0 });
    for (const act of ['read', 'click', 'archive'])
      expect((await call('POST', `/messages/${message.messageId}/${act}`, token)).status).toBe(404);
    expect((await call('POST', '/read-all', token)).json.unread).toBe(0);
    expect((await call('GET', '/unread', await tokenOf(mine))).json.unread).toBe(1);
    expect(await lab.history(mine)).toEqual([]);
  });

  it('of another workspace cannot have a token made for a contact here', async () => {
    const other = await test.newWorkspace();
    const answer = await app.inject({
      method: 'POST',
      url: `/api/v1/contacts/${await lab.person()}/inapp-token`,
      headers: { authorization: 'test', 'x-workspace': other },
    });
    expect(answer.statusCode).toBe(404);
  });

  it('without the permission makes no tokens', async () => {
    const answer = await app.inject({
      method: 'POST',
      url: `/api/v1/contacts/${await lab.person()}/inapp-token`,
      headers: { authorization: 'test contacts:read,messages:send' },
    });
    expect(answer.statusCode).toBe(403);
  });

  it('with no token, a made-up one, an ended one or an API key is let in nowhere', async () => {
    const contactId = await lab.person();
    const ended = await tokenOf(contactId, 60);
    test.clock.advance(60_000);
    for (const token of ['', 'test', 'A'.repeat(74), ended]) {
      for (const path of ['/messages', '/unread', '/stream'])
        expect(await call('GET', path, token), path).toMatchObject({
          status: 401,
          json: { code: 'inapp/token-refused' },
        });
      expect((await call('POST', '/read-all', token)).status).toBe(401);
    }
  });
});

describe('pages of other sites', () => {
  it('may show the inbox when their origin is allowed', async () => {
    const token = await tokenOf(await lab.person());
    const allowed = await call('GET', '/messages', token, { origin: site });
    expect(allowed.status).toBe(200);
    expect(allowed.headers).toMatchObject({ 'access-control-allow-origin': site, vary: 'origin' });
    const refused = await call('GET', '/messages', token, { origin: 'https://evil.example' });
    expect(refused).toMatchObject({ status: 403, json: { code: 'inapp/origin-refused' } });
    expect(refused.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('of an origin that only another workspace allows are refused', async () => {
    const other = await test.newWorkspace();
    await lab.account(['https://theirs.example'], other);
    const token = await tokenOf(await lab.person());
    expect((await call('GET', '/unread', token, { origin: 'https://theirs.example' })).status).toBe(403);
  });

  it('learn that a token has ended, so that they can ask for another', async () => {
    const refused = await call('GET', '/unread', 'x', { origin: site });
    expect(refused.status).toBe(401);
    expect(refused.headers['access-control-allow-origin']).toBe(site);
  });

  it('ask before they send a token, and are told what they may send', async () => {
    const answer = await app.inject({
      method: 'OPTIONS',
      url: '/api/v1/inapp/messages',
      headers: {
        origin: site,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization',
      },
    });
    expect(answer.statusCode).toBe(204);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': site,
      'access-control-allow-headers': 'authorization, content-type',
    });
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
  });

  it('load the component from here, and ask only whether it has changed', async () => {
    const first = await app.inject({ method: 'GET', url: '/inapp/parley-inbox.js' });
    expect(first.statusCode).toBe(200);
    expect(first.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cross-origin-resource-policy': 'cross-origin',
    });
    expect(first.body).toContain("customElements.define('parley-inbox'");
    const again = await app.inject({
      method: 'GET',
      url: '/inapp/parley-inbox.js',
      headers: { 'if-none-match': String(first.headers.etag) },
    });
    expect([again.statusCode, again.body]).toEqual([304, '']);
  });
});
