import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbedded } from '../server/platform/embedded.ts';
import type { EmbeddedPostgres } from '../server/platform/embedded.ts';
import { silentLog } from '../server/platform/log.ts';
import type { SinkStats } from './smtp-sink.ts';

/** What a measurement runs on: PostgreSQL with its shipped, durable settings; a server and a sink as processes of their own. */
export interface Rig {
  readonly dataDir: string;
  readonly ownerUrl: string;
  readonly key: string;
  startServer(environment?: Readonly<Record<string, string>>): Promise<Server>;
  startSink(record?: string, answerAfterMs?: number): Promise<Sink>;
  startHttpSink(): Promise<Sink>;
  close(): Promise<void>;
}

export interface Server {
  readonly url: string;
  readonly process: ChildProcess;
  /** Calls the API; throws with the problem's words on an error status. */
  call<T>(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<T>;
  /** Highest resident memory so far, MB. */
  peakRssMb(): number;
  /** Seconds of processor time so far. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

export interface Sink {
  readonly port: number;
  readonly process: ChildProcess;
  stats(): Promise<SinkStats>;
  reset(): Promise<SinkStats>;
  stop(): void;
}

const root = join(import.meta.dirname, '..');
const readyMs = 60_000;

export async function openRig(): Promise<Rig> {
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-bench-'));
  chmodSync(dataDir, 0o711);
  const postgres: EmbeddedPostgres = await startEmbedded({ dataDir, superuserPassword: 'bench', log: silentLog });
  const masterKey = randomBytes(32).toString('base64');
  const key = `parley_${randomBytes(24).toString('hex')}`;
  const children = new Set<ChildProcess>();
  return {
    dataDir,
    ownerUrl: postgres.ownerUrl,
    key,
    startServer: (environment = {}) =>
      startServer(children, key, {
        DATABASE_URL: postgres.ownerUrl,
        PARLEY_MASTER_KEY: masterKey,
        PARLEY_DATA_DIR: join(dataDir, 'files'),
        ...environment,
      }),
    startSink: (record, answerAfterMs) => startSink(children, record, answerAfterMs),
    startHttpSink: () => attend(children, 'http-sink.ts', []),
    close: async () => {
      for (const child of children) child.kill('SIGKILL');
      await postgres.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/**
 * As `npm start` has it: V8 lets a heap without a limit grow fourfold before it collects, one of half a gigabyte less
 * than twofold (measured over an import: peak 478 MB without, 276 MB with 400).
 */
const heapLimit = '--max-old-space-size=512';

/** `BENCH_PROFILE=<folder>` writes a CPU profile of the server there when it ends. */
function profiling(): string[] {
  const folder = process.env['BENCH_PROFILE'];
  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`];
}

async function startServer(
  children: Set<ChildProcess>,
  key: string,
  environment: Readonly<Record<string, string>>,
): Promise<Server> {
  const child = spawn(process.execPath, [heapLimit, ...profiling(), join(root, 'server/main.ts'), 'start'], {
    env: {
      PATH: process.env['PATH'] ?? '',
      PARLEY_PORT: '0',
      PARLEY_BOOTSTRAP_KEY: key,
      PARLEY_ADMIN_EMAIL: 'owner@example.com',
      PARLEY_ADMIN_PASSWORD: 'correct horse battery staple',
      PARLEY_LOG_LEVEL: 'warn',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  const url = await readyUrl(child);
  const pid = child.pid ?? 0;
  return {
    url,
    process: child,
    call: (method, path, body, headers) => call(url, key, method, path, body, headers),
    peakRssMb: () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024,
    cpuSeconds: () => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) / 100;
    },
    stop: () => ended(child, 'SIGTERM'),
  };
}

/** The one line the server prints when it is ready names its URL. */
export function readyUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('the server was not ready in time')), readyMs);
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const url = /https?:\/\/[^\s"]+/.exec(text)?.[0];
      if (url === undefined) return;
      clearTimeout(late);
      resolve(url.replace(/\/$/, ''));
    });
    child.once('exit', (code, signal) => {
      clearTimeout(late);
      reject(new Error(`the server ended (${code ?? signal}): ${text.slice(-500)}`));
    });
  });
}

export function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill(signal);
  });
}

/** Calls the API; throws with the problem's words on an error status. */
export async function call<T>(
  url: string,
  key: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<T> {
  const isForm = body instanceof FormData;
  const answer = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isForm || typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 500)}`);
  // The caller names the shape it expects of this route.
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

/** With `record`, every recipient (or message's id) is written to that file before it is answered, `answerAfterMs` later. */
export function startSink(
  children: Set<ChildProcess>,
  record: string | undefined,
  answerAfterMs = 0,
  what: 'recipients' | 'ids' = 'recipients',
): Promise<Sink> {
  return attend(children, 'smtp-sink.ts', record === undefined ? [] : [record, String(answerAfterMs), what]);
}

async function attend(children: Set<ChildProcess>, file: string, args: readonly string[]): Promise<Sink> {
  const child = fork(join(import.meta.dirname, file), [...args]);
  children.add(child);
  const ask = <T>(message?: string): Promise<T> =>
    new Promise((resolve) => {
      child.once('message', (answer: unknown) => resolve(answer as T));
      if (message !== undefined) child.send(message);
    });
  const { port } = await ask<{ port: number }>();
  return { port, process: child, stats: () => ask('stats'), reset: () => ask('reset'), stop: () => child.kill() };
}

/** Polls until `read` gives something. */
export async function until<T>(read: () => Promise<T | undefined>, everyMs = 200, forMs = 3_600_000): Promise<T> {
  const end = Date.now() + forMs;
  for (;;) {
    const value = await read();
    if (value !== undefined) return value;
    if (Date.now() > end) throw new Error('waited too long');
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
