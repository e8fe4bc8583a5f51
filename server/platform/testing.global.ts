import { mkdtempSync, chmodSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { queues } from '../queues.ts';
import { startEmbedded } from './embedded.ts';
import { createLog } from './log.ts';
import { migrate } from './migrate.ts';

declare module 'vitest' {
  interface ProvidedContext {
    postgres: { ownerUrl: string; serverUrl: string };
  }
}

/** Tests live in 2026 by the virtual clock, and now by the real one. */
const testTimes = ['2026-01-15T00:00:00Z', '2026-04-15T00:00:00Z'];

/** One real PostgreSQL for the run, migrated once; each test file clones the migrated database. Not durable: nobody needs it after a crash. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-test-'));
  chmodSync(dataDir, 0o711);
  const log = createLog('warn');
  const postgres = await startEmbedded({
    dataDir,
    superuserPassword: 'test',
    log,
    settings: {
      fsync: 'off',
      synchronous_commit: 'off',
      full_page_writes: 'off',
      max_connections: '200',
      autovacuum: 'on',
    },
  });
  const role = { name: 'parley_server', password: 'test' };
  let serverUrl = '';
  for (const now of [...testTimes.map((time) => Temporal.Instant.from(time)), Temporal.Now.instant()])
    serverUrl = await migrate({ ownerUrl: postgres.ownerUrl, serverRole: role, queues, now, log });
  project.provide('postgres', { ownerUrl: postgres.ownerUrl, serverUrl });
  return async () => {
    await postgres.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
}
