/** Work beside a request: nobody waits for it, but the end of the process does, and its failure is told. */
export interface Background {
  run(work: Promise<unknown>): void;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

export function createBackground(failed: (error: unknown) => void): Background {
  const running = new Set<Promise<unknown>>();
  return {
    run: (work) => {
      const tracked = work.catch(failed).finally(() => running.delete(tracked));
      running.add(tracked);
    },
    idle: async () => {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
