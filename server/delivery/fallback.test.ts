import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../platform/ids.ts';
import { createTestDb, inWorkspaceOfItsOwn } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { createDelivery } from './delivery.ts';
import type { FallbackStep } from './fallback.rules.ts';
import { asksForFallback, hasReached } from './fallback.rules.ts';
import { createDeliveryBench } from './testing.ts';
import type { DeliveryBench } from './testing.ts';

let database: TestDb;
let db: TestDb;
let bench: DeliveryBench;
beforeAll(async () => {
  database = await createTestDb();
});
afterAll(() => database.close());
beforeEach(async () => {
  db = await inWorkspaceOfItsOwn(database);
  bench = await createDeliveryBench(db);
  return async () => {
    for (const table of ['batch', 'deferral', 'fallback_check'])
      await db.owner.query(`delete from ${table} where workspace_id = $1`, [db.workspaceId]);
  };
});

type Person = Awaited<ReturnType<DeliveryBench['people']>>[number];

/** A phone for a contact, with or without consent to be texted about the bench's topic. */
async function givePhone({ contactId }: Person, consents: boolean): Promise<void> {
  await db.write(async (tx) => {
    const id = newId(db.clock);
    await tx.query(
      `insert into address (workspace_id, id, contact_id, kind, position, hash, hash_version, sealed, created_at)
       values ($1, $2, $3, 'phone', 1, $4, 1, $4, now())`,
      [tx.workspaceId, id, contactId, randomBytes(16)],
    );
    if (consents)
      await tx.query(
        `insert into consent (workspace_id, address_id, channel, topic_id, state, basis, source, since, event_seq, event_id)
         values ($1, $2, 'sms', $3, 'granted', 'consent', 'test', now(), 1, $2)`,
        [tx.workspaceId, id, bench.topicId],
      );
  });
}

const step = (until: FallbackStep['until'], afterMinutes = 30): FallbackStep => ({
  channel: 'sms',
  templateId: newId(db.clock),
  templateVersion: 4,
  afterMinutes,
  until,
});

async function plan(people: readonly Person[], fallback: readonly FallbackStep[]): Promise<string> {
  const id = newId(db.clock);
  await db.write(async (tx) => {
    const row = await bench.delivery.createPlan(tx, {
      id,
      source: 'campaign',
      sourceId: newId(db.clock),
      channel: 'email',
      category: 'marketing',
      topicId: bench.topicId,
      templateId: newId(db.clock),
      templateVersion: 1,
      fallback,
    });
    await bench.delivery.planPage(tx, row, people);
    await bench.delivery.completePlan(tx, id);
  });
  return id;
}

interface Followed {
  readonly contact: string;
  readonly channel: string;
  readonly follows: string;
  readonly version: number;
}
async function followers(): Promise<Followed[]> {
  const { rows } = await db.owner.query<Followed>(
    `select m.contact_id as contact, m.channel, p.follows, p.template_version as version from message m
     join plan p on p.workspace_id = m.workspace_id and p.id = m.plan_id where m.workspace_id = $1 and p.follows is not null order by m.id`,
    [db.workspaceId],
  );
  return rows;
}
/** Only what the first plan sends is sent here; the text messages wait. */
async function drain(): Promise<void> {
  const { worker } = createDelivery({
    ...bench.deps,
    accountsFor: async (tx, channel, id) => (channel === 'email' ? bench.deps.accountsFor(tx, channel, id) : []),
  });
  await worker.drain();
}
const settle = (person: Person | undefined, state: string) =>
  db.owner.query('update message set state = $3 where workspace_id = $1 and contact_id = $2', [
    db.workspaceId,
    person?.contactId,
    state,
  ]);

describe('where the first channel does not reach', () => {
  test('the next one takes over after its time, with consent and an address there, once', async () => {
    const people = await bench.people(4);
    const [reached, silent, refusing, phoneless] = people;
    for (const person of [reached, silent]) if (person !== undefined) await givePhone(person, true);
    if (refusing !== undefined) await givePhone(refusing, false);
    const first = await plan(people, [step('delivered')]);
    await drain();
    await settle(reached, 'delivered');
    db.clock.advance(29 * 60_000);
    await drain();
    expect(await followers()).toEqual([]);
    db.clock.advance(60_000);
    await drain();
    expect(await followers()).toEqual([{ contact: silent?.contactId, channel: 'sms', follows: first, version: 4 }]);
    // Nor does it come again, whatever is asked again.
    db.clock.advance(24 * 3_600_000);
    await drain();
    expect(await followers()).toHaveLength(1);
    const told = bench.events.filter(({ kind }) => kind.startsWith('message.fallback'));
    expect(told.map(({ kind, contactId }) => [kind, contactId]).toSorted()).toEqual(
      [
        ['message.fallback', silent?.contactId],
        ['message.fallback-impossible', refusing?.contactId],
        ['message.fallback-impossible', phoneless?.contactId],
      ].toSorted(),
    );
  });

  test('reading can be asked for, not only delivery', async () => {
    const people = await bench.people(2);
    for (const person of people) await givePhone(person, true);
    await plan(people, [step('read')]);
    await drain();
    for (const person of people) await settle(person, 'delivered');
    const { rows } = await db.owner.query<{ id: string }>(
      'select id from message where workspace_id = $1 and contact_id = $2',
      [db.workspaceId, people[0]?.contactId],
    );
    await db.write((tx) =>
      bench.delivery.applyEngagement(tx, [{ messageId: rows[0]?.id ?? '', kind: 'opened', at: db.clock.now() }]),
    );
    db.clock.advance(30 * 60_000);
    await drain();
    expect((await followers()).map((one) => one.contact)).toEqual([people[1]?.contactId]);
  });

  test('a dispatcher that dies over it leaves it to the next, and nobody is written to twice', async () => {
    const people = await bench.people(20);
    for (const person of people) await givePhone(person, true);
    await plan(people, [step('delivered')]);
    await drain();
    db.clock.advance(30 * 60_000);
    let failures = 0;
    const dying = createDelivery({
      ...bench.deps,
      events: {
        ...bench.deps.events,
        append: async (tx, drafts) => {
          if (drafts.some(({ kind }) => kind === 'message.fallback') && (failures += 1) === 1)
            throw new Error('killed');
          await bench.deps.events.append(tx, drafts);
        },
      },
      accountsFor: async () => [],
    });
    await expect(dying.worker.drain()).rejects.toThrow('killed');
    expect(await followers()).toEqual([]);
    await Promise.all([drain(), drain(), drain()]);
    const contacts = (await followers()).map((one) => one.contact);
    expect(contacts).toHaveLength(20);
    expect(new Set(contacts).size).toBe(20);
  });

  test('the channel after the next one comes with it', async () => {
    const [person] = await bench.people(1);
    if (person === undefined) throw new Error('nobody');
    await givePhone(person, true);
    const then = { ...step('delivered', 60), channel: 'whatsapp' };
    await plan([person], [step('delivered'), then]);
    await drain();
    db.clock.advance(30 * 60_000);
    await drain();
    const { rows } = await db.owner.query(
      'select channel, fallback, source from plan where workspace_id = $1 and follows is not null',
      [db.workspaceId],
    );
    expect(rows).toEqual([{ channel: 'sms', fallback: [then], source: 'fallback' }]);
  });

  test('a plan that was cancelled follows nobody', async () => {
    const [person] = await bench.people(1);
    if (person === undefined) throw new Error('nobody');
    await givePhone(person, true);
    const id = await plan([person], [step('delivered')]);
    await drain();
    await db.write((tx) => bench.delivery.cancelPlan(tx, id));
    db.clock.advance(30 * 60_000);
    await drain();
    expect(await followers()).toEqual([]);
  });
});

test('who reads it or complains has it; who may not be written to is not tried elsewhere', () => {
  expect(hasReached({ state: 'accepted', isRead: false }, 'delivered')).toBe(false);
  expect(hasReached({ state: 'accepted', isRead: true }, 'delivered')).toBe(true);
  expect(hasReached({ state: 'delivered', isRead: false }, 'read')).toBe(false);
  expect(hasReached({ state: 'complained', isRead: false }, 'read')).toBe(true);
  expect(asksForFallback('suppressed', 'withdrawn')).toBe(false);
  expect(asksForFallback('suppressed', 'address-missing')).toBe(true);
  expect(asksForFallback('cancelled', null)).toBe(false);
});
