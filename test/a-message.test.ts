import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { csv } from '../bench/people.ts';
import { call, ended, readyUrl, until } from '../bench/rig.ts';

/**
 * The whole way of a message, over the API alone, against a server started as anybody starts it: a file of contacts
 * goes in, consented and personalised e-mail comes out, every message is accounted for, and an unsubscribe comes back.
 * The best introduction to what Parley does.
 */
const key = 'parley_test_key_0123456789_abcdefghijkl';
let dataDir: string;
let server: ChildProcess;
let url: string;
const api = <T>(method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  call<T>(url, key, method, path, body, headers);

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'parley-message-'));
  chmodSync(dataDir, 0o711);
  server = spawn(process.execPath, [join(import.meta.dirname, '../server/main.ts'), 'start'], {
    env: {
      PATH: process.env['PATH'] ?? '',
      PARLEY_DATA_DIR: dataDir,
      PARLEY_PORT: '0',
      PARLEY_BOOTSTRAP_KEY: key,
      PARLEY_ADMIN_EMAIL: 'owner@example.com',
      PARLEY_ADMIN_PASSWORD: 'correct horse battery staple',
      PARLEY_LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  url = await readyUrl(server);
}, 120_000);

afterAll(async () => {
  await ended(server, 'SIGTERM');
  rmSync(dataDir, { recursive: true, force: true });
}, 60_000);

interface Import {
  readonly state: string;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly rejected: number;
  readonly rowsRead: number;
}
interface Caught {
  readonly id: string;
  readonly to: string;
  readonly subject: string;
}

/** The open sample of 500 invented Americans where it lies, else as many of our own. */
const contracts = process.env['PARLEY_CONTRACTS'] ?? join(import.meta.dirname, '../../shared/contracts');
const sample = join(contracts, '../inputs/us-500.csv');
const file = existsSync(sample) ? readFileSync(sample, 'utf8') : [...csv(500)].join('');
const firstNames = new Set(
  file
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',')[existsSync(sample) ? 0 : 3]),
);

async function importFile(): Promise<Import> {
  const { id } = await api<{ id: string }>('POST', '/contacts/import', file, { 'content-type': 'text/csv' });
  return until(async () => {
    const state = await api<Import>('GET', `/imports/${id}`);
    return state.state === 'running' ? undefined : state;
  });
}

async function everythingCaught(): Promise<Caught[]> {
  const all: Caught[] = [];
  let cursor: string | null = null;
  do {
    const page: { data: Caught[]; nextCursor: string | null } = await api(
      'GET',
      `/sandbox/messages?limit=200${cursor === null ? '' : `&cursor=${cursor}`}`,
    );
    all.push(...page.data);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return all;
}

interface Stats {
  readonly status: string;
  readonly planned: number;
  readonly accepted: number;
  readonly suppressed: number;
  readonly unsubscribed: number;
  readonly reasons: Record<string, Record<string, number>>;
}

async function send(templateId: string): Promise<{ id: string; stats: Stats }> {
  const { id } = await api<{ id: string }>('POST', '/campaigns', {
    name: 'News',
    channels: ['email'],
    templateId,
    topic: 'news',
    audience: { all: true },
  });
  await api('POST', `/campaigns/${id}/start`);
  const stats = await until(
    async () => {
      const now = await api<Stats & Record<string, number>>('GET', `/campaigns/${id}/stats`);
      const parts = [
        'waiting',
        'held',
        'sending',
        'suppressed',
        'accepted',
        'failed',
        'unknown',
        'cancelled',
        'expired',
      ];
      expect(parts.reduce((sum, part) => sum + (now[part] ?? 0), 0)).toBe(now.planned);
      return now.status === 'done' ? now : undefined;
    },
    50,
    60_000,
  );
  return { id, stats };
}

describe('the way of a message', () => {
  test('a file goes in; the same file again changes nothing', async () => {
    expect(await importFile()).toMatchObject({
      state: 'done',
      rowsRead: 500,
      created: 500,
      updated: 0,
      unchanged: 0,
      rejected: 0,
    });
    expect(await importFile()).toMatchObject({ state: 'done', created: 0, updated: 0, unchanged: 500, rejected: 0 });
  }, 60_000);

  test('whoever agreed gets one message, with his own name, a one-click header and a way out that works', async () => {
    await api('POST', '/topics', { key: 'news', name: 'News' });
    const contacts = await contactsOf();
    expect(contacts).toHaveLength(500);
    for (const contact of contacts) await grant(contact);
    const template = await api<{ id: string }>('POST', '/templates', {
      name: 'Hello',
      channel: 'email',
      category: 'marketing',
      locale: 'en',
      subject: 'Hello {{ contact.first_name }}',
      html: '<html><body><h1>Dear {{ contact.first_name }} {{ contact.last_name }}</h1><p><a href="https://example.com/offer">Look</a></p></body></html>',
    });
    const first = await send(template.id);
    expect(first.stats).toMatchObject({ planned: 500, accepted: 500, suppressed: 0 });
    const caught = await everythingCaught();
    expect(caught).toHaveLength(500);
    expect(new Set(caught.map((one) => one.to)).size).toBe(500);
    expect(new Set(caught.map((one) => one.subject.replace('Hello ', '')))).toEqual(firstNames);

    const one = caught[0];
    if (one === undefined) throw new Error('nothing was caught');
    const mail = await api<{ headers: Record<string, string>; html: string; text: string }>(
      'GET',
      `/sandbox/messages/${one.id}`,
    );
    const headers = Object.fromEntries(
      Object.entries(mail.headers).map(([name, value]) => [name.toLowerCase(), value]),
    );
    expect(headers['list-unsubscribe-post']).toBe('List-Unsubscribe=One-Click');
    const leave = /<(https?:[^>]+)>/.exec(headers['list-unsubscribe'] ?? '')?.[1] ?? '';
    expect(mail.html).toContain('/t/c/');
    expect(mail.html).toContain(new URL(leave).pathname);

    expect((await fetch(leave)).status).toBe(200);
    const left = await fetch(leave, {
      method: 'POST',
      body: 'List-Unsubscribe=One-Click',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      redirect: 'manual',
    });
    expect(left.status).toBe(200);

    const second = await send(template.id);
    expect(second.stats).toMatchObject({ planned: 500, accepted: 499, suppressed: 1 });
    expect(second.stats.reasons).toMatchObject({ suppressed: { withdrawn: 1 } });
    const { data } = await api<{ data: { id: string; reason: string }[] }>(
      'GET',
      `/messages?campaignId=${second.id}&state=suppressed`,
    );
    expect(data).toHaveLength(1);
    expect(data[0]?.reason).toBe('withdrawn');
    await until(
      async () => ((await api<Stats>('GET', `/campaigns/${first.id}/stats`)).unsubscribed === 1 ? true : undefined),
      100,
      20_000,
    );
  }, 120_000);

  test('both ledgers are whole afterwards', async () => {
    expect(await api('GET', '/compliance/verify')).toMatchObject({ ok: true });
    expect(await api('GET', '/audit/verify')).toMatchObject({ ok: true });
  });
});

interface Contact {
  readonly id: string;
}

async function contactsOf(): Promise<Contact[]> {
  const all: Contact[] = [];
  let cursor: string | null = null;
  do {
    const page: { data: Contact[]; nextCursor: string | null } = await api(
      'GET',
      `/contacts?limit=200${cursor === null ? '' : `&cursor=${cursor}`}`,
    );
    all.push(...page.data);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return all;
}

async function grant(contact: Contact): Promise<void> {
  const { addresses } = await api<{ addresses: { kind: string; value: string }[] }>(
    'POST',
    `/contacts/${contact.id}/reveal`,
    { reason: 'test' },
  );
  const email = addresses.find((one) => one.kind === 'email')?.value ?? '';
  await api('POST', '/compliance/consent', {
    address: { kind: 'email', value: email },
    channel: 'email',
    topic: 'news',
    action: 'grant',
    basis: 'consent',
    evidence: { source: 'form', textVersion: '1' },
  });
}
