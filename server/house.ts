import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ConfigError, isKey } from './config.ts';
import type { Config } from './config.ts';
import type { Clock } from './platform/clock.ts';
import { startEmbedded } from './platform/embedded.ts';
import type { Log } from './platform/log.ts';
import { migrate } from './platform/migrate.ts';
import { createVault } from './platform/sealing.ts';
import type { Vault } from './platform/sealing.ts';
import { queues } from './queues.ts';

/** What must stand before anything is built: the master key and a migrated database. */
export interface House {
  readonly vault: Vault;
  /** The URL the server connects with: owns nothing, cannot look past row-level security. */
  readonly serverUrl: string;
  /** Resolves when the embedded database went away for good. */
  readonly lost: Promise<Error>;
  /** Stops the embedded database; leaves an external one alone. */
  close(): Promise<void>;
}

/** Roles are of the whole cluster: one for each database, so that two installations on one PostgreSQL keep apart. */
function serverRoleOf(ownerUrl: string): string {
  const database = decodeURIComponent(new URL(ownerUrl).pathname.slice(1)) || 'parley';
  if (Buffer.byteLength(database) <= 50) return `${database}_server`;
  // An identifier of PostgreSQL has 63 bytes.
  return `parley_${createHash('sha256').update(database).digest('hex').slice(0, 32)}_server`;
}

/** Starts the embedded PostgreSQL or reaches the given one, migrates it, and answers how the server is to connect. */
export async function openHouse(config: Config, clock: Clock, log: Log): Promise<House> {
  const dataDir = resolve(config.dataDir);
  await mkdir(dataDir, { recursive: true, mode: 0o711 }).catch((error: unknown) => {
    throw new ConfigError([`PARLEY_DATA_DIR: cannot be made: ${wordsOf(error)}`]);
  });
  const vault = createVault(config.masterKey ?? (await masterKeyOf(dataDir)), clock);
  const secret = (use: string) => vault.derive(use).toString('base64url');
  const common = { queues, now: clock.now(), log };
  if (config.databaseUrl !== undefined) {
    const serverUrl =
      config.migrateUrl === undefined
        ? await migrate({
            ...common,
            ownerUrl: config.databaseUrl,
            serverRole: { name: serverRoleOf(config.databaseUrl), password: secret('server-role') },
          })
        : await migrate({ ...common, ownerUrl: config.migrateUrl, serverUrl: config.databaseUrl });
    return { vault, serverUrl, lost: new Promise(() => undefined), close: () => Promise.resolve() };
  }
  const postgres = await startEmbedded({ dataDir, superuserPassword: secret('superuser'), log }).catch(foreignKey);
  try {
    const serverUrl = await migrate({
      ...common,
      ownerUrl: postgres.ownerUrl,
      serverRole: { name: serverRoleOf(postgres.ownerUrl), password: secret('server-role') },
    });
    return { vault, serverUrl, lost: postgres.lost, close: postgres.stop };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

/** The superuser's password comes from the master key, so another key is noticed by PostgreSQL. */
function foreignKey(error: unknown): never {
  if (error instanceof Error && 'code' in error && error.code === '28P01')
    throw new ConfigError([
      'PARLEY_MASTER_KEY (or master.key in PARLEY_DATA_DIR): is not the key that this database was made with',
    ]);
  throw error;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Made once, kept in the data folder, readable by its owner only. Whoever loses it loses what is sealed. */
async function masterKeyOf(dataDir: string): Promise<Buffer> {
  const file = join(dataDir, 'master.key');
  // Only where there is none: one that cannot be read just now must never be replaced.
  const known = await readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new ConfigError([`PARLEY_DATA_DIR: the master key cannot be read: ${wordsOf(error)}`]);
  });
  if (known === undefined) {
    const fresh = randomBytes(32);
    // Written beside and renamed, so that a crash leaves no half key behind.
    await writeFile(`${file}.new`, `${fresh.toString('base64')}\n`, { mode: 0o600 });
    await rename(`${file}.new`, file);
    return fresh;
  }
  if (!isKey(known.trim()))
    throw new ConfigError([
      `PARLEY_DATA_DIR: ${file} does not hold a key of 32 bytes in base64. Restore it from a backup.`,
    ]);
  return Buffer.from(known.trim(), 'base64');
}
