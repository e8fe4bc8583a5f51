import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { until } from '../bench/rig.ts';
import { asker, ownerEmail, ownerPassword } from './world.ts';
import type { Ask } from './world.ts';

/** The key that every server here is started with. */
export const key = 'parley_test_key_0123456789_abcdefghijkl';
export const masterKey = Buffer.alloc(32, 9).toString('base64');
export const main = join(import.meta.dirname, '../server/main.ts');
export type Environment = Readonly<Record<string, string>>;

const folders: string[] = [];
/** A folder that the user of PostgreSQL can enter; removed by `cleanUp`. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'parley-settings-'));
  chmodSync(folder, 0o711);
  folders.push(folder);
  return folder;
}

export interface Process {
  readonly child: ChildProcess;
  /** Standard output so far. */
  out(): string;
  readonly ended: Promise<{ code: number | null; out: string; err: string }>;
}

const processes: Process[] = [];
export function run(environment: Environment, args: readonly string[] = ['start']): Process {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: newFolder(),
    env: { PATH: process.env['PATH'] ?? '', PARLEY_PORT: '0', PARLEY_LOG_LEVEL: 'silent', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const ended = new Promise<{ code: number | null; out: string; err: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, out, err })),
  );
  const started: Process = { child, out: () => out, ended };
  processes.push(started);
  return started;
}

export interface Running extends Process {
  readonly url: string;
  readonly ask: Ask;
  api(method: string, path: string, body?: unknown, headers?: Record<string, string>): ReturnType<Ask>;
  stop(): Promise<number | null>;
}

/** Waits for the ready line; fails with what the server said when it ends instead. */
export async function start(environment: Environment): Promise<Running> {
  const started = run({
    PARLEY_BOOTSTRAP_KEY: key,
    PARLEY_ADMIN_EMAIL: ownerEmail,
    PARLEY_ADMIN_PASSWORD: ownerPassword,
    ...environment,
  });
  const ready = until(async () => /^Parley is ready at (\S+)$/m.exec(started.out())?.[1], 50, 120_000);
  const url = await Promise.race([
    ready,
    started.ended.then(({ code, err }) => Promise.reject(new Error(`ended with ${code}: ${err}`))),
  ]);
  const ask = asker(url);
  return {
    ...started,
    url,
    ask,
    api: (method, path, body, headers = {}) => ask(method, `/api/v1${path}`, { key, body, headers }),
    stop: async () => {
      started.child.kill('SIGTERM');
      return (await started.ended).code;
    },
  };
}

/** Ends what still runs. */
export async function stopAll(): Promise<void> {
  for (const { child, ended } of processes.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
  }
}

export function cleanUp(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

/** Starts, and answers the words it ended with; its exit code must be 1. */
export async function refusal(environment: Environment): Promise<string> {
  const { code, out, err } = await run(environment).ended;
  expect(code, err).toBe(1);
  expect(out).toBe('');
  expect(err).not.toMatch(/^\s+at /m);
  return err;
}
