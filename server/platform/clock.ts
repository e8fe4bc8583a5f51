/** Where time comes from. Nothing else reads the system time, so tests can move it. */
export interface Clock {
  now(): Temporal.Instant;
  /** Resolves after `ms`, or at once when the signal fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Milliseconds of a clock that nobody can set, from any moment on; it runs on while the process is stopped. */
export function steadyMs(): number {
  return performance.now();
}

export const systemClock: Clock = {
  now: () => Temporal.Now.instant(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(ms, 2 ** 31 - 1));
      signal?.addEventListener('abort', done);
    }),
};

export interface VirtualClock extends Clock {
  /** Moves time and wakes whoever sleeps until then, in order. */
  advance(ms: number): void;
  /** How many sleep now. */
  sleepers(): number;
}

/** A clock that only moves when told; `start` is RFC 3339. */
export function createVirtualClock(start = '2026-01-01T00:00:00Z'): VirtualClock {
  let now = Temporal.Instant.from(start);
  let waiting: { at: bigint; wake: () => void }[] = [];
  const wakeDue = () => {
    const due = waiting.filter((one) => one.at <= now.epochNanoseconds).sort((a, b) => (a.at < b.at ? -1 : 1));
    waiting = waiting.filter((one) => one.at > now.epochNanoseconds);
    for (const one of due) one.wake();
  };
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const at = now.add({ nanoseconds: Math.round(ms * 1e6) }).epochNanoseconds;
        const one = { at, wake: resolve };
        if (at <= now.epochNanoseconds || signal?.aborted === true) return resolve();
        waiting.push(one);
        signal?.addEventListener('abort', () => {
          waiting = waiting.filter((other) => other !== one);
          resolve();
        });
      }),
    advance: (ms) => {
      now = now.add({ nanoseconds: Math.round(ms * 1e6) });
      wakeDue();
    },
    sleepers: () => waiting.length,
  };
}
