import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import { progressThrough } from './order.rules.ts';
import { lockCursor, moveCursor, readAfter } from './store.ts';
import type { LoggedEvent } from './store.ts';

/** Something that follows the log. `handle` runs in the transaction that moves its cursor: its writes happen once. */
export interface Consumer {
  readonly name: string;
  readonly kinds: readonly string[];
  readonly handle: (tx: Tx, events: readonly LoggedEvent[]) => Promise<void>;
}

export interface ReaderDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Reader {
  /** Hands a consumer what is readable in a workspace, a batch a transaction; `stopped` ends it between two. */
  readOn(workspaceId: string, consumer: Consumer, stopped: () => boolean): Promise<Outcome>;
}

/** `blocked`: there is more, behind a transaction that still runs. `failed`: tried again after a while. */
export type Outcome = 'done' | 'blocked' | 'failed';

const pageSize = 1000;
const firstBackoffMs = 1000;
const longestBackoffMs = 60_000;

export function createReader({ db, clock, log }: ReaderDeps): Reader {
  const failures = new Map<string, { count: number; until: Temporal.Instant }>();

  /** One batch in one transaction. */
  const step = (workspaceId: string, consumer: Consumer) =>
    db.transaction(workspaceId, async (tx) => {
      const from = await lockCursor(tx, clock, consumer.name);
      // Another process reads for this consumer now, and will go on as long as there is something.
      if (from === undefined) return { more: false, blocked: false };
      const progress = progressThrough(await readAfter(tx, from, consumer.kinds, pageSize), pageSize);
      if (progress.events.length > 0) await consumer.handle(tx, progress.events);
      if (progress.to !== undefined) await moveCursor(tx, clock, consumer.name, progress.to);
      return { more: progress.more, blocked: progress.blocked };
    });

  return {
    readOn: async (workspaceId, consumer, stopped) => {
      const key = `${workspaceId} ${consumer.name}`;
      const failed = failures.get(key);
      if (failed !== undefined && Temporal.Instant.compare(clock.now(), failed.until) < 0) return 'failed';
      try {
        for (;;) {
          const { more, blocked } = await step(workspaceId, consumer);
          failures.delete(key);
          if (!more || stopped()) return blocked ? 'blocked' : 'done';
        }
      } catch (error) {
        const count = (failed?.count ?? 0) + 1;
        const waitMs = Math.min(firstBackoffMs * 2 ** (count - 1), longestBackoffMs);
        failures.set(key, { count, until: clock.now().add({ milliseconds: waitMs }) });
        const seen = { err: error, consumer: consumer.name, workspaceId, count };
        log.error(seen, 'a consumer of events failed; it tries again');
        return 'failed';
      }
    },
  };
}
