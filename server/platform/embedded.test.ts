import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { EmbeddedError } from './embedded-guard.ts';
import { startEmbedded } from './embedded.ts';
import type { EmbeddedPostgres } from './embedded.ts';
import { silentLog } from './log.ts';

const folders: string[] = [];
/** A folder that the user of PostgreSQL can enter. */
function newFolder(name = 'parley-embedded-'): string {
  const folder = mkdtempSync(join(tmpdir(), name));
  chmodSync(folder, 0o711);
  folders.push(folder);
  return folder;
}
const running: EmbeddedPostgres[] = [];
async function start(dataDir: string, superuserPassword = 'super'): Promise<EmbeddedPostgres> {
  const started = await startEmbedded({ dataDir, superuserPassword, log: silentLog });
  running.push(started);
  return started;
}
const stop = async () => {
  for (const one of running.splice(0)) await one.stop();
};
afterEach(stop, 60_000);
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

async function ask<Row extends pg.QueryResultRow>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}
const postmaster = (dataDir: string) => {
  const file = join(dataDir, 'postgres', 'postmaster.pid');
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : undefined;
};
const until = async (ready: () => boolean) => {
  for (let look = 0; look < 2_000 && !ready(); look++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(ready()).toBe(true);
};
const isAlive = (pid: number) => existsSync(`/proc/${pid}`) || process.platform !== 'linux';

describe('the database that Parley brings', () => {
  const dataDir = newFolder();
  beforeAll(async () => {
    const { ownerUrl } = await start(dataDir);
    await ask(ownerUrl, 'create table kept (n int)');
    await ask(ownerUrl, 'insert into kept values (42)');
    await stop();
  }, 120_000);
  const kept = async (ownerUrl: string) =>
    (await ask<{ n: number }>(ownerUrl, 'select n from kept')).map((row) => row.n);

  test('keeps what was committed over a restart, durable as PostgreSQL is, closed to other users of the machine', async () => {
    expect(postmaster(dataDir)).toBeUndefined();
    const { ownerUrl } = await start(dataDir);
    expect(await kept(ownerUrl)).toEqual([42]);
    const settings = await ask<{ name: string; setting: string }>(
      ownerUrl,
      "select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes', 'listen_addresses', 'data_checksums') order by name",
    );
    expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
      data_checksums: 'on',
      fsync: 'on',
      full_page_writes: 'on',
      listen_addresses: '127.0.0.1',
      synchronous_commit: 'on',
    });
    expect(statSync(join(dataDir, 'postgres')).mode & 0o077).toBe(0);
  }, 60_000);

  test('is of one instance: a second one is told of the first, which goes on', async () => {
    const { ownerUrl } = await start(dataDir);
    const second = start(dataDir);
    await expect(second).rejects.toBeInstanceOf(EmbeddedError);
    await expect(second).rejects.toThrow(
      `Another Parley (process ${process.pid}) is running on ${dataDir}. Stop it first, or set PARLEY_DATA_DIR`,
    );
    expect(await kept(ownerUrl)).toEqual([42]);
  }, 60_000);

  test('opens to its own password only, and is not left running for another', async () => {
    await expect(start(dataDir, 'other')).rejects.toMatchObject({ code: '28P01' });
    expect(postmaster(dataDir)).toBeUndefined();
  }, 60_000);

  test('that a killed Parley left running is taken over with all it holds', async () => {
    const script = `
      import { startEmbedded } from ${JSON.stringify(join(import.meta.dirname, 'embedded.ts'))};
      import { silentLog } from ${JSON.stringify(join(import.meta.dirname, 'log.ts'))};
      await startEmbedded({ dataDir: ${JSON.stringify(dataDir)}, superuserPassword: 'super', log: silentLog });
      console.log('up');
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    const gone = new Promise((resolve) => child.once('close', resolve));
    await until(() => out.includes('up'));
    const orphan = postmaster(dataDir) ?? 0;
    child.kill('SIGKILL');
    await gone;
    expect(isAlive(orphan)).toBe(true);
    const { ownerUrl } = await start(dataDir);
    expect(postmaster(dataDir)).not.toBe(orphan);
    expect(await kept(ownerUrl)).toEqual([42]);
  }, 120_000);

  test('that is killed itself is told of, is started again where it was, and ends in order after that', async () => {
    const errors: string[] = [];
    const log = { ...silentLog, error: (_: unknown, words: string) => void errors.push(words) } as typeof silentLog;
    const started = await startEmbedded({ dataDir, superuserPassword: 'super', log });
    await ask(started.ownerUrl, 'insert into kept values (43)');
    const killed = postmaster(dataDir) ?? 0;
    process.kill(killed, 'SIGKILL');
    await until(() => errors.length > 0);
    expect(errors).toEqual(['the embedded database went away; it is started again']);
    await until(() => (postmaster(dataDir) ?? killed) !== killed);
    let answer: number[] | undefined;
    for (let look = 0; look < 500 && answer === undefined; look++) {
      answer = await kept(started.ownerUrl).catch(() => undefined);
      if (answer === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(answer).toEqual([42, 43]);
    await started.stop();
    expect(postmaster(dataDir)).toBeUndefined();
    const { ownerUrl } = await start(dataDir);
    expect(await kept(ownerUrl)).toEqual([42, 43]);
  }, 60_000);

  test('is not kept from starting by a stale pid file whose number another program has now', async () => {
    const file = join(dataDir, 'postgres', 'postmaster.pid');
    writeFileSync(file, `${process.pid}\n${dataDir}\n0\n5432\n`);
    const { ownerUrl } = await start(dataDir);
    expect(await kept(ownerUrl)).toEqual([42, 43]);
  }, 60_000);

  test('that cannot start says why, in PostgreSQL’s own words', async () => {
    const file = join(dataDir, 'postgres', 'PG_VERSION');
    const version = readFileSync(file, 'utf8');
    writeFileSync(file, '9.6\n');
    try {
      await expect(start(dataDir)).rejects.toThrow(/did not start: .*(version 9\.6|not compatible)/);
    } finally {
      writeFileSync(file, version);
    }
  }, 60_000);
});

describe('a data folder', () => {
  test('whose name is too long for a socket is served over the loopback', async () => {
    const { ownerUrl } = await start(newFolder(`parley-${'long-'.repeat(18)}`));
    expect(new URL(ownerUrl).searchParams.get('host')).toBeNull();
    expect(await ask(ownerUrl, 'select inet_server_addr()::text as at')).toEqual([{ at: '127.0.0.1/32' }]);
  }, 120_000);

  test.runIf(process.getuid?.() === 0)(
    'that root’s other self cannot enter is refused with what to do, and nothing is made in it',
    async () => {
      const closed = newFolder();
      chmodSync(closed, 0o700);
      const dataDir = join(closed, 'data');
      await expect(start(dataDir)).rejects.toThrow(`cannot enter ${closed}. Fix: chmod o+x ${closed}`);
      expect(existsSync(join(dataDir, 'postgres', 'PG_VERSION'))).toBe(false);
    },
    60_000,
  );
});
