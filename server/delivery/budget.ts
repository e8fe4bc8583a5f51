/**
 * How many messages of this process may be in doubt at once, over all its batches: what a `kill -9` can at most turn
 * into `unknown`. Permits are taken before a window is moved and given back when outcomes are committed.
 */
export interface Budget {
  /** As many as there are, at most `wanted`; may be 0. */
  take(wanted: number): number;
  give(count: number): void;
  /** Resolves when permits come free. */
  freed(): Promise<void>;
}

export function createBudget(total: number): Budget {
  let free = total;
  let waiting: (() => void)[] = [];
  return {
    take: (wanted) => {
      const got = Math.min(wanted, free);
      free -= got;
      return got;
    },
    give: (count) => {
      if (count === 0) return;
      free += count;
      const woken = waiting;
      waiting = [];
      for (const wake of woken) wake();
    },
    freed: () => new Promise((resolve) => void waiting.push(resolve)),
  };
}
