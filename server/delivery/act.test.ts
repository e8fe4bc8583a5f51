import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { MessageSummary } from '../../contract/messages.ts';
import { newId } from '../platform/ids.ts';
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

/** The only message of a plan to one person. */
async function only(plan: PlanRow): Promise<MessageSummary> {
  const [message, ...more] = await lab.messages(plan);
  expect(more).toEqual([]);
  if (message === undefined) throw new Error('no message');
  return message;
}
const kinds = async (id: string) => (await lab.ask('GET', `/messages/${id}`)).body.timeline.map((event) => event.kind);
/** What must hold at every moment, whoever has acted. */
async function expectAddsUp(plan: PlanRow): Promise<void> {
  const { planned, waiting, held, sending, suppressed, accepted, failed, unknown, cancelled, expired } =
    await lab.stats(plan);
  expect(waiting + held + sending + suppressed + accepted + failed + unknown + cancelled + expired).toBe(planned);
  const states = await lab.bench.states(plan.id);
  expect({ held, suppressed, accepted, failed, unknown, cancelled, planned: waiting + sending }).toEqual({
    held: states['held'] ?? 0,
    suppressed: states['suppressed'] ?? 0,
    accepted: states['accepted'] ?? 0,
    failed: states['failed'] ?? 0,
    unknown: states['unknown'] ?? 0,
    cancelled: states['cancelled'] ?? 0,
    planned: states['planned'] ?? 0,
  });
}
const reasons = (plan: PlanRow) => db.read((tx) => lab.bench.delivery.planReasons(tx, plan.id));

describe('taking a message back', () => {
  test('while it waits keeps it from ever leaving, and says so in its story and to the audit', async () => {
    const plan = await lab.campaign(2);
    const [first, second] = await lab.messages(plan);
    const answer = await lab.ask('POST', `/messages/${first?.id}/cancel`);
    expect(answer).toMatchObject({ status: 200, body: { id: first?.id, state: 'cancelled' } });
    expect(answer.body.timeline.map((event) => event.kind)).toEqual(['message.planned', 'message.cancelled']);
    expect(lab.audited).toEqual([
      {
        action: 'message.cancelled',
        target: { kind: 'message', id: first?.id },
        before: { state: 'planned' },
        after: { state: 'cancelled' },
      },
    ]);
    await lab.drain();
    expect(lab.bench.sent).toHaveLength(1);
    expect((await lab.messages(plan)).map((one) => [one.id, one.state])).toEqual([
      [first?.id, 'cancelled'],
      [second?.id, 'accepted'],
    ]);
    await expectAddsUp(plan);
  });

  test('while it is held ends its waiting, and its plan when nothing else waits', async () => {
    const [who] = await lab.bench.people(1);
    if (who === undefined) throw new Error('nobody');
    const plan = await lab.campaign([{ ...who, notBefore: db.clock.now().add({ hours: 5 }) }]);
    const { id, state } = await only(plan);
    expect(state).toBe('held');
    expect(await reasons(plan)).toEqual([{ state: 'held', reason: 'scheduled', count: 1 }]);
    expect((await lab.ask('POST', `/messages/${id}/cancel`)).body).toMatchObject({ state: 'cancelled', reason: null });
    expect(await reasons(plan)).toEqual([]);
    const { rows } = await db.owner.query(
      "select data->>'planId' as plan from event where workspace_id = $1 and kind = 'plan.done'",
      [db.workspaceId],
    );
    expect(rows).toEqual([{ plan: plan.id }]);
    db.clock.advance(6 * 3_600_000);
    await lab.drain();
    expect(lab.bench.sent).toEqual([]);
    await expectAddsUp(plan);
  });

  test('once it has left, or is leaving, is refused and changes nothing', async () => {
    const plan = await lab.campaign(1);
    const { id } = await only(plan);
    let whileSending: Awaited<ReturnType<MessagesLab['ask']>> | undefined;
    lab.bench.answer = async (to) => {
      expect((await only(plan)).state).toBe('sending');
      whileSending = await lab.ask('POST', `/messages/${id}/cancel`);
      return { kind: 'accepted', ref: to };
    };
    await lab.drain();
    expect(whileSending).toMatchObject({ status: 409, body: { code: 'message/not-cancellable' } });
    expect((await lab.ask('POST', `/messages/${id}/cancel`)).body).toMatchObject({
      status: 409,
      code: 'message/not-cancellable',
      detail: 'It is accepted already.',
    });
    expect(lab.bench.sent).toHaveLength(1);
    expect(lab.audited).toEqual([]);
    await expectAddsUp(plan);
  });
});

describe('trying again', () => {
  test('sends a failed message once more, under the same id and with the attempts before it in its story', async () => {
    const plan = await lab.campaign(1);
    lab.bench.answer = () => refused;
    await lab.drain();
    const failed = await only(plan);
    expect(failed).toMatchObject({ state: 'failed', reason: 'content-refused', attempt: 1 });
    const again = await lab.ask('PUT', `/messages/retry/${failed.id}`);
    expect(again).toMatchObject({ status: 202, body: { id: failed.id, state: 'planned' } });
    expect(lab.woken.times).toBe(1);
    expect(await reasons(plan)).toEqual([]);
    lab.bench.answer = (to) => ({ kind: 'accepted', ref: `second-${to}` });
    await lab.drain();
    const { body } = await lab.ask('GET', `/messages/${failed.id}`);
    expect(body).toMatchObject({ state: 'accepted', attempt: 2, reason: null });
    expect(body.providerRef).toMatch(/^second-/);
    expect(body.attempts).toMatchObject([
      { outcome: 'failed', code: '554', detail: 'too shiny', accountId: lab.accountId, accountName: 'Sandbox' },
      { outcome: 'accepted' },
    ]);
    expect(body.timeline.map((event) => event.kind)).toEqual([
      'message.planned',
      'message.failed',
      'message.retried',
      'message.accepted',
    ]);
    await expectAddsUp(plan);
  });

  test('takes the failed ones of a campaign, of one reason where asked, and no other campaign’s', async () => {
    const people = await lab.bench.people(4);
    const mine = await lab.campaign(people);
    const other = await lab.campaign(1);
    lab.bench.answer = (to) =>
      to.startsWith(people[0]?.addressId ?? '?')
        ? { ...refused, category: 'address' }
        : to.startsWith(people[1]?.addressId ?? '?')
          ? { kind: 'accepted', ref: to }
          : refused;
    await lab.drain();
    expect((await lab.messages(mine)).map((one) => one.reason)).toEqual([
      'address-refused',
      null,
      'content-refused',
      'content-refused',
    ]);
    const retry = (body: object) => lab.ask('POST', '/messages/retry', body);
    expect(await retry({ campaignId: mine.sourceId, reason: 'content-refused' })).toEqual({
      status: 202,
      body: { retried: 2, skipped: 0, remaining: 0 },
    });
    expect(lab.audited).toEqual([
      { action: 'message.retried', target: { kind: 'campaign', id: mine.sourceId }, after: { count: 2 } },
    ]);
    expect((await lab.messages(mine)).map((one) => one.state)).toEqual(['failed', 'accepted', 'planned', 'planned']);
    expect((await only(other)).state).toBe('failed');
    await expectAddsUp(mine);
    await expectAddsUp(other);
  });

  test('of named ones skips what has not failed, an unknown one above all, and what was named twice', async () => {
    const people = await lab.bench.people(3);
    const plan = await lab.campaign(people);
    lab.bench.answer = (to) =>
      to.startsWith(people[0]?.addressId ?? '?')
        ? refused
        : to.startsWith(people[1]?.addressId ?? '?')
          ? inDoubt
          : { kind: 'accepted', ref: to };
    await lab.drain();
    const ids = (await lab.messages(plan)).map((one) => one.id);
    const body = { messageIds: [...ids, ...ids, newId(db.clock)] };
    expect((await lab.ask('POST', '/messages/retry', body)).body).toEqual({ retried: 1, skipped: 3, remaining: 0 });
    expect((await lab.messages(plan)).map((one) => one.state)).toEqual(['planned', 'unknown', 'accepted']);
    await lab.drain();
    expect(lab.bench.sent).toHaveLength(4);
    expect((await lab.ask('PUT', `/messages/retry/${ids[1]}`)).body).toMatchObject({
      code: 'message/not-failed',
      status: 409,
    });
  });

  test('cannot get around a withdrawal that came meanwhile', async () => {
    const [who] = await lab.bench.people(1);
    if (who === undefined) throw new Error('nobody');
    const plan = await lab.campaign([who]);
    lab.bench.answer = () => refused;
    await lab.drain();
    await db.write((tx) =>
      tx.query("update consent set state = 'withdrawn' where workspace_id = $1 and address_id = $2", [
        tx.workspaceId,
        who.addressId,
      ]),
    );
    const { id } = await only(plan);
    await lab.ask('PUT', `/messages/retry/${id}`);
    await lab.drain();
    expect(lab.bench.sent).toHaveLength(1);
    expect((await lab.ask('GET', `/messages/${id}`)).body).toMatchObject({
      state: 'suppressed',
      decision: { outcome: 'suppress', reason: 'withdrawn' },
    });
    await expectAddsUp(plan);
  });

  test('in a paused campaign waits for it to go on; in a cancelled one it is cancelled', async () => {
    const paused = await lab.campaign(1);
    const cancelled = await lab.campaign(1);
    lab.bench.answer = () => refused;
    await lab.drain();
    await db.write((tx) => lab.bench.delivery.pausePlan(tx, paused.id));
    await db.write((tx) => lab.bench.delivery.cancelPlan(tx, cancelled.id));
    lab.bench.answer = (to) => ({ kind: 'accepted', ref: to });
    const ids = [(await only(paused)).id, (await only(cancelled)).id];
    expect((await lab.ask('POST', '/messages/retry', { messageIds: ids })).body).toEqual({
      retried: 2,
      skipped: 0,
      remaining: 0,
    });
    await lab.drain();
    expect([(await only(paused)).state, (await only(cancelled)).state]).toEqual(['planned', 'cancelled']);
    await db.write((tx) => lab.bench.delivery.resumePlan(tx, paused.id));
    await lab.drain();
    expect((await only(paused)).state).toBe('accepted');
    expect(lab.bench.sent).toHaveLength(3);
    await expectAddsUp(paused);
    await expectAddsUp(cancelled);
  });
});

describe('a message in doubt', () => {
  const doubt = async () => {
    const plan = await lab.campaign(1);
    lab.bench.answer = () => inDoubt;
    await lab.drain();
    const message = await only(plan);
    expect(message).toMatchObject({ state: 'unknown', reason: 'connection-lost' });
    lab.bench.answer = (to) => ({ kind: 'accepted', ref: to });
    return { plan, id: message.id };
  };

  test('stays as it is however long nobody decides', async () => {
    const { plan, id } = await doubt();
    db.clock.advance(48 * 3_600_000);
    await lab.drain();
    expect(lab.bench.sent).toHaveLength(1);
    expect((await lab.ask('GET', `/messages/${id}`)).body.state).toBe('unknown');
    await expectAddsUp(plan);
  });

  test.each([
    ['accepted', 'accepted', null, 1],
    ['failed', 'failed', 'resolved-failed', 1],
    ['resend', 'accepted', null, 2],
  ] as const)('that a person resolves as %s ends %s', async (as, state, reason, sent) => {
    const { plan, id } = await doubt();
    const answer = await lab.ask('POST', `/messages/${id}/resolve`, { as });
    expect(answer.status).toBe(200);
    expect(lab.audited.at(-1)).toEqual({
      action: 'message.resolved',
      target: { kind: 'message', id },
      before: { state: 'unknown' },
      after: { state: as === 'resend' ? 'planned' : as },
    });
    await lab.drain();
    expect(lab.bench.sent).toHaveLength(sent);
    expect(await only(plan)).toMatchObject({ state, reason });
    expect(await kinds(id)).toContain('message.resolved');
    expect(await reasons(plan)).toEqual(state === 'failed' ? [{ state, reason, count: 1 }] : []);
    await expectAddsUp(plan);
    const twice = await lab.ask('POST', `/messages/${id}/resolve`, { as });
    expect(twice).toMatchObject({ status: 409, body: { code: 'message/not-unknown', detail: `It is ${state}.` } });
  });
});

describe('who acts', () => {
  test('must be allowed to send; a message of the workspace next door does not exist', async () => {
    const plan = await lab.campaign(1);
    const { id } = await only(plan);
    const acts = [
      ['POST', `/messages/${id}/cancel`, undefined],
      ['PUT', `/messages/retry/${id}`, undefined],
      ['POST', `/messages/${id}/resolve`, { as: 'resend' }],
    ] as const;
    for (const [method, path, body] of acts)
      expect((await lab.ask(method, path, body, 'test messages:read')).status).toBe(403);
    const stranger = newId(db.clock);
    for (const [method, path, body] of acts)
      expect((await lab.ask(method, path.replace(id, stranger), body)).status).toBe(404);
    expect((await only(plan)).state).toBe('planned');
    expect(lab.audited).toEqual([]);
  });
});
