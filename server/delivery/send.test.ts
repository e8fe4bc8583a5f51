import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HashedAddress } from '../audience/index.ts';
import type { Tx } from '../platform/db.ts';
import { invalidField } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import { createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { sendCalls } from './calls.ts';
import type { SendDeps } from './ports.ts';
import { createDeliveryBench } from './testing.ts';
import type { DeliveryBench } from './testing.ts';

/** What `test/send.test.ts` promises to callers, from within: what it costs the database, and what is written. */
let db: TestDb;
let bench: DeliveryBench;
let deps: SendDeps;
const templateId = '0198c0de-0000-7000-8000-000000000001';

beforeAll(async () => {
  db = await createTestDb();
  bench = await createDeliveryBench(db);
  deps = { ...bench.deps, ...ports() };
});
afterAll(() => db.close());

/** One topic, one marketing template; people are found by the bench's own addresses. */
function ports(): Pick<SendDeps, 'addressReader' | 'topicsOf' | 'templatesOf' | 'obtainContacts'> {
  const template = {
    id: templateId,
    version: 3,
    category: 'marketing',
    channel: 'email',
    needs: {},
    tryRender: () => ({ ok: true as const }),
  };
  return {
    addressReader: async (tx) => {
      const keys = await db.vault.keys(tx);
      return ({ kind, value }, pointer): HashedAddress => {
        if (!value.includes('@')) throw invalidField(pointer, 'is no address');
        const parts = { kind, value, matchKey: value, domain: null, country: null, lineType: null };
        return { ...parts, ...keys.blindIndex(kind, value) };
      };
    },
    topicsOf: async () => () => bench.topicId,
    templatesOf: async () => () => template,
    obtainContacts: () => Promise.reject(new Error('everybody is known here')),
  };
}

/** Runs calls as the shell would, counting what the database is asked. */
async function counted(bodies: Parameters<typeof sendCalls>[2][number]['body'][]) {
  const statements: string[] = [];
  const answers = await db.pinned.transaction(db.workspaceId, async (tx) => {
    const hot: Tx['hot'] = (text, values) => {
      statements.push(text);
      return tx.hot(text, values);
    };
    const query: Tx['query'] = (text, values) => {
      statements.push(text);
      return tx.query(text, values);
    };
    const watched: Tx = { ...tx, hot, query, xid: tx.xid };
    return sendCalls(
      watched,
      deps,
      bodies.map((body) => ({ body, requestId: newId(db.clock) })),
      40,
    );
  });
  return { answers, statements };
}

type Given = { channel: 'email'; topic: string; to: { email: string } | { contactId: string }; templateId: string };
const message = (to: Given['to']): Given => ({ channel: 'email', topic: 'news', to, templateId });
const emailOf = (person: { addressId: string }) => ({ email: `${person.addressId}@example.com` });

describe('what sending asks of the database', () => {
  test('does not grow with the messages of a call, nor with the calls of a group', async () => {
    const people = await bench.people(400);
    await counted([message(emailOf(people[0] ?? { addressId: '' }))]);
    const one = await counted([message(emailOf(people[1] ?? { addressId: '' }))]);
    const batch = await counted([{ messages: people.map((person) => message(emailOf(person))) }]);
    const group = await counted(people.slice(0, 100).map((person) => message({ contactId: person.contactId })));
    expect(one.statements.length).toBeLessThanOrEqual(8);
    expect(batch.statements).toHaveLength(one.statements.length);
    expect(group.statements).toHaveLength(one.statements.length);
    expect(group.answers).toHaveLength(100);
    expect(group.answers.every((answer) => 'answer' in answer)).toBe(true);
  });

  test('puts the messages of a group into one batch', async () => {
    const people = await bench.people(40);
    await db.owner.query('delete from batch');
    await counted(people.map((person) => message(emailOf(person))));
    const { rows } = await db.owner.query('select size from batch');
    expect(rows).toEqual([{ size: 40 }]);
  });
});

describe('the answers', () => {
  test('stand with the calls they belong to, batches and single ones mixed', async () => {
    const [yes] = await bench.people(1);
    const [no] = await bench.people(1, 'withdrawn');
    if (yes === undefined || no === undefined) throw new Error('nobody is there');
    const { answers } = await counted([
      message(emailOf(yes)),
      message({ email: 'nonsense' }),
      { messages: [message(emailOf(no)), { unread: 7 }, message({ email: 'nonsense' }), message(emailOf(yes))] },
      message(emailOf(no)),
    ]);
    const [first, second, third, fourth] = answers;
    expect(first).toMatchObject({ answer: { data: [{ state: 'planned' }] } });
    expect(second).toMatchObject({ refusal: { code: 'invalid-input', errors: [{ pointer: '/to/email' }] } });
    expect(third).toMatchObject({
      answer: {
        data: [
          { state: 'suppressed', decision: { reason: 'withdrawn' } },
          { error: { status: 422, errors: [{ pointer: '/messages/1' }] } },
          { error: { status: 422, errors: [{ pointer: '/messages/2/to/email' }] } },
          { state: 'planned' },
        ],
      },
    });
    expect(fourth).toMatchObject({ answer: { data: [{ state: 'suppressed' }] } });
  });

  test('name messages that are in the ledger, with the plan of this month', async () => {
    const [person] = await bench.people(1);
    const { answers } = await counted([message(emailOf(person ?? { addressId: '' }))]);
    const [answer] = answers;
    if (answer === undefined || !('answer' in answer)) throw new Error('it was refused');
    const [data] = answer.answer.data;
    const { rows } = await db.owner.query(
      'select m.state, p.source, p.template_version as version, p.month = m.plan_month as same from message m join plan p on p.id = m.plan_id where m.id = $1',
      [data !== undefined && 'id' in data ? data.id : ''],
    );
    expect(rows).toEqual([{ state: 'planned', source: 'api', version: 3, same: true }]);
  });
});
