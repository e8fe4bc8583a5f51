import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../platform/clock.ts';
import { createHttpClient } from '../platform/http-client.ts';
import type { HttpClient } from '../platform/http-client.ts';
import { createHostResolver } from '../platform/network.ts';
import { silentLog } from '../platform/log.ts';
import { createTestApp, createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { createSandbox } from './sandbox.ts';
import type { SandboxServer } from './sandbox.ts';
import { echoVendor } from './testing-vendor.ts';

let test: TestDb;
let http: HttpClient;
let server: SandboxServer;
let app: FastifyInstance;
const told: { url: string; body: string }[] = [];
let chance = () => 0.5;
let answer = 200;
const audited: unknown[] = [];
const made: unknown[] = [];

/** This Parley, as far as callbacks go. */
const parley = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    told.push({ url: request.url ?? '', body });
    response.writeHead(answer).end();
  });
});
const origin = 'https://parley.example';
const localOrigin = () => `http://127.0.0.1:${(parley.address() as AddressInfo).port}`;

beforeAll(async () => {
  test = await createTestDb();
  await new Promise<void>((resolve) => parley.listen(0, '127.0.0.1', resolve));
  // As on a public server: nothing of the loopback but what is trusted.
  http = createHttpClient({ resolveHost: createHostResolver({ allowPrivateNetworks: false, clock: systemClock }) });
  const sandbox = createSandbox({
    db: test.db,
    vault: test.vault,
    clock: systemClock,
    log: silentLog,
    http,
    random: () => chance(),
    vendors: [echoVendor],
    origin: () => origin,
    localOrigin,
    callbackUrl: (kind, accountId) => `${origin}/api/v1/callbacks/${kind}/${accountId}`,
  });
  server = await sandbox.start();
  app = await createTestApp(
    test,
    sandbox.routes({
      fetch,
      record: (_tx, _by, entry) => Promise.resolve(void audited.push(entry)),
      createAccount: (_tx, _by, id, draft) => Promise.resolve(void made.push({ id, ...draft })),
    }),
  );
});
afterAll(async () => {
  await app.close();
  await server.close();
  await http.close();
  await new Promise((resolve) => parley.close(resolve));
  await test.close();
});
beforeEach(() => {
  told.length = 0;
  chance = () => 0.5;
  answer = 200;
});

const secret = (workspaceId: string) =>
  createHmac('sha256', test.vault.derive('sandbox')).update(`sandbox-secret:${workspaceId}:echo`).digest('hex');

const account = { kind: 'echo', id: '0198c1d2-0000-7000-8000-00000000000b' };

async function send(to: string, change: { workspaceId?: string; url?: string; key?: string; tell?: string } = {}) {
  const workspaceId = change.workspaceId ?? test.workspaceId;
  const made = await http.call({
    method: 'POST',
    url: `${change.url ?? server.vendorUrl(workspaceId, 'echo', account)}/send`,
    headers: { authorization: `Bearer ${change.key ?? secret(workspaceId)}` },
    body: JSON.stringify({ to, text: `Hi ${to}`, ...(change.tell === undefined ? {} : { tell: change.tell }) }),
    timeoutMs: 1500,
  });
  return made.kind === 'answer'
    ? { status: made.status, headers: made.headers, body: made.body.toString() }
    : { failed: made.code, mayHaveArrived: made.mayHaveArrived };
}

async function call(method: 'GET' | 'POST' | 'PUT', path: string, workspaceId = test.workspaceId, body?: object) {
  const made = await app.inject({
    method,
    url: `/api/v1${path}`,
    headers: { authorization: 'test', 'x-workspace': workspaceId },
    ...(body === undefined ? {} : { payload: body }),
  });
  const json: Record<string, unknown> = made.json();
  return { status: made.statusCode, json, data: (json['data'] ?? []) as Record<string, unknown>[] };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('a played vendor', () => {
  it('takes a message, which then lies in the inbox as it came, and reports it to the account that sent it', async () => {
    const workspace = await test.newWorkspace();
    const sent = await send('+4915112345678', { workspaceId: workspace });
    expect(sent.status).toBe(201);
    const { ref } = JSON.parse(sent.body ?? '') as { ref: string };
    const [listed] = (await call('GET', '/sandbox/messages?channel=sms&vendor=echo', workspace)).data;
    expect(listed).toMatchObject({ channel: 'sms', vendor: 'echo', to: '+4915112345678', from: '+4930123456' });
    expect((await call('GET', '/sandbox/messages?vendor=smtp', workspace)).data).toEqual([]);
    expect((await call('GET', '/sandbox/messages?to=%2B4915112345678', workspace)).data).toHaveLength(1);
    expect((await call('GET', `/sandbox/messages/${String(listed?.['id'])}`, workspace)).json).toMatchObject({
      shown: { text: 'Hi +4915112345678' },
      raw: '{"to":"+4915112345678","text":"Hi +4915112345678"}',
      acts: ['bounce', 'read', 'reply'],
    });
    await until(() => told.length > 0);
    expect(told).toEqual([{ url: `/api/v1/callbacks/echo/${account.id}`, body: `${ref} delivered` }]);
  });

  it('is found only under the workspace and account that its address was made for', async () => {
    const url = new URL(server.vendorUrl(test.workspaceId, 'echo', account));
    const [, segment = ''] = url.pathname.split('/');
    const other = await test.newWorkspace();
    for (const wrong of [
      segment.replace(test.workspaceId, other),
      segment.replace(account.id, account.id.replace('b', 'c')),
      `${test.workspaceId}.${segment.split('.').at(-1)}`,
      `${segment}x`,
      'x',
    ]) {
      expect((await send('+491', { url: `${url.origin}/${wrong}/echo` })).status).toBe(404);
    }
    expect((await send('+491', { url: server.vendorUrl(test.workspaceId, 'nobody') })).status).toBe(404);
    expect((await send('+491', { key: secret(other) })).status).toBe(401);
  });

  it('plays every fate, chosen by the address', async () => {
    expect((await send('+15005550001')).status).toBe(400);
    expect(await send('throttle@example.com')).toMatchObject({ status: 429, headers: { 'retry-after': '7' } });
    expect((await send('+15005550121')).status).toBe(500);
    expect((await send('malformed@example.com')).body).toBe('<html>');
    expect(await send('quiet-token')).toEqual({ failed: 'timeout', mayHaveArrived: true });
    expect((await send('bounce@example.com')).status).toBe(201);
    await until(() => told.length > 0);
    expect(told[0]?.body).toMatch(/^E[0-9a-f]{8} failed$/);
  });

  it('calls nobody but this Parley, whoever it is told to call', async () => {
    const others: string[] = [];
    const stranger = createServer((request, response) => {
      others.push(request.url ?? '');
      response.end();
    });
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const { port } = stranger.address() as AddressInfo;
    for (const tell of [`http://127.0.0.1:${port}/x`, `https://parley.example.evil.example/x`, 'nonsense'])
      expect((await send('+4915112345678', { tell })).status).toBe(201);
    await send('+4915112345678', { tell: `${origin}/mine?a=1` });
    await until(() => told.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(told.map((one) => one.url)).toEqual(['/mine?a=1']);
    expect(others).toEqual([]);
    await new Promise((resolve) => stranger.close(resolve));
  });

  it('opens no way to this Parley for those who call vendors', async () => {
    await send('+4915112345678');
    await until(() => told.length > 0);
    const answer = await http.call({ method: 'GET', url: `${localOrigin()}/metrics` });
    expect(answer).toMatchObject({ kind: 'failed', code: 'refused-host' });
  });

  it('calls again when its callback is not taken', async () => {
    answer = 503;
    await send('+4915112345678');
    await until(() => told.length === 1);
    answer = 200;
    await until(() => told.length === 2);
    expect(told[0]).toEqual(told[1]);
  });

  it('speaks HTTP/2 to who begins with it', async () => {
    const url = new URL(server.vendorUrl(test.workspaceId, 'echo'));
    const session = connectHttp2(url.origin);
    const stream = session.request({
      ':method': 'POST',
      ':path': `${url.pathname}/send`,
      authorization: `Bearer ${secret(test.workspaceId)}`,
    });
    stream.end(JSON.stringify({ to: '+4915112345678', text: 'over HTTP/2' }));
    let status = 0;
    let body = '';
    stream.on('response', (headers) => (status = Number(headers[':status'])));
    for await (const chunk of stream) body += String(chunk);
    session.close();
    expect(status).toBe(201);
    expect(body).toMatch(/"ref":"E/);
  });
});

describe('acting for the recipient of what a vendor took', () => {
  const caught = async () => {
    const workspace = await test.newWorkspace();
    await send('+4915112345678', { workspaceId: workspace });
    await until(() => told.length > 0);
    told.length = 0;
    const [listed] = (await call('GET', '/sandbox/messages', workspace)).data;
    return { workspace, path: `/sandbox/messages/${String(listed?.['id'])}/act` };
  };

  it("tells of it by the vendor's own callback, and says what was answered", async () => {
    const { workspace, path } = await caught();
    expect((await call('POST', path, workspace, { action: 'read' })).json).toEqual({
      action: 'read',
      detail: `POST /api/v1/callbacks/echo/${account.id}: 200`,
    });
    expect((await call('POST', path, workspace, { action: 'reply', text: 'STOP' })).status).toBe(200);
    expect(told.map((one) => one.body.slice(10))).toEqual(['read', 'reply STOP']);
  });

  it('says so when there is nothing to tell, to write or to ask', async () => {
    const { workspace, path } = await caught();
    expect((await call('POST', path, workspace, { action: 'complain' })).json).toMatchObject({
      code: 'sandbox/nothing-to-do',
    });
    expect((await call('POST', path, workspace, { action: 'reply' })).status).toBe(422);
    expect((await call('POST', path, workspace, { action: 'open' })).json).toMatchObject({
      code: 'sandbox/nothing-to-do',
    });
    expect(told).toEqual([]);
  });
});

describe('a scenario', () => {
  const quietCallbacks = { delayMs: 0, duplicatePercent: 0, shufflePercent: 0, lostPercent: 0 };

  it('is empty at first, is kept, and is refused when it makes no sense', async () => {
    const workspace = await test.newWorkspace();
    expect((await call('GET', '/sandbox/scenario', workspace)).json).toEqual({ rules: [], callbacks: quietCallbacks });
    const scenario = {
      rules: [{ to: '*@example.org', vendor: 'echo', share: 30, fate: { kind: 'throttle', afterSeconds: 3 } }],
      callbacks: { ...quietCallbacks, duplicatePercent: 5 },
    };
    expect((await call('PUT', '/sandbox/scenario', workspace, scenario)).json).toEqual(scenario);
    expect((await call('GET', '/sandbox/scenario', workspace)).json).toEqual(scenario);
    expect(audited.at(-1)).toMatchObject({ action: 'sandbox.scenario-changed', after: scenario });
    for (const wrong of [
      { ...scenario, rules: [{ fate: { kind: 'explode' } }] },
      { ...scenario, rules: [{ share: 0, fate: { kind: 'quiet' } }] },
      { ...scenario, rules: [{ fate: { kind: 'burst', status: 200 } }] },
      { rules: [] },
    ])
      expect((await call('PUT', '/sandbox/scenario', workspace, wrong)).status).toBe(422);
  });

  it('decides before the address does, for the vendor and the share it names', async () => {
    const workspace = await test.newWorkspace();
    const rules = [
      { to: '+49151*', vendor: 'echo', share: 40, fate: { kind: 'burst', status: 503 } },
      { to: 'throttle@*', fate: { kind: 'catch' } },
    ];
    await call('PUT', '/sandbox/scenario', workspace, { rules, callbacks: quietCallbacks });
    chance = () => 0.39;
    expect((await send('+4915112345678', { workspaceId: workspace })).status).toBe(503);
    chance = () => 0.41;
    expect((await send('+4915112345678', { workspaceId: workspace })).status).toBe(201);
    expect((await send('throttle@example.com', { workspaceId: workspace })).status).toBe(201);
    // Other workspaces go by the address.
    expect((await send('throttle@example.com')).status).toBe(429);
  });

  it('doubles, holds back and loses callbacks', async () => {
    const workspace = await test.newWorkspace();
    await call('PUT', '/sandbox/scenario', workspace, {
      rules: [],
      callbacks: { ...quietCallbacks, duplicatePercent: 100 },
    });
    const of = async () => {
      const { ref } = JSON.parse((await send('+4915112345678', { workspaceId: workspace })).body ?? '') as {
        ref: string;
      };
      return () => told.filter((one) => one.body.startsWith(ref)).length;
    };
    const doubled = await of();
    await until(() => doubled() === 2);
    await call('PUT', '/sandbox/scenario', workspace, {
      rules: [],
      callbacks: { ...quietCallbacks, lostPercent: 100 },
    });
    const lost = await of();
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(lost()).toBe(0);
  });
});

describe('an account of a played vendor', () => {
  it('is made in one call, with what its form would be filled with', async () => {
    const { data } = await call('GET', '/sandbox/vendors');
    const baseUrl = 'http://sandbox.localhost/echo';
    expect(data).toEqual([{ vendor: 'echo', kind: 'echo', channel: 'sms', title: 'Echo', baseUrl }]);
    const created = await call('POST', '/sandbox/accounts', test.workspaceId, { kind: 'echo' });
    expect(created).toMatchObject({ status: 201, json: { kind: 'echo', channel: 'sms', name: 'Echo (sandbox)' } });
    const settings = { key: secret(test.workspaceId), baseUrl };
    expect(made).toEqual([{ id: created.json['id'], kind: 'echo', channel: 'sms', name: 'Echo (sandbox)', settings }]);
    expect((await call('POST', '/sandbox/accounts', test.workspaceId, { kind: 'nobody' })).status).toBe(422);
  });
});
