import { describe, expect, test } from 'vitest';
import { planNextPage } from './planning.ts';
import { useCampaigns } from './testing.ts';

const lab = useCampaigns();

const sumOf = (s: Record<string, number>) =>
  ['waiting', 'held', 'sending', 'suppressed', 'accepted', 'failed', 'unknown', 'cancelled', 'expired'].reduce(
    (sum, one) => sum + (s[one] ?? 0),
    0,
  );

describe('planning', () => {
  test('goes on where it was after any crash, nobody twice, nobody left out', async () => {
    const people = await lab.bench.ledger.people(57);
    const made = await lab.draft();
    await lab.call('POST', `/campaigns/${made.id}/start`);
    expect(lab.bench.jobs).toEqual([
      { queue: 'campaigns.plan', data: { workspaceId: lab.db.workspaceId, campaignId: made.id } },
    ]);
    lab.bench.jobs.length = 0;
    // Two pages, then the process dies: what was committed stays, what was not is written again.
    expect(await lab.bench.plan(made.id, 2, 10)).toBe(false);
    await expect(
      lab.db.pinned.transaction(lab.db.workspaceId, async (tx) => {
        await planNextPage(tx, lab.bench.campaigns.deps, made.id, 10);
        throw new Error('killed');
      }),
    ).rejects.toThrow('killed');
    expect(await lab.stats(made.id)).toMatchObject({ status: 'running', planned: 20 });
    expect(await lab.bench.campaigns.resume()).toBe(1);
    await lab.bench.settle();
    expect(await lab.stats(made.id)).toMatchObject({ status: 'done', planned: 57, accepted: 57 });
    expect(new Set(lab.bench.ledger.sent)).toEqual(new Set(people.map((one) => `${one.addressId}@example.com`)));
    expect(lab.bench.ledger.sent).toHaveLength(57);
    expect(await lab.bench.campaigns.resume()).toBe(0);
  });

  test('by two processes at once writes everybody once', async () => {
    await lab.bench.ledger.people(60);
    const made = await lab.draft();
    await lab.call('POST', `/campaigns/${made.id}/start`);
    await Promise.all([
      lab.bench.plan(made.id, 100, 7),
      lab.bench.plan(made.id, 100, 7),
      lab.bench.plan(made.id, 100, 7),
    ]);
    await lab.bench.settle();
    expect(await lab.stats(made.id)).toMatchObject({ status: 'done', planned: 60, accepted: 60 });
    expect(lab.bench.ledger.sent).toHaveLength(60);
  });

  test('adds up at every page and every hand-over', async () => {
    await lab.bench.ledger.people(40);
    await lab.bench.ledger.people(9, 'withdrawn');
    const made = await lab.draft();
    await lab.call('POST', `/campaigns/${made.id}/start`);
    for (let page = 0; page < 6; page += 1) {
      await lab.bench.plan(made.id, 1, 11);
      const before = await lab.stats(made.id);
      expect(sumOf(before)).toBe(before.planned);
      await lab.bench.delivery.worker.drain();
      const after = await lab.stats(made.id);
      expect(sumOf(after)).toBe(after.planned);
    }
    await lab.bench.settle();
    expect(await lab.stats(made.id)).toMatchObject({ status: 'done', planned: 49, accepted: 40, suppressed: 9 });
  });
});

describe('pause, resume and cancel', () => {
  test('a paused campaign is planned on but hands nothing over, until it is resumed', async () => {
    await lab.bench.ledger.people(30);
    const made = await lab.draft();
    await lab.call('POST', `/campaigns/${made.id}/start`);
    await lab.bench.plan(made.id, 1, 10);
    expect((await lab.call('POST', `/campaigns/${made.id}/pause`)).body.status).toBe('paused');
    await lab.bench.settle();
    expect(lab.bench.ledger.sent).toEqual([]);
    expect(await lab.stats(made.id)).toMatchObject({ status: 'paused', planned: 30, waiting: 30 });
    expect((await lab.call('POST', `/campaigns/${made.id}/resume`)).body.status).toBe('running');
    await lab.bench.settle();
    expect(await lab.stats(made.id)).toMatchObject({ status: 'done', planned: 30, accepted: 30 });
  });

  test('a cancelled campaign takes back what has not been handed over, and stays cancelled', async () => {
    await lab.bench.ledger.people(30);
    const made = await lab.draft();
    await lab.call('POST', `/campaigns/${made.id}/start`);
    await lab.bench.plan(made.id, 1, 10);
    await lab.bench.delivery.worker.drain();
    await lab.bench.plan(made.id, 1, 10);
    expect((await lab.call('POST', `/campaigns/${made.id}/cancel`)).body.status).toBe('cancelled');
    await lab.bench.settle();
    const after = await lab.stats(made.id);
    expect(after).toMatchObject({
      status: 'cancelled',
      planned: 20,
      accepted: 10,
      cancelled: 10,
      endedAt: expect.any(String),
    });
    expect((await lab.call('POST', `/campaigns/${made.id}/resume`)).body.code).toBe('campaign/ended');
  });

  test.each(['pause', 'resume', 'cancel'])('%s of a draft is refused', async (verb) => {
    const made = await lab.draft();
    expect((await lab.call('POST', `/campaigns/${made.id}/${verb}`)).status).toBe(409);
  });

  test('news, events and audit tell what happened', async () => {
    await lab.bench.ledger.people(1);
    const made = await lab.draft();
    for (const verb of ['start', 'pause', 'resume']) await lab.call('POST', `/campaigns/${made.id}/${verb}`);
    await lab.bench.settle();
    const { rows } = await lab.db.owner.query<{ kind: string }>(
      "select kind from event where campaign_id = $1 and kind like 'campaign.%' order by id",
      [made.id],
    );
    expect(rows.map((row) => row.kind)).toEqual([
      'campaign.started',
      'campaign.paused',
      'campaign.resumed',
      'campaign.done',
    ]);
    expect(lab.audited.map((one) => one.action)).toEqual([
      'campaign.created',
      'campaign.started',
      'campaign.paused',
      'campaign.resumed',
    ]);
    expect(new Set(lab.bench.told)).toEqual(new Set([made.id]));
    expect(await lab.db.read((tx) => lab.bench.campaigns.names(tx, [made.id]))).toEqual(new Map([[made.id, 'March']]));
  });
});
