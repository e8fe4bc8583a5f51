import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { call, ended, readyUrl, startSink, until } from '../../bench/rig.ts';
import type { Sink } from '../../bench/rig.ts';
import { systemClock } from '../../server/platform/clock.ts';
import { createVault } from '../../server/platform/sealing.ts';

/** Parley as anybody runs it, with its own PostgreSQL, on a data folder that outlives whatever happens to the process. */
export interface House {
  readonly dataDir: string;
  /** A process that begins to start; it may not be ready yet, or end with an error. */
  open(): Instance;
  /** The same, and waits until it is ready. */
  start(): Promise<Instance>;
  /** A mail server in a process of its own; see bench/smtp-sink.ts. */
  sink(answerAfterMs: number): Promise<Sink>;
  /** The recipients the sink wrote down, each before it answered. */
  recorded(): string[];
  /** Looks into the database past the server, as the superuser, whether or not a server runs; can write nothing. */
  look<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Settings as the server itself sees them. */
  settings(names: readonly string[]): Promise<Record<string, string>>;
  /** Ends what was started here, PostgreSQL too, and removes the folder. */
  close(): Promise<void>;
}

export interface Instance {
  readonly process: ChildProcess;
  readonly ready: Promise<string>;
  /** What it said on both its outputs so far. */
  said(): string;
  /** Calls the API with the owner's key; waits until the server is ready. */
  call<T>(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<T>;
  /** Resolves when the process is gone: its exit code, or the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<number | string>;
}

const key = 'parley_test_key_0123456789_abcdefghijkl';
const main = join(import.meta.dirname, '../../server/main.ts');

export function createHouse(): House {
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-crash-'));
  // Under root, embedded PostgreSQL runs as another user, who has to get in.
  chmodSync(dataDir, 0o711);
  const record = join(dataDir, 'recorded.txt');
  const children = new Set<ChildProcess>();
  const secret = (use: string) => {
    const masterKey = Buffer.from(readFileSync(join(dataDir, 'master.key'), 'utf8').trim(), 'base64');
    return createVault(masterKey, systemClock).derive(use).toString('base64url');
  };
  const open = () => openInstance(dataDir, children);
  return {
    dataDir,
    open,
    start: async () => {
      const instance = open();
      await instance.ready;
      return instance;
    },
    sink: (answerAfterMs) => startSink(children, record, answerAfterMs),
    recorded: () => readFileSync(record, 'utf8').split('\n').slice(0, -1),
    look: (text, values = []) => ask(dataDir, 'postgres', secret('superuser'), text, values),
    settings: async (names) => {
      const rows = await ask<{ name: string; setting: string }>(
        dataDir,
        'parley_server',
        secret('server-role'),
        'select name, setting from pg_settings where name = any($1)',
        [names],
      );
      return Object.fromEntries(rows.map((row) => [row.name, row.setting]));
    },
    close: async () => {
      await Promise.all([...children].map((child) => ended(child, 'SIGKILL')));
      await stopPostgres(dataDir);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function openInstance(dataDir: string, children: Set<ChildProcess>): Instance {
  const child = spawn(process.execPath, [main, 'start'], {
    env: {
      PATH: process.env['PATH'] ?? '',
      PARLEY_DATA_DIR: dataDir,
      PARLEY_PORT: '0',
      PARLEY_BOOTSTRAP_KEY: key,
      PARLEY_ADMIN_EMAIL: 'owner@example.com',
      PARLEY_ADMIN_PASSWORD: 'correct horse battery staple',
      PARLEY_LOG_LEVEL: 'info',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  let said = '';
  const hear = (chunk: Buffer) => void (said = (said + chunk.toString()).slice(-100_000));
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const ready = readyUrl(child).catch((error: unknown) => {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${said.slice(-2_000)}`);
  });
  // Whoever kills it before it is ready does not wait for that.
  ready.catch(() => undefined);
  return {
    process: child,
    ready,
    said: () => said,
    call: async (method, path, body, headers) => call(await ready, key, method, path, body, headers),
    end: async (signal) => {
      await ended(child, signal);
      children.delete(child);
      return child.exitCode ?? child.signalCode ?? 'gone';
    },
  };
}

/** Line 1 the pid, line 4 the port; undefined when no PostgreSQL was left running. */
export function postmaster(dataDir: string): { pid: number; port: number } | undefined {
  try {
    const lines = readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n');
    const [pid, port] = [Number(lines[0]), Number(lines[3])];
    return pid > 0 && port > 0 ? { pid, port } : undefined;
  } catch {
    return undefined;
  }
}

async function ask<Row extends pg.QueryResultRow>(
  dataDir: string,
  user: string,
  password: string,
  text: string,
  values: readonly unknown[],
): Promise<Row[]> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: postmaster(dataDir)?.port ?? 1,
    user,
    password,
    database: 'parley',
    application_name: 'crash test',
    options: '-c default_transaction_read_only=on',
  });
  client.on('error', () => undefined); // every failure also rejects what is asked
  await client.connect();
  try {
    return (await client.query<Row>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}

/** A PostgreSQL whose Parley was killed goes on; a test leaves none behind. */
async function stopPostgres(dataDir: string): Promise<void> {
  const left = postmaster(dataDir);
  if (left === undefined || !isAlive(left.pid)) return;
  process.kill(left.pid, 'SIGINT');
  await until(() => Promise.resolve(isAlive(left.pid) ? undefined : true), 50, 60_000);
}

/** A zombie that nobody has buried is dead. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT';
  }
}
