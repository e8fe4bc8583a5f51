import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import { createReader } from './reader.ts';
import type { Consumer } from './reader.ts';
import { enterEpoch, findBacklogs } from './store.ts';

export interface ConsumersDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly pollMs: number;
}

export interface Consumers {
  define(consumer: Consumer): void;
  /** There is something to read in a workspace. */
  wake(workspaceId: string): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  drain(workspaceId: string, looks: number): Promise<void>;
  lagSeconds(): ReadonlyMap<string, number>;
}

// Commits of a running campaign come every few milliseconds; reading a little later reads many at once.
const gatherMs = 100;
const blockedMs = 250;

/** Workspaces that wait to be read, and the bell for whoever waits for one. */
function createBell() {
  const woken = new Set<string>();
  let ring: () => void = () => undefined;
  return {
    wake: (workspaceId: string) => {
      woken.add(workspaceId);
      ring();
    },
    ring: () => ring(),
    wait: (signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        ring = resolve;
        if (woken.size > 0 || signal.aborted) resolve();
      }),
    take: () => {
      const workspaces = [...woken];
      woken.clear();
      return workspaces;
    },
  };
}

/** Which workspaces have unread events, whoever wrote them, and how long each consumer's oldest one has waited. */
async function look({ db, clock, log }: ConsumersDeps, consumers: readonly Consumer[]) {
  const names = consumers.map((consumer) => consumer.name);
  // The database may be away for a while; the next look finds what this one missed.
  const backlogs = await db
    .glance((tx) => findBacklogs(tx, names))
    .catch((error: unknown) => log.warn({ err: error }, 'could not look for unread events'));
  if (backlogs === undefined) return undefined;
  const now = clock.now();
  const lag = new Map(names.map((name) => [name, 0]));
  for (const { consumer, waitingSince } of backlogs) {
    const seconds = Math.max(0, now.since(waitingSince).total('seconds'));
    lag.set(consumer, Math.max(lag.get(consumer) ?? 0, seconds));
  }
  return { lag, workspaces: new Set(backlogs.map((backlog) => backlog.workspaceId)) };
}

export function createConsumers(deps: ConsumersDeps): Consumers {
  const { db, clock, pollMs } = deps;
  const consumers: Consumer[] = [];
  const reader = createReader(deps);
  const bell = createBell();
  let lag: ReadonlyMap<string, number> = new Map();
  let stopping: AbortController | undefined;
  let running: Promise<unknown> = Promise.resolve();

  /** Whether something is left that cannot be read yet. */
  const readAll = async (workspaceId: string): Promise<boolean> => {
    const outcomes = [];
    for (const consumer of consumers)
      outcomes.push(await reader.readOn(workspaceId, consumer, () => stopping?.signal.aborted === true));
    return outcomes.includes('blocked');
  };

  const follow = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await bell.wait(signal);
      await clock.sleep(gatherMs, signal);
      for (const workspaceId of bell.take()) {
        if (signal.aborted) return;
        if (await readAll(workspaceId)) void clock.sleep(blockedMs, signal).then(() => bell.wake(workspaceId));
      }
    }
  };

  const poll = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const seen = await look(deps, consumers);
      lag = seen?.lag ?? lag;
      for (const workspaceId of seen?.workspaces ?? []) bell.wake(workspaceId);
      await clock.sleep(pollMs, signal);
    }
  };

  return {
    wake: (workspaceId) => {
      if (consumers.length > 0) bell.wake(workspaceId);
    },
    define: (consumer) => {
      if (stopping !== undefined) throw new Error(`consumer ${consumer.name}: consumers are defined before the start`);
      if (consumers.some((other) => other.name === consumer.name)) throw new Error(`consumer ${consumer.name} exists`);
      consumers.push(consumer);
    },
    start: async () => {
      await db.system((tx) => enterEpoch(tx));
      stopping = new AbortController();
      stopping.signal.addEventListener('abort', () => bell.ring());
      if (consumers.length > 0) running = Promise.all([follow(stopping.signal), poll(stopping.signal)]);
    },
    stop: async () => {
      stopping?.abort();
      await running;
    },
    drain: async (workspaceId, looks) => {
      // Blocked: another transaction of the cluster still runs. The database does the waiting, so that a virtual clock does not matter.
      for (let round = 1; (await readAll(workspaceId)) && round < looks; round++)
        await db.system((tx) => tx.query('select pg_sleep(0.02)'));
    },
    lagSeconds: () => lag,
  };
}
