import { describeSettings, readConfig } from './config.ts';
import { openHouse } from './house.ts';
import { systemClock } from './platform/clock.ts';
import { createLog } from './platform/log.ts';
import { startServer } from './start.ts';
import { askedToStop, stopInTime } from './stopping.ts';
import { verifyAll } from './verify.ts';

/** One command of the command line. `run` answers the exit code: 0 done, 1 it did not work. */
export interface Command {
  readonly summary: string;
  readonly help: string;
  readonly flags: readonly string[];
  run(flags: readonly string[]): Promise<number>;
}

const settingsHelp = `Settings (environment):\n${describeSettings()}`;
async function start(): Promise<number> {
  const config = readConfig(process.env);
  const log = createLog(config.logLevel);
  // Listened for from the first moment: a start that takes a while can be stopped too.
  const stopped = askedToStop();
  const running = await startServer(config, log);
  process.stdout.write(`Parley is ready at ${running.url}\n`);
  const why = await Promise.race([stopped, running.lost]);
  if (typeof why === 'string') log.info({ signal: why }, 'stopping');
  else process.stderr.write(`${why.message}\n`);
  await stopInTime(running.stop, log);
  return typeof why === 'string' ? 0 : 1;
}

async function migrate(): Promise<number> {
  const config = readConfig(process.env);
  const house = await openHouse(config, systemClock, createLog(config.logLevel));
  await house.close();
  process.stdout.write('The database is up to date.\n');
  return 0;
}

export const commands: Readonly<Record<string, Command>> = {
  start: {
    summary: 'run the server: API, dashboard, worker (the default)',
    help: `parley start\n\nRuns the server until SIGTERM or Ctrl-C; prints one line with its URL when it is ready.\n\n${settingsHelp}`,
    flags: [],
    run: start,
  },
  migrate: {
    summary: 'bring the database up to date and end',
    help: `parley migrate\n\nApplies what is missing, under a lock, safe while servers run.\n\n${settingsHelp}`,
    flags: [],
    run: migrate,
  },
  demo: {
    summary: 'a sample campaign from import to report, on a database of its own',
    help: 'parley demo [--exit]\n\nBoots on a temporary folder, imports 10,000 invented people, sends them a campaign through the sandbox, lets some of\nthem open, click and leave, prints the report, and keeps running. With --exit it ends after the report: 0 when\neverything adds up, else 1.',
    flags: ['--exit'],
    run: async (flags) => (await import('./demo/demo.ts')).demo(flags.includes('--exit')),
  },
  verify: {
    summary: 'walk the audit log and the consent ledger of every workspace',
    help: `parley verify [--json]\n\nWalks both hash chains of every workspace and names the first broken entry. Exit code 1 when one is broken.\n\n${settingsHelp}`,
    flags: ['--json'],
    run: (flags) => verifyAll(flags.includes('--json')),
  },
};
