import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../bench/rig.ts';
import { openWorld } from './world.ts';
import type { Answer, World } from './world.ts';

/** What `POST /messages/send_with_consent` promises, on the whole server: one message and many. */
let world: World;
const templates: Record<string, string> = {};

beforeAll(async () => {
  world = await openWorld();
  for (const key of ['news', 'old']) await made('POST', '/topics', { key, name: key });
  const topics = (await made('GET', '/topics'))['data'] as { id: string; key: string }[];
  await made('PATCH', `/topics/${topics.find((one) => one.key === 'old')?.id}`, { archived: true });
  templates['marketing'] = await template('marketing', 'News for {{ contact.first_name }}', 'Hello');
  templates['plain'] = await template('marketing', 'News', 'Hello');
  templates['receipt'] = await template('transactional', 'Order {{ variables.number }}', 'Thank you');
  templates['greeting'] = await template('transactional', 'Dear {{ contact.first_name }}', 'Thank you');
}, 120_000);
afterAll(() => world.close());

type Json = Record<string, unknown>;

const api = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}, key = world.key) =>
  world.ask(method, `/api/v1${path}`, { key, headers, ...(body === undefined ? {} : { body }) });

async function made(method: string, path: string, body?: unknown): Promise<Json> {
  const answer = await api(method, path, body);
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.json ?? {};
}

async function template(category: string, subject: string, text: string, key = world.key): Promise<string> {
  const answer = await api(
    'POST',
    '/templates',
    { name: subject.slice(0, 40), channel: 'email', category, locale: 'en', subject, html: `<p>${text}</p>` },
    {},
    key,
  );
  expect(answer.status, answer.text).toBe(201);
  return String(answer.json?.['id']);
}

let people = 0;

interface Person {
  readonly id: string;
  readonly email: string;
  readonly externalId: string;
}

/** Somebody with a name of their own, who agreed to the news, or withdrew, or never said anything. */
async function person(consent: 'grant' | 'withdraw' | null, first_name = 'Ada'): Promise<Person> {
  const externalId = `p${(people += 1)}`;
  const email = `${externalId}@example.com`;
  const contact = await made('POST', '/contacts', {
    externalId,
    addresses: [{ kind: 'email', value: email }],
    attributes: { first_name },
  });
  if (consent !== null) await decide(email, consent);
  return { id: String(contact['id']), email, externalId };
}

async function decide(email: string, action: 'grant' | 'withdraw', topic = 'news'): Promise<void> {
  await made('POST', '/compliance/consent', {
    address: { kind: 'email', value: email },
    channel: 'email',
    topic,
    action,
    basis: 'consent',
    evidence: { source: 'form' },
  });
}

const send = (body: unknown, headers?: Record<string, string>) =>
  api('POST', '/messages/send_with_consent', body, headers);

const news = (to: object, more: object = {}) => ({
  channel: 'email',
  topic: 'news',
  to,
  templateId: templates['plain'],
  ...more,
});
const receipt = (to: object, more: object = {}) => ({
  channel: 'email',
  to,
  templateId: templates['receipt'],
  variables: { number: '4711' },
  ...more,
});

interface Item {
  readonly id?: string;
  readonly state?: string;
  readonly decision?: { outcome: string; reason?: string; until?: string };
  readonly error?: { status: number; code: string; detail: string; errors?: { pointer: string; message: string }[] };
}

const items = (answer: Answer): Item[] => {
  expect(answer.status, answer.text).toBe(202);
  return answer.json?.['data'] as Item[];
};

const errorOf = (answer: Answer) => ({
  status: answer.status,
  code: answer.json?.['code'],
  pointers: (answer.json?.['errors'] as { pointer: string }[] | undefined)?.map((one) => one.pointer),
});

async function count(table: 'message' | 'contact'): Promise<number> {
  const { rows } = await world.test.owner.query<{ count: number }>(`select count(*)::int as count from ${table}`);
  return rows[0]?.count ?? -1;
}

async function caught(to: string): Promise<Json> {
  const found = await until(
    async () => {
      const { data } = (await made('GET', `/sandbox/messages?to=${to}`)) as { data: { id: string }[] };
      return data[0];
    },
    50,
    30_000,
  );
  return made('GET', `/sandbox/messages/${found.id}`);
}

describe('one message', () => {
  test('reaches who agreed, named by our id, by theirs, or by the address', async () => {
    const ada = await person('grant');
    for (const to of [
      { contactId: ada.id },
      { externalId: ada.externalId },
      { email: ` ${ada.email.toUpperCase()} ` },
    ]) {
      const [one] = items(await send(news(to)));
      expect(one).toEqual({ id: expect.any(String), state: 'planned', decision: { outcome: 'send' } });
      expect(await made('GET', `/messages/${one?.id}`)).toMatchObject({ contactId: ada.id });
    }
    await caught(ada.email);
  });

  test.each([
    ['withdraw', 'withdrawn'],
    [null, 'no-consent'],
  ] as const)('to whose consent is %s is suppressed with the reason, and kept', async (consent, reason) => {
    const { email, id } = await person(consent);
    const [one] = items(await send(news({ email })));
    expect(one).toMatchObject({ state: 'suppressed', decision: { outcome: 'suppress', reason } });
    expect(await made('GET', `/messages/${one?.id}`)).toMatchObject({ state: 'suppressed', reason, contactId: id });
  });

  test('to somebody nobody knows is decided, too, and makes the person known', async () => {
    const contacts = await count('contact');
    const [one] = items(await send(news({ email: 'stranger@example.com' })));
    expect(one).toMatchObject({ state: 'suppressed', decision: { reason: 'no-consent' } });
    const [again] = items(await send(news({ email: 'Stranger@Example.com' })));
    expect(again).toMatchObject({ state: 'suppressed' });
    expect(await count('contact')).toBe(contacts + 1);
    const { contactId } = await made('GET', `/messages/${one?.id}`);
    expect(await made('GET', `/messages/${again?.id}`)).toMatchObject({ contactId });
  });

  test('owed by a service reaches a stranger without any consent', async () => {
    const [one] = items(await send(receipt({ email: 'buyer@example.com' })));
    expect(one).toMatchObject({ state: 'planned', decision: { outcome: 'send' } });
    expect(await caught('buyer@example.com')).toMatchObject({ subject: 'Order 4711' });
  });

  test('to an opted-out address is suppressed though it is owed, also when its contact is erased', async () => {
    const gone = await person('grant');
    await made('POST', '/compliance/opt-out', { address: { kind: 'email', value: gone.email } });
    const optedOut = items(await send(receipt({ email: gone.email })))[0];
    expect(optedOut).toMatchObject({ state: 'suppressed', decision: { reason: 'suppressed-opt-out' } });
    expect((await api('DELETE', `/contacts/${gone.id}`)).status).toBe(204);
    const erased = items(await send(receipt({ email: gone.email })))[0];
    expect(erased).toMatchObject({ state: 'suppressed', decision: { outcome: 'suppress' } });
    expect(erased?.decision?.reason).toMatch(/^suppressed-/);
    expect(errorOf(await send(receipt({ contactId: gone.id })))).toMatchObject({ pointers: ['/to/contactId'] });
  });

  test('that nobody may get needs no variables: consent comes first', async () => {
    const { email } = await person('withdraw');
    for (const to of [{ email }, { email: 'unheard-of@example.com' }]) {
      const [one] = items(await send(news(to, { templateId: templates['marketing'] })));
      expect(one).toMatchObject({ state: 'suppressed' });
    }
  });

  test('that lacks a value is refused where the caller can put it right, and leaves nothing behind', async () => {
    const before = [await count('message'), await count('contact')];
    expect(errorOf(await send(receipt({ email: 'a@example.com' }, { variables: {} })))).toEqual({
      status: 422,
      code: 'message/missing-variable',
      pointers: ['/variables/number'],
    });
    const nameless = { channel: 'email', to: { email: 'nameless@example.com' }, templateId: templates['greeting'] };
    expect(errorOf(await send(nameless))).toEqual({ status: 422, code: 'message/missing-variable', pointers: ['/to'] });
    expect([await count('message'), await count('contact')]).toEqual(before);
  });

  test('may wait up to a year for its time, no longer', async () => {
    const { email } = await person('grant');
    const soon = Temporal.Now.instant()
      .add({ hours: 24 * 300 })
      .round('second')
      .toString();
    const [one] = items(await send(news({ email }, { sendAt: soon })));
    expect(one).toMatchObject({ state: 'held', decision: { outcome: 'hold', reason: 'scheduled', until: soon } });
    const far = Temporal.Now.instant()
      .add({ hours: 24 * 400 })
      .toString();
    expect(errorOf(await send(news({ email }, { sendAt: far })))).toEqual({
      status: 422,
      code: 'invalid-input',
      pointers: ['/sendAt'],
    });
  });

  const unknown = '0198c0de-0000-7000-8000-00000000dead';
  test.each([
    ['an unknown template', { templateId: unknown }, 'invalid-input', '/templateId'],
    ['an unknown topic', { topic: 'weather' }, 'topic/unknown', '/topic'],
    ['an archived topic', { topic: 'old' }, 'topic/archived', '/topic'],
    ['no topic', { topic: undefined }, 'message/topic-required', '/topic'],
    ['another channel than the template’s', { channel: 'sms' }, 'invalid-input', '/templateId'],
    ['an unknown contact', { to: { contactId: unknown } }, 'invalid-input', '/to/contactId'],
    ['an unknown external id', { to: { externalId: 'nobody' } }, 'invalid-input', '/to/externalId'],
    ['no address', { to: { email: 'not an address' } }, 'invalid-input', '/to/email'],
    ['a header in the address', { to: { email: 'a@example.com\r\nBcc: b@example.com' } }, 'invalid-input', '/to/email'],
    ['a field that is not known', { priority: 1 }, 'invalid-input', '/priority'],
  ])('with %s is refused, naming it', async (_what, change, code, pointer) => {
    const { email } = await person('grant');
    const before = await count('message');
    const status = code === 'topic/archived' ? 409 : 422;
    expect(errorOf(await send({ ...news({ email }), ...change }))).toEqual({ status, code, pointers: [pointer] });
    expect(await count('message')).toBe(before);
  });

  test('with an archived template is refused', async () => {
    const id = await template('transactional', 'Gone', 'x');
    await made('PATCH', `/templates/${id}`, { archived: true });
    const answer = await send(receipt({ email: 'a@example.com' }, { templateId: id }));
    expect(errorOf(answer)).toMatchObject({ status: 422, pointers: ['/templateId'] });
  });

  test('keeps line breaks of a variable out of its headers', async () => {
    const number = '1\r\nBcc: victim@example.com\r\n\r\n<b>';
    items(await send(receipt({ email: 'injected@example.com' }, { variables: { number } })));
    const mail = await caught('injected@example.com');
    expect(mail['subject']).not.toMatch(/[\r\n]/);
    expect(String(mail['raw'])).not.toMatch(/^Bcc:/im);
  });

  test('with a variable called __proto__ is not taken, one called constructor is only a variable', async () => {
    const body = JSON.stringify(receipt({ email: 'a@example.com' })).replace(
      '"number"',
      '"__proto__":{"admin":1},"number"',
    );
    const smuggled = await api('POST', '/messages/send_with_consent', body, { 'content-type': 'application/json' });
    expect(smuggled.status).toBe(400);
    const [one] = items(
      await send(receipt({ email: 'constructor@example.com' }, { variables: { number: '1', toString: 'x' } })),
    );
    expect(one).toMatchObject({ state: 'planned' });
    expect(({} as Json)['admin']).toBeUndefined();
  });

  test('needs the permission to send', async () => {
    const reader = await world.newKey(world.workspaceId, ['messages:read']);
    const answer = await api('POST', '/messages/send_with_consent', receipt({ email: 'a@example.com' }), {}, reader);
    expect(answer.status).toBe(403);
  });
});

describe('the same call again', () => {
  test('with its Idempotency-Key answers the same and sends nothing more', async () => {
    const { email } = await person('grant');
    const before = await count('message');
    const key = { 'idempotency-key': 'order-1' };
    const first = await send(news({ email }), key);
    const again = await send(news({ email }), key);
    expect(again.text).toBe(first.text);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    const many = await Promise.all(Array.from({ length: 20 }, () => send(news({ email }), key)));
    expect(new Set(many.map((one) => one.text))).toEqual(new Set([first.text]));
    expect(await count('message')).toBe(before + 1);
    expect(errorOf(await send(receipt({ email }), key))).toMatchObject({ status: 409, code: 'idempotency-key-reused' });
  });

  test('at the same moment, twenty times, is one message', async () => {
    const { email } = await person('grant');
    const before = await count('message');
    const key = { 'idempotency-key': 'order-2' };
    const many = await Promise.all(Array.from({ length: 20 }, () => send(news({ email }), key)));
    expect(new Set(many.map((one) => one.text)).size).toBe(1);
    expect(await count('message')).toBe(before + 1);
  });

  test('that was refused can be put right under the same key', async () => {
    const { email } = await person('grant');
    const key = { 'idempotency-key': 'order-3' };
    expect((await send(news({ email }, { topic: 'weather' }), key)).status).toBe(422);
    expect((await send(news({ email }), key)).status).toBe(202);
  });

  test('of a batch with errors in it answers the same errors', async () => {
    const { email } = await person('grant');
    const key = { 'idempotency-key': 'batch-1' };
    const body = { messages: [news({ email }), news({ email: 'nonsense' })] };
    const before = await count('message');
    const first = await send(body, key);
    expect((await send(body, key)).text).toBe(first.text);
    expect(await count('message')).toBe(before + 1);
  });
});

describe('many calls at once', () => {
  test('are each answered for themselves, the wrong ones beside the right ones', async () => {
    const [ada, bob] = [await person('grant'), await person('withdraw')];
    const before = await count('message');
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, n) => {
        if (n % 4 === 0) return send(news({ email: ada.email }));
        if (n % 4 === 1) return send(news({ contactId: bob.id }));
        if (n % 4 === 2) return send(news({ email: ada.email }, { topic: 'weather' }));
        return send(receipt({ email: `crowd${n}@example.com` }, { variables: { number: String(n) } }));
      }),
    );
    expect(answers.map((one) => one.status)).toEqual(answers.map((_, n) => (n % 4 === 2 ? 422 : 202)));
    const states = answers.map((one) => (one.json?.['data'] as Item[] | undefined)?.[0]?.state);
    expect(states.filter((_, n) => n % 4 === 0)).toEqual(Array.from({ length: 15 }, () => 'planned'));
    expect(states.filter((_, n) => n % 4 === 1)).toEqual(Array.from({ length: 15 }, () => 'suppressed'));
    expect(await count('message')).toBe(before + 45);
    expect(await caught('crowd3@example.com')).toMatchObject({ subject: 'Order 3' });
  });

  test('of two workspaces never see each other', async () => {
    const other = await world.newWorkspace('Other');
    const theirs = await template('transactional', 'Theirs', 'x', other.key);
    const { id } = await person('grant');
    const from = (key: string, body: unknown) => api('POST', '/messages/send_with_consent', body, {}, key);
    const answers = await Promise.all([
      from(world.key, receipt({ contactId: id })),
      from(other.key, receipt({ contactId: id }, { templateId: theirs })),
      from(world.key, receipt({ contactId: id }, { templateId: theirs })),
      from(other.key, receipt({ email: 'shared@example.com' }, { templateId: theirs })),
      from(world.key, receipt({ email: 'shared@example.com' })),
    ]);
    expect(answers.map(errorOf)).toMatchObject([
      { status: 202 },
      { status: 422, pointers: ['/to/contactId'] },
      { status: 422, pointers: ['/templateId'] },
      { status: 202 },
      { status: 202 },
    ]);
    const { rows } = await world.test.owner.query(
      `select m.workspace_id = c.workspace_id and m.workspace_id = a.workspace_id as own from message m
       join contact c on c.id = m.contact_id join address a on a.id = m.address_id`,
    );
    expect(rows.every((row: { own: boolean }) => row.own)).toBe(true);
  });
});

describe('a batch', () => {
  test('is answered message by message, in order; a wrong one does not keep the others', async () => {
    const [ada, bob] = [await person('grant'), await person('withdraw')];
    const before = await count('message');
    const answer = await send({
      messages: [
        news({ email: ada.email }),
        news({ email: 'nonsense' }),
        { nothing: 'of the kind' },
        news({ contactId: bob.id }),
        null,
        news({ email: ada.email }, { topic: 'weather' }),
        receipt({ email: 'new@example.com' }, { variables: {} }),
        news({ email: 'same@example.com' }),
        news({ email: 'SAME@example.com' }),
        news({ email: ada.email }, { sendAt: 'tomorrow' }),
      ],
    });
    const told = items(answer);
    expect(told.map((one) => one.state ?? one.error?.code)).toEqual([
      'planned',
      'invalid-input',
      'invalid-input',
      'suppressed',
      'invalid-input',
      'topic/unknown',
      'message/missing-variable',
      'suppressed',
      'suppressed',
      'invalid-input',
    ]);
    expect(told[1]?.error).toMatchObject({ status: 422, errors: [{ pointer: '/messages/1/to/email' }] });
    expect(told[2]?.error?.errors?.map((one) => one.pointer)).toContain('/messages/2/templateId');
    expect(told[4]?.error?.errors).toEqual([{ pointer: '/messages/4', message: expect.any(String) }]);
    expect(told[6]?.error?.errors).toMatchObject([{ pointer: '/messages/6/variables/number' }]);
    expect(told[9]?.error?.errors).toContainEqual(expect.objectContaining({ pointer: '/messages/9/sendAt' }));
    expect(await count('message')).toBe(before + 4);
    const [seventh, eighth] = await Promise.all([told[7]?.id, told[8]?.id].map((id) => made('GET', `/messages/${id}`)));
    expect(seventh?.['contactId']).toBe(eighth?.['contactId']);
  });

  test('of 500 is one call: all of them are planned, each with its own variables', async () => {
    const before = await count('message');
    const messages = Array.from({ length: 500 }, (_, n) =>
      receipt({ email: `many${n}@example.com` }, { variables: { number: `no. ${n}` } }),
    );
    const told = items(await send({ messages }));
    expect(told).toHaveLength(500);
    expect(new Set(told.map((one) => one.id)).size).toBe(500);
    expect(await count('message')).toBe(before + 500);
    expect(await caught('many499@example.com')).toMatchObject({ subject: 'Order no. 499' });
    expect(await made('GET', `/messages/${told[7]?.id}`)).toMatchObject({
      to: expect.stringContaining('@example.com'),
    });
  });

  test.each([
    ['none', []],
    ['more than 500', Array.from({ length: 501 }, () => ({}))],
  ])('of %s is refused as a whole', async (_what, messages) => {
    expect(errorOf(await send({ messages }))).toEqual({ status: 422, code: 'invalid-input', pointers: ['/messages'] });
  });
});
