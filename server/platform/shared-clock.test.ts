import { describe, expect, test } from 'vitest';
import { createVirtualClock } from './clock.ts';
import { silentLog } from './log.ts';
import { createSharedClock } from './shared-clock.ts';

/** A machine whose wall clock somebody sets, its steady clock, and a database with a clock of its own. */
function machine(wallAheadMs = 0) {
  const truth = createVirtualClock();
  const start = truth.now();
  const wall = { aheadMs: wallAheadMs };
  const local = {
    now: () => truth.now().add({ milliseconds: wall.aheadMs }),
    sleep: (ms: number, signal?: AbortSignal) => truth.sleep(ms, signal),
  };
  const steady = () => truth.now().since(start).total('milliseconds');
  const clock = createSharedClock({ log: silentLog, local, steady });
  const offMs = () => truth.now().until(clock.now()).total('milliseconds');
  const pass = async (ms: number) => {
    for (let gone = 0; gone < ms; gone += 1_000) {
      truth.advance(1_000);
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    }
  };
  return { truth, wall, clock, offMs, pass };
}

describe('the time that all processes share', () => {
  test.each([-86_400_000, -5_000, 5_000, 86_400_000])(
    'is that of the database on a machine that is %i ms off',
    async (ms) => {
      const { truth, clock, offMs } = machine(ms);
      expect(offMs()).toBe(ms);
      await clock.follow(() => Promise.resolve(truth.now()), new AbortController().signal);
      expect(offMs()).toBe(0);
    },
  );

  test('goes on as before when somebody sets the clock of the machine, also while no database answers', async () => {
    const { truth, wall, clock, offMs, pass } = machine();
    let answers = true;
    const read = () => (answers ? Promise.resolve(truth.now()) : Promise.reject(new Error('down')));
    await clock.follow(read, new AbortController().signal);
    wall.aheadMs = -3_600_000;
    expect(offMs()).toBe(0);
    answers = false;
    wall.aheadMs = 3_600_000;
    await pass(60_000);
    expect(offMs()).toBe(0);
  });

  test('follows the database, and is not moved by how long its answer took', async () => {
    const { truth, clock, offMs, pass } = machine();
    const base = { aheadMs: 0 };
    const done = new AbortController();
    const slowly = async () => {
      const said = truth.now().add({ milliseconds: base.aheadMs });
      truth.advance(200);
      return Promise.resolve(said);
    };
    await clock.follow(slowly, done.signal);
    expect(offMs()).toBe(0);
    base.aheadMs = 60_000;
    await pass(10_000);
    // It lies somewhere on the way of the answer: no less than what was said when the answer came.
    expect(offMs()).toBeGreaterThanOrEqual(59_800);
    expect(offMs()).toBeLessThanOrEqual(60_000);
    done.abort();
  });
});
