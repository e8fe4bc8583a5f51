import { paced } from './limit.rules.ts';
import type { Limits, PeriodLimit } from './limit.rules.ts';

/**
 * Pacing by virtual scheduling (GCRA, ITU-T I.371): one stored moment, "the next may go at". A claim reserves slots by
 * moving it ahead; a message leaves no earlier than its slot, and so little later that no sliding window of a limit's
 * length can hold more than the limit: slots stand a little further apart than the limit asks, and that little, over all
 * slots of a window, is how late a message may be. A slot that was missed is lost; the message takes the next. So the
 * limits hold over restarts and any number of workers, and 96 % of them can be used.
 */
export interface Pace {
  /** Milliseconds between two messages; 0 without limits. */
  readonly intervalMs: number;
  /** How long after its slot a message may still leave. */
  readonly latenessMs: number;
}

export const unpaced: Pace = { intervalMs: 0, latenessMs: 0 };

/** Microseconds that the slots of a second's messages take: messages may be late by what is more than a second. */
const stretchedSecond = 1_040_000;

/** The tightest limit rules the interval, whichever it leaves least room in rules the lateness. */
export function paceFor(limits: readonly PeriodLimit[]): Pace {
  if (limits.length === 0) return unpaced;
  // Whole microseconds, rounded up: a sum of slots never gains time by rounding.
  const interval = Math.max(...limits.map(({ seconds, limit }) => Math.ceil((seconds * stretchedSecond) / limit)));
  const lateness = Math.min(...limits.map(({ seconds, limit }) => limit * interval - seconds * 1_000_000));
  // A millisecond less: clocks are read in whole ones.
  return { intervalMs: interval / 1_000, latenessMs: Math.max(0, Math.floor(lateness / 1_000) - 1) };
}

export function paceOf(limits: Limits): Pace {
  return paceFor(paced(limits));
}

/** A claim reserves no more than the lane can send in this time, so that priorities and withdrawals stay prompt. */
const claimSpanMs = 3_000;
/** How far ahead a lane may be booked already: what is urgent may stand behind what is not, not the other way round. */
const horizonMs = { urgent: 10_000, bulk: 3_000 } as const;

export interface Reservation {
  /** When the first slot is. */
  readonly startAt: Temporal.Instant;
  readonly count: number;
  /** The lane's new "next may go at". */
  readonly nextAt: Temporal.Instant;
}

/** Reserves up to `wanted` slots; undefined when the lane is booked too far ahead: ask again at `openAt`. */
export function reserve(
  nextAt: Temporal.Instant,
  { intervalMs }: Pace,
  wanted: number,
  now: Temporal.Instant,
  urgent = false,
): Reservation | undefined {
  const startAt = Temporal.Instant.compare(nextAt, now) > 0 ? nextAt : now;
  if (intervalMs === 0) return { startAt: now, count: wanted, nextAt };
  if (Temporal.Instant.compare(openAt(nextAt, urgent), now) > 0) return undefined;
  const count = Math.max(1, Math.min(wanted, Math.floor(claimSpanMs / intervalMs)));
  return { startAt, count, nextAt: slot(startAt, intervalMs, count) };
}

/** From when on slots can be reserved on a lane that is booked until `nextAt`. */
export function openAt(nextAt: Temporal.Instant, urgent = false): Temporal.Instant {
  return nextAt.subtract({ milliseconds: urgent ? horizonMs.urgent : horizonMs.bulk });
}

/** The moment of the nth slot (n from 0). */
export function slot(startAt: Temporal.Instant, intervalMs: number, n: number): Temporal.Instant {
  return startAt.add({ microseconds: Math.round(intervalMs * 1_000) * n });
}

/** The slots of one reservation, used up in order. */
export interface Slots {
  /** How many could still be taken now. */
  left(now: Temporal.Instant): number;
  /** The next one that is not missed yet; undefined when there is none. */
  take(now: Temporal.Instant): Temporal.Instant | undefined;
  /** Whether a message with this slot may still leave. */
  holds(at: Temporal.Instant, now: Temporal.Instant): boolean;
  /** Where the lane could go on, should nobody have reserved behind. */
  next(): Temporal.Instant;
}

export function createSlots({ startAt, count }: Reservation, { intervalMs, latenessMs }: Pace): Slots {
  let used = 0;
  const missed = (now: Temporal.Instant) => {
    const lateMs = now.epochMilliseconds - startAt.epochMilliseconds - latenessMs;
    return Math.max(used, Math.ceil(lateMs / intervalMs));
  };
  return {
    left: (now) => (intervalMs === 0 ? Infinity : Math.max(0, count - missed(now))),
    take: (now) => {
      if (intervalMs === 0) return now;
      const place = missed(now);
      if (place >= count) return undefined;
      used = place + 1;
      return slot(startAt, intervalMs, place);
    },
    holds: (at, now) => intervalMs === 0 || now.epochMilliseconds - at.epochMilliseconds <= latenessMs,
    next: () => slot(startAt, intervalMs, used),
  };
}
