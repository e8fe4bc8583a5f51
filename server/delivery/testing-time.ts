import type { TestDb } from '../platform/testing.ts';
import { createDelivery } from './delivery.ts';
import type { DeliveryDeps, LaneAccount } from './ports.ts';

/** Several dispatchers in virtual time, which can be killed as `kill -9` would: they do nothing more, and say nothing. */
export interface Fleet {
  /** Starts so many dispatchers. */
  start(count: number): void;
  /** Kills one that runs, the oldest. */
  kill(): void;
  /** Lets virtual time pass: in steps, each when all that was due has been done. */
  pass(ms: number, stepMs: number): Promise<void>;
  stop(): Promise<void>;
}

interface Member {
  readonly worker: ReturnType<typeof createDelivery>['worker'];
  alive: boolean;
}

const never = <T>() => new Promise<T>(() => undefined);

export function createFleet(test: TestDb, deps: DeliveryDeps): Fleet {
  const members: Member[] = [];
  let started = 0;

  const join = (): void => {
    const own: { alive: boolean } = { alive: true };
    const ifAlive = <T>(work: () => Promise<T>): Promise<T> => (own.alive ? work() : never<T>());
    const sending = (account: LaneAccount): LaneAccount => ({
      ...account,
      sender: { ...account.sender, send: (...given) => ifAlive(() => account.sender.send(...given)) },
    });
    const { hot } = deps;
    const mortal: DeliveryDeps = {
      ...deps,
      worker: `worker-${(started += 1)}`,
      hot: {
        ...hot,
        transaction: (id, work) => ifAlive(() => hot.transaction(id, work)),
        eager: (id, work) => ifAlive(() => hot.eager(id, work)),
        read: (id, work) => ifAlive(() => hot.read(id, work)),
        system: (work) => ifAlive(() => hot.system(work)),
      },
      accountsFor: async (...asked) => (await deps.accountsFor(...asked)).map(sending),
    };
    const { worker } = createDelivery(mortal);
    worker.start();
    members.push(Object.assign(own, { worker }));
  };

  return {
    start: (count) => {
      for (let n = 0; n < count; n++) join();
    },
    kill: () => {
      const one = members.find((member) => member.alive);
      if (one !== undefined) one.alive = false;
    },
    pass: async (ms, stepMs) => {
      for (let passed = 0; passed < ms; passed += stepMs) {
        await quiet(test);
        test.clock.advance(stepMs);
      }
      await quiet(test);
    },
    stop: async () => {
      let stopped = false;
      const stopping = Promise.all(members.filter((one) => one.alive).map(({ worker }) => worker.stop()));
      void stopping.then(() => (stopped = true));
      // What has begun waits for its slots.
      while (!stopped) {
        await quiet(test);
        test.clock.advance(100);
      }
    },
  };
}

/** Until nobody has asked the database for a moment: everybody waits for the clock. */
async function quiet(test: TestDb): Promise<void> {
  const { pool } = test.pinned;
  for (let calm = 0; calm < 3; calm++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (pool.totalCount === pool.idleCount && pool.waitingCount === 0) continue;
    calm = -1;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** The most that any window of this length held, its end excluded. */
export function mostIn(times: readonly number[], windowMs: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  let from = 0;
  let most = 0;
  for (const [at, time] of sorted.entries()) {
    while (time - (sorted[from] ?? time) >= windowMs) from += 1;
    most = Math.max(most, at - from + 1);
  }
  return most;
}
