import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createJobs } from './jobs.ts';
import type { Jobs } from './jobs.ts';
import { silentLog } from './log.ts';
import { createTestDb } from './testing.ts';
import type { TestDb } from './testing.ts';

let db: TestDb;
beforeAll(async () => {
  db = await createTestDb();
});
afterAll(() => db.close());

const open: Jobs[] = [];
const make = (works = true) => {
  const jobs = createJobs({ url: db.url, works, log: silentLog });
  open.push(jobs);
  return jobs;
};
afterEach(async () => {
  for (const jobs of open.splice(0)) await jobs.stop(1_000);
  await db.owner.query('delete from pgboss.job');
  await db.owner.query('delete from pgboss.schedule');
});

const until = async (ready: () => boolean | Promise<boolean>, what: string) => {
  for (let look = 0; look < 1_000 && !(await ready()); look++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(await ready(), what).toBe(true);
};
const statesOf = async (queue: string) => {
  const { rows } = await db.owner.query<{ state: string }>(
    'select state::text from pgboss.job where name = $1 order by created_on',
    [queue],
  );
  return rows.map((row) => row.state);
};
const queue = 'audience.import';

describe('a job', () => {
  test('exists if and only if its transaction commits', async () => {
    const jobs = make();
    const done: unknown[] = [];
    jobs.define(queue, async (data) => void done.push(data));
    await jobs.start();
    await db
      .write(async (tx) => {
        await jobs.enqueue(tx, queue, { n: 1 });
        throw new Error('changed my mind');
      })
      .catch(() => undefined);
    await db.write((tx) => jobs.enqueue(tx, queue, { n: 2 }));
    await until(() => done.length > 0, 'it runs');
    expect(done).toEqual([{ n: 2 }]);
    await until(async () => (await statesOf(queue)).join() === 'completed', 'and is done');
  });

  test('that fails is put back to be tried again', async () => {
    const jobs = make();
    const tried: string[] = [];
    jobs.define<{ n: string }>(queue, async ({ n }) => {
      tried.push(n);
      if (tried.length === 1) throw new Error('not today');
    });
    await jobs.start();
    await jobs.enqueue(undefined, queue, { n: 'failing' });
    await until(async () => (await statesOf(queue)).join() === 'retry', 'it waits for its second time');
    // Its pause is over, and another job makes the worker look.
    await db.owner.query('update pgboss.job set start_after = now()');
    await jobs.enqueue(undefined, queue, { n: 'other' });
    await until(async () => (await statesOf(queue)).join() === 'completed,completed', 'both are done');
    expect(tried.toSorted()).toEqual(['failing', 'failing', 'other']);
  });

  test('may be put off', async () => {
    const jobs = make();
    const done: unknown[] = [];
    jobs.define<{ n: string }>(queue, async ({ n }) => void done.push(n));
    await jobs.start();
    await jobs.enqueue(undefined, queue, { n: 'later' }, { startAfterSeconds: 3_600 });
    await jobs.enqueue(undefined, queue, { n: 'now' });
    await until(() => done.length > 0, 'the other one runs');
    expect(done).toEqual(['now']);
    expect((await statesOf(queue)).toSorted().at(-1)).toBe('created');
  });

  test('is not run by a process that only serves', async () => {
    const api = make(false);
    const done: string[] = [];
    api.define(queue, async () => void done.push('api'));
    await api.start();
    await api.enqueue(undefined, queue, {});
    const worker = make();
    worker.define(queue, async () => void done.push('worker'));
    expect(await statesOf(queue)).toEqual(['created']);
    await worker.start();
    await until(() => done.length > 0, 'somebody runs it');
    expect(done).toEqual(['worker']);
  });

  test('that runs is told of a stop at once, and waited for', async () => {
    const jobs = make();
    let running = false;
    let ended = '';
    jobs.define(queue, async (_data, signal) => {
      running = true;
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      ended = 'in order';
    });
    await jobs.start();
    await jobs.enqueue(undefined, queue, {});
    await until(() => running, 'it runs');
    await jobs.stop(5_000);
    expect(ended).toBe('in order');
  });
});

describe('a queue', () => {
  test('runs as many at once as its handler allows', async () => {
    const jobs = make();
    let now = 0;
    let most = 0;
    const letGo: (() => void)[] = [];
    jobs.define(
      queue,
      async () => {
        most = Math.max(most, (now += 1));
        await new Promise<void>((resolve) => letGo.push(resolve));
        now -= 1;
      },
      { concurrency: 2 },
    );
    await jobs.start();
    for (let n = 0; n < 4; n++) await jobs.enqueue(undefined, queue, { n });
    await until(() => now === 2, 'two run');
    for (let released = 0; released < 4; released++) {
      await until(() => letGo.length > 0, 'one more runs');
      letGo.shift()?.();
    }
    await until(async () => (await statesOf(queue)).every((state) => state === 'completed'), 'all are done');
    expect(most).toBe(2);
  });

  test('that piled up while one job ran is worked off without a pause', async () => {
    const jobs = make();
    const begun: number[] = [];
    let letGo: () => void = () => undefined;
    jobs.define<{ n: number }>(queue, async ({ n }) => {
      begun.push(n);
      if (n === 0) await new Promise<void>((resolve) => (letGo = resolve));
    });
    await jobs.start();
    await jobs.enqueue(undefined, queue, { n: 0 });
    await until(() => begun.length === 1, 'the first one runs');
    for (let n = 1; n <= 4; n++) await jobs.enqueue(undefined, queue, { n });
    letGo();
    await until(() => begun.length === 5, 'the others follow at once');
    expect(begun.toSorted()).toEqual([0, 1, 2, 3, 4]);
  });

  test('can be run by the clock, planned once however many processes there are', async () => {
    for (const jobs of [make(), make()]) {
      jobs.define('platform.daily', async () => undefined);
      jobs.every('platform.daily', '17 3 * * *');
      await jobs.start();
    }
    const { rows } = await db.owner.query('select name, cron, timezone from pgboss.schedule');
    expect(rows).toEqual([{ name: 'platform.daily', cron: '17 3 * * *', timezone: 'UTC' }]);
  });
});
