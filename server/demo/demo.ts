import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askedToStop, stopInTime } from '../stopping.ts';
import { readConfig } from '../config.ts';
import { createLog } from '../platform/log.ts';
import { startServer } from '../start.ts';
import { createClient } from './client.ts';
import { runDemo } from './run.ts';

/**
 * The whole product in a minute, on a folder of its own that is removed at the end. Answers 0 when everything adds up.
 */
export async function demo(exit: boolean): Promise<number> {
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-demo-'));
  // PostgreSQL may run as another user, who must be able to pass.
  chmodSync(dataDir, 0o711);
  const secret = () => randomBytes(18).toString('base64url');
  const email = 'demo@example.com';
  const password = secret();
  const key = `parley_demo_${secret()}${secret()}`;
  const { PARLEY_PORT: port = '0', PARLEY_HOST: host } = process.env;
  const config = readConfig({
    PARLEY_DATA_DIR: dataDir,
    PARLEY_PORT: port,
    PARLEY_HOST: host,
    PARLEY_LOG_LEVEL: 'warn',
    PARLEY_ADMIN_EMAIL: email,
    PARLEY_ADMIN_PASSWORD: password,
    PARLEY_BOOTSTRAP_KEY: key,
  });
  const log = createLog(config.logLevel);
  const stopped = askedToStop();
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  try {
    say('Parley demo: starting on a folder of its own …');
    const running = await startServer(config, log);
    const run = runDemo(createClient(running.url, key), say).catch((error: unknown) => {
      say(`The demo broke off: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    });
    const addsUp = await Promise.race([run, stopped.then(() => false)]);
    if (!exit && addsUp) {
      say(
        `\nThe dashboard runs at ${running.url}\n  sign in as  ${email}\n  password    ${password}\nEverything is removed when you stop it (Ctrl-C).`,
      );
      await stopped;
    }
    await stopInTime(running.stop, log);
    return addsUp ? 0 : 1;
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}
