import type { Clock } from '../../platform/clock.ts';
import { AppError } from '../../platform/errors.ts';
import type { NewsDesk } from '../../platform/news.ts';
import { newsKind } from './inbox.ts';
import type { Inbox } from './inbox.ts';
import type { InboxPass } from './token.rules.ts';

export interface LiveDeps {
  readonly inbox: Pick<Inbox, 'unread'>;
  readonly news: Pick<NewsDesk, 'subscribe'>;
  readonly clock: Clock;
  /** Fires when the server stops. */
  readonly stop: AbortSignal;
}

/** What is written to. */
export interface Line {
  write(text: string): void;
  end(): void;
  on(event: 'close', listener: () => void): unknown;
}

/**
 * A proxy lets go of a quiet line, so something is said now and then; and since news of another process of this server do not
 * come here, the count is asked for again then.
 */
const lookAgainMs = 15_000;
/** A burst is told once. */
const gatherMs = 200;
const mostPerContact = 20;

/** Tells open pages of a contact how many messages are unread, whenever something changes: server-sent events named `inbox`. */
export function createLive({ inbox, news, clock, stop }: LiveDeps) {
  const open = new Map<string, number>();

  const pump = async (pass: InboxPass, line: Line): Promise<void> => {
    const closed = new AbortController();
    line.on('close', () => closed.abort());
    const ended = AbortSignal.any([closed.signal, stop]);
    let isStale = true;
    let stir = () => {};
    const unsubscribe = news.subscribe(pass.workspaceId, (item) => {
      if (item.kind !== newsKind || item.id !== pass.contactId) return;
      isStale = true;
      stir();
    });
    const next = async () => {
      const slept = new AbortController();
      const stirred = new Promise<void>((resolve) => (stir = resolve));
      await Promise.race([stirred, clock.sleep(lookAgainMs, AbortSignal.any([ended, slept.signal]))]);
      slept.abort();
      if (isStale) await clock.sleep(gatherMs, ended);
    };
    let told: number | undefined;
    try {
      while (!ended.aborted && Temporal.Instant.compare(clock.now(), pass.until) < 0) {
        const wasStale = isStale;
        isStale = false;
        const { unread } = await inbox.unread(pass);
        if (!ended.aborted)
          line.write(wasStale || unread !== told ? `event: inbox\ndata: {"unread":${unread}}\n\n` : ': still here\n\n');
        told = unread;
        if (!isStale) await next();
      }
    } finally {
      unsubscribe();
    }
  };

  return {
    /** Refuses before anything is written. */
    enter: (pass: InboxPass): (() => void) => {
      const key = `${pass.workspaceId}:${pass.contactId}`;
      const count = open.get(key) ?? 0;
      if (count >= mostPerContact)
        throw new AppError('too-many-requests', `More than ${mostPerContact} open streams.`, {
          headers: { 'retry-after': '30' },
        });
      open.set(key, count + 1);
      return () => {
        const left = (open.get(key) ?? 1) - 1;
        if (left === 0) open.delete(key);
        else open.set(key, left);
      };
    },
    pump,
  };
}
