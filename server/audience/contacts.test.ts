import { describe, expect, test } from 'vitest';
import { useContacts } from './testing-contacts.ts';
import type { Contact } from './testing-contacts.ts';

const lab = useContacts();
const { call, create } = lab;
const pointers = (answer: { json: <T>() => T }) =>
  answer.json<{ errors: { pointer: string }[] }>().errors.map((one) => one.pointer);

describe('one contact', () => {
  test('is made with normalised, masked addresses and typed attributes', async () => {
    const answer = await call('POST', '/contacts', {
      externalId: 'one',
      addresses: [
        { kind: 'email', value: 'Jane.Doe@MÜNCHEN.de' },
        { kind: 'phone', value: '+49 1512 3456789' },
      ],
      attributes: { first_name: 'Jane', age: 41, vip: true, tags: ['a', 'b'] },
      locale: 'de_at',
      timeZone: 'europe/vienna',
      country: 'AT',
    });
    expect(answer.statusCode).toBe(201);
    const contact = answer.json<Contact>();
    expect(contact).toMatchObject({
      externalId: 'one',
      locale: 'de-AT',
      timeZone: 'Europe/Vienna',
      country: 'AT',
      revision: 1,
      attributes: { first_name: 'Jane', age: 41, vip: true, tags: ['a', 'b'] },
    });
    expect(contact.addresses).toMatchObject([
      { kind: 'email', masked: 'J•••@münchen.de', domain: 'xn--mnchen-3ya.de', position: 0, state: 'ok' },
      { kind: 'phone', masked: '+49•••••789', country: 'DE', lineType: 'mobile', position: 1 },
    ]);
    expect(answer.headers['etag']).toBe('"r1"');
    const types = (await call('GET', '/attributes')).json<{ data: { key: string; type: string }[] }>().data;
    expect(Object.fromEntries(types.map(({ key, type }) => [key, type]))).toEqual({
      age: 'number',
      first_name: 'text',
      tags: 'list',
      vip: 'boolean',
    });
    expect(lab.fixture.audit.at(-1)).toMatchObject({ action: 'contact.created', target: { id: contact.id } });
    expect(JSON.stringify(lab.fixture.audit.at(-1))).not.toContain('ane.');
  });

  test('an address or external id of somebody else is refused with 409, naming where and whose', async () => {
    const { id } = await create({ externalId: 'holder', addresses: [{ kind: 'email', value: 'holder@example.com' }] });
    const address = await call('POST', '/contacts', {
      addresses: [
        { kind: 'email', value: 'free@example.com' },
        { kind: 'email', value: 'HOLDER@example.com' },
      ],
    });
    expect([address.statusCode, pointers(address)]).toEqual([409, ['/addresses/1/value']]);
    expect(address.json<{ detail: string }>().detail).toContain(id);
    const externalId = await call('POST', '/contacts', { externalId: 'holder' });
    expect([externalId.statusCode, pointers(externalId)]).toEqual([409, ['/externalId']]);
  });

  test('everything wrong is named at once, and nothing is made', async () => {
    const answer = await call('POST', '/contacts', {
      addresses: [
        { kind: 'email', value: 'nonsense' },
        { kind: 'phone', value: '030 123456' },
      ],
      attributes: { age: 'old', email: 'x' },
      locale: 'german',
      timeZone: 'Mars',
      country: 'XX',
    });
    expect(answer.statusCode).toBe(422);
    expect(pointers(answer).sort()).toEqual([
      '/addresses/0/value',
      '/addresses/1/value',
      '/attributes/age',
      '/attributes/email',
      '/country',
      '/locale',
      '/timeZone',
    ]);
  });

  test('control characters, header injections and prototype names are refused', async () => {
    for (const value of ['a@example.com\n', 'a@example.com\r\nBcc: b@example.com', 'a\u0000@example.com'])
      expect((await call('POST', '/contacts', { addresses: [{ kind: 'email', value }] })).statusCode).toBe(422);
    for (const key of ['constructor', 'prototype', 'Name', 'x y'])
      expect((await call('POST', '/contacts', { addresses: [], attributes: { [key]: 'x' } })).statusCode).toBe(422);
    const raw = await lab.fixture.app.inject({
      method: 'POST',
      url: '/api/v1/contacts',
      headers: { authorization: 'test', 'content-type': 'application/json' },
      payload: '{"addresses":[],"attributes":{"__proto__":{"admin":true}}}',
    });
    expect(raw.statusCode).toBeGreaterThanOrEqual(400);
    expect(raw.statusCode).toBeLessThan(500);
  });

  test("a national number reads in the contact's country, else in that of the workspace", async () => {
    const own = await create({ addresses: [{ kind: 'phone', value: '020 7946 0018' }], country: 'GB' });
    expect(own.addresses[0]?.masked).toBe('+44•••••018');
    lab.fixture.settings.defaultCountry = 'US';
    const house = await create({ addresses: [{ kind: 'phone', value: '(504) 621-8927' }] });
    lab.fixture.settings.defaultCountry = undefined;
    expect(house.addresses[0]?.masked).toBe('+1•••••927');
  });

  test('the same Idempotency-Key makes one contact', async () => {
    const body = { addresses: [{ kind: 'email', value: 'idempotent@example.com' }] };
    const headers = { 'idempotency-key': 'k-1' };
    const first = (await call('POST', '/contacts', body, headers)).json<Contact>();
    const again = await call('POST', '/contacts', body, headers);
    expect([again.statusCode, again.json<Contact>().id]).toEqual([201, first.id]);
  });

  test('an attribute keeps its type', async () => {
    await create({ addresses: [{ kind: 'email', value: 'typed@example.com' }], attributes: { score: 5 } });
    const answer = await call('POST', '/contacts', {
      addresses: [{ kind: 'email', value: 'typed2@example.com' }],
      attributes: { score: 'five' },
    });
    expect([answer.statusCode, pointers(answer)]).toEqual([422, ['/attributes/score']]);
  });

  test('is not there for another workspace, nor under an id that nobody has', async () => {
    const { id } = await create({ addresses: [{ kind: 'email', value: 'private@example.com' }] });
    const other = await lab.fixture.test.newWorkspace();
    for (const [method, path, body] of [
      ['GET', `/contacts/${id}`, undefined],
      ['PATCH', `/contacts/${id}`, { locale: 'de' }],
      ['DELETE', `/contacts/${id}`, undefined],
      ['POST', `/contacts/${id}/reveal`, { reason: 'x' }],
      ['GET', `/contacts/${id}/timeline`, undefined],
    ] as const)
      expect([(await call(method, path, body, { 'x-workspace': other })).statusCode, path]).toEqual([404, path]);
    expect((await call('GET', '/contacts/00000000-0000-7000-8000-000000000000')).statusCode).toBe(404);
    expect((await call('GET', '/contacts/nonsense')).statusCode).toBe(422);
    const same = await call(
      'POST',
      '/contacts',
      { addresses: [{ kind: 'email', value: 'private@example.com' }] },
      { 'x-workspace': other },
    );
    expect(same.statusCode).toBe(201);
  });
});

describe('changing', () => {
  test('merges attributes, removes with null, and says so in events and audit', async () => {
    const before = await create({
      externalId: 'm',
      addresses: [{ kind: 'email', value: 'merge@example.com' }],
      attributes: { city: 'Rome', plan: 'free' },
      locale: 'it',
    });
    const answer = await call('PATCH', `/contacts/${before.id}`, {
      attributes: { city: 'Oslo', plan: null, shoe: 42 },
      locale: null,
      externalId: 'm2',
    });
    expect(answer.json()).toMatchObject({
      attributes: { city: 'Oslo', shoe: 42 },
      locale: null,
      externalId: 'm2',
      revision: 2,
    });
    const { data } = (await call('GET', `/contacts/${before.id}/timeline`)).json<{
      data: { kind: string; data: object }[];
    }>();
    expect(data.map((one) => one.kind)).toEqual(['contact.updated', 'contact.created']);
    expect(data[0]?.data).toEqual({ fields: ['externalId', 'locale', 'attributes'] });
  });

  test('nothing new changes nothing', async () => {
    const before = await create({
      addresses: [{ kind: 'email', value: 'same@example.com' }],
      attributes: { city: 'Rome' },
    });
    const entries = lab.fixture.audit.length;
    const same = { attributes: { city: 'Rome' }, addresses: [{ kind: 'email', value: 'SAME@example.com' }] };
    expect((await call('PATCH', `/contacts/${before.id}`, same)).json()).toMatchObject({ revision: 1 });
    expect(lab.fixture.audit).toHaveLength(entries);
  });

  test('a stale If-Match is refused with 412', async () => {
    const { id } = await create({ addresses: [{ kind: 'email', value: 'stale@example.com' }] });
    expect((await call('PATCH', `/contacts/${id}`, { locale: 'de' }, { 'if-match': '"r1"' })).statusCode).toBe(200);
    expect((await call('PATCH', `/contacts/${id}`, { locale: 'fr' }, { 'if-match': '"r1"' })).statusCode).toBe(412);
    expect((await call('DELETE', `/contacts/${id}`, undefined, { 'if-match': '"r1"' })).statusCode).toBe(412);
  });

  test('addresses are the whole new list: kept by id, added by value, reordered, removed', async () => {
    const before = await create({
      addresses: ['a', 'b', 'c'].map((name) => ({ kind: 'email', value: `list-${name}@example.com` })),
    });
    const [a, b, c] = before.addresses;
    const answer = await call('PATCH', `/contacts/${before.id}`, {
      addresses: [{ id: c?.id }, { kind: 'email', value: 'list-d@example.com' }, { id: a?.id }],
    });
    const after = answer.json<Contact>().addresses;
    expect(after.map((one) => [one.position, one.masked])).toEqual([
      [0, 'l•••@example.com'],
      [1, 'l•••@example.com'],
      [2, 'l•••@example.com'],
    ]);
    expect([after[0]?.id, after[2]?.id]).toEqual([c?.id, a?.id]);
    const revealed = (await call('POST', `/contacts/${before.id}/reveal`, { reason: 'check' })).json<{
      addresses: { value: string }[];
    }>();
    expect(revealed.addresses.map((one) => one.value)).toEqual([
      'list-c@example.com',
      'list-d@example.com',
      'list-a@example.com',
    ]);
    expect(
      (await call('POST', '/contacts', { addresses: [{ kind: 'email', value: 'list-b@example.com' }] })).statusCode,
    ).toBe(201);
    const wrong = await call('PATCH', `/contacts/${before.id}`, { addresses: [{ id: b?.id }] });
    expect([wrong.statusCode, pointers(wrong)]).toEqual([422, ['/addresses/0/id']]);
    const taken = await call('PATCH', `/contacts/${before.id}`, {
      addresses: [{ id: c?.id }, { kind: 'email', value: 'list-b@example.com' }],
    });
    expect([taken.statusCode, pointers(taken)]).toEqual([409, ['/addresses/1/value']]);
    const twice = await call('PATCH', `/contacts/${before.id}`, {
      addresses: [{ id: c?.id }, { kind: 'email', value: 'list-c@example.com' }],
    });
    expect([twice.statusCode, pointers(twice)]).toEqual([422, ['/addresses/1']]);
  });

  test("somebody else's external id is refused", async () => {
    await create({ externalId: 'mine' });
    const { id } = await create({ externalId: 'yours' });
    expect((await call('PATCH', `/contacts/${id}`, { externalId: 'mine' })).statusCode).toBe(409);
  });
});

describe('many at once', () => {
  test('each row is judged alone', async () => {
    await create({
      externalId: 'batch-known',
      addresses: [{ kind: 'email', value: 'batch-known@example.com' }],
      attributes: { city: 'Rome' },
    });
    await create({ externalId: 'batch-other', addresses: [{ kind: 'email', value: 'batch-other@example.com' }] });
    const answer = await call('POST', '/contacts/batch', {
      contacts: [
        { addresses: [{ kind: 'email', value: 'batch-new@example.com' }], attributes: { city: 'Bern' } },
        { externalId: 'batch-known', attributes: { city: 'Oslo' } },
        { addresses: [{ kind: 'email', value: 'batch-known@example.com' }] },
        { addresses: [{ kind: 'email', value: 'nonsense' }] },
        { externalId: 'batch-known', addresses: [{ kind: 'email', value: 'batch-other@example.com' }] },
        { attributes: { city: 'Nowhere' } },
      ],
    });
    expect(answer.json()).toMatchObject({ created: 1, updated: 1, unchanged: 1, rejected: 3 });
    const { data } = answer.json<{ data: { outcome: string; errors?: { pointer: string }[] }[] }>();
    expect(data.map((one) => one.outcome)).toEqual([
      'created',
      'updated',
      'unchanged',
      'rejected',
      'rejected',
      'rejected',
    ]);
    expect(data.slice(3).map((one) => one.errors?.[0]?.pointer)).toEqual([
      '/contacts/3/addresses/0/value',
      '/contacts/4/addresses/0/value',
      '/contacts/5',
    ]);
  });
});
