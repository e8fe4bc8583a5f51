import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DeadLetter, DeadLetterSummary } from '../../contract/dead-letters.ts';
import { createTestDb, inWorkspaceOfItsOwn } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import type { PlanRow } from './plan.store.ts';
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

const refused = { kind: 'refused', category: 'content', code: '554', reason: 'too shiny', permanent: true } as const;
const inDoubt = { kind: 'unknown', code: 'connection-lost', cause: 'no answer came' } as const;

interface Page {
  readonly data: DeadLetter[];
  readonly nextCursor: string | null;
}
const letters = async (query = '') => (await lab.ask<Page>('GET', `/dead-letters?${query}`)).body.data;
const summary = async (query = '') => (await lab.ask<DeadLetterSummary>('GET', `/dead-letters/summary?${query}`)).body;
const post = (path: string, body: object) =>
  lab.ask<{ done: number; remaining: number }>('POST', `/dead-letters/${path}`, body);

/** A campaign in which the first is refused, the second is in doubt, and the third arrives. */
async function mixed(): Promise<PlanRow> {
  const people = await lab.bench.people(3);
  await db.write((tx) =>
    tx.query("update address set domain = 'example.com' where workspace_id = $1", [tx.workspaceId]),
  );
  const plan = await lab.campaign(people);
  lab.bench.answer = (to) => {
    if (to.startsWith(people[0]?.addressId ?? '?')) return refused;
    return to.startsWith(people[1]?.addressId ?? '?') ? inDoubt : { kind: 'accepted', ref: to };
  };
  await lab.drain();
  return plan;
}

/** Many failed ones, written as the ledger would: what is tested is what is done with them. */
async function fillWithFailed(count: number): Promise<PlanRow> {
  const plan = await lab.campaign(1);
  lab.bench.answer = () => refused;
  await lab.drain();
  const copies = `from message m cross join generate_series(1, ${count - 1}) g where m.workspace_id = $1`;
  const nth = `overlay(m.id::text placing lpad(to_hex(g), 8, '0') from 29)::uuid`;
  await db.owner.query(
    `insert into message (workspace_id, plan_month, id, plan_id, recipient_key, contact_id, address_id, channel, state, reason, attempt, planned_at)
     select workspace_id, plan_month, ${nth}, plan_id, ${nth}, contact_id, address_id, channel, state, reason, attempt, planned_at ${copies}`,
    [db.workspaceId],
  );
  await db.owner.query(
    `insert into dead_letter (workspace_id, message_id, plan_id, campaign_id, state, channel, category, reason, code, tries, at)
     select l.workspace_id, m.id, l.plan_id, l.campaign_id, l.state, l.channel, l.category, l.reason, l.code, l.tries, l.at
     from message m join dead_letter l on l.workspace_id = m.workspace_id where m.workspace_id = $1 and m.id <> l.message_id`,
    [db.workspaceId],
  );
  await db.owner.query('update plan_count set failed = failed + $2 where workspace_id = $1 and failed = 1', [
    db.workspaceId,
    count - 1,
  ]);
  await db.owner.query('update plan_reason_count set count = count + $2 where workspace_id = $1', [
    db.workspaceId,
    count - 1,
  ]);
  return plan;
}

async function workOff(): Promise<void> {
  for (let work = lab.later.shift(); work !== undefined; work = lab.later.shift()) {
    const rest = await lab.bench.delivery.workLetters(work);
    if (rest !== undefined) lab.later.push(rest);
  }
}

describe('a dead letter', () => {
  test('is written for what failed and for what is in doubt, with all that explains it; not for what arrived', async () => {
    const plan = await mixed();
    const messages = await lab.messages(plan);
    const found = await letters();
    expect(found.map((one) => [one.messageId, one.state, one.category])).toEqual([
      [messages[1]?.id, 'unknown', 'unknown'],
      [messages[0]?.id, 'failed', 'content'],
    ]);
    expect(found[1]).toMatchObject({
      channel: 'email',
      reason: 'content-refused',
      code: '554',
      meaning: 'sandbox says 554',
      provider: 'sandbox',
      accountId: lab.accountId,
      accountName: 'Sandbox',
      domain: 'example.com',
      to: 'email …@example.com',
      campaignId: plan.sourceId,
      tries: 1,
      askAt: null,
    });
    expect(found[0]?.askAt).toBe(db.clock.now().add({ seconds: 60 }).toString());
    expect(messages[0]?.trouble).toEqual({ category: 'content', code: '554', meaning: 'sandbox says 554' });
    expect(messages[2]?.trouble).toBeNull();
  });

  test('is found by each of its filters, and counted in groups', async () => {
    const plan = await mixed();
    const [failed, doubtful] = await lab.messages(plan);
    const only = [failed?.id];
    const both = [doubtful?.id, failed?.id];
    const later = db.clock.now().add({ hours: 1 }).toString();
    const cases: [string, (string | undefined)[]][] = [
      ['state=failed', only],
      ['category=content', only],
      ['code=554', only],
      ['reason=content-refused', only],
      ['provider=sandbox', both],
      [`accountId=${lab.accountId}&state=failed`, only],
      ['domain=example.com', both],
      ['domain=example.org', []],
      ['channel=sms', []],
      [`campaignId=${plan.sourceId}&code=554`, only],
      [`from=${later}`, []],
      [`to=${later}`, both],
      ['discarded=true', []],
    ];
    for (const [query, expected] of cases)
      expect(
        (await letters(query)).map((one) => one.messageId),
        query,
      ).toEqual(expected);
    expect(await summary()).toMatchObject({
      total: 2,
      byState: [
        { value: 'failed', count: 1 },
        { value: 'unknown', count: 1 },
      ],
      byCategory: [
        { value: 'content', count: 1 },
        { value: 'unknown', count: 1 },
      ],
      byDomain: [{ value: 'example.com', count: 2 }],
      byProvider: [{ value: 'sandbox', count: 2 }],
      byCampaign: [{ value: plan.sourceId, count: 2, name: `Campaign ${plan.sourceId?.slice(-4)}` }],
    });
    expect((await summary('state=failed')).total).toBe(1);
  });

  test('is gone once its message has left that state', async () => {
    const plan = await mixed();
    const [failed, doubtful] = await lab.messages(plan);
    await lab.ask('PUT', `/messages/retry/${failed?.id}`);
    expect((await letters()).map((one) => one.messageId)).toEqual([doubtful?.id]);
    await lab.ask('POST', `/messages/${doubtful?.id}/resolve`, { as: 'accepted' });
    expect(await letters()).toEqual([]);
  });

  test('of a doubt that was decided to have failed is one of a failed message, and asks nobody', async () => {
    const plan = await mixed();
    const [, doubtful] = await lab.messages(plan);
    await lab.ask('POST', `/messages/${doubtful?.id}/resolve`, { as: 'failed' });
    expect(await letters('reason=resolved-failed')).toMatchObject([
      { messageId: doubtful?.id, state: 'failed', askAt: null },
    ]);
  });

  test('is written when the vendor says later that it failed, and goes when it arrived after all', async () => {
    const plan = await lab.campaign(1);
    lab.bench.answer = (to) => ({ kind: 'accepted', ref: to });
    await lab.drain();
    const [message] = await lab.messages(plan);
    const tell = (kind: 'bounced' | 'complained', key: string) =>
      db.write((tx) =>
        lab.bench.delivery.applyReceipts(tx, lab.accountId, [
          {
            kind,
            key,
            messageId: message?.id ?? '',
            at: db.clock.now().toString(),
            category: 'address',
            code: '5.1.1',
          },
        ]),
      );
    await tell('bounced', 'a');
    expect(await letters()).toMatchObject([{ state: 'bounced', category: 'address', code: '5.1.1' }]);
    expect((await lab.messages(plan))[0]?.trouble).toMatchObject({ category: 'address', code: '5.1.1' });
    await tell('complained', 'b');
    expect(await letters()).toEqual([]);
  });
});

describe('many dead letters', () => {
  test('are put aside and stay as they are; a new failure brings them back', async () => {
    const plan = await mixed();
    expect((await post('discard', { filter: { state: 'failed' } })).body).toEqual({ done: 1, remaining: 0 });
    expect(await letters('state=failed')).toEqual([]);
    expect(await letters('discarded=true')).toMatchObject([{ state: 'failed' }]);
    const [failed] = await lab.messages(plan);
    expect(failed?.state).toBe('failed');
    expect(lab.audited.at(-1)).toMatchObject({ action: 'dead-letter.discarded', after: { count: 1 } });
    await lab.ask('PUT', `/messages/retry/${failed?.id}`);
    await lab.drain();
    expect(await letters('state=failed')).toMatchObject([{ messageId: failed?.id, tries: 2, discardedAt: null }]);
  });

  test('are tried again by filter, those in doubt never', async () => {
    const plan = await mixed();
    lab.bench.answer = (to) => ({ kind: 'accepted', ref: to });
    expect((await post('redrive', { filter: {} })).body).toEqual({ done: 1, remaining: 0 });
    expect((await post('redrive', { filter: { state: 'unknown' } })).body).toEqual({ done: 0, remaining: 0 });
    await lab.drain();
    expect((await lab.messages(plan)).map((one) => one.state)).toEqual(['accepted', 'unknown', 'accepted']);
    const [, doubtful] = await lab.messages(plan);
    expect((await post('redrive', { messageIds: [doubtful?.id] })).body).toEqual({ done: 0, remaining: 0 });
  });

  test('more than a request can do go on in the background, page by page, none left and none twice', async () => {
    const plan = await fillWithFailed(2_300);
    const answer = await lab.ask('POST', '/messages/retry', { campaignId: plan.sourceId });
    expect(answer).toMatchObject({ status: 202, body: { retried: 1_000, skipped: 0, remaining: 1_300 } });
    expect(lab.audited.at(-1)).toMatchObject({ after: { count: 1_000, remaining: 1_300 } });
    const [job] = lab.later;
    if (job === undefined) throw new Error('nothing was left to the background');
    await workOff();
    expect(await lab.bench.states(plan.id)).toEqual({ planned: 2_300 });
    // Told twice, since its worker died before it could say so: nothing more happens.
    lab.later.push(job);
    await workOff();
    const { rows } = await db.owner.query(
      'select sum(size)::int as waiting, (select count(*)::int from dead_letter where workspace_id = $1) as letters from batch where workspace_id = $1',
      [db.workspaceId],
    );
    expect(rows).toEqual([{ waiting: 2_300, letters: 0 }]);
    expect(await lab.stats(plan)).toMatchObject({ planned: 2_300, waiting: 2_300, failed: 0 });
  });

  test('in doubt are decided about in one call', async () => {
    const plan = await lab.campaign(5);
    lab.bench.answer = () => inDoubt;
    await lab.drain();
    const resolve = (body: object) => lab.ask<{ done: number }>('POST', '/messages/resolve', body);
    const [first] = await lab.messages(plan);
    expect((await resolve({ as: 'failed', messageIds: [first?.id, first?.id] })).body).toMatchObject({ done: 1 });
    expect((await resolve({ as: 'accepted', filter: { campaignId: plan.sourceId } })).body).toMatchObject({ done: 4 });
    expect(await lab.bench.states(plan.id)).toEqual({ failed: 1, accepted: 4 });
    expect(lab.audited.at(-1)).toMatchObject({ action: 'message.resolved', after: { count: 4, as: 'accepted' } });
  });
});

test('how a batch stands is rolled up, by its messages and by its plan', async () => {
  const plan = await mixed();
  const ids = (await lab.messages(plan)).map((one) => one.id);
  const { body } = await lab.ask('POST', '/messages/status', { messageIds: [...ids, db.workspaceId] });
  expect(body).toMatchObject({
    total: 3,
    missing: 1,
    isSettled: true,
    counts: { accepted: 1, failed: 1, unknown: 1 },
    data: [{ state: 'failed', reason: 'content-refused' }, { state: 'unknown' }, { state: 'accepted', reason: null }],
  });
  expect((await lab.ask('GET', `/messages/batches/${plan.id}`)).body).toMatchObject({
    total: 3,
    isSettled: true,
    counts: { accepted: 1, failed: 1, unknown: 1, planned: 0 },
  });
});

test('the codes of a provider are told with what is done about them', async () => {
  const { body } = await lab.ask<{ data: object[]; retries: object[] }>('GET', '/providers/twilio/errors');
  expect(body.data).toContainEqual(expect.objectContaining({ code: '21211', category: 'address' }));
  expect(body.retries).toContainEqual({
    category: 'transient',
    waits: 'message',
    firstMs: 15_000,
    mostMs: 3_600_000,
    mostAttempts: 8,
    mostHours: null,
  });
  expect((await lab.ask('GET', '/providers/carrier-pigeon/errors')).status).toBe(404);
});
