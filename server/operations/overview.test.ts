import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Overview } from '../../contract/overview.ts';
import { createCampaignBench } from '../campaigns/testing.ts';
import type { CampaignBench } from '../campaigns/testing.ts';
import { createChannels } from '../channels/index.ts';
import type { Channels } from '../channels/index.ts';
import { providerDeps } from '../channels/testing.ts';
import { campaignRoutes } from '../campaigns/index.ts';
import { newId } from '../platform/ids.ts';
import { createTestApp, createTestDb, inWorkspaceOfItsOwn } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { overviewRoutes } from './index.ts';

let database: TestDb;
let db: TestDb;
let bench: CampaignBench;
let channels: Channels;
let app: FastifyInstance;
beforeAll(async () => {
  database = await createTestDb();
});
afterAll(() => database.close());

/** A workspace of its own for each test: the overview is of a whole workspace. */
beforeEach(async () => {
  db = await inWorkspaceOfItsOwn(database);
  bench = await createCampaignBench(db);
  channels = createChannels({ ...providerDeps(db.clock), vault: db.vault, sandbox: () => undefined });
  const audit = { record: () => Promise.resolve() };
  app = await createTestApp(db, [
    ...overviewRoutes({ clock: db.clock, recentCampaigns: bench.campaigns.recent }),
    ...campaignRoutes({ campaigns: bench.campaigns.deps, audit }),
    ...channels.routes({ clock: db.clock, audit, accountHealth: () => Promise.reject(new Error('not asked')) }),
  ]);
  return async () => {
    await app.close();
    await channels.close();
    await bench.close();
  };
});

const overview = async (authorization = 'test') => {
  const answer = await app.inject({ url: '/api/v1/dashboard/overview', headers: { authorization } });
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json<Overview>();
};
const post = async (path: string, payload: object) => {
  const answer = await app.inject({
    method: 'POST',
    url: `/api/v1${path}`,
    headers: { authorization: 'test' },
    payload,
  });
  expect(answer.statusCode, answer.body).toBeLessThan(300);
  return answer.json<{ id: string }>();
};
const done = ({ nextSteps }: Overview) => nextSteps.filter((step) => step.done).map((step) => step.key);

/** A campaign to everybody, started and handed over. */
async function campaign(name = 'March'): Promise<string> {
  const given = { channels: ['email'], templateId: await bench.template(), topic: bench.topicKey };
  const { id } = await post('/campaigns', { name, audience: { all: true }, ...given });
  await post(`/campaigns/${id}/start`, {});
  await bench.settle();
  return id;
}

describe('the next steps', () => {
  test('of a new workspace are all open but for what the installation made, in the order a newcomer takes them', async () => {
    const { nextSteps, counts, messages, recentCampaigns } = await overview();
    expect(nextSteps.map((step) => step.key)).toEqual([
      'create-topic',
      'import-contacts',
      'write-template',
      'send-campaign',
      'see-it-arrive',
      'postal-address',
      'connect-account',
    ]);
    // The bench has made the topic.
    expect(nextSteps.filter((step) => step.done)).toEqual([{ key: 'create-topic', done: true }]);
    expect(counts).toEqual({ contacts: 0, consented: 0, templates: 0, campaigns: 0 });
    expect(messages).toMatchObject({ planned: 0, accepted: 0 });
    expect(recentCampaigns).toEqual([]);
  });

  test('are ticked off one by one, each by the deed it names', async () => {
    await bench.ledger.people(1);
    expect(done(await overview())).toEqual(['create-topic', 'import-contacts']);
    const templateId = await bench.template();
    expect(done(await overview())).toContain('write-template');
    const { id } = await post('/campaigns', {
      name: 'Only written',
      channels: ['email'],
      templateId,
      topic: bench.topicKey,
      audience: { all: true },
    });
    expect(done(await overview())).not.toContain('send-campaign');
    await post(`/campaigns/${id}/start`, {});
    expect(done(await overview())).toContain('send-campaign');
    await db.write((tx) => channels.createSandboxAccount(tx));
    expect(done(await overview())).not.toContain('connect-account');
    await post('/providers', {
      kind: 'smtp',
      channel: 'email',
      name: 'Ours',
      settings: { host: 'mail.example.com', port: 587, security: 'starttls' },
    });
    expect(done(await overview())).toContain('connect-account');
    await db.write((tx) =>
      tx.query(`update workspace set settings = '{"postalAddress": "1 Apple Lane, Bristol"}' where id = $1`, [
        tx.workspaceId,
      ]),
    );
    await db.write((tx) =>
      tx.query(
        "insert into sandbox_message (workspace_id, id, channel, vendor, recipient_hash, summary, sealed, size_bytes, received_at) values ($1, $2, 'email', 'smtp', '', '', '', 1, now())",
        [tx.workspaceId, newId(db.clock)],
      ),
    );
    expect(done(await overview())).toHaveLength(7);
  });
});

describe('the numbers', () => {
  test('say what the ledger says of the last 30 days, and nothing older', async () => {
    await bench.ledger.people(3);
    await bench.ledger.people(2, 'withdrawn');
    const [refused] = await bench.ledger.people(1);
    bench.ledger.answer = (to) =>
      to.startsWith(refused?.addressId ?? '?')
        ? { kind: 'refused', category: 'address', code: '550', reason: 'no such mailbox', permanent: true }
        : { kind: 'accepted', ref: to };
    const id = await campaign();
    const { rows } = await db.owner.query<{ id: string; contact_id: string }>(
      "select id, contact_id from message where workspace_id = $1 and state = 'accepted' limit 1",
      [db.workspaceId],
    );
    const messageId = rows[0]?.id ?? '';
    await db.write((tx) =>
      bench.delivery.applyEngagement(tx, [
        { messageId, kind: 'opened', at: db.clock.now() },
        { messageId, kind: 'clicked', at: db.clock.now() },
      ]),
    );
    const { counts, messages, recentCampaigns } = await overview();
    expect(counts).toEqual({ contacts: 6, consented: 4, templates: 1, campaigns: 1 });
    expect(messages).toMatchObject({ planned: 6, accepted: 3, suppressed: 2, opened: 1, clicked: 1, unknown: 0 });
    expect(recentCampaigns).toMatchObject([{ id, name: 'March' }]);

    db.clock.advance(30 * 24 * 3_600_000 + 1_000);
    expect((await overview()).messages).toMatchObject({ planned: 0, accepted: 0, opened: 0 });
    expect((await overview()).counts.contacts).toBe(6);
  });

  test('of the workspace next door are not among them', async () => {
    await bench.ledger.people(2);
    await campaign();
    const other = await database.newWorkspace();
    const answer = await app.inject({
      url: '/api/v1/dashboard/overview',
      headers: { authorization: 'test', 'x-workspace': other },
    });
    expect(answer.json()).toMatchObject({
      counts: { contacts: 0, consented: 0, templates: 0, campaigns: 0 },
      messages: { planned: 0 },
      recentCampaigns: [],
    });
    expect(done(answer.json<Overview>())).toEqual([]);
  });

  test.each([
    ['contacts:read', 'contacts'],
    ['consent:read', 'consented'],
    ['templates:read', 'templates'],
    ['campaigns:read', 'campaigns'],
  ] as const)('who may only %s is told of %s and of nothing else', async (permission, shown) => {
    await bench.ledger.people(2);
    await campaign();
    const { counts, messages, recentCampaigns } = await overview(`test ${permission}`);
    const others = Object.entries(counts).filter(([name]) => name !== shown);
    expect(counts[shown]).toBeGreaterThan(0);
    expect(others.map(([, count]) => count)).toEqual([null, null, null]);
    expect(messages).toBeNull();
    expect(recentCampaigns).toHaveLength(permission === 'campaigns:read' ? 1 : 0);
  });

  test('five campaigns are shown, the newest first', async () => {
    for (const name of ['one', 'two', 'three', 'four', 'five', 'six']) {
      await campaign(name);
      db.clock.advance(1_000);
    }
    const { recentCampaigns } = await overview('test campaigns:read');
    expect(recentCampaigns.map((one) => one.name)).toEqual(['six', 'five', 'four', 'three', 'two']);
  });
});
