import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Lane } from '../../contract/rate-limits.ts';
import { createTestDb, inWorkspaceOfItsOwn } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { createMessagesLab } from './testing-messages.ts';
import type { MessagesLab } from './testing-messages.ts';

let database: TestDb;
let db: TestDb;
let lab: MessagesLab;
beforeAll(async () => {
  database = await createTestDb();
});
afterAll(() => database.close());
beforeEach(async () => {
  db = await inWorkspaceOfItsOwn(database);
  lab = await createMessagesLab(db);
  return () => lab.close();
});

const lane = async () => (await lab.ask<{ data: Lane[] }>('GET', '/rate-limits')).body.data[0];
const set = (limits: object) => lab.ask<Lane>('PUT', `/rate-limits/${lab.accountId}`, limits);
const told = async () =>
  (
    await db.owner.query<{ kind: string }>(
      "select kind from event where workspace_id = $1 and kind like 'lane.%' order by id",
      [db.workspaceId],
    )
  ).rows.map((row) => row.kind);
const day = 24 * 3_600_000;

describe('the allowance of a day', () => {
  test('goes out at once, ends, and comes back a day after it was used', async () => {
    expect((await set({ perDay: 10 })).body.settings).toEqual({ perDay: 10 });
    const plan = await lab.campaign(25);
    await lab.drain();
    expect(lab.bench.sent).toHaveLength(10);
    expect((await lane())?.limits).toEqual([{ perSeconds: 86_400, limit: 10, remaining: 0, isWarmup: false }]);
    db.clock.advance(day - 1_000);
    await lab.drain();
    expect(lab.bench.sent).toHaveLength(10);
    db.clock.advance(121_000);
    await lab.drain();
    expect(lab.bench.sent).toHaveLength(20);
    expect(await lab.stats(plan)).toMatchObject({ accepted: 20, waiting: 5 });
  });

  test('that is raised lets more go at once', async () => {
    await set({ perDay: 10 });
    await lab.campaign(25);
    await lab.drain();
    await set({ perDay: 20 });
    await lab.drain();
    expect(lab.bench.sent).toHaveLength(20);
    expect(lab.audited.map((one) => one.action)).toEqual(['lane.limits-changed', 'lane.limits-changed']);
  });

  test('is told of at four fifths and at its end, once a day', async () => {
    await set({ perDay: 100 });
    await lab.campaign(79);
    await lab.drain();
    expect(await told()).toEqual([]);
    await lab.campaign(2);
    await lab.drain();
    expect(await told()).toEqual(['lane.limit-near']);
    await lab.campaign(30);
    await lab.drain();
    await lab.campaign(5);
    await lab.drain();
    expect(await told()).toEqual(['lane.limit-near', 'lane.limit-reached']);
    expect((await lane())?.alerts.map(({ limit, level }) => `${limit} ${level}`)).toEqual(['day near', 'day reached']);
    db.clock.advance(day + 120_000);
    expect((await lane())?.alerts).toEqual([]);
  });

  test('is the ceiling of a warm-up plan while that runs', async () => {
    const startsOn = db.clock.now().toZonedDateTimeISO('UTC').toPlainDate().toString();
    await set({ warmup: { startsOn, ceilings: [5, 15] } });
    await lab.campaign(60);
    await lab.drain();
    expect(lab.bench.sent).toHaveLength(5);
    expect(await lane()).toMatchObject({
      warmup: { day: 1, isOver: false, ceilings: [5, 15] },
      limits: [{ limit: 5, remaining: 0, isWarmup: true }],
    });
    db.clock.advance(day + 60_000);
    await lab.drain();
    // The second day's fifteen: the first day's five are more than a day ago.
    expect(lab.bench.sent).toHaveLength(20);
    db.clock.advance(day);
    await lab.drain();
    expect(lab.bench.sent).toHaveLength(60);
    expect(await lane()).toMatchObject({ warmup: { day: 3, isOver: true }, limits: [] });
  });
});

describe('limits', () => {
  test('that make no sense are refused where they stand', async () => {
    expect((await set({ perSecond: 0 })).status).toBe(422);
    expect((await set({ perDomain: { 'Not A Domain': { perMinute: 1 } } })).status).toBe(422);
    expect((await set({ warmup: { startsOn: 'soon', ceilings: [1] } })).status).toBe(422);
    expect((await lab.ask('PUT', `/rate-limits/${lab.accountId}`, {}, 'test providers:write')).status).toBe(403);
  });

  test('say how long a plan will take', async () => {
    await set({ perDay: 10 });
    const plan = await lab.campaign(25);
    const eta = () => db.read((tx) => lab.bench.delivery.planEta(tx, plan.id));
    expect(await eta()).toBe(2 * 86_400);
    await lab.drain();
    expect(await eta()).toBe(2 * 86_400);
    await set({});
    await lab.drain();
    expect(await eta()).toBe(0);
  });

  test('of WhatsApp have an address of their own', async () => {
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/pause'],
      ['POST', '/resume'],
    ] as const)
      expect(await lab.ask(method, `/whatsapp/rate-limit${path}`)).toMatchObject({ status: 200, body: { data: [] } });
  });
});
