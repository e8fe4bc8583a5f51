import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import { progressThrough } from './order.rules.ts';
import { enterEpoch, findBacklogs, lockCursor, moveCursor, readAfter } from './store.ts';
import type { LoggedEvent } from './store.ts';

/** Something that follows the log. `handle` runs in the transaction that moves its cursor: its writes happen once. */
export interface Consumer {
  readonly name: string;
  readonly kinds: readonly string[];
  readonly handle: (tx: Tx, events: readonly LoggedEvent[]) => Promise<void>;
}

export interface ConsumersDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly pollMs: number;
}

const pageSize = 1000;
// Commits of a running campaign come every few milliseconds; reading a little later reads many at once.
const gatherMs = 100;
const blockedMs = 250;
const longestBackoffMs = 60_000;

type Outcome = 'done' | 'blocked' | 'failed';

export function createConsumers({ db, clock, log, pollMs }: ConsumersDeps) {
  const consumers: Consumer[] = [];
  const woken = new Set<string>();
  const failures = new Map<string, { count: number; until: Temporal.Instant }>();
  let lag: ReadonlyMap<string, number> = new Map();
  let stopping: AbortController | undefined;
  let running: Promise<unknown> = Promise.resolve();
  let ring: () => void = () => {};

  /** One batch in one transaction. */
  async function step(workspaceId: string, consumer: Consumer) {
    return db.transaction(workspaceId, async (tx) => {
      const from = await lockCursor(tx, clock, consumer.name);
      // Another process reads for this consumer now, and will go on as long as there is something.
      if (from === undefined) return { more: false, blocked: false };
      const progress = progressThrough(await readAfter(tx, from, consumer.kinds, pageSize), pageSize);
      if (progress.events.length > 0) await consumer.handle(tx, progress.events);
      if (progress.to !== undefined) await moveCursor(tx, clock, consumer.name, progress.to);
      return { more: progress.more, blocked: progress.blocked };
    });
  }

  async function readOn(workspaceId: string, consumer: Consumer): Promise<Outcome> {
    const key = `${workspaceId} ${consumer.name}`;
    const failed = failures.get(key);
    if (failed !== undefined && Temporal.Instant.compare(clock.now(), failed.until) < 0) return 'failed';
    try {
      for (;;) {
        const { more, blocked } = await step(workspaceId, consumer);
        failures.delete(key);
        if (!more || stopping?.signal.aborted === true) return blocked ? 'blocked' : 'done';
      }
    } catch (error) {
      const count = (failed?.count ?? 0) + 1;
      const waitMs = Math.min(1000 * 2 ** (count - 1), longestBackoffMs);
      failures.set(key, { count, until: clock.now().add({ milliseconds: waitMs }) });
      log.error(
        { err: error, consumer: consumer.name, workspaceId, count },
        'a consumer of events failed; it tries again',
      );
      return 'failed';
    }
  }

  async function readAll(workspaceId: string): Promise<boolean> {
    let blocked = false;
    for (const consumer of consumers) {
      if ((await readOn(workspaceId, consumer)) === 'blocked') blocked = true;
    }
    return blocked;
  }

  async function follow(signal: AbortSignal): Promise<void> {
    const woke = () =>
      new Promise<void>((resolve) => {
        ring = resolve;
        if (woken.size > 0 || signal.aborted) resolve();
      });
    while (!signal.aborted) {
      await woke();
      await clock.sleep(gatherMs, signal);
      const workspaces = [...woken];
      woken.clear();
      for (const workspaceId of workspaces) {
        if (signal.aborted) return;
        if (await readAll(workspaceId)) void clock.sleep(blockedMs, signal).then(() => wake(workspaceId));
      }
    }
  }

  async function look(): Promise<void> {
    const backlogs = await db.system((tx) =>
      findBacklogs(
        tx,
        consumers.map((consumer) => consumer.name),
      ),
    );
    const now = clock.now();
    const longest = new Map(consumers.map((consumer) => [consumer.name, 0]));
    for (const backlog of backlogs) {
      const seconds = Math.max(0, now.since(backlog.waitingSince).total('seconds'));
      longest.set(backlog.consumer, Math.max(longest.get(backlog.consumer) ?? 0, seconds));
      wake(backlog.workspaceId);
    }
    lag = longest;
  }

  async function poll(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // The database may be away for a while; the next look finds what this one missed.
      await look().catch((error: unknown) => log.warn({ err: error }, 'could not look for unread events'));
      await clock.sleep(pollMs, signal);
    }
  }

  function wake(workspaceId: string): void {
    if (consumers.length === 0) return;
    woken.add(workspaceId);
    ring();
  }

  return {
    wake,
    define: (consumer: Consumer) => {
      if (stopping !== undefined) throw new Error(`consumer ${consumer.name}: consumers are defined before the start`);
      if (consumers.some((other) => other.name === consumer.name)) throw new Error(`consumer ${consumer.name} exists`);
      consumers.push(consumer);
    },
    start: async () => {
      await db.system((tx) => enterEpoch(tx));
      stopping = new AbortController();
      stopping.signal.addEventListener('abort', () => ring());
      if (consumers.length > 0) running = Promise.all([follow(stopping.signal), poll(stopping.signal)]);
    },
    stop: async () => {
      stopping?.abort();
      await running;
    },
    drain: async (workspaceId: string, looks: number) => {
      // Blocked: another transaction of the cluster still runs. The database does the waiting, so that a virtual clock does not matter.
      for (let look = 1; (await readAll(workspaceId)) && look < looks; look++)
        await db.system((tx) => tx.query('select pg_sleep(0.02)'));
    },
    lagSeconds: () => lag,
  };
}
