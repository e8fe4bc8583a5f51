import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTestDb, inWorkspaceOfItsOwn } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { createDelivery } from './delivery.ts';
import { accepted, createDeliveryBench } from './testing.ts';
import type { DeliveryBench } from './testing.ts';

let database: TestDb;
beforeAll(async () => {
  database = await createTestDb();
});
afterAll(() => database.close());
beforeEach(async () => {
  for (const table of ['batch', 'deferral']) await database.owner.query(`delete from ${table}`);
});

interface House {
  readonly db: TestDb;
  readonly bench: DeliveryBench;
}

async function house(): Promise<House> {
  const db = await inWorkspaceOfItsOwn(database);
  return { db, bench: await createDeliveryBench(db) };
}

/** One dispatcher for several workspaces; in which order messages leave, by workspace. */
async function drainAll(houses: readonly House[]): Promise<string[]> {
  const order: string[] = [];
  const [first] = houses;
  if (first === undefined) throw new Error('no workspace');
  const benchOf = (workspaceId: string) =>
    houses.find(({ db }) => db.workspaceId === workspaceId)?.bench ?? first.bench;
  for (const { db, bench } of houses)
    bench.answer = (to) => {
      order.push(db.workspaceId);
      return accepted(to);
    };
  const { worker } = createDelivery({
    ...first.bench.deps,
    accountsFor: (tx, ...asked) => benchOf(tx.workspaceId).deps.accountsFor(tx, ...asked),
  });
  await worker.drain();
  return order;
}

describe('turns', () => {
  test('a workspace with thousands of messages does not delay the ten of another', async () => {
    const [busy, small] = [await house(), await house()];
    for (let n = 0; n < 4; n++) await busy.bench.plan(await busy.bench.people(500));
    await small.bench.plan(await small.bench.people(10));
    const order = await drainAll([busy, small]);
    expect(order).toHaveLength(2_010);
    const last = order.lastIndexOf(small.db.workspaceId);
    // Beside the first claims of the other, not behind all of them.
    expect(last).toBeLessThan(1_500);
  });

  test('between claims of one size, workspaces share by their weights', async () => {
    const [light, heavy] = [await house(), await house()];
    await database.owner.query(`update workspace set settings = '{"sendWeight": 3}' where id = $1`, [
      heavy.db.workspaceId,
    ]);
    for (const { bench } of [light, heavy]) for (let n = 0; n < 8; n++) await bench.plan(await bench.people(40));
    const order = await drainAll([light, heavy]);
    const half = order.slice(0, 320);
    const ofHeavy = half.filter((id) => id === heavy.db.workspaceId).length;
    // Three of four claims, give or take those that overlap.
    expect(ofHeavy).toBeGreaterThanOrEqual(200);
    expect(ofHeavy).toBeLessThan(320);
  });

  test('a one-time code goes before a campaign, which goes on nevertheless', async () => {
    const one = await house();
    const campaign = await one.bench.plan(await one.bench.people(1_500));
    const code = await one.db.write((tx) =>
      one.bench.delivery.createPlan(tx, {
        id: campaign.sourceId ?? '',
        source: 'api',
        sourceId: null,
        channel: 'email',
        category: 'otp',
        topicId: null,
        templateId: campaign.templateId,
        templateVersion: 1,
      }),
    );
    const [person] = await one.bench.people(1);
    if (person === undefined) throw new Error('nobody');
    await one.db.write((tx) => one.bench.delivery.planPage(tx, code, [person]));
    await one.bench.delivery.worker.drain();
    const place = one.bench.sent.findIndex((to) => to.startsWith(person.addressId));
    expect(place).toBeLessThan(64);
    expect(await one.bench.states(campaign.id)).toEqual({ accepted: 1_500 });
  });
});

describe('a dispatcher with nothing to do', () => {
  afterEach(() => vi.restoreAllMocks());

  test('asks the database less than twice a second, also when campaigns are paused', async () => {
    const { db, bench } = await house();
    const plan = await bench.plan(await bench.people(5));
    await db.write((tx) => bench.delivery.pausePlan(tx, plan.id));
    const asked = vi.spyOn(pg.Client.prototype, 'query');
    const { worker } = createDelivery(bench.deps);
    worker.start();
    for (let second = 0; second < 60; second++) {
      for (let look = 0; look < 200 && db.clock.sleepers() === 0; look++)
        await new Promise((resolve) => setTimeout(resolve, 2));
      db.clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const count = asked.mock.calls.length;
    await worker.stop();
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(60);
    expect(await bench.states(plan.id)).toEqual({ planned: 5 });
  });

  test('begins at once when it is told of work, without waiting for its next look', async () => {
    const { db, bench } = await house();
    const { worker } = createDelivery(bench.deps);
    const until = async (ready: () => boolean) => {
      for (let look = 0; look < 1_000 && !ready(); look++) await new Promise((resolve) => setTimeout(resolve, 5));
      expect(ready()).toBe(true);
    };
    worker.start();
    await until(() => db.clock.sleepers() > 0);
    await bench.plan(await bench.people(3));
    worker.wake();
    // Not a moment of virtual time passes.
    await until(() => bench.sent.length === 3);
    await worker.stop();
  });
});
