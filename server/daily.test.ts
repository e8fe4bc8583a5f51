import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Audience } from './audience/index.ts';
import { daily } from './daily.ts';
import type { Jobs } from './platform/jobs.ts';
import { silentLog } from './platform/log.ts';
import { createTestDb } from './platform/testing.ts';
import type { TestDb } from './platform/testing.ts';
import { queues } from './queues.ts';

let db: TestDb;
beforeAll(async () => {
  db = await createTestDb();
});
afterAll(() => db.close());

test('every round has its queue and its time, and asks for all workspaces', async () => {
  const rounds = new Map<string, (data: object, signal: AbortSignal) => Promise<void>>();
  const crons = new Map<string, string>();
  const jobs: Pick<Jobs, 'define' | 'every'> = {
    define: (queue, run) => void rounds.set(queue, run as (data: object, signal: AbortSignal) => Promise<void>),
    every: (queue, cron) => void crons.set(queue, cron),
  };
  const second = await db.newWorkspace();
  const forgotten: string[] = [];
  const asked: (readonly string[])[] = [];
  const audience: Pick<Audience, 'forgetUploads' | 'dropOrphans'> = {
    forgetUploads: async (id) => void forgotten.push(id),
    dropOrphans: async (ids) => {
      asked.push(ids);
      return ids.length;
    },
  };
  const workspaces = { tidyUp: () => Promise.resolve() };
  const swept: string[] = [];
  const inbox = { forgetOld: async (id: string) => void swept.push(id) };
  daily({ db: db.db, clock: db.clock, jobs, log: silentLog }, { audience, inbox, workspaces });
  expect([...crons.keys()]).toEqual([...rounds.keys()]);
  for (const [queue, run] of rounds) {
    expect(queues).toHaveProperty([queue]);
    await run({}, new AbortController().signal);
  }
  const all = [db.workspaceId, second].toSorted();
  expect(forgotten.toSorted()).toEqual(all);
  expect(swept.toSorted()).toEqual(all);
  expect(asked.map((ids) => ids.toSorted())).toEqual([all]);
});
