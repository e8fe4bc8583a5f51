import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { call, ended, readyUrl, startSink, until } from '../../bench/rig.ts';
import { startEmbedded } from '../../server/platform/embedded.ts';
import { silentLog } from '../../server/platform/log.ts';
import { isAlive, postmaster } from './house.ts';
import type { Instance } from './house.ts';
import { openWire } from './wire.ts';
import type { Wire } from './wire.ts';

/** Parley spread over processes, as on several machines: a database, an API, two workers, a wire, a provider. */
export interface Town {
  readonly wire: Wire;
  readonly people: readonly [Resident, Resident, Resident];
  readonly workers: readonly [Resident, Resident];
  readonly api: Resident;
  /** Ids of the messages that the provider wrote down, each before it answered; from the nth on. */
  recorded(from?: number): string[];
  look<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** `kill -9` of PostgreSQL; resolves when it answers again. */
  killDatabase(): Promise<void>;
  close(): Promise<void>;
}

export type Tenant = Instance & { readonly pid: number };

/** One process that is started again whenever it ends. */
export interface Resident {
  readonly name: string;
  /** The process that runs now. */
  now(): Tenant;
  /** `kill -9`, and a new one at once; answers the process that was. */
  kill(): Promise<number>;
  /** Sets its wall clock this far off. */
  shift(ms: number): void;
}

const key = 'parley_test_key_0123456789_abcdefghijkl';
const main = join(import.meta.dirname, '../../server/main.ts');
/** So long each answer of the provider is on its way: with it, messages are on the wire most of the time. */
const answerMs = 100;

export async function openTown(): Promise<Town> {
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-town-'));
  chmodSync(dataDir, 0o711);
  const record = join(dataDir, 'recorded.txt');
  const children = new Set<ChildProcess>();
  const over = new AbortController();
  const closing = over.signal;
  const postgres = await startEmbedded({ dataDir, superuserPassword: 'town', log: silentLog });
  const sink = await startSink(children, record, 0, 'ids');
  const wire = await openWire(sink.port, answerMs);
  const masterKey = randomBytes(32).toString('base64');
  const reside = async (name: string, role: string): Promise<Resident> => {
    const clock = join(dataDir, `${name}.clock`);
    writeFileSync(clock, '0');
    const env = {
      PATH: process.env['PATH'] ?? '',
      DATABASE_URL: postgres.ownerUrl,
      PARLEY_MASTER_KEY: masterKey,
      PARLEY_DATA_DIR: join(dataDir, 'files'),
      PARLEY_PORT: '0',
      PARLEY_ROLE: role,
      PARLEY_BOOTSTRAP_KEY: key,
      PARLEY_ADMIN_EMAIL: 'owner@example.com',
      PARLEY_ADMIN_PASSWORD: 'correct horse battery staple',
      PARLEY_LOG_LEVEL: 'warn',
      CRASH_CLOCK: clock,
    };
    let instance: Tenant;
    const move = () => {
      const fresh = settle(children, env);
      instance = fresh;
      // What a supervisor does: one that gave up (it found no database, say) is started again.
      fresh.process.once('exit', () => {
        if (!closing.aborted && instance === fresh) setTimeout(() => closing.aborted || move(), 300);
      });
      return fresh;
    };
    await move().ready;
    return {
      name,
      now: () => instance,
      kill: async () => {
        const { pid } = instance;
        const gone = instance;
        move();
        await gone.end('SIGKILL');
        return pid;
      },
      shift: (ms) => writeFileSync(clock, String(ms)),
    };
  };
  // One after the other: the first one migrates.
  const api = await reside('api', 'api');
  const workers = [await reside('left', 'worker'), await reside('right', 'worker')] as const;
  const look: Town['look'] = (text, values = []) => ask(postgres.ownerUrl, text, values);
  return {
    wire,
    api,
    workers,
    people: [api, ...workers],
    recorded: (from = 0) =>
      existsSync(record) ? readFileSync(record, 'utf8').split('\n').slice(0, -1).slice(from) : [],
    look,
    killDatabase: async () => {
      const { pid } = postmaster(dataDir) ?? {};
      if (pid === undefined) throw new Error('there is no database to kill');
      process.kill(pid, 'SIGKILL');
      await until(() => Promise.resolve(isAlive(pid) ? undefined : true), 10);
      await until(() => look('select 1').catch(() => undefined), 50, 60_000);
    },
    close: async () => {
      over.abort();
      await Promise.all([...children].map((child) => ended(child, 'SIGKILL')));
      await wire.close();
      await postgres.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function settle(children: Set<ChildProcess>, env: Record<string, string>): Tenant {
  const preload = join(import.meta.dirname, 'shifted-clock.ts');
  const child = spawn(process.execPath, ['--max-old-space-size=512', '--import', preload, main, 'start'], {
    env,
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
  ready.catch(() => undefined);
  return {
    process: child,
    pid: child.pid ?? 0,
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

async function ask<Row extends pg.QueryResultRow>(
  url: string,
  text: string,
  values: readonly unknown[],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'crash test' });
  client.on('error', () => undefined); // every failure also rejects what is asked
  await client.connect();
  try {
    return (await client.query<Row>(text, [...values])).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}
