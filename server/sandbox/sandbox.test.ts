import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { createTransport } from 'nodemailer';
import type { Transporter } from 'nodemailer';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../platform/clock.ts';
import { silentLog } from '../platform/log.ts';
import { createTestApp, createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { createHttpClient } from '../platform/http-client.ts';
import type { HttpClient } from '../platform/http-client.ts';
import { createSandbox } from './sandbox.ts';
import type { SandboxServer } from './sandbox.ts';

let test: TestDb;
let server: SandboxServer;
let app: FastifyInstance;
let http: HttpClient;
let transports: Transporter[] = [];
const asked: { method: string; url: string; body: string }[] = [];
const receipts: string[] = [];
const site = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    asked.push({ method: request.method ?? '', url: request.url ?? '', body });
    if (request.url?.startsWith('/t/c/') === true)
      response.writeHead(302, { location: 'https://elsewhere.example/' }).end();
    else response.writeHead(200).end('ok');
  });
});

beforeAll(async () => {
  test = await createTestDb();
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  const localOrigin = () => `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  const receipt = async (workspaceId: string, messageId: string, kind: string) => {
    receipts.push(`${workspaceId} ${messageId} ${kind}`);
    return 'told';
  };
  http = createHttpClient({ resolveHost: (host) => Promise.resolve([host]) });
  const sandbox = createSandbox({
    db: test.db,
    vault: test.vault,
    clock: systemClock,
    log: silentLog,
    http,
    random: Math.random,
    origin: () => ours,
    localOrigin,
    callbackUrl: () => undefined,
    keep: 40,
    dropEvery: 50,
  });
  server = await sandbox.start();
  app = await createTestApp(
    test,
    sandbox.routes({ fetch, receipt, record: () => Promise.resolve(), createAccount: () => Promise.resolve() }),
  );
});
afterAll(async () => {
  await app.close();
  await server.close();
  await http.close();
  await new Promise((resolve) => site.close(resolve));
  await test.close();
});
beforeEach(() => {
  asked.length = 0;
});
afterEach(() => {
  for (const transport of transports) transport.close();
  transports = [];
});

function transport(workspaceId: string, password = server.password(workspaceId), pool = false): Transporter {
  const made = createTransport({
    host: server.host,
    port: server.port,
    ignoreTLS: true,
    auth: { user: workspaceId, pass: password },
    pool: pool as true,
    maxConnections: 4,
  });
  transports.push(made);
  return made;
}

async function call(method: 'GET' | 'POST' | 'DELETE', path: string, workspaceId = test.workspaceId, body?: object) {
  const answer = await app.inject({
    method,
    url: `/api/v1${path}`,
    headers: { authorization: 'test', 'x-workspace': workspaceId },
    ...(body === undefined ? {} : { payload: body }),
  });
  const json: Record<string, unknown> = answer.json();
  return { status: answer.statusCode, json, data: (json['data'] ?? []) as Record<string, unknown>[] };
}

const ours = 'http://127.0.0.1:3000';
const messageId = '0198c1d2-0000-7000-8000-000000000001';
const mail = (to = 'ada@example.com') => ({
  from: 'News <news@example.com>',
  to,
  subject: 'Grüße 😀',
  text: `Hello\n\nOpen ${ours}/t/c/token.1\n`,
  html: `<p>Hello <a href="https://direct.example/">direct</a> <a href="${ours}/t/c/token.0?a=1&amp;b=2">link</a><img src="${ours}/t/o/token"></p>`,
  messageId: `<${messageId}@example.com>`,
  headers: { 'List-Unsubscribe': `<${ours}/u/token>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' },
});

describe('the sandbox', () => {
  it('catches a message and shows it as it came', async () => {
    const workspace = await test.newWorkspace();
    const info = await transport(workspace).sendMail(mail());
    const id = /queued as (\S+)/.exec(info.response ?? '')?.[1] ?? '';
    const list = await call('GET', '/sandbox/messages', workspace);
    expect(list.data).toEqual([
      expect.objectContaining({
        id,
        channel: 'email',
        from: 'news@example.com',
        to: 'ada@example.com',
        subject: 'Grüße 😀',
        messageId,
      }),
    ]);
    const opened = await call('GET', `/sandbox/messages/${id}`, workspace);
    expect(opened.json).toMatchObject({
      text: expect.stringContaining('Hello'),
      html: expect.stringContaining('<p>Hello'),
      raw: expect.stringContaining('MIME-Version: 1.0\r\n'),
      headers: expect.objectContaining({
        'list-unsubscribe': `<${ours}/u/token>`,
        'message-id': `<${messageId}@example.com>`,
      }),
      links: ['https://direct.example/', `${ours}/t/c/token.0?a=1&b=2`, `${ours}/t/c/token.1`],
    });
  });

  it('keeps what it caught sealed, and for its workspace alone', async () => {
    const workspace = await test.newWorkspace();
    await transport(workspace).sendMail(mail('secret-person@example.com'));
    const { rows } = await test.owner.query<{ whole: string }>(
      `select encode(summary, 'escape') || encode(sealed, 'escape') || encode(recipient_hash, 'escape') as whole from sandbox_message where workspace_id = $1`,
      [workspace],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]?.whole).not.toMatch(/secret-person|example\.com|Hello/);
    const [mine] = (await call('GET', '/sandbox/messages', workspace)).data;
    const stranger = await test.newWorkspace();
    expect((await call('GET', '/sandbox/messages', stranger)).data).toEqual([]);
    expect((await call('GET', `/sandbox/messages/${String(mine?.['id'])}`, stranger)).status).toBe(404);
    expect(
      (await call('POST', `/sandbox/messages/${String(mine?.['id'])}/act`, stranger, { action: 'open' })).status,
    ).toBe(404);
  });

  it('lets in workspaces with their own password only', async () => {
    const other = await test.newWorkspace();
    await expect(transport(test.workspaceId, server.password(other)).sendMail(mail())).rejects.toMatchObject({
      responseCode: 535,
    });
    await expect(transport('nobody', server.password('nobody')).sendMail(mail())).rejects.toMatchObject({
      responseCode: 535,
    });
    const open = createTransport({ host: server.host, port: server.port, ignoreTLS: true });
    transports.push(open);
    await expect(open.sendMail(mail())).rejects.toMatchObject({ responseCode: 530 });
  });

  it.each([
    ['bounce@example.com', 550],
    ['defer@example.com', 451],
  ])('refuses %s with %s', async (to, responseCode) => {
    await expect(transport(test.workspaceId).sendMail(mail(to))).rejects.toMatchObject({ responseCode });
  });

  it('takes a message to several people once for each, and finds it by the exact recipient', async () => {
    const workspace = await test.newWorkspace();
    await transport(workspace).sendMail({ ...mail(), to: ['Ada@Example.com', 'bob@example.com'] });
    expect((await call('GET', '/sandbox/messages', workspace)).data).toHaveLength(2);
    expect((await call('GET', '/sandbox/messages?to=ada@example.COM', workspace)).data).toMatchObject([
      { to: 'Ada@example.com' },
    ]);
    expect((await call('GET', '/sandbox/messages?to=nobody@example.com', workspace)).data).toEqual([]);
    expect((await call('GET', '/sandbox/messages?channel=sms', workspace)).data).toEqual([]);
  });

  it('lists newest first, in pages, from a time on', async () => {
    const workspace = await test.newWorkspace();
    const pool = transport(workspace, undefined, true);
    for (let count = 0; count < 5; count++) await pool.sendMail({ ...mail(), subject: `Number ${count}` });
    const first = await call('GET', '/sandbox/messages?limit=2', workspace);
    const second = await call('GET', `/sandbox/messages?limit=2&cursor=${String(first.json['nextCursor'])}`, workspace);
    const third = await call('GET', `/sandbox/messages?limit=2&cursor=${String(second.json['nextCursor'])}`, workspace);
    const subjects = [...first.data, ...second.data, ...third.data].map((one) => one['subject']);
    expect(subjects).toEqual(['Number 4', 'Number 3', 'Number 2', 'Number 1', 'Number 0']);
    expect(third.json['nextCursor']).toBeNull();
    const future = systemClock.now().add({ hours: 1 }).toString();
    expect((await call('GET', `/sandbox/messages?since=${future}`, workspace)).data).toEqual([]);
    const past = systemClock.now().subtract({ hours: 1 }).toString();
    expect((await call('GET', `/sandbox/messages?since=${past}`, workspace)).data).toHaveLength(5);
    for (const cursor of ['nonsense', Buffer.from('["x"]').toString('base64url')]) {
      expect((await call('GET', `/sandbox/messages?cursor=${cursor}`, workspace)).status).toBe(422);
    }
  });

  it('stores many at once, loses none, and keeps the newest', async () => {
    const workspace = await test.newWorkspace();
    const pool = transport(workspace, undefined, true);
    await Promise.all(Array.from({ length: 50 }, (_, index) => pool.sendMail({ ...mail(`r${index}@example.com`) })));
    // The oldest have gone before the next one is stored.
    await pool.sendMail(mail());
    const { rows } = await test.owner.query<{ count: string }>(
      'select count(*) from sandbox_message where workspace_id = $1',
      [workspace],
    );
    expect(Number(rows[0]?.count)).toBe(41);
  });

  it('says so, and keeps going, when a message cannot be stored', async () => {
    const missing = '0198c1d2-ffff-7000-8000-000000000001';
    await expect(transport(missing).sendMail(mail())).rejects.toMatchObject({ responseCode: 451 });
    expect((await transport(test.workspaceId).sendMail(mail())).response).toContain('250');
  });

  it('is emptied', async () => {
    const workspace = await test.newWorkspace();
    await transport(workspace).sendMail({ ...mail(), to: ['a@example.com', 'b@example.com'] });
    expect((await call('DELETE', '/sandbox/messages', workspace)).json).toEqual({ deleted: 2 });
    expect((await call('GET', '/sandbox/messages', workspace)).data).toEqual([]);
  });
});

describe('acting as the recipient', () => {
  async function caught(change: object = {}): Promise<string> {
    const info = await transport(test.workspaceId).sendMail({ ...mail(), ...change });
    return /queued as (\S+)/.exec(info.response ?? '')?.[1] ?? '';
  }
  const act = async (id: string, body: object) => call('POST', `/sandbox/messages/${id}/act`, test.workspaceId, body);

  it('opens, clicks and unsubscribes over real requests to this server', async () => {
    const id = await caught();
    expect((await act(id, { action: 'open' })).json).toEqual({ action: 'open', detail: 'GET /t/o/token: 200' });
    expect((await act(id, { action: 'click' })).json).toEqual({
      action: 'click',
      detail: 'GET /t/c/token.0: 302, on to https://elsewhere.example/',
    });
    expect((await act(id, { action: 'click', url: `${ours}/t/c/token.1` })).json).toMatchObject({
      detail: expect.stringContaining('/t/c/token.1: 302'),
    });
    expect((await act(id, { action: 'unsubscribe' })).json).toEqual({
      action: 'unsubscribe',
      detail: 'POST /u/token: 200',
    });
    expect(asked).toEqual([
      { method: 'GET', url: '/t/o/token', body: '' },
      { method: 'GET', url: '/t/c/token.0?a=1&b=2', body: '' },
      { method: 'GET', url: '/t/c/token.1', body: '' },
      { method: 'POST', url: '/u/token', body: 'List-Unsubscribe=One-Click' },
    ]);
  });

  it('follows no link that leads elsewhere, and none that is not in the message', async () => {
    const id = await caught();
    expect((await act(id, { action: 'click', url: 'https://direct.example/' })).json).toMatchObject({
      status: 422,
      code: 'sandbox/foreign-link',
    });
    expect((await act(id, { action: 'click', url: `${ours}/api/v1/me` })).json).toMatchObject({
      status: 422,
      code: 'sandbox/nothing-to-do',
    });
    const foreign = await caught({
      headers: {
        'List-Unsubscribe': '<https://direct.example/u>',
        'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      },
    });
    expect((await act(foreign, { action: 'unsubscribe' })).json).toMatchObject({ code: 'sandbox/foreign-link' });
    expect(asked).toEqual([]);
  });

  it('says what a message has not', async () => {
    const bare = await caught({ html: undefined, text: 'Hi', headers: {} });
    for (const action of ['open', 'click', 'unsubscribe']) {
      expect((await act(bare, { action })).json).toMatchObject({ status: 422, code: 'sandbox/nothing-to-do' });
    }
  });

  it('hands receipts in for messages of the ledger', async () => {
    const id = await caught();
    expect((await act(id, { action: 'bounce' })).json).toEqual({ action: 'bounce', detail: 'told' });
    expect(receipts).toEqual([`${test.workspaceId} ${messageId} bounce`]);
    const foreign = await caught({ messageId: '<other@example.com>' });
    expect((await act(foreign, { action: 'complain' })).json).toMatchObject({ code: 'sandbox/nothing-to-do' });
  });
});

describe('the list of a full sandbox', () => {
  it('is read along an index, whatever is asked for', async () => {
    await test.owner.query(
      `insert into sandbox_message (workspace_id, id, channel, vendor, recipient_hash, summary, sealed, size_bytes, received_at)
       select $1, ('0198c1d2-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'email', 'smtp', decode(md5(n::text), 'hex'), 's', 's', 1, now()
       from generate_series(1, 20000) n`,
      [test.workspaceId],
    );
    await test.owner.query('analyze sandbox_message');
    const explain = (condition: string, order: string) =>
      test.read((tx) =>
        tx.query<{ 'QUERY PLAN': string }>(
          `explain select id from sandbox_message where workspace_id = $1 and id < 'ffffffff-ffff-ffff-ffff-ffffffffffff' ${condition} order by ${order} limit 50`,
          [tx.workspaceId],
        ),
      );
    const newest = JSON.stringify(await explain('', 'id desc'));
    expect(newest).toContain('sandbox_message_pkey');
    expect(newest).not.toMatch(/Seq Scan|Sort/);
    const byRecipient = JSON.stringify(
      await explain(`and recipient_hash = decode(md5('7'), 'hex')`, 'recipient_hash desc, id desc'),
    );
    expect(byRecipient).toContain('sandbox_message_of_recipient');
    expect(byRecipient).not.toMatch(/Seq Scan|"[^"]*Sort/);
  });
});
