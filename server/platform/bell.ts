import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Clock } from './clock.ts';
import type { Db } from './db.ts';
import type { Log } from './log.ts';

/**
 * Wakes the workers of other processes at once: a process that made work rings, all that listen hear it. Lossy by design:
 * whoever waits for work also looks for it now and then. It rings outside of transactions and at most a few times a
 * second, since a notification within one would make all commits wait for each other.
 */
export interface Bell {
  ring(): void;
  /** One connection for as long as the process works; it comes back when it breaks. */
  listen(heard: () => void): void;
  close(): Promise<void>;
}

export interface BellDeps {
  readonly url: string;
  readonly db: Pick<Db, 'glance'>;
  readonly clock: Clock;
  readonly log: Log;
}

const channel = 'parley_work';
const ringEveryMs = 100;
const reconnectMs = 2_000;

export function createBell({ url, db, clock, log }: BellDeps): Bell {
  // Notifications come back to whoever sent them; his own workers have been told already.
  const name = randomBytes(8).toString('hex');
  const closing = new AbortController();
  let planned = false;
  let client: pg.Client | undefined;
  let listening: Promise<void> = Promise.resolve();
  const warn = (error: unknown, what: string) =>
    log.warn({ reason: error instanceof Error ? error.message : String(error) }, what);

  const ring = async (): Promise<void> => {
    await clock.sleep(ringEveryMs, closing.signal);
    planned = false;
    if (closing.signal.aborted) return;
    await db
      .glance((tx) => tx.hot('select pg_notify($1, $2)', [channel, name]))
      .catch((error: unknown) => warn(error, 'other processes could not be told of work'));
  };

  /** Until the connection breaks. */
  const hear = async (heard: () => void): Promise<void> => {
    const fresh = new pg.Client({ connectionString: url, application_name: 'parley bell', keepAlive: true });
    client = fresh;
    const broken = new Promise<void>((resolve) => {
      fresh.on('error', () => resolve());
      fresh.on('end', () => resolve());
    });
    fresh.on('notification', ({ payload }) => {
      if (payload !== name) heard();
    });
    await fresh.connect();
    await fresh.query(`listen ${channel}`);
    // What was rung while nobody listened.
    heard();
    await broken;
    await fresh.end().catch(() => undefined);
  };

  const keepListening = async (heard: () => void): Promise<void> => {
    while (!closing.signal.aborted) {
      await hear(heard).catch((error: unknown) => warn(error, 'no news of work from other processes for now'));
      if (!closing.signal.aborted) await clock.sleep(reconnectMs, closing.signal);
    }
  };

  return {
    ring: () => {
      if (planned || closing.signal.aborted) return;
      planned = true;
      void ring();
    },
    listen: (heard) => {
      listening = keepListening(heard);
    },
    close: async () => {
      closing.abort();
      await client?.end().catch(() => undefined);
      await listening;
    },
  };
}
