import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBell } from './bell.ts';
import { systemClock } from './clock.ts';
import { silentLog } from './log.ts';
import { createTestDb } from './testing.ts';
import type { TestDb } from './testing.ts';

let db: TestDb;
beforeAll(async () => {
  db = await createTestDb();
});
afterAll(() => db.close());

const until = async (ready: () => boolean) => {
  for (let look = 0; look < 1_000 && !ready(); look++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(ready()).toBe(true);
};
const bell = () => createBell({ url: db.url, db: db.db, clock: systemClock, log: silentLog });

test('what one process rings, the others hear, and he himself does not', async () => {
  const [api, worker] = [bell(), bell()];
  let [own, heard] = [0, 0];
  api.listen(() => (own += 1));
  worker.listen(() => (heard += 1));
  // Each looks once when it begins to listen.
  await until(() => own === 1 && heard === 1);
  for (let n = 0; n < 50; n++) api.ring();
  await until(() => heard === 2);
  expect(own).toBe(1);
  await Promise.all([api.close(), worker.close()]);
});

test('a connection that breaks comes back, and looks for what it missed', async () => {
  const worker = bell();
  let heard = 0;
  worker.listen(() => (heard += 1));
  await until(() => heard === 1);
  await db.owner.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'parley bell' and datname = current_database()",
  );
  await until(() => heard === 2);
  expect(heard).toBe(2);
  await worker.close();
});
