import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { MessageSummary } from '../../contract/messages.ts';
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

interface Page {
  readonly data: MessageSummary[];
  readonly nextCursor: string | null;
}
const find = async (query: string) => (await lab.ask<Page>('GET', `/messages?${query}`)).body;
const ids = (page: Page) => page.data.map((one) => one.id);

describe('the history', () => {
  test('is paged newest first, without gap or overlap', async () => {
    await lab.campaign(7);
    const all = ids(await find('limit=200'));
    expect(all).toHaveLength(7);
    expect(all).toEqual(all.toSorted().toReversed());
    const walked: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await find(`limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`);
      walked.push(...ids(page));
      cursor = page.nextCursor;
    }
    expect(walked).toEqual(all);
  });

  test('masks the address, names the campaign and the template, and says why', async () => {
    const plan = await lab.campaign(await lab.bench.people(1, 'withdrawn'));
    await lab.drain();
    const [message] = await lab.messages(plan);
    expect(message).toMatchObject({
      state: 'suppressed',
      reason: 'withdrawn',
      templateName: 'Spring letter',
      templateVersion: 1,
      campaignId: plan.sourceId,
      campaignName: `Campaign ${plan.sourceId?.slice(-4)}`,
      plannedAt: db.clock.now().toString(),
      settledAt: db.clock.now().toString(),
    });
    expect(message?.to).toBe('email …@example.com');
  });

  test('is narrowed by state, reason, contact, campaign, template and time', async () => {
    const [who] = await lab.bench.people(1);
    const [no] = await lab.bench.people(1, 'withdrawn');
    if (who === undefined || no === undefined) throw new Error('nobody');
    const first = await lab.campaign([who, no]);
    await lab.drain();
    const noon = db.clock.now();
    db.clock.advance(3_600_000);
    const second = await lab.campaign([who]);
    const one = db.clock.now();
    const [yes, left] = ids(await find(`campaignId=${first.sourceId}`)).toReversed();
    const [later] = ids(await find(`campaignId=${second.sourceId}`));
    const cases: [string, (string | undefined)[]][] = [
      ['state=accepted', [yes]],
      ['state=planned', [later]],
      ['state=sending', []],
      ['state=suppressed&reason=withdrawn', [left]],
      ['state=suppressed&reason=no-consent', []],
      [`contactId=${who.contactId}`, [later, yes]],
      [`templateId=${first.templateId}`, [left, yes]],
      [`templateId=${first.templateId}&contactId=${who.contactId}`, [yes]],
      [`from=${one.toString()}`, [later]],
      [`from=${noon.toString()}&to=${one.toString()}`, [left, yes]],
      [`to=${noon.toString()}`, []],
    ];
    for (const [query, expected] of cases) expect(ids(await find(query)), query).toEqual(expected);
  });

  test('finds what is on the wire right now under "sending"', async () => {
    const plan = await lab.campaign(2);
    const seen: string[][] = [];
    lab.bench.answer = async (to) => {
      seen.push((await find(`state=sending&campaignId=${plan.sourceId}`)).data.map((one) => one.state));
      return { kind: 'accepted', ref: to };
    };
    await lab.drain();
    expect(seen[0]).toEqual(['sending', 'sending']);
    expect(ids(await find('state=sending'))).toEqual([]);
  });

  test('keeps what was sent to somebody who was erased, without the address', async () => {
    const [who] = await lab.bench.people(1);
    if (who === undefined) throw new Error('nobody');
    const plan = await lab.campaign([who]);
    await lab.drain();
    await db.write((tx) =>
      tx.query('update contact set salt = null, erased_at = now() where workspace_id = $1 and id = $2', [
        tx.workspaceId,
        who.contactId,
      ]),
    );
    expect(await lab.messages(plan)).toMatchObject([{ state: 'accepted', to: null, contactId: who.contactId }]);
  });
});

describe('one message', () => {
  test('that is held says until when and why', async () => {
    const [who] = await lab.bench.people(1);
    if (who === undefined) throw new Error('nobody');
    const until = db.clock.now().add({ hours: 3 });
    const plan = await lab.campaign([{ ...who, notBefore: until }]);
    const [held] = await lab.messages(plan);
    const { body } = await lab.ask('GET', `/messages/${held?.id}`);
    expect(body.decision).toEqual({ outcome: 'hold', reason: 'scheduled', until: until.toString() });
    expect(body).toMatchObject({ attempts: [], opens: 0, clicks: 0, providerRef: null });
    expect(body.topic).toMatch(/^news-/);
  });

  test('tells each attempt with the provider’s own words, and what the person did', async () => {
    const plan = await lab.campaign(1);
    lab.bench.answer = (to, nth) =>
      nth === 1
        ? { kind: 'retry', category: 'transient', code: '451', reason: 'greylisted, come back' }
        : { kind: 'accepted', ref: `queued-${to}` };
    await lab.drain();
    db.clock.advance(60_000);
    await lab.drain();
    const [sent] = await lab.messages(plan);
    await db.write((tx) =>
      lab.bench.delivery.applyEngagement(tx, [
        { messageId: sent?.id ?? '', kind: 'opened', at: db.clock.now() },
        { messageId: sent?.id ?? '', kind: 'clicked', at: db.clock.now() },
      ]),
    );
    const { body } = await lab.ask('GET', `/messages/${sent?.id}`);
    expect(body.attempts).toMatchObject([
      { outcome: 'deferred', code: '451', detail: 'greylisted, come back', accountName: 'Sandbox' },
      { outcome: 'accepted', accountId: lab.accountId },
    ]);
    expect(body).toMatchObject({ state: 'accepted', attempt: 2, opens: 1, clicks: 1, decision: { outcome: 'send' } });
    expect(body.providerRef).toMatch(/^queued-/);
  });
});
