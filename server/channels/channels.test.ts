import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../platform/clock.ts';
import { newId } from '../platform/ids.ts';
import { createTestApp, createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import type { HealthFacts } from './account.rules.ts';
import { createChannels } from './channels.ts';
import type { Channels } from './channels.ts';
import { converse, email, providerDeps, startScripted } from './testing.ts';
import type { Heard, ScriptedServer } from './testing.ts';

let test: TestDb;
let channels: Channels;
let app: FastifyInstance;
let server: ScriptedServer;
const heard: Heard = { commands: [], bodies: [] };
let audited: { action: string; target: { id: string } }[] = [];
let health: HealthFacts;

beforeAll(async () => {
  test = await createTestDb();
  server = await startScripted((line) =>
    converse(line, { hello: ['250-hi', '250-PIPELINING', '250 AUTH PLAIN'] }, heard),
  );
  channels = createChannels({
    ...providerDeps(systemClock),
    vault: test.vault,
    sandbox: () => ({
      host: '127.0.0.1',
      port: server.port,
      password: () => 'derived',
      vendorUrl: (_workspaceId, vendor) => `http://127.0.0.1:9/${vendor}`,
    }),
    dns: { txt: () => Promise.resolve([]) },
  });
  const audit = { record: async (_tx: unknown, entry: (typeof audited)[number]) => void audited.push(entry) };
  app = await createTestApp(
    test,
    channels.routes({ clock: test.clock, audit, accountHealth: () => Promise.resolve(health) }),
  );
});
afterAll(async () => {
  await app.close();
  await channels.close();
  await server.close();
  await test.close();
});
beforeEach(() => {
  heard.commands.length = 0;
  heard.bodies.length = 0;
  audited = [];
  health = {
    accepted: 3,
    failed: 0,
    unknown: 0,
    lastAcceptedAt: test.clock.now(),
    lastFailureAt: undefined,
    lastFailure: undefined,
  };
});

type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

async function call(method: Method, path: string, body?: object, headers: Record<string, string> = {}) {
  const answer = await app.inject({
    method,
    url: `/api/v1${path}`,
    headers: { authorization: 'test', ...headers },
    ...(body === undefined ? {} : { payload: body }),
  });
  const json: Record<string, unknown> = answer.body === '' ? {} : answer.json();
  return { status: answer.statusCode, json, text: answer.body, headers: answer.headers };
}

const relay = (change: object = {}) => ({
  kind: 'smtp',
  channel: 'email',
  name: 'Relay',
  settings: {
    host: '127.0.0.1',
    port: server.port,
    security: 'none',
    username: 'acme',
    password: 'hush-hush',
    ...change,
  },
  sender: { from: 'Acme <news@example.com>', replyTo: 'help@example.com' },
  limits: { perSecond: 5 },
});

async function makeRelay(change: object = {}): Promise<string> {
  const made = await call('POST', '/providers', relay(change));
  expect(made.status).toBe(201);
  return String(made.json['id']);
}

describe('an account', () => {
  it('is answered without its secrets, which are sealed where they are stored', async () => {
    const made = await call('POST', '/providers', relay());
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({
      kind: 'smtp',
      settings: {
        host: '127.0.0.1',
        port: server.port,
        security: 'none',
        username: 'acme',
        maxConnections: 5,
        dkim: null,
      },
      secretsSet: ['password'],
      limits: { perSecond: 5 },
      sender: { from: { email: 'news@example.com', name: 'Acme' }, replyTo: 'help@example.com' },
      pausedAt: null,
      revision: 1,
    });
    for (const path of [`/providers/${String(made.json['id'])}`, '/providers', '/providers?channel=email&limit=200']) {
      const answer = await call('GET', path);
      expect(answer.status).toBe(200);
      expect(answer.text).not.toContain('hush');
    }
    expect(made.text + JSON.stringify(audited)).not.toContain('hush');
    expect(audited).toMatchObject([{ action: 'provider.created', target: { id: made.json['id'] } }]);
    const { rows } = await test.owner.query<{ whole: string; secrets: Buffer }>(
      'select to_jsonb(a)::text as whole, secrets from provider_account a where id = $1',
      [made.json['id']],
    );
    expect(rows[0]?.whole).not.toContain('hush');
    expect(rows[0]?.secrets.toString('latin1')).not.toContain('hush');
  });

  it('is refused with each wrong field named', async () => {
    const wrong = await call('POST', '/providers', {
      ...relay({ host: 'no host', password: undefined }),
      sender: { from: 'nobody' },
    });
    expect(wrong.status).toBe(422);
    expect(JSON.stringify(wrong.json['errors'])).toContain('/settings/host');
    expect((await call('POST', '/providers', { ...relay(), kind: 'pigeon' })).status).toBe(422);
    expect((await call('POST', '/providers', { ...relay(), sender: { from: 'nobody' } })).status).toBe(422);
  });

  it('changes only from the revision the caller saw; secrets left out stay', async () => {
    const id = await makeRelay();
    const changed = await call(
      'PATCH',
      `/providers/${id}`,
      { name: 'Other', limits: { perMinute: 60 } },
      { 'if-match': '"r1"' },
    );
    expect(changed.json).toMatchObject({
      name: 'Other',
      limits: { perMinute: 60 },
      secretsSet: ['password'],
      revision: 2,
    });
    expect((await call('PATCH', `/providers/${id}`, { name: 'Stale' }, { 'if-match': '"r1"' })).status).toBe(412);
    expect((await call('PATCH', `/providers/${id}`, { settings: { host: 'evil.example' } })).status).toBe(422);
    expect((await call('PATCH', `/providers/${id}`, { sender: null })).json).toMatchObject({
      sender: { from: null, replyTo: null },
    });
    expect((await call('GET', `/providers/${id}`)).json).toMatchObject({
      name: 'Other',
      settings: { host: '127.0.0.1' },
    });
  });

  it('is of its workspace alone', async () => {
    const id = await makeRelay();
    const other = { 'x-workspace': await test.newWorkspace() };
    expect((await call('GET', `/providers/${id}`, undefined, other)).status).toBe(404);
    expect((await call('PATCH', `/providers/${id}`, { name: 'Mine' }, other)).status).toBe(404);
    expect((await call('POST', `/providers/${id}/test`, {}, other)).status).toBe(404);
    expect((await call('PUT', '/routes/email', { accountIds: [id] }, other)).status).toBe(422);
    expect((await call('GET', '/providers', undefined, other)).json['data']).toEqual([]);
  });

  it('is listed in pages', async () => {
    const workspace = { 'x-workspace': await test.newWorkspace() };
    for (let count = 0; count < 3; count++) await call('POST', '/providers', relay(), workspace);
    const first = await call('GET', '/providers?limit=2', undefined, workspace);
    const next = await call(
      'GET',
      `/providers?limit=2&cursor=${String(first.json['nextCursor'])}`,
      undefined,
      workspace,
    );
    expect(first.json['data']).toHaveLength(2);
    expect(next.json).toMatchObject({ data: [{ name: 'Relay' }], nextCursor: null });
  });

  it('is not removed while a route uses it; removed, its secrets are gone', async () => {
    const id = await makeRelay();
    await call('PUT', '/routes/email', { accountIds: [id] });
    expect((await call('DELETE', `/providers/${id}`)).json).toMatchObject({ code: 'provider/in-use' });
    await call('PUT', '/routes/email', { accountIds: [] });
    expect((await call('DELETE', `/providers/${id}`)).status).toBe(204);
    expect((await call('GET', `/providers/${id}`)).status).toBe(404);
    const { rows } = await test.owner.query(
      'select secrets, archived_at is not null as archived from provider_account where id = $1',
      [id],
    );
    expect(rows).toEqual([{ secrets: null, archived: true }]);
  });

  it('is tested by connecting and signing in; a test mail is sent only when asked for', async () => {
    const id = await makeRelay();
    const tested = await call('POST', `/providers/${id}/test`, {});
    expect(tested.json).toMatchObject({ ok: true });
    expect(heard.commands).toContain(`AUTH PLAIN ${Buffer.from('\0acme\0hush-hush').toString('base64')}`);
    expect(heard.bodies).toEqual([]);
    const sent = await call('POST', `/providers/${id}/test`, { to: 'ada@example.com' });
    expect(sent.json).toMatchObject({ ok: true });
    expect(heard.commands).toContain('RCPT TO:<ada@example.com>');
    expect(heard.bodies[0]).toContain('From: Acme <news@example.com>');
  });

  it('tells how it does', async () => {
    const id = await makeRelay();
    expect((await call('GET', `/providers/${id}/health`)).json).toMatchObject({
      state: 'ok',
      accepted: 3,
      lastFailure: null,
    });
    await test.write((tx) => channels.setPaused(tx, id, true));
    expect((await call('GET', `/providers/${id}/health`)).json).toMatchObject({ state: 'paused' });
    expect((await call('GET', `/providers/${id}`)).json['pausedAt']).not.toBeNull();
  });

  it('tells what a mailbox provider would object to', async () => {
    const id = await makeRelay();
    const ready = await call('GET', `/providers/${id}/readiness`);
    const items = ready.json['items'] as { key: string; state: string }[];
    expect(ready.json['ready']).toBe(true);
    expect(Object.fromEntries(items.map((item) => [item.key, item.state]))).toEqual({
      sender: 'ok',
      'public-https-origin': 'warning',
      'one-click-unsubscribe': 'warning',
      'postal-address': 'warning',
      spf: 'warning',
      dkim: 'warning',
      dmarc: 'warning',
    });
  });
});

describe('a route', () => {
  it('is an order of live accounts of its channel', async () => {
    const [first, second] = [await makeRelay(), await makeRelay()];
    expect((await call('PUT', '/routes/email', { accountIds: [second, first] })).json).toMatchObject({
      channel: 'email',
      accountIds: [second, first],
    });
    expect(audited.at(-1)).toMatchObject({ action: 'route.changed' });
    const lanes = await test.read((tx) => channels.accountsFor(tx, 'email'));
    expect(lanes.map((lane) => lane.id)).toEqual([second, first]);
    expect((await call('PUT', '/routes/email', { accountIds: [first, first] })).status).toBe(422);
    expect((await call('PUT', '/routes/email', { accountIds: [newId(test.clock)] })).status).toBe(422);
    expect((await call('PUT', '/routes/sms', { accountIds: [first] })).status).toBe(422);
    expect((await call('GET', '/routes/sms')).json).toEqual({ channel: 'sms', accountIds: [], updatedAt: null });
  });
});

describe('a lane', () => {
  const lanesOf = (id: string) => test.read((tx) => channels.accountsFor(tx, 'email', id));

  it('keeps its sender until settings or secrets change, whatever else does', async () => {
    const id = await makeRelay();
    const [before] = await lanesOf(id);
    expect(before).toMatchObject({
      name: 'Relay',
      paused: false,
      limits: { perSecond: 5 },
      identity: { from: { address: 'news@example.com', name: 'Acme' }, replyTo: { address: 'help@example.com' } },
    });
    await call('PATCH', `/providers/${id}`, { name: 'Renamed' });
    await test.write((tx) => channels.setPaused(tx, id, true));
    const [paused] = await lanesOf(id);
    expect(paused?.paused).toBe(true);
    expect(paused?.sender).toBe(before?.sender);
    await call('PATCH', `/providers/${id}`, { settings: { password: 'another' } });
    const [after] = await lanesOf(id);
    expect(after?.sender).not.toBe(before?.sender);
    expect(await before?.sender.send(email())).toMatchObject({ kind: 'retry', code: 'closed' });
    expect(await after?.sender.send(email())).toMatchObject({ kind: 'accepted' });
    expect(heard.commands).toContain(`AUTH PLAIN ${Buffer.from('\0acme\0another').toString('base64')}`);
  });

  it('is none for an account that is gone', async () => {
    expect(await lanesOf(newId(test.clock))).toEqual([]);
    await expect(test.read((tx) => channels.openSender(tx, newId(test.clock)))).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('of a new workspace catches what is sent', async () => {
    const workspaceId = await test.newWorkspace('Acme "North" <1>');
    const id = await test.db.transaction(workspaceId, (tx) => channels.createSandboxAccount(tx));
    const [lane] = await test.db.read(workspaceId, (tx) => channels.accountsFor(tx, 'email'));
    expect(lane).toMatchObject({
      id,
      kind: 'sandbox',
      identity: { from: { address: 'hello@example.com', name: 'Acme "North" <1>' } },
    });
    expect(await lane?.sender.send(email())).toMatchObject({ kind: 'accepted' });
    expect(heard.commands).toContain(`AUTH PLAIN ${Buffer.from(`\0${workspaceId}\0derived`).toString('base64')}`);
    const ready = await call('GET', `/providers/${id}/readiness`, undefined, { 'x-workspace': workspaceId });
    expect(ready.json).toMatchObject({
      ready: true,
      items: [{ key: 'sandbox', state: 'ok' }, { key: 'postal-address' }],
    });
  });
});
