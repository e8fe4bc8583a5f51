import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test, vi } from 'vitest';
import { commands } from './commands.ts';
import { createConsentLab } from './consent/testing.ts';
import { createTestDb } from './platform/testing.ts';
import type { TestDb } from './platform/testing.ts';
import { createAudit } from './workspaces/index.ts';

let db: TestDb;
const dataDir = mkdtempSync(join(tmpdir(), 'parley-commands-'));
beforeAll(async () => {
  chmodSync(dataDir, 0o711);
  db = await createTestDb();
});
afterAll(async () => {
  await db.close();
  rmSync(dataDir, { recursive: true, force: true });
});

let out: string;
/** The environment of an operator with a database of his own; what is printed is kept. */
beforeEach(() => {
  const ownerUrl = new URL(inject('postgres').ownerUrl);
  ownerUrl.pathname = new URL(db.url).pathname;
  for (const name of Object.keys(process.env).filter((one) => one.startsWith('PARLEY_'))) vi.stubEnv(name, undefined);
  vi.stubEnv('DATABASE_URL', db.url);
  vi.stubEnv('PARLEY_MIGRATE_URL', ownerUrl.toString());
  vi.stubEnv('PARLEY_MASTER_KEY', Buffer.alloc(32, 7).toString('base64'));
  vi.stubEnv('PARLEY_DATA_DIR', dataDir);
  vi.stubEnv('PARLEY_PORT', '0');
  vi.stubEnv('PARLEY_LOG_LEVEL', 'silent');
  out = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    out += String(chunk);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const run = async (name: string, ...flags: string[]) => {
  out = '';
  const code = await commands[name]?.run(flags);
  return { code, out };
};

describe('parley verify', () => {
  let other: string;
  const system = { kind: 'system', id: null, name: 'Parley' } as const;
  const record = (workspaceId: string, times: number) =>
    db.db.transaction(workspaceId, async (tx) => {
      const audit = createAudit({ clock: db.clock, vault: db.vault });
      for (let n = 0; n < times; n++)
        await audit.record(tx, { actor: system, action: 'topic.created', target: { kind: 'topic', id: `t${n}` } });
    });

  beforeAll(async () => {
    other = await db.newWorkspace('Other');
    await record(db.workspaceId, 2);
    await record(other, 3);
    const { audience, consent } = createConsentLab(db);
    await db.write(async (tx) => {
      const topic = await consent.topics.create(tx, { id: db.workspaceId, key: 'news', name: 'News' });
      const who = await audience.people.obtainAddress(tx, { kind: 'email', value: 'ada@example.com' }, '');
      await consent.record(tx, [
        {
          contactId: who.contactId,
          addressId: who.addressId,
          topicId: topic.id,
          evidence: { source: 'form' },
          channel: 'email',
          action: 'grant',
          basis: 'consent',
          source: 'api',
          actor: 'key:1',
          at: db.clock.now(),
        },
      ]);
    });
  });

  test('walks both chains of every workspace, and ends with 0 when they are whole', async () => {
    const told = await run('verify');
    expect(told.code).toBe(0);
    expect(told.out.trim().split('\n').toSorted()).toEqual(
      [
        `${db.workspaceId}: audit 2 entries, whole, consent 1 entries, whole`,
        `${other}: audit 3 entries, whole, consent 0 entries, whole`,
      ].toSorted(),
    );
  });

  test('as JSON gives a line for each workspace', async () => {
    const { out: lines } = await run('verify', '--json');
    const found = lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { workspace: string });
    expect(found.find((one) => one.workspace === other)).toMatchObject({
      workspace: other,
      audit: { ok: true, checked: 3, broken: null },
      consent: { ok: true, checked: 0, broken: null },
    });
  });

  test('names the first entry that was tampered with, and ends with 1', async () => {
    const tamper = (action: string) =>
      db.owner.query('update audit_entry set action = $2 where workspace_id = $1 and seq = 2', [other, action]);
    await tamper('topic.deleted');
    const told = await run('verify');
    expect(told.code).toBe(1);
    const line = told.out.split('\n').find((one) => one.startsWith(other));
    expect(line).toMatch(/audit BROKEN: .*"seq":2.*, consent 0 entries, whole/);
    expect(told.out).toContain(`${db.workspaceId}: audit 2 entries, whole`);
    await tamper('topic.created');
    expect((await run('verify')).code).toBe(0);

    await db.owner.query("update consent_event set action = 'withdraw' where workspace_id = $1", [db.workspaceId]);
    const consent = await run('verify', '--json');
    expect(consent.code).toBe(1);
    await db.owner.query("update consent_event set action = 'grant' where workspace_id = $1", [db.workspaceId]);
  });
});

describe('parley migrate', () => {
  test('brings the database up to date and says so, leaving nothing running and nothing lying about', async () => {
    const before = await db.owner.query('select name, hash from schema_migration order by name');
    expect(await run('migrate')).toEqual({ code: 0, out: 'The database is up to date.\n' });
    expect((await db.owner.query('select name, hash from schema_migration order by name')).rows).toEqual(before.rows);
    expect(readdirSync(dataDir)).not.toContain('master.key');
  });
});

describe('parley start', () => {
  test('serves until it is asked to stop, then ends in order with 0', async () => {
    const known = new Set(process.listeners('SIGTERM'));
    const ended = run('start');
    for (let look = 0; look < 2_000 && !out.includes('\n'); look++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    const url = /^Parley is ready at (\S+)\n$/.exec(out)?.[1] ?? '';
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    // As the signal would: to the one who came with this start.
    for (const listener of process.listeners('SIGTERM').filter((one) => !known.has(one))) listener('SIGTERM');
    expect((await ended).code).toBe(0);
    await expect(fetch(`${url}/livez`)).rejects.toThrow();
  }, 60_000);
});
