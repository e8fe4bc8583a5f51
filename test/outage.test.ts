import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openRig, until } from '../bench/rig.ts';
import type { Rig, Server } from '../bench/rig.ts';
import { asker } from './world.ts';
import type { Answer, Ask } from './world.ts';

/**
 * The database stops, and comes back; the disk fills up, and is emptied. A real server on a real PostgreSQL says so,
 * stays up, writes nothing by half, and goes on by itself when it can.
 */
let rig: Rig;
let server: Server;
let ask: Ask;

beforeAll(async () => {
  rig = await openRig();
  server = await rig.startServer({ PARLEY_IMPORT_MAX_MB: '8', PARLEY_LOG_LEVEL: 'fatal' });
  ask = asker(server.url);
}, 180_000);
afterAll(() => rig.close(), 120_000);

const api = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  ask(method, `/api/v1${path}`, { key: rig.key, body, headers });

async function made(path: string, body: unknown): Promise<Record<string, unknown>> {
  const answer = await api('POST', path, body);
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.json ?? {};
}

function expectProblem(answer: Answer, status: number, code: string): void {
  expect(answer.status, answer.text).toBe(status);
  expect(answer.type).toMatch(/^application\/problem\+json/);
  expect(answer.json).toMatchObject({ status, code });
}

const objects = () => join(rig.dataDir, 'files', 'objects');
const filesKept = () =>
  existsSync(objects())
    ? readdirSync(objects(), { recursive: true, encoding: 'utf8' }).filter((one) => one.includes('.csv'))
    : [];

const contactCalled = (externalId: string) => ({
  externalId,
  addresses: [{ kind: 'email', value: `${externalId}@example.com` }],
});

/** The postmaster of the rig, stopped by signal and started again with the very command line it had. */
function database() {
  const folder = join(rig.dataDir, 'postgres');
  const pid = Number(readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n')[0]);
  const [program = '', ...quoted] = readFileSync(join(folder, 'postmaster.opts'), 'utf8').trim().split(' "');
  const isGone = () => !existsSync(`/proc/${pid}`) || !existsSync(join(folder, 'postmaster.pid'));
  return {
    /** SIGINT breaks connections and stops in order; SIGQUIT stops at once, to be recovered from. */
    stop: async (signal: 'SIGINT' | 'SIGQUIT') => {
      process.kill(pid, signal);
      await until(async () => (isGone() ? true : undefined), 50, 60_000);
    },
    start: () => {
      const { uid, gid } = statSync(folder);
      const options = {
        cwd: folder,
        stdio: 'ignore',
        detached: true,
        ...(process.getuid?.() === 0 ? { uid, gid } : {}),
      } as const;
      spawn(
        program,
        quoted.map((one) => one.replace(/"$/, '')),
        options,
      ).unref();
    },
  };
}

/** A mail to a new contact arrives: the API, the ledger, the worker and the sandbox all work. */
async function sendOne(name: string): Promise<void> {
  const email = `${name}@example.com`;
  await made('/compliance/consent', {
    address: { kind: 'email', value: email },
    channel: 'email',
    topic: 'news',
    action: 'grant',
    basis: 'consent',
    evidence: { source: 'form' },
  });
  const { data } = (await api('GET', '/templates')).json as { data: { id: string }[] };
  await made('/messages/send_with_consent', {
    channel: 'email',
    topic: 'news',
    to: { email },
    templateId: data[0]?.id,
  });
  await until(
    async () => {
      const { json } = await api('GET', `/sandbox/messages?to=${email}`);
      return Array.isArray(json?.['data']) && json['data'].length === 1 ? true : undefined;
    },
    100,
    60_000,
  );
}

async function importOne(name: string): Promise<void> {
  const answer = await api('POST', '/contacts/import', `email\n${name}@example.com\n`, { 'content-type': 'text/csv' });
  expect(answer.status, answer.text).toBe(202);
  const state = await until(
    async () => {
      const { json } = await api('GET', `/imports/${String(answer.json?.['id'])}`);
      return json?.['state'] === 'running' ? undefined : json;
    },
    100,
    60_000,
  );
  expect(state).toMatchObject({ state: 'done', created: 1 });
}

describe('a database that stops', () => {
  beforeAll(async () => {
    await made('/topics', { key: 'news', name: 'News' });
    await made('/templates', {
      name: 'Hello',
      channel: 'email',
      category: 'marketing',
      locale: 'en',
      subject: 'Hello',
      html: '<p>Hello</p>',
    });
    await sendOne('before');
  }, 120_000);

  test.each(['SIGINT', 'SIGQUIT'] as const)(
    'by %s is told, to programs and to people, and found again when it is back',
    async (signal) => {
      const name = signal.toLowerCase();
      const { data } = JSON.parse((await api('GET', '/sandbox/messages')).text) as { data: { id: string }[] };
      const { headers } = JSON.parse((await api('GET', `/sandbox/messages/${data[0]?.id}`)).text) as {
        headers: Record<string, string>;
      };
      const leave = /<(https?:[^>]+)>/.exec(headers['list-unsubscribe'] ?? '')?.[1];
      const pages = ['/u/', '/p/'].map((path) => new URL(leave ?? '').pathname.replace('/u/', path));

      const postgres = database();
      await postgres.stop(signal);
      expectProblem(await ask('GET', '/readyz'), 503, 'not-ready');
      expect((await ask('GET', '/livez')).status).toBe(200);
      const refused = await api('GET', '/contacts');
      expectProblem(refused, 503, 'database-unavailable');
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      const once = { 'idempotency-key': `while-${name}` };
      for (let attempt = 0; attempt < 20; attempt++)
        expectProblem(await api('POST', '/contacts', contactCalled(name), once), 503, 'database-unavailable');
      expectProblem(
        await api('POST', '/contacts/import', 'email\na@example.com\n', { 'content-type': 'text/csv' }),
        503,
        'database-unavailable',
      );
      expect(filesKept()).toEqual([]);
      expectProblem(
        await ask('POST', '/api/v1/auth/sign-in', {
          body: { email: 'owner@example.com', password: 'correct horse battery staple' },
        }),
        503,
        'database-unavailable',
      );
      for (const path of pages) {
        const page = await ask('GET', path);
        expect(page.status, page.text).toBe(503);
        expect(page.type).toMatch(/^text\/html/);
      }
      const posted = await ask('POST', pages[0] ?? '', {
        body: 'List-Unsubscribe=One-Click',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
      expect(posted.status).toBe(503);
      const pixel = await ask('GET', (pages[0] ?? '').replace('/u/', '/t/o/'));
      expect(pixel.status).toBe(503);
      expect(server.process.exitCode).toBeNull();

      postgres.start();
      await until(async () => ((await ask('GET', '/readyz')).status === 200 ? true : undefined), 100, 60_000);
      expect((await api('GET', `/contacts?q=${name}`)).json).toMatchObject({ data: [] });
      const first = await api('POST', '/contacts', contactCalled(name), once);
      const second = await api('POST', '/contacts', contactCalled(name), once);
      expect(first.status, first.text).toBe(201);
      expect(second.json).toEqual(first.json);
      await sendOne(`after-${name}`);
      await importOne(`imported-${name}`);
      for (const ledger of ['/audit/verify', '/compliance/verify'])
        expect((await api('GET', ledger)).json).toMatchObject({ ok: true });
      expect(server.process.exitCode).toBeNull();
    },
    240_000,
  );
});

/** A small file system of its own over the folder of files; needs the right to mount. */
function fillUp(): (() => void) | undefined {
  try {
    mkdirSync(objects(), { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', objects()], { stdio: 'ignore' });
    return () => execFileSync('umount', [objects()]);
  } catch {
    return undefined;
  }
}

describe('a disk that is full', () => {
  test('is told, nothing of the file stays, and the next one is taken when there is room', async ({ skip }) => {
    const empty = fillUp();
    if (empty === undefined) return skip('may not mount a file system here');
    try {
      const large = `email\n${'somebody@example.com\n'.repeat(100_000)}`;
      for (let attempt = 0; attempt < 2; attempt++) {
        expectProblem(
          await api('POST', '/contacts/import', large, { 'content-type': 'text/csv' }),
          507,
          'storage-full',
        );
        expect(filesKept()).toEqual([]);
      }
      const form = new FormData();
      form.set('file', new Blob([large]), 'contacts.csv');
      expectProblem(await api('POST', '/contacts/import', form), 507, 'storage-full');
      expect(filesKept()).toEqual([]);
    } finally {
      empty();
    }
    await importOne('with-room');
  }, 120_000);
});
