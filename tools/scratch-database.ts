import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbedded } from '../server/platform/embedded.ts';
import { createLog } from '../server/platform/log.ts';
import { migrate } from '../server/platform/migrate.ts';

/** The server's role in the scratch database; the dumped schema names its privileges. */
export const serverRole = 'parley_server';

/** Starts a throw-away PostgreSQL with every migration applied, hands over a connection as the owner, and removes it again. */
export async function withScratchDatabase<Result>(work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const dataDir = await mkdtemp(join(tmpdir(), 'parley-scratch-'));
  // PostgreSQL may run as another user, who has to get through.
  await chmod(dataDir, 0o711);
  const log = createLog('warn');
  const postgres = await startEmbedded({
    dataDir,
    superuserPassword: 'scratch',
    log,
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' },
  });
  try {
    await migrate({
      ownerUrl: postgres.ownerUrl,
      serverRole: { name: serverRole, password: 'scratch' },
      queues: {},
      now: Temporal.Now.instant(),
      log,
    });
    const client = new pg.Client({ connectionString: postgres.ownerUrl });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  } finally {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}
