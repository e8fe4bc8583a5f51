import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ended, readyUrl } from '../../bench/rig.ts';

export interface OwnServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Parley as anybody starts it: one command, its own database in an empty folder, nobody signed up yet. */
export async function startOwnServer(): Promise<OwnServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-browser-'));
  // Under root, embedded PostgreSQL runs as another user, who has to get in.
  chmodSync(dataDir, 0o711);
  const server = spawn(process.execPath, [join(import.meta.dirname, '../../server/main.ts'), 'start'], {
    env: { PATH: process.env['PATH'] ?? '', PARLEY_DATA_DIR: dataDir, PARLEY_PORT: '0', PARLEY_LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return {
    url: await readyUrl(server),
    stop: async () => {
      await ended(server, 'SIGTERM');
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
