import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../platform/ids.ts';
import { createTestApp, createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { campaignRoutes } from './index.ts';
import type { AuditEntry } from './routes.ts';
import { createCampaignBench } from './testing.ts';
import type { CampaignBench } from './testing.ts';

let db: TestDb;
let bench: CampaignBench;
let app: FastifyInstance;
let audited: AuditEntry[];

beforeEach(async () => {
  db = await createTestDb();
  bench = await createCampaignBench(db);
  audited = [];
  const audit = { record: (_tx: unknown, entry: AuditEntry) => Promise.resolve(audited.push(entry)) };
  app = await createTestApp(db, campaignRoutes({ campaigns: bench.campaigns.deps, audit }));
});
afterEach(async () => {
  await app.close();
  await bench.close();
  await db.close();
});

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';
async function call(method: Method, url: string, body?: object, headers: Record<string, string> = {}) {
  const answer = await app.inject({
    method,
    url: `/api/v1${url}`,
    headers: { authorization: 'test', ...headers },
    ...(body === undefined ? {} : { payload: body }),
  });
  return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() };
}

async function draft(changes: object = {}) {
  const templateId = 'templateId' in changes ? undefined : await bench.template();
  const given = {
    name: 'March',
    channels: ['email'],
    templateId,
    topic: bench.topicKey,
    audience: { all: true },
    ...changes,
  };
  const made = await call('POST', '/campaigns', given);
  expect(made.body).toMatchObject({ status: 'draft' });
  return made.body;
}
const stats = async (id: string) => (await call('GET', `/campaigns/${id}/stats`)).body;
const sumOf = (s: Record<string, number>) =>
  ['waiting', 'held', 'sending', 'suppressed', 'accepted', 'failed', 'unknown', 'cancelled', 'expired'].reduce(
    (sum, one) => sum + (s[one] ?? 0),
    0,
  );

describe('a draft', () => {
  test('is made, read, changed and deleted, each written to the audit', async () => {
    const made = await draft({ from: 'Ada of Acme <ada@example.com>', replyTo: 'help@example.com' });
    expect(made).toMatchObject({
      templateName: 'Hello',
      templateVersion: null,
      topic: bench.topicKey,
      from: { email: 'ada@example.com', name: 'Ada of Acme' },
      replyTo: 'help@example.com',
      totals: null,
      createdBy: 'Test key',
      revision: 1,
    });
    const changed = await call(
      'PATCH',
      `/campaigns/${made.id}`,
      { from: null, audience: { topic: bench.topicKey } },
      { 'if-match': '"r1"' },
    );
    expect(changed.body).toMatchObject({
      from: null,
      replyTo: 'help@example.com',
      audience: { topic: bench.topicKey },
      revision: 2,
    });
    expect((await call('PATCH', `/campaigns/${made.id}`, { name: 'x' }, { 'if-match': '"r1"' })).status).toBe(412);
    expect((await call('GET', `/campaigns/${made.id}`)).body).toEqual(changed.body);
    expect((await call('DELETE', `/campaigns/${made.id}`)).status).toBe(204);
    expect((await call('GET', `/campaigns/${made.id}`)).status).toBe(404);
    expect(audited.map((one) => one.action)).toEqual(['campaign.created', 'campaign.changed', 'campaign.deleted']);
  });

  test.each([
    [{ topic: 'nothing' }, '/topic'],
    [{ audience: { topic: 'nothing' } }, '/audience/topic'],
    [{ templateId: '01900000-0000-7000-8000-000000000000' }, '/templateId'],
    [{ from: 'not a mailbox' }, '/from'],
    [{ from: 'Ada\r\nBcc: x@example.com <ada@example.com>' }, '/from'],
    [{ from: { email: 'ada@example.com', name: 'Ada\nBcc: x' } }, '/from'],
    [{ replyTo: 'a@example.com\r\nBcc: x@example.com' }, '/replyTo'],
    [{ replyTo: 'a@example.com, b@example.com' }, '/replyTo'],
  ])('with %j is refused, naming the field', async (wrong, pointer) => {
    const templateId = await bench.template();
    const refused = await call('POST', '/campaigns', {
      name: 'x',
      channels: ['email'],
      templateId,
      topic: bench.topicKey,
      audience: { all: true },
      ...wrong,
    });
    expect(refused.status).toBe(422);
    expect(refused.body.errors.some((one: { pointer: string }) => one.pointer.startsWith(pointer))).toBe(true);
  });

  test('of another workspace does not exist', async () => {
    const made = await draft();
    const stranger = { 'x-workspace': await db.newWorkspace('Other') };
    for (const url of ['', '/audience', '/stats', '/readiness'])
      expect((await call('GET', `/campaigns/${made.id}${url}`, undefined, stranger)).status).toBe(404);
    for (const verb of ['start', 'pause', 'resume', 'cancel'])
      expect((await call('POST', `/campaigns/${made.id}/${verb}`, undefined, stranger)).status).toBe(404);
    expect((await call('GET', '/campaigns', undefined, stranger)).body.data).toEqual([]);
  });

  test('lists newest first, page by page, with numbers of those that were started', async () => {
    await bench.ledger.people(3);
    const first = await draft({ name: 'First' });
    const second = await draft({ name: 'Second' });
    await call('POST', `/campaigns/${first.id}/start`);
    await bench.settle();
    const page = (await call('GET', '/campaigns?limit=1')).body;
    expect(page.data).toMatchObject([{ id: second.id, totals: null }]);
    const next = (await call('GET', `/campaigns?limit=1&cursor=${page.nextCursor}`)).body;
    expect(next).toMatchObject({
      data: [{ id: first.id, status: 'done', totals: { planned: 3, accepted: 3 } }],
      nextCursor: null,
    });
    expect((await call('GET', '/campaigns?status=done')).body.data).toHaveLength(1);
    expect((await call('GET', '/campaigns?q=seco')).body.data).toHaveLength(1);
  });
});

describe('the audience', () => {
  test('is shown before the start as it will be after it, reason by reason', async () => {
    await bench.ledger.people(20);
    await bench.ledger.people(4, 'withdrawn');
    await bench.ledger.people(3, null);
    const [bounced, complained] = await bench.ledger.people(2);
    await db.write(async (tx) => {
      await tx.query("update address set state = 'bounced' where id = $1", [bounced?.addressId]);
      await tx.query(
        `insert into suppression (workspace_id, kind, hash, hash_version, reason, created_at)
         select workspace_id, kind, hash, hash_version, 'complaint', now() from address where id = $1`,
        [complained?.addressId],
      );
      await tx.query('insert into contact (workspace_id, id, created_at, updated_at) values ($1, $2, now(), now())', [
        tx.workspaceId,
        newId(db.clock),
      ]);
      await tx.query(
        'insert into contact (workspace_id, id, created_at, updated_at, erased_at) values ($1, $2, now(), now(), now())',
        [tx.workspaceId, newId(db.clock)],
      );
    });
    bench.account.limits = { perSecond: 2 };
    const made = await draft();
    const shown = (await call('GET', `/campaigns/${made.id}/audience`)).body;
    expect(shown).toMatchObject({
      steps: [
        { name: 'In the audience', count: 30 },
        { name: 'Has an address', count: 29 },
        { name: 'Address works', count: 28 },
        { name: 'Not on the suppression list', count: 27 },
        { name: 'Agreed to the topic', count: 20 },
        { name: 'Will be sent', count: 20 },
      ],
      willSend: 20,
      estimatedSeconds: 10,
    });
    await call('POST', `/campaigns/${made.id}/start`);
    await bench.settle();
    const after = await stats(made.id);
    expect(after).toMatchObject({ status: 'done', planned: 30, accepted: 20, suppressed: 10 });
    expect(after.reasons.suppressed).toEqual(shown.suppressed);
  });

  test('of a topic are those who ever answered it: who withdrew is counted and said why', async () => {
    await bench.ledger.people(5);
    await bench.ledger.people(1, 'withdrawn');
    await bench.ledger.people(7, null);
    const made = await draft({ audience: { topic: bench.topicKey } });
    const shown = (await call('GET', `/campaigns/${made.id}/audience`)).body;
    expect(shown.steps[0]).toEqual({ name: 'In the audience', count: 6 });
    expect(shown.willSend).toBe(5);
    await call('POST', `/campaigns/${made.id}/start`);
    await bench.settle();
    expect(await stats(made.id)).toMatchObject({ planned: 6, accepted: 5, suppressed: 1 });
  });

  test('is written to at the address that agreed, else at the first', async () => {
    const [person] = await bench.ledger.people(1);
    const keys = await db.read((tx) => db.vault.keys(tx));
    const firstAddress = newId(db.clock);
    await db.write((tx) =>
      tx.query(
        `insert into address (workspace_id, id, contact_id, kind, position, hash, hash_version, sealed, created_at)
         values ($1, $2, $3, 'email', -1, $4, 1, '\\x00', now())`,
        [tx.workspaceId, firstAddress, person?.contactId, keys.blindIndex('email', 'first@example.com').hash],
      ),
    );
    const made = await draft();
    await call('POST', `/campaigns/${made.id}/start`);
    await bench.settle();
    expect(bench.ledger.sent).toEqual([`${person?.addressId}@example.com`]);
  });

  test('does not grow after the start', async () => {
    await bench.ledger.people(3);
    const made = await draft();
    await call('POST', `/campaigns/${made.id}/start`);
    await bench.ledger.people(2);
    await bench.settle();
    expect(await stats(made.id)).toMatchObject({ status: 'done', planned: 3, accepted: 3 });
  });

  test('of nobody may be started: it is done at once, with nothing in it', async () => {
    const made = await draft();
    const readiness = (await call('GET', `/campaigns/${made.id}/readiness`)).body;
    expect(readiness.ready).toBe(true);
    expect(readiness.items[0]).toMatchObject({
      key: 'audience',
      state: 'warning',
      detail: 'Nobody would be written to.',
    });
    expect((await call('POST', `/campaigns/${made.id}/start`)).status).toBe(202);
    await bench.settle();
    expect(await stats(made.id)).toMatchObject({ status: 'done', planned: 0, endedAt: expect.any(String) });
  });
});

describe('a start', () => {
  test('pins the version: what changes later does not reach this campaign', async () => {
    await bench.ledger.people(1);
    const templateId = await bench.template();
    const made = await draft({ templateId });
    const started = await call('POST', `/campaigns/${made.id}/start`);
    expect(started).toMatchObject({
      status: 202,
      body: { status: 'running', templateVersion: 1, startedAt: expect.any(String) },
    });
    await db.write((tx) =>
      bench.templates.change(
        tx,
        templateId,
        { source: { html: '<p>Other</p>' } },
        { kind: 'system', id: null, name: 'x' },
        () => undefined,
      ),
    );
    const { rows } = await db.owner.query('select template_version, sender from plan');
    expect(rows).toEqual([{ template_version: 1, sender: {} }]);
    expect((await call('GET', `/campaigns/${made.id}`)).body.templateVersion).toBe(1);
  });

  test('hands the campaign’s own sender to the ledger', async () => {
    const made = await draft({ from: { email: 'ada@example.com', name: 'Ada' }, replyTo: 'help@example.com' });
    await call('POST', `/campaigns/${made.id}/start`);
    const { rows } = await db.owner.query('select sender, source, priority, category from plan');
    expect(rows).toEqual([
      {
        sender: { from: { address: 'ada@example.com', name: 'Ada' }, replyTo: { address: 'help@example.com' } },
        source: 'campaign',
        priority: 4,
        category: 'marketing',
      },
    ]);
  });

  test('twice is refused, and so is changing what was started, but for its name', async () => {
    const made = await draft();
    await call('POST', `/campaigns/${made.id}/start`);
    expect((await call('POST', `/campaigns/${made.id}/start`)).body).toMatchObject({
      status: 409,
      code: 'campaign/already-started',
    });
    const refused = await call('PATCH', `/campaigns/${made.id}`, { audience: { topic: bench.topicKey } });
    expect(refused.body).toMatchObject({ code: 'campaign/already-started', errors: [{ pointer: '/audience' }] });
    expect((await call('PATCH', `/campaigns/${made.id}`, { name: 'Renamed' })).body).toMatchObject({
      name: 'Renamed',
      status: 'running',
    });
    expect((await call('DELETE', `/campaigns/${made.id}`)).status).toBe(409);
  });

  test('is refused with the field named, and nothing has begun', async () => {
    const source = {
      subject: 'Hi {{ variables.code }}',
      preheader: null,
      mjml: null,
      html: '<p>{{ contact.city }}</p>',
      text: null,
    };
    const templateId = await bench.template({ source });
    const made = await draft({ templateId });
    bench.account.limits = undefined;
    const refused = await call('POST', `/campaigns/${made.id}/start`);
    expect(refused.body).toMatchObject({
      status: 422,
      code: 'campaign/not-ready',
      errors: [
        { pointer: '/templateId', message: 'reads variables.code, which only a call of the API can give' },
        { pointer: '/channels/0', message: 'has no account: choose one for email under Settings' },
      ],
    });
    expect((await call('GET', `/campaigns/${made.id}`)).body.status).toBe('draft');
    expect((await db.owner.query('select 1 from plan')).rows).toEqual([]);
    expect(bench.jobs).toEqual([]);
    const { ready, items } = (await call('GET', `/campaigns/${made.id}/readiness`)).body;
    expect(ready).toBe(false);
    expect(items[0]).toMatchObject({ key: 'campaign', state: 'problem' });
  });

  test('with an archived template or topic is refused', async () => {
    const templateId = await bench.template();
    const made = await draft({ templateId });
    await db.write((tx) =>
      bench.templates.change(
        tx,
        templateId,
        { archived: true },
        { kind: 'system', id: null, name: 'x' },
        () => undefined,
      ),
    );
    await db.write((tx) => tx.query('update topic set archived_at = now() where id = $1', [bench.ledger.topicId]));
    expect((await call('POST', `/campaigns/${made.id}/start`)).body.errors).toEqual([
      { pointer: '/templateId', message: 'is archived' },
      { pointer: '/topic', message: 'is archived' },
    ]);
  });

  test('warns of values that contacts lack', async () => {
    const [someone] = await bench.ledger.people(3);
    await db.write((tx) =>
      tx.query(`update contact set attributes = '{"city": "Berlin"}', locale = 'de' where id = $1`, [
        someone?.contactId,
      ]),
    );
    const html =
      '{{ contact.city }} {{ contact.locale }} {{ contact.email }} {{ contact.name | default: "x" }} {{ contact["no\'quote"] }}';
    const made = await draft({
      templateId: await bench.template({ source: { subject: 'x', preheader: null, mjml: null, html, text: null } }),
    });
    const { items } = (await call('GET', `/campaigns/${made.id}/readiness`)).body;
    expect(items).toContainEqual(
      expect.objectContaining({
        key: 'template-variables',
        state: 'warning',
        detail: expect.stringContaining('contact.city is missing for 2 of 3'),
      }),
    );
    expect(items[1].detail).toContain("contact.no'quote is missing for everybody");
  });
});

describe('planning', () => {
  test('goes on where it was after any crash, nobody twice, nobody left out', async () => {
    const people = await bench.ledger.people(57);
    const made = await draft();
    await call('POST', `/campaigns/${made.id}/start`);
    expect(bench.jobs).toEqual([
      { queue: 'campaigns.plan', data: { workspaceId: db.workspaceId, campaignId: made.id } },
    ]);
    bench.jobs.length = 0;
    // Two pages, then the process dies: what was committed stays, what was not is written again.
    expect(await bench.plan(made.id, 2, 10)).toBe(false);
    await expect(
      db.pinned.transaction(db.workspaceId, async (tx) => {
        const { planNextPage } = await import('./planning.ts');
        await planNextPage(tx, bench.campaigns.deps, made.id, 10);
        throw new Error('killed');
      }),
    ).rejects.toThrow('killed');
    expect(await stats(made.id)).toMatchObject({ status: 'running', planned: 20 });
    expect(await bench.campaigns.resume()).toBe(1);
    await bench.settle();
    expect(await stats(made.id)).toMatchObject({ status: 'done', planned: 57, accepted: 57 });
    expect(new Set(bench.ledger.sent)).toEqual(new Set(people.map((one) => `${one.addressId}@example.com`)));
    expect(bench.ledger.sent).toHaveLength(57);
    expect(await bench.campaigns.resume()).toBe(0);
  });

  test('by two processes at once writes everybody once', async () => {
    await bench.ledger.people(60);
    const made = await draft();
    await call('POST', `/campaigns/${made.id}/start`);
    await Promise.all([bench.plan(made.id, 100, 7), bench.plan(made.id, 100, 7), bench.plan(made.id, 100, 7)]);
    await bench.settle();
    expect(await stats(made.id)).toMatchObject({ status: 'done', planned: 60, accepted: 60 });
    expect(bench.ledger.sent).toHaveLength(60);
  });

  test('adds up at every page and every hand-over', async () => {
    await bench.ledger.people(40);
    await bench.ledger.people(9, 'withdrawn');
    const made = await draft();
    await call('POST', `/campaigns/${made.id}/start`);
    for (let page = 0; page < 6; page += 1) {
      await bench.plan(made.id, 1, 11);
      const before = await stats(made.id);
      expect(sumOf(before)).toBe(before.planned);
      await bench.delivery.worker.drain();
      const after = await stats(made.id);
      expect(sumOf(after)).toBe(after.planned);
    }
    await bench.settle();
    expect(await stats(made.id)).toMatchObject({ status: 'done', planned: 49, accepted: 40, suppressed: 9 });
  });
});

describe('pause, resume and cancel', () => {
  test('a paused campaign is planned on but hands nothing over, until it is resumed', async () => {
    await bench.ledger.people(30);
    const made = await draft();
    await call('POST', `/campaigns/${made.id}/start`);
    await bench.plan(made.id, 1, 10);
    expect((await call('POST', `/campaigns/${made.id}/pause`)).body.status).toBe('paused');
    await bench.settle();
    expect(bench.ledger.sent).toEqual([]);
    expect(await stats(made.id)).toMatchObject({ status: 'paused', planned: 30, waiting: 30 });
    expect((await call('POST', `/campaigns/${made.id}/resume`)).body.status).toBe('running');
    await bench.settle();
    expect(await stats(made.id)).toMatchObject({ status: 'done', planned: 30, accepted: 30 });
  });

  test('a cancelled campaign takes back what has not been handed over, and stays cancelled', async () => {
    await bench.ledger.people(30);
    const made = await draft();
    await call('POST', `/campaigns/${made.id}/start`);
    await bench.plan(made.id, 1, 10);
    await bench.delivery.worker.drain();
    await bench.plan(made.id, 1, 10);
    expect((await call('POST', `/campaigns/${made.id}/cancel`)).body.status).toBe('cancelled');
    await bench.settle();
    const after = await stats(made.id);
    expect(after).toMatchObject({
      status: 'cancelled',
      planned: 20,
      accepted: 10,
      cancelled: 10,
      endedAt: expect.any(String),
    });
    expect((await call('POST', `/campaigns/${made.id}/resume`)).body.code).toBe('campaign/ended');
  });

  test.each(['pause', 'resume', 'cancel'])('%s of a draft is refused', async (verb) => {
    const made = await draft();
    expect((await call('POST', `/campaigns/${made.id}/${verb}`)).status).toBe(409);
  });

  test('news, events and audit tell what happened', async () => {
    await bench.ledger.people(1);
    const made = await draft();
    for (const verb of ['start', 'pause', 'resume']) await call('POST', `/campaigns/${made.id}/${verb}`);
    await bench.settle();
    const { rows } = await db.owner.query<{ kind: string }>(
      "select kind from event where campaign_id = $1 and kind like 'campaign.%' order by id",
      [made.id],
    );
    expect(rows.map((row) => row.kind)).toEqual([
      'campaign.started',
      'campaign.paused',
      'campaign.resumed',
      'campaign.done',
    ]);
    expect(audited.map((one) => one.action)).toEqual([
      'campaign.created',
      'campaign.started',
      'campaign.paused',
      'campaign.resumed',
    ]);
    expect(new Set(bench.told)).toEqual(new Set([made.id]));
    expect(await db.read((tx) => bench.campaigns.names(tx, [made.id]))).toEqual(new Map([[made.id, 'March']]));
  });
});
