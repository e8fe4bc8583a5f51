import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import { createConsumers } from './consumers.ts';
import type { Consumer } from './reader.ts';
import { appendEvents, readMessageTimeline, readTimeline } from './store.ts';
import type { EventDraft, LoggedEvent, TimelinePage } from './store.ts';

export type { Consumer } from './reader.ts';

export interface Activity {
  /** Writes events in the transaction of what they tell of, and wakes the consumers once it is committed. */
  append(tx: Tx, drafts: readonly EventDraft[]): Promise<void>;
  /** A contact's events, newest first. */
  timeline(tx: Tx, contactId: string, page: { limit: number; cursor?: string | undefined }): Promise<TimelinePage>;
  /** What happened to one message, oldest first. */
  messageTimeline(tx: Tx, contactId: string, messageId: string): Promise<LoggedEvent[]>;
  /** Before `start` only. The name is the consumer's place in the log for good: a new name reads from the beginning. */
  defineConsumer(name: string, kinds: readonly string[], handle: Consumer['handle']): void;
  /** Reads on for every consumer until stopped; `stop` waits for the batch under way. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /**
   * Hands everything to the consumers now; for tests and for a clean end of a command. Events behind a transaction
   * that still runs (anywhere in the cluster) are looked for so many times, 20 ms apart.
   */
  drain(workspaceId: string, looks?: number): Promise<void>;
  /** Seconds that the oldest unread event of each consumer has waited, as of the last poll. */
  lagSeconds(): ReadonlyMap<string, number>;
}

export interface ActivityDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  /** How often to look for events that another process has written. */
  readonly pollMs?: number;
}

const timelineStart = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
// A message has a handful of events; a link in a forwarded mail can be opened without end.
const messageTimelineMost = 200;

export function createActivity({ db, clock, log, pollMs = 10_000 }: ActivityDeps): Activity {
  const consumers = createConsumers({ db, clock, log, pollMs });
  return {
    append: async (tx, drafts) => {
      if (drafts.length === 0) return;
      await appendEvents(tx, clock, drafts);
      tx.afterCommit(() => consumers.wake(tx.workspaceId));
    },
    timeline: async (tx, contactId, { limit, cursor }) => {
      const rows = await readTimeline(tx, contactId, cursor ?? timelineStart, limit + 1);
      const data = rows.slice(0, limit);
      return { data, nextCursor: rows.length > limit ? (data.at(-1)?.id ?? null) : null };
    },
    messageTimeline: (tx, contactId, messageId) => readMessageTimeline(tx, contactId, messageId, messageTimelineMost),
    defineConsumer: (name, kinds, handle) => consumers.define({ name, kinds, handle }),
    start: consumers.start,
    stop: consumers.stop,
    drain: (workspaceId, looks = 250) => consumers.drain(workspaceId, looks),
    lagSeconds: consumers.lagSeconds,
  };
}
