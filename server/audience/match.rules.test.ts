import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAddress } from './address.rules.ts';
import type { AddressKind } from './address.rules.ts';
import type { GivenContact } from './import-row.rules.ts';
import { addressKey, planPage } from './match.rules.ts';
import type { Candidate, Found, KnownContact } from './match.rules.ts';

const nobody: Found = { byExternalId: new Map(), byAddress: new Map() };

function given(line: number, emails: string[], phones: string[] = [], rest: Partial<GivenContact> = {}): Candidate {
  const read = (kind: AddressKind, value: string) => {
    const result = parseAddress(kind, value, 'US');
    if (!result.ok) throw new Error(result.reason);
    return { address: result.address, field: kind };
  };
  const addresses = [...emails.map((one) => read('email', one)), ...phones.map((one) => read('phone', one))];
  return {
    id: `c${line}`,
    addressIds: addresses.map((_, at) => `a${line}.${at}`),
    given: {
      line,
      addresses,
      externalId: undefined,
      externalIdField: 'id',
      attributes: [],
      locale: undefined,
      timeZone: undefined,
      country: undefined,
      ...rest,
    },
  };
}

function known(id: string, addresses: { kind: AddressKind; key: string }[], rest: Partial<KnownContact> = {}) {
  const contact: KnownContact = {
    id,
    revision: 1,
    salt: Buffer.alloc(16),
    externalId: null,
    attributes: {},
    locale: null,
    timeZone: null,
    country: null,
    addresses: addresses.map(({ kind }, position) => ({ id: `${id}.${position}`, kind, position })),
    ...rest,
  };
  return { contact, addresses };
}

function found(...people: ReturnType<typeof known>[]): Found {
  return {
    byExternalId: new Map(
      people.flatMap(({ contact }) => (contact.externalId === null ? [] : [[contact.externalId, contact] as const])),
    ),
    byAddress: new Map(
      people.flatMap(({ contact, addresses }) =>
        addresses.map(
          (one, at) => [addressKey(one.kind, one.key), { addressId: `${contact.id}.${at}`, contact }] as const,
        ),
      ),
    ),
  };
}

const outcomes = (candidates: Candidate[], there: Found = nobody) =>
  planPage(candidates, there).outcomes.map((one) => one.outcome);
const reason = (candidates: Candidate[], there: Found) => {
  const last = planPage(candidates, there).outcomes.at(-1);
  return last?.outcome === 'rejected' ? (last.problems[0]?.reason ?? '') : 'accepted';
};

describe('whom a row speaks of', () => {
  const anna = known(
    'anna',
    [
      { kind: 'email', key: 'anna@example.com' },
      { kind: 'phone', key: '+15046218927' },
    ],
    { externalId: 'A' },
  );
  const ben = known('ben', [{ kind: 'email', key: 'ben@example.com' }], { externalId: 'B' });
  const carl = known('carl', [{ kind: 'phone', key: '+15048451427' }]);
  const there = found(anna, ben, carl);

  test('an unknown address is a new contact', () => {
    expect(outcomes([given(2, ['new@example.com'])], there)).toEqual(['created']);
  });

  test('an address finds its contact, in any case', () => {
    expect(outcomes([given(2, ['Anna@Example.com'])], there)).toEqual(['unchanged']);
  });

  test('an external id finds its contact, and brings a new address along', () => {
    const plan = planPage([given(2, ['anna2@example.com'], [], { externalId: 'A' })], there);
    expect(plan.outcomes[0]?.outcome).toBe('updated');
    expect(plan.addresses).toMatchObject([{ position: 2, contact: { id: 'anna' } }]);
    expect(plan.updated).toHaveLength(1);
  });

  test('an external id and an address that name two people are refused with both named', () => {
    const why = reason([given(2, ['ben@example.com'], [], { externalId: 'A' })], there);
    expect(why).toContain('anna');
    expect(why).toContain('ben');
  });

  test('two addresses of two people are refused with both named', () => {
    const why = reason([given(2, ['ben@example.com'], ['504-621-8927'])], there);
    expect(why).toContain('anna');
    expect(why).toContain('ben');
  });

  test('a new external id does not rename a contact that has another', () => {
    expect(reason([given(2, ['anna@example.com'], [], { externalId: 'Z' })], there)).toContain('names nobody yet');
    expect(outcomes([given(2, [], ['504-845-1427'], { externalId: 'Z' })], there)).toEqual(['updated']);
  });

  test('a shared telephone does not make two people one', () => {
    expect(reason([given(2, ['wife@example.com'], ['504-621-8927'])], there)).toContain(
      'whose e-mail address is another',
    );
    expect(outcomes([given(2, ['carl@example.com'], ['504-845-1427'])], there)).toEqual(['updated']);
  });
});

describe('rows of one page see each other', () => {
  test('the second mention updates the first, and only what is new counts', () => {
    const first = given(2, ['a@example.com'], [], { attributes: [['city', 'Rome']] });
    const again = given(3, ['A@example.com'], [], { attributes: [['city', 'Rome']] });
    const other = given(4, ['a@example.com'], [], { attributes: [['city', 'Oslo']] });
    const plan = planPage([first, again, other], nobody);
    expect(plan.outcomes.map((one) => one.outcome)).toEqual(['created', 'unchanged', 'updated']);
    expect(plan.created).toMatchObject([{ id: 'c2', attributes: { city: 'Oslo' } }]);
    expect(plan.addresses).toHaveLength(1);
    expect(plan.updated).toHaveLength(0);
  });

  test('a conflict within the page is refused too', () => {
    const rows = [
      given(2, ['a@example.com'], [], { externalId: '1' }),
      given(3, ['a@example.com'], [], { externalId: '2' }),
    ];
    expect(outcomes(rows)).toEqual(['created', 'rejected']);
  });
});

test('a contact never gets more than twenty addresses, nor too many attributes', () => {
  const emails = Array.from({ length: 21 }, (_, at) => `a${at}@example.com`);
  expect(outcomes([given(2, emails)])).toEqual(['rejected']);
  const attributes = Array.from({ length: 201 }, (_, at) => [`k${at}`, at] as const);
  expect(outcomes([given(2, ['a@example.com'], [], { attributes })])).toEqual(['rejected']);
});

test('whatever the rows, each address ends up with one contact and every row has an outcome', () => {
  const row = fc.record({
    emails: fc.uniqueArray(fc.constantFrom('a@x.com', 'b@x.com', 'c@x.com', 'd@x.com'), { maxLength: 2 }),
    phones: fc.uniqueArray(fc.constantFrom('504-621-8927', '504-845-1427'), { maxLength: 1 }),
    externalId: fc.option(fc.constantFrom('1', '2', '3'), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 12 }), (rows) => {
      const candidates = rows
        .filter((one) => one.emails.length + one.phones.length > 0 || one.externalId !== undefined)
        .map((one, at) => given(at + 2, one.emails, one.phones, { externalId: one.externalId }));
      const plan = planPage(candidates, nobody);
      expect(plan.outcomes).toHaveLength(candidates.length);
      const keys = plan.addresses.map((one) => addressKey(one.given.address.kind, one.given.address.matchKey));
      expect(new Set(keys).size).toBe(keys.length);
      const externalIds = plan.created.map((one) => one.externalId).filter((one) => one !== null);
      expect(new Set(externalIds).size).toBe(externalIds.length);
      for (const one of plan.addresses) expect(plan.created).toContain(one.contact);
      const repeated = planPage(candidates, nobody).outcomes.map((one) => one.outcome);
      expect(repeated).toEqual(plan.outcomes.map((one) => one.outcome));
    }),
  );
});
