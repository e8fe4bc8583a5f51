import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
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
  /** Stops the embedded database; leaves an external one alone. */
  close(): Promise<void>;
}

const serverRole = 'parley_server';

/** Starts the embedded PostgreSQL or reaches the given one, migrates it, and answers how the server is to connect. */
export async function openHouse(config: Config, clock: Clock, log: Log): Promise<House> {
  const dataDir = resolve(config.dataDir);
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
  const vault = createVault(config.masterKey ?? (await masterKeyOf(dataDir)), clock);
  const secret = (use: string) => vault.derive(use).toString('base64url');
  const common = { queues, now: clock.now(), log };
  if (config.databaseUrl !== undefined) {
    const serverUrl =
      config.migrateUrl === undefined
        ? await migrate({
            ...common,
            ownerUrl: config.databaseUrl,
            serverRole: { name: serverRole, password: secret('server-role') },
          })
        : await migrate({ ...common, ownerUrl: config.migrateUrl, serverUrl: config.databaseUrl });
    return { vault, serverUrl, close: () => Promise.resolve() };
  }
  const postgres = await startEmbedded({ dataDir, superuserPassword: secret('superuser'), log });
  try {
    const serverUrl = await migrate({
      ...common,
      ownerUrl: postgres.ownerUrl,
      serverRole: { name: serverRole, password: secret('server-role') },
    });
    return { vault, serverUrl, close: postgres.stop };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

/** Made once, kept in the data folder, readable by its owner only. Whoever loses it loses what is sealed. */
async function masterKeyOf(dataDir: string): Promise<Buffer> {
  const file = join(dataDir, 'master.key');
  const known = await readFile(file, 'utf8').catch(() => undefined);
  if (known === undefined) {
    const fresh = randomBytes(32);
    // Written beside and renamed, so that a crash leaves no half key behind.
    await writeFile(`${file}.new`, `${fresh.toString('base64')}\n`, { mode: 0o600 });
    await rename(`${file}.new`, file);
    return fresh;
  }
  const key = Buffer.from(known.trim(), 'base64');
  if (key.length !== 32)
    throw new Error(`${file} does not hold a key of 32 bytes in base64. Restore it from a backup.`);
  return key;
}
