import type { Clock } from './clock.ts';
import { steadyMs, systemClock } from './clock.ts';
import type { Log } from './log.ts';

/**
 * The time of the database, which all processes share: leases, slots and due times mean the same to each of them,
 * however wrong the clock of one machine is and whoever sets it while it runs. Between two looks it goes on with the
 * steady clock, which nobody can set. Before the first look, and while no database answers, it goes on from what it knows.
 */
export interface SharedClock extends Clock {
  /** Looks at once, and from then on every few seconds until the signal fires. */
  follow(read: () => Promise<Temporal.Instant>, signal: AbortSignal): Promise<void>;
}

const lookEveryMs = 5_000;
/** Worth telling: machines that keep time differ by some milliseconds. */
const notableMs = 1_000;

export interface SharedClockOptions {
  readonly log: Log;
  /** For tests: the clocks of this machine. */
  readonly local?: Clock;
  readonly steady?: () => number;
}

export function createSharedClock({ log, local = systemClock, steady = steadyMs }: SharedClockOptions): SharedClock {
  const start = steady();
  let base = local.now().epochNanoseconds;
  // Asked several times for each message; adding a duration to an instant costs five times as much.
  const now = () => Temporal.Instant.fromEpochNanoseconds(base + BigInt(Math.round((steady() - start) * 1e6)));

  /**
   * When the answer comes, the database's time lies between what it said and that plus the whole way. Within that, ours
   * is as good as any and stays, so that it does not waver; outside, it moves to the nearest end.
   */
  const look = async (read: () => Promise<Temporal.Instant>): Promise<void> => {
    const asked = steady();
    const earliest = await read();
    const latest = earliest.add({ nanoseconds: Math.round((steady() - asked) * 1e6) });
    const ours = now();
    const off =
      Temporal.Instant.compare(ours, earliest) < 0
        ? ours.until(earliest)
        : Temporal.Instant.compare(ours, latest) > 0
          ? ours.until(latest)
          : undefined;
    if (off === undefined) return;
    base += BigInt(Math.round(off.total('nanoseconds')));
    const offMs = Math.round(off.total('milliseconds'));
    if (Math.abs(offMs) >= notableMs) log.warn({ offMs }, 'the clock of this process was not that of the database');
  };

  return {
    now,
    sleep: (ms, signal) => local.sleep(ms, signal),
    follow: async (read, signal) => {
      const keepLooking = async () => {
        for (;;) {
          await local.sleep(lookEveryMs, signal);
          if (signal.aborted) return;
          // A database that does not answer is told of elsewhere; time goes on without it.
          await look(read).catch(() => undefined);
        }
      };
      await look(read);
      void keepLooking();
    },
  };
}
