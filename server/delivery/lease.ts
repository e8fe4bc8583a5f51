import type { BeginSignal } from '../channels/index.ts';
import type { Clock } from '../platform/clock.ts';

export const leaseSeconds = 30;
/** Ours ends this much earlier than the one in the database: clocks differ a little, and a begun message takes a moment. */
const marginSeconds = 5;

/**
 * What a hand-over knows of its lease. It is at the same time what tells the provider's sender whether a message that
 * still waits inside may begin: after the end of the lease somebody else may have taken over, and what was in the window
 * counts as being in doubt. So the answer is computed from the time whenever it is asked. A process that was stopped
 * (a debugger, a frozen container, SIGSTOP) gets the answers of the wire before its timers, and must not send on.
 */
export interface Lease extends BeginSignal {
  /** It was renewed, or a window was moved under it; `until` counts from before that was asked of the database. */
  extend(until: Temporal.Instant): void;
  /** Somebody else has the batch. */
  lose(): void;
  isLost(): boolean;
  /** Tells those who wait, should it have run out. */
  look(): void;
}

export function leaseFrom(clock: Clock): Temporal.Instant {
  return clock.now().add({ seconds: leaseSeconds });
}

export function createLease(clock: Clock): Lease {
  const listeners = new Set<() => void>();
  const own = (until: Temporal.Instant) => until.subtract({ seconds: marginSeconds });
  let endsAt = own(leaseFrom(clock));
  let lost = false;
  const isOver = () => lost || Temporal.Instant.compare(clock.now(), endsAt) >= 0;
  const look = () => {
    if (isOver()) for (const listener of listeners) listener();
  };
  return {
    get aborted() {
      return isOver();
    },
    addEventListener: (_type, listener) => void listeners.add(listener),
    removeEventListener: (_type, listener) => void listeners.delete(listener),
    extend: (until) => {
      if (Temporal.Instant.compare(own(until), endsAt) > 0) endsAt = own(until);
    },
    lose: () => {
      lost = true;
      look();
    },
    isLost: () => lost,
    look,
  };
}
