import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Lane } from '../../contract/rate-limits.ts';
import { newId } from '../platform/ids.ts';
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

const lanes = async () => (await lab.ask<{ data: Lane[] }>('GET', '/rate-limits')).body.data;
const lane = async () => {
  const [one, ...more] = await lanes();
  expect(more).toEqual([]);
  return one;
};
const limit = (limits: object) =>
  db.write((tx) =>
    tx.query('update provider_account set limits = $2 where workspace_id = $1', [
      tx.workspaceId,
      JSON.stringify(limits),
    ]),
  );

describe('a lane', () => {
  test('is there for each account, open, with what waits for its channel', async () => {
    expect(await lane()).toEqual({
      lane: lab.accountId,
      name: 'Sandbox',
      channel: 'email',
      state: 'open',
      pausedAt: null,
      coolUntil: null,
      coolReason: null,
      breaker: 'closed',
      limits: [],
      settings: {},
      warmup: null,
      alerts: [],
      waiting: 0,
    });
    await lab.campaign(3);
    expect(await lane()).toMatchObject({ waiting: 3 });
    await lab.drain();
    expect(await lane()).toMatchObject({ waiting: 0 });
  });

  test('that is paused holds everything back, also for campaigns planned later; resumed, it sends at once', async () => {
    await lab.campaign(2);
    const paused = await lab.ask<Lane>('POST', `/rate-limits/${lab.accountId}/pause`);
    expect(paused).toMatchObject({
      status: 200,
      body: { state: 'paused', pausedAt: db.clock.now().toString(), waiting: 2 },
    });
    await lab.campaign(1);
    await lab.drain();
    db.clock.advance(3_600_000);
    await lab.drain();
    expect(lab.bench.sent).toEqual([]);
    expect(await lane()).toMatchObject({ state: 'paused', waiting: 3 });

    const resumed = await lab.ask<Lane>('POST', `/rate-limits/${lab.accountId}/resume`);
    expect(resumed).toMatchObject({ status: 200, body: { state: 'open', pausedAt: null } });
    expect(lab.woken.times).toBe(1);
    // Not a moment passes: what had been put off is due now.
    await lab.drain();
    expect(lab.bench.sent).toHaveLength(3);
    const target = { kind: 'provider', id: lab.accountId };
    expect(lab.audited).toEqual([
      { action: 'lane.paused', target },
      { action: 'lane.resumed', target },
    ]);
  });

  test('that the provider throttled is cooling until it may be tried again', async () => {
    const plan = await lab.campaign(1);
    lab.bench.answer = () => ({
      kind: 'retry',
      category: 'throttled',
      code: '421',
      reason: 'slow down',
      afterMs: 90_000,
    });
    await lab.drain();
    const until = db.clock.now().add({ seconds: 90 }).toString();
    expect(await lane()).toMatchObject({ state: 'cooling', coolUntil: until });
    lab.bench.answer = (to) => ({ kind: 'accepted', ref: to });
    db.clock.advance(89_000);
    await lab.drain();
    expect(lab.bench.sent).toHaveLength(1);
    db.clock.advance(1_000);
    expect(await lane()).toMatchObject({ state: 'open', coolUntil: null });
    await lab.drain();
    expect(await lab.stats(plan)).toMatchObject({ accepted: 1 });
  });

  test('shows each of its limits and what is left of it, which comes back with time', async () => {
    await limit({ perMinute: 60, perDay: 1_000_000 });
    expect((await lane())?.limits).toEqual([
      { perSeconds: 60, limit: 60, remaining: 60, isWarmup: false },
      { perSeconds: 86_400, limit: 1_000_000, remaining: 1_000_000, isWarmup: false },
    ]);
    await lab.campaign(3);
    let done = false;
    const draining = lab.drain().then(() => (done = true));
    for (let look = 0; look < 400 && !done; look++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (db.clock.sleepers() > 0) db.clock.advance(100);
    }
    await draining;
    expect(lab.bench.sent).toHaveLength(3);
    // One a second: the slot after the third is taken for no more than a second.
    const left = (await lane())?.limits[0]?.remaining ?? 0;
    expect(left).toBeGreaterThanOrEqual(58);
    expect(left).toBeLessThan(60);
    db.clock.advance(2_000);
    expect((await lane())?.limits[0]?.remaining).toBe(60);
  });

  test('that does not exist cannot be paused, and pausing needs its own permission', async () => {
    const stranger = newId(db.clock);
    for (const act of ['pause', 'resume']) {
      expect((await lab.ask('POST', `/rate-limits/${stranger}/${act}`)).status).toBe(404);
      expect(
        (await lab.ask('POST', `/rate-limits/${lab.accountId}/${act}`, undefined, 'test providers:read')).status,
      ).toBe(403);
    }
    expect(await lane()).toMatchObject({ state: 'open' });
    expect(lab.audited).toEqual([]);
  });
});
