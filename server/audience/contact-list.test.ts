import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { useContacts } from './testing-contacts.ts';
import type { Contact } from './testing-contacts.ts';

const lab = useContacts();
const { call, create } = lab;

describe('finding', () => {
  const ids = async (query: string) =>
    (await call('GET', `/contacts?${query}`)).json<{ data: Contact[] }>().data.map((one) => one.id);

  test('by a whole address in any spelling, by external id, by id, and by nothing less', async () => {
    const { id } = await create({
      externalId: 'find-me',
      addresses: [
        { kind: 'email', value: 'find.me@example.com' },
        { kind: 'phone', value: '+4915112345678' },
      ],
    });
    for (const q of ['FIND.ME@example.com', 'find-me', id, '+49 151 12345678'])
      expect(await ids(`q=${encodeURIComponent(q)}`)).toEqual([id]);
    for (const q of ['find.me', 'example.com', "' or true --", '%'])
      expect(await ids(`q=${encodeURIComponent(q)}`)).toEqual([]);
  });

  test('by domain, country, locale and the state of an address', async () => {
    const { id, addresses } = await create({
      addresses: [{ kind: 'email', value: 'x@filter.münchen.de' }],
      country: 'DE',
      locale: 'de-CH',
    });
    expect(await ids('domain=FILTER.münchen.de')).toEqual([id]);
    expect(await ids('locale=de_ch&country=DE')).toEqual([id]);
    expect(await ids('domain=filter.xn--mnchen-3ya.de&country=FR')).toEqual([]);
    await lab.fixture.test.write((tx) =>
      lab.fixture.audience.markAddresses(
        tx,
        addresses.map((one) => one.id),
        'bounced',
      ),
    );
    expect(await ids('addressState=bounced')).toEqual([id]);
    expect(await ids('topic=news&consent=none&domain=filter.xn--mnchen-3ya.de')).toEqual([id]);
    expect(await ids('topic=news&consent=granted')).toEqual([]);
  });

  test('pages join without gap or overlap, in both directions', async () => {
    const all = await ids('limit=200');
    for (const sort of ['createdAt', '-createdAt']) {
      const walked: string[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const page: { data: Contact[]; nextCursor: string | null } = (
          await call('GET', `/contacts?limit=3&sort=${sort}${cursor === '' ? '' : `&cursor=${cursor}`}`)
        ).json();
        walked.push(...page.data.map((one) => one.id));
        cursor = page.nextCursor;
      }
      expect(walked).toEqual(sort === 'createdAt' ? all.toReversed() : all);
    }
  });

  test('a mangled cursor and an unknown filter are refused', async () => {
    for (const query of [
      'cursor=garbage',
      `cursor=${Buffer.from('["x"]').toString('base64url')}`,
      'colour=red',
      'limit=1000',
    ])
      expect((await call('GET', `/contacts?${query}`)).statusCode).toBe(422);
  });
});

describe('revealing', () => {
  test('needs its own permission and goes to the audit with the reason', async () => {
    const { id } = await create({ addresses: [{ kind: 'email', value: 'secret@example.com' }] });
    expect(
      (await call('POST', `/contacts/${id}/reveal`, { reason: 'x' }, { authorization: 'test contacts:read' }))
        .statusCode,
    ).toBe(403);
    expect((await call('POST', `/contacts/${id}/reveal`, {})).statusCode).toBe(422);
    expect((await call('POST', `/contacts/${id}/reveal`, { reason: 'ticket 12' })).json()).toMatchObject({
      addresses: [{ kind: 'email', value: 'secret@example.com' }],
    });
    expect(lab.fixture.audit.at(-1)).toMatchObject({
      action: 'contact.revealed',
      target: { id },
      after: { reason: 'ticket 12' },
    });
  });
});

describe('erasing', () => {
  test('leaves neither key nor address nor name, and tells the slices above', async () => {
    const { id, addresses } = await create({
      externalId: 'gone',
      addresses: [{ kind: 'email', value: 'gone@example.com' }],
      attributes: { first_name: 'Gwen' },
    });
    expect((await call('DELETE', `/contacts/${id}`)).statusCode).toBe(204);
    expect((await call('GET', `/contacts/${id}`)).statusCode).toBe(404);
    expect(lab.fixture.erasures.at(-1)).toMatchObject({
      contactId: id,
      addresses: [{ addressId: addresses[0]?.id, kind: 'email' }],
    });
    const { rows } = await lab.fixture.test.owner.query('select * from contact where id = $1', [id]);
    expect(rows[0]).toMatchObject({ salt: null, external_id: null, attributes: {}, locale: null });
    expect((await lab.fixture.test.owner.query('select 1 from address where contact_id = $1', [id])).rowCount).toBe(0);
    expect((await call('DELETE', `/contacts/${id}`)).statusCode).toBe(404);
    expect(
      (
        await call('POST', '/contacts', {
          externalId: 'gone',
          addresses: [{ kind: 'email', value: 'gone@example.com' }],
        })
      ).statusCode,
    ).toBe(201);
  });
});

describe('exporting', () => {
  test('gives everything, whole, harmless in a spreadsheet, and can be imported again', async () => {
    await create({
      externalId: 'x-1',
      addresses: [
        { kind: 'email', value: 'export@export.example.com' },
        { kind: 'email', value: 'second@export.example.com' },
        { kind: 'phone', value: '+4915112345670' },
      ],
      attributes: { first_name: '=HYPERLINK("http://evil")', tags: ['a', 'b'], age: -3 },
      country: 'DE',
    });
    const answer = await call('GET', '/contacts/export?domain=export.example.com');
    expect(answer.headers['content-type']).toContain('text/csv');
    const [row] = parse(answer.body, { columns: true }) as Record<string, string>[];
    expect(row).toMatchObject({
      external_id: 'x-1',
      email: 'export@export.example.com',
      phone: '+4915112345670',
      other_addresses: 'second@export.example.com',
      country: 'DE',
      first_name: `'=HYPERLINK("http://evil")`,
      tags: 'a|b',
      age: '-3',
    });
    expect(lab.fixture.audit.at(-1)).toMatchObject({ action: 'contact.exported' });
    expect((await call('GET', '/contacts/export', undefined, { authorization: 'test contacts:read' })).statusCode).toBe(
      403,
    );
  });

  test('streams more than one page', async () => {
    const contacts = Array.from({ length: 500 }, (_, at) => ({
      addresses: [{ kind: 'email', value: `bulk-${at}@bulk.example.com` }],
    }));
    await call('POST', '/contacts/batch', { contacts });
    await call('POST', '/contacts/batch', {
      contacts: contacts
        .slice(0, 60)
        .map((_, at) => ({ addresses: [{ kind: 'email', value: `more-${at}@bulk.example.com` }] })),
    });
    const rows = parse((await call('GET', '/contacts/export?domain=bulk.example.com')).body, {
      columns: true,
    }) as Record<string, string>[];
    expect(new Set(rows.map((one) => one['email'])).size).toBe(560);
  });
});

describe('attributes', () => {
  test('are defined once, renamed, and keep key and type', async () => {
    const made = await call('POST', '/attributes', { key: 'shoe_size', label: 'Shoe size', type: 'number' });
    expect([made.statusCode, made.json()]).toEqual([
      201,
      expect.objectContaining({ key: 'shoe_size', type: 'number' }),
    ]);
    expect((await call('POST', '/attributes', { key: 'shoe_size', label: 'Other', type: 'text' })).statusCode).toBe(
      409,
    );
    expect((await call('PATCH', '/attributes/shoe_size', { label: 'Shoes' })).json()).toMatchObject({
      label: 'Shoes',
      type: 'number',
    });
    expect((await call('PATCH', '/attributes/nothing', { label: 'x' })).statusCode).toBe(404);
    expect((await call('POST', '/attributes', { key: 'constructor', label: 'x', type: 'text' })).statusCode).toBe(422);
    expect((await call('POST', '/attributes', { key: 'email', label: 'x', type: 'text' })).statusCode).toBe(422);
  });
});

describe('what other slices ask', () => {
  test('an address is found in any spelling, made when unknown, and hashed without being known', async () => {
    const { people } = lab.fixture.audience;
    await lab.fixture.test.write(async (tx) => {
      const made = await people.obtainAddress(tx, { kind: 'email', value: 'People@Example.com' }, '/address');
      const found = await people.findAddress(tx, { kind: 'email', value: 'people@example.COM' }, '/address');
      expect(found).toEqual(made);
      expect(made.masked).toBe('P•••@example.com');
      expect(await people.addressesOf(tx, made.contactId)).toEqual([made]);
      expect(await people.findAddress(tx, { id: made.addressId }, '/address')).toEqual(made);
      expect(await people.findAddress(tx, { id: 'nonsense' }, '/address')).toBeUndefined();
      expect(await people.hashAddress(tx, { kind: 'email', value: 'PEOPLE@example.com' }, '/address')).toEqual({
        kind: 'email',
        hash: made.hash,
        version: made.version,
      });
      expect(await people.addressesOf(tx, '00000000-0000-7000-8000-000000000000')).toEqual([]);
      await expect(people.findAddress(tx, { kind: 'email', value: 'nonsense' }, '/to')).rejects.toMatchObject({
        code: 'invalid-input',
        errors: [{ pointer: '/to' }],
      });
    });
  });

  test('templates see attributes and fields, and no attribute hides a field', async () => {
    const { id } = await create({
      externalId: 'vars',
      addresses: [{ kind: 'email', value: 'vars@example.com' }],
      attributes: { first_name: 'Vera' },
      locale: 'fr',
    });
    const variables = await lab.fixture.test.read((tx) => lab.fixture.audience.people.variablesOf(tx, id));
    expect(variables).toEqual({
      id,
      external_id: 'vars',
      email: 'vars@example.com',
      phone: null,
      locale: 'fr',
      time_zone: null,
      country: null,
      first_name: 'Vera',
    });
  });
});
