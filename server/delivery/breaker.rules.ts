/**
 * The circuit breaker of a lane. A provider that is down, throttles or refuses our account opens it: for as long as the
 * provider asked, or a growing, jittered while, nothing is handed over. Then it is half open: one message tries the lane,
 * and everybody else waits for what becomes of it. What the breaker turns away burns no attempt.
 */
export interface LaneState {
  readonly coolUntil: Temporal.Instant | null;
  /** In a row. */
  readonly failures: number;
  readonly probeUntil: Temporal.Instant | null;
}

export type Breaker = 'closed' | 'open' | 'half-open' | 'probing';

export function breakerOf({ coolUntil, failures, probeUntil }: LaneState, now: Temporal.Instant): Breaker {
  if (coolUntil !== null && Temporal.Instant.compare(coolUntil, now) > 0) return 'open';
  if (failures === 0) return 'closed';
  return probeUntil !== null && Temporal.Instant.compare(probeUntil, now) > 0 ? 'probing' : 'half-open';
}

/** How many of `wanted` the lane takes; 0: ask again at `again`. */
export function admitted(
  lane: LaneState,
  wanted: number,
  now: Temporal.Instant,
): { readonly count: number; readonly again: Temporal.Instant } {
  switch (breakerOf(lane, now)) {
    case 'closed':
      return { count: wanted, again: now };
    case 'half-open':
      return { count: Math.min(1, wanted), again: now };
    case 'open':
      return { count: 0, again: lane.coolUntil ?? now };
    case 'probing':
      // Whoever hears that it works hastens what waits; this is for the case that nobody does.
      return { count: 0, again: lane.probeUntil ?? now };
  }
}
