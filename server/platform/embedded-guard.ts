import type pg from 'pg';
import type { Log } from './log.ts';

/** Why the embedded database cannot start; the message says what to do. */
export class EmbeddedError extends Error {}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What is left of a killed PostgreSQL may hold its memory for a moment: it is tried for about half a minute. */
const mostRevivals = 40;
const reviveEveryMs = 500;

/** Holds the instance lock; when it is gone, the database is: `revive` brings both back. */
export function guardDatabase(
  first: pg.Client,
  log: Log,
  revive: () => Promise<pg.Client>,
): { readonly lost: Promise<EmbeddedError>; end(): Promise<void> } {
  let lock = first;
  let ending = false;
  let reviving: Promise<void> = Promise.resolve();
  let giveUp: (error: EmbeddedError) => void = () => undefined;
  const lost = new Promise<EmbeddedError>((settle) => (giveUp = settle));
  const bringBack = async (): Promise<void> => {
    let reason = '';
    for (let tried = 0; tried < mostRevivals && !ending; tried++) {
      try {
        watch(await revive());
        return log.warn({}, 'the embedded database runs again');
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error);
        // Not our own session that nobody has told of its end.
        if (reason.startsWith('Another Parley') && !reason.includes(`process ${process.pid})`)) break;
        await pause(reviveEveryMs);
      }
    }
    if (!ending) giveUp(new EmbeddedError(`The embedded database went away and does not come back: ${reason}`));
  };
  const watch = (held: pg.Client) => {
    lock = held;
    // The client tells of it twice: that the server ends it, and that the line is cut.
    held.once('error', (error) => {
      if (ending) return;
      log.error({ reason: error.message }, 'the embedded database went away; it is started again');
      reviving = bringBack();
    });
  };
  watch(first);
  return {
    lost,
    end: async () => {
      ending = true;
      await reviving;
      await lock.end().catch(() => undefined);
    },
  };
}
