/**
 * How many messages of this process may be in doubt at once, over all its batches: what a `kill -9` can at most turn
 * into `unknown`. Permits are taken before a window is moved and given back when outcomes are committed. A hand-over
 * that is not alone holds at most half of them, so that one with a silent provider does not stop the others.
 */
export interface Budget {
  /** A hand-over begins; call what it answers when it ends. */
  enter(): () => void;
  /** What one hand-over may hold now. */
  share(): number;
  free(): number;
  /** `count` must be free. */
  take(count: number): void;
  give(count: number): void;
  /** Resolves when permits come free. */
  freed(): Promise<void>;
}

export function createBudget(total: number): Budget {
  let free = total;
  let runs = 0;
  let waiting: (() => void)[] = [];
  const tell = () => {
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  };
  return {
    enter: () => {
      runs += 1;
      return () => {
        runs -= 1;
        tell();
      };
    },
    share: () => (runs <= 1 ? total : Math.ceil(total / 2)),
    free: () => free,
    take: (count) => {
      if (count > free) throw new Error('more permits were taken than are free');
      free -= count;
    },
    give: (count) => {
      if (count === 0) return;
      free += count;
      tell();
    },
    freed: () => new Promise((resolve) => void waiting.push(resolve)),
  };
}
