/**
 * Pacing of a lane by virtual scheduling (GCRA, ITU-T I.371): one stored moment, "the next may go at". A claim
 * reserves slots by moving it ahead; messages leave no earlier than their slot. With evenly spaced slots no sliding
 * window of the limit's length ever holds more than the limit, over restarts and any number of workers.
 */
export interface Limits {
  readonly perSecond?: number | undefined;
  readonly perMinute?: number | undefined;
  readonly perHour?: number | undefined;
  readonly perDay?: number | undefined;
  /** To one person through this lane within any 24 hours; who had enough waits. */
  readonly perRecipientPerDay?: number | undefined;
}

/** The periods of the limits, in seconds. */
export const periods = { perSecond: 1, perMinute: 60, perHour: 3_600, perDay: 86_400 } as const;

/** The limits that are set, with their periods. */
export function givenLimits(limits: Limits): { seconds: number; limit: number }[] {
  const all = [
    { seconds: periods.perSecond, limit: limits.perSecond },
    { seconds: periods.perMinute, limit: limits.perMinute },
    { seconds: periods.perHour, limit: limits.perHour },
    { seconds: periods.perDay, limit: limits.perDay },
  ];
  return all.flatMap(({ seconds, limit }) => (limit === undefined ? [] : [{ seconds, limit }]));
}

/** A claim reserves no more than the lane can send in this time, so that priorities and withdrawals stay prompt. */
const claimSpanMs = 5_000;

/** Milliseconds between two messages; 0 without limits. The tightest limit rules. */
export function intervalMs(limits: Limits): number {
  // Whole microseconds, rounded up: a sum of slots never gains time by rounding.
  return Math.max(
    0,
    ...givenLimits(limits).map(({ seconds, limit }) => Math.ceil((seconds * 1_000_000) / limit) / 1_000),
  );
}

export interface Reservation {
  /** When the first slot is. */
  readonly startAt: Temporal.Instant;
  readonly count: number;
  /** The lane's new "next may go at". */
  readonly nextAt: Temporal.Instant;
}

/** Reserves up to `wanted` slots; undefined when the first free slot is further away than a claim's span. */
export function reserve(
  nextAt: Temporal.Instant,
  interval: number,
  wanted: number,
  now: Temporal.Instant,
): Reservation | undefined {
  const startAt = Temporal.Instant.compare(nextAt, now) > 0 ? nextAt : now;
  if (interval === 0) return { startAt: now, count: wanted, nextAt };
  if (startAt.epochMilliseconds - now.epochMilliseconds > claimSpanMs) return undefined;
  const count = Math.max(1, Math.min(wanted, Math.floor(claimSpanMs / interval)));
  return { startAt, count, nextAt: slot(startAt, interval, count) };
}

/** The moment of the nth slot (n from 0). */
export function slot(startAt: Temporal.Instant, interval: number, n: number): Temporal.Instant {
  return startAt.add({ microseconds: Math.round(interval * 1_000) * n });
}
