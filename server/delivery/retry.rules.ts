import type { ErrorCategory } from '../channels/index.ts';

/**
 * What is done about each kind of trouble, the same for every vendor. `message`: the message waits and an attempt is
 * counted; `lane`: the account rests, and no attempt is; `never`: it is not tried again by itself.
 */
export interface RetrySchedule {
  readonly waits: 'message' | 'lane' | 'never';
  readonly firstMs: number;
  readonly mostMs: number;
  /** Attempts in all; null where none is counted. */
  readonly mostAttempts: number | null;
  /** After so long since it was planned it is given up; null where it is at once. */
  readonly mostHours: number | null;
}

const never: RetrySchedule = { waits: 'never', firstMs: 0, mostMs: 0, mostAttempts: 1, mostHours: null };
const cooling: RetrySchedule = {
  waits: 'lane',
  firstMs: 2_000,
  mostMs: 120_000,
  mostAttempts: null,
  mostHours: 72,
};

/**
 * Eight attempts of one message span about two hours and whatever pauses the vendor asks for. What waits for a lane waits
 * for three days at most: by then it is stale.
 */
export const retrySchedules: Readonly<Record<ErrorCategory, RetrySchedule>> = {
  address: never,
  content: never,
  transient: { waits: 'message', firstMs: 15_000, mostMs: 3_600_000, mostAttempts: 8, mostHours: null },
  throttled: cooling,
  'provider-down': cooling,
  account: { ...cooling, firstMs: 30_000 },
  // Asked about (resolve.rules.ts), never tried blindly.
  unknown: never,
};

/** Doubles with each turn; jittered in its upper half (`random` in [0,1)), so that a thousand do not come back at once. */
function pauseMs({ firstMs, mostMs }: RetrySchedule, turn: number, random: number): number {
  const whole = Math.min(firstMs * 2 ** Math.min(turn, 16), mostMs);
  return Math.round(whole / 2 + (whole / 2) * random);
}

/** How long a message waits after its nth attempt: 15 s, 30 s, 1 min, … to at most 1 hour. */
export function backoffMs(attempt: number, random: number): number {
  return pauseMs(retrySchedules.transient, attempt, random);
}

/** How long a lane rests after its nth failure in a row: 2 s, 4 s, … to at most 2 minutes; for an account at least 30 s. */
export function coolDownMs(
  failures: number,
  random: number,
  category: 'throttled' | 'provider-down' | 'account',
): number {
  const least = category === 'account' ? retrySchedules.account.firstMs : 0;
  return Math.max(least, pauseMs(cooling, failures, random));
}

interface Tried {
  /** Attempts, this one included. */
  readonly attempts: number;
  readonly plannedAt: Temporal.Instant;
}

/** Whether trying goes on after a failure of this category. */
export function mayRetry(category: ErrorCategory, { attempts, plannedAt }: Tried, now: Temporal.Instant): boolean {
  const { waits, mostAttempts, mostHours } = retrySchedules[category];
  if (waits === 'never' || (mostAttempts !== null && attempts >= mostAttempts)) return false;
  return mostHours === null || Temporal.Instant.compare(plannedAt.add({ hours: mostHours }), now) > 0;
}
