import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../platform/clock.ts';
import { createHttpClient } from '../platform/http-client.ts';
import type { HttpClient } from '../platform/http-client.ts';
import { newId } from '../platform/ids.ts';
import { silentLog } from '../platform/log.ts';
import { createHostResolver } from '../platform/network.ts';
import { createTestApp, createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { confidential, createSandbox } from '../sandbox/index.ts';
import type { SandboxServer } from '../sandbox/index.ts';
import { vendors } from '../sandbox/vendors/index.ts';
import { createChannels } from './channels.ts';
import type { Channels } from './channels.ts';
import type { Callback, Outgoing, ProviderDeps } from './port.ts';
import { findProvider } from './registry.ts';
import { providerAccount } from './senders.ts';
import * as store from './store.ts';
import { contracts } from './testing-contracts.ts';
import { email } from './testing.ts';
import type { FastifyInstance } from 'fastify';

/**
 * Every account that the sandbox offers, made as the dashboard makes it, through the real adapter to the played vendor and
 * back by its callbacks: as on a public server, where nothing of the loopback may be called but the sandbox.
 */

let test: TestDb;
let http: HttpClient;
let server: SandboxServer;
let channels: Channels;
let app: FastifyInstance;
let deps: ProviderDeps;
const origin = 'https://parley.example';
const told: Callback[] = [];

const parley = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const method = request.method === 'GET' ? 'GET' : 'POST';
    told.push({ method, url: `${origin}${request.url ?? ''}`, headers, body: Buffer.concat(chunks) });
    response.end();
  });
});

beforeAll(async () => {
  test = await createTestDb();
  await new Promise<void>((resolve) => parley.listen(0, '127.0.0.1', resolve));
  const resolveHost = createHostResolver({ allowPrivateNetworks: false, clock: systemClock });
  http = createHttpClient({ resolveHost });
  const callbackUrl = (kind: string, id: string) => `${origin}/api/v1/callbacks/${kind}/${id}`;
  const sandbox = createSandbox({
    db: test.db,
    vault: test.vault,
    clock: systemClock,
    log: silentLog,
    http,
    random: () => 0.5,
    origin: () => origin,
    localOrigin: () => `http://127.0.0.1:${(parley.address() as AddressInfo).port}`,
    callbackUrl,
  });
  server = await sandbox.start();
  deps = { clock: systemClock, log: silentLog, resolveHost, http, sandbox: () => server, callbackUrl };
  channels = createChannels({ ...deps, vault: test.vault });
  const ports = {
    fetch,
    record: () => Promise.resolve(),
    createAccount: (
      ...[tx, , id, { from, ...draft }]: Parameters<Parameters<typeof sandbox.routes>[0]['createAccount']>
    ) => channels.createAccount(tx, id, { ...draft, ...(from === undefined ? {} : { sender: { from } }) }),
  };
  app = await createTestApp(test, sandbox.routes(ports));
});
afterAll(async () => {
  await app.close();
  await channels.close();
  await server.close();
  await http.close();
  await new Promise((resolve) => parley.close(resolve));
  await test.close();
});

async function call(method: 'GET' | 'POST', path: string, body?: object) {
  const answer = await app.inject({
    method,
    url: `/api/v1${path}`,
    headers: { authorization: 'test', 'x-workspace': test.workspaceId },
    ...(body === undefined ? {} : { payload: body }),
  });
  const json: Record<string, unknown> = answer.json();
  return { status: answer.statusCode, json, data: (json['data'] ?? []) as Record<string, unknown>[] };
}

async function created(kind: string): Promise<string> {
  const made = await call('POST', '/sandbox/accounts', { kind });
  expect(made.status, JSON.stringify(made.json)).toBe(201);
  return String(made.json['id']);
}

const opened = (id: string) =>
  test.read(async (tx) => {
    const row = await store.findAccount(tx, id);
    if (row === undefined) throw new Error('no account');
    return { sender: await channels.openSender(tx, id), ...(await providerAccount(test.vault, tx, row, deps.sandbox)) };
  });

/** A browser of the played push service subscribes first: only what is encrypted for it can be opened. */
async function messageFor(kind: string, messageId: string): Promise<Outgoing> {
  const message = contracts.find((one) => one.kind === kind)?.message(messageId);
  if (message === undefined) throw new Error(`${kind} has no contract`);
  if (kind !== 'webpush' || message.channel !== 'push') return message;
  const url = `${server.vendorUrl(test.workspaceId, 'webpush')}/subscription/ada`;
  const answer = await http.call({ method: 'GET', url });
  return { ...message, token: answer.kind === 'answer' ? answer.body.toString() : '' };
}

const offered = vendors.flatMap((vendor) => vendor.accounts.map((one) => [one.kind, vendor.name, one] as const));

describe.each(offered)('%s, played by %s', (kind, vendor, { channel }) => {
  it('takes a message of the real adapter, which lies in the inbox', async () => {
    const id = await created(kind);
    const { sender, provider, account } = await opened(id);
    expect(provider.channel).toBe(channel);
    expect((await provider.test(account, deps)).steps.filter((step) => !step.ok)).toEqual([]);
    const messageId = newId(systemClock);
    const message = await messageFor(kind, messageId);
    const result = await sender.send(message);
    expect(result.kind, JSON.stringify(result)).toBe('accepted');
    const [caught] = (await call('GET', `/sandbox/messages?vendor=${vendor}`)).data;
    expect(caught).toMatchObject({ channel, vendor });
    if (message.channel !== 'push') expect(caught?.['messageId'] ?? messageId).toBe(messageId);
    const whole = await call('GET', `/sandbox/messages/${String(caught?.['id'])}`);
    expect(whole.status).toBe(200);
    if (channel === 'email') expect(whole.json['text'] ?? whole.json['html']).toBeDefined();
    else expect(whole.json['shown']).toMatchObject({ text: expect.stringMatching(/./) });
  });

  it.skipIf(findProvider(kind)?.receipts === undefined)(
    'calls back so that the account believes it',
    async () => {
      const id = await created(kind);
      const { sender, provider, account } = await opened(id);
      const messageId = newId(systemClock);
      const result = await sender.send(await messageFor(kind, messageId));
      const ref = result.kind === 'accepted' ? result.ref : '';
      const mine = () => told.filter((one) => one.url.includes(`/callbacks/${kind}/${id}`));
      await until(() => mine().length > 0);
      const [first] = mine();
      if (first === undefined) throw new Error('no callback');
      expect(await provider.receipts?.verify(account, first, deps)).toMatchObject({ kind: 'genuine' });
      const { receipts } = provider.receipts?.read(first) ?? { receipts: [] };
      expect(receipts.length).toBeGreaterThan(0);
      for (const receipt of receipts) expect([messageId, ref]).toContain(receipt.messageId ?? receipt.ref);
    },
    20_000,
  );

  it.skipIf(channel !== 'email')("keeps a mail of Parley's own for its one reader", async () => {
    const { sender } = await opened(await created(kind));
    const to = `reset-${kind}@example.com`;
    const headers = confidential('0198c1d2-0000-7000-8000-00000000aaaa');
    const reset = { messageId: newId(systemClock), subject: 'Reset', text: 'https://parley.example/secret', headers };
    expect(await sender.send(email(to, reset))).toMatchObject({ kind: 'accepted' });
    const [caught] = (await call('GET', `/sandbox/messages?to=${encodeURIComponent(to)}`)).data;
    expect(caught).toMatchObject({ hidden: true });
    const whole = JSON.stringify((await call('GET', `/sandbox/messages/${String(caught?.['id'])}`)).json);
    expect(whole).not.toContain('secret');
    const { isSandbox } = (await test.read((tx) => channels.accountsFor(tx, 'email')))[0] ?? {};
    expect(isSandbox).toBe(true);
  });
});

it('offers an account for every provider that speaks over HTTP', () => {
  const kinds = contracts.map((one) => one.kind).filter((kind) => !['smtp', 'sandbox', 'inapp'].includes(kind));
  expect(offered.map(([kind]) => kind).toSorted()).toEqual(kinds.toSorted());
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}
