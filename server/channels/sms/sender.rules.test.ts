import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readContract } from '../testing-spec.ts';
import { chooseSender, prepareSms, senderKind, takesNames } from './sender.rules.ts';
import { keywordOf } from './keyword.rules.ts';
import { senderProblems } from './settings.rules.ts';
import { sms } from './testing.ts';

describe('a sender', () => {
  it.each([
    ['+4915228817386', 'number'],
    ['12345', 'short-code'],
    ['Acme', 'name'],
    ['Acme & Co', 'name'],
    ['A', 'name'],
    ['12345678901', undefined],
    ['ABCDEFGHIJK', 'name'],
    ['ABCDEFGHIJKL', undefined],
    ['1ABC', 'name'],
    ['', undefined],
    [' Acme', undefined],
    ['Äcme', undefined],
    ['Ac\nme', undefined],
    ['4915228817386', undefined],
    ['+0123456789', undefined],
  ])('%j is of kind %s', (from, kind) => expect(senderKind(from)).toBe(kind));

  it('of letters is not carried everywhere', () => {
    for (const country of ['US', 'CA', 'CN', 'BR', 'MX', 'NZ', 'KR', 'ZA', 'PR'])
      expect(takesNames(country)).toBe(false);
    for (const country of ['DE', 'GB', 'FR', 'AU', 'CH', undefined]) expect(takesNames(country)).toBe(true);
  });
});

describe('the sender of a message', () => {
  const senders = [
    { country: null, from: 'Acme' },
    { country: 'US', from: '+14155552345' },
    { country: 'FR', from: '36105' },
  ];

  it('is its own, else that of the country, else the general one', () => {
    expect(chooseSender({ from: 'Other' }, 'DE', senders)).toEqual({ kind: 'sender', from: 'Other', isGeneral: false });
    expect(chooseSender({}, 'FR', senders)).toEqual({ kind: 'sender', from: '36105', isGeneral: false });
    expect(chooseSender({}, 'DE', senders)).toEqual({ kind: 'sender', from: 'Acme', isGeneral: true });
    expect(chooseSender({}, undefined, senders)).toEqual({ kind: 'sender', from: 'Acme', isGeneral: true });
  });

  it('is no name where names are not carried: the next that fits, or none', () => {
    expect(chooseSender({ from: 'Other' }, 'US', senders)).toEqual({
      kind: 'sender',
      from: '+14155552345',
      isGeneral: false,
    });
    expect(chooseSender({}, 'CA', senders)).toMatchObject({ kind: 'none', reason: expect.stringContaining('CA') });
    expect(chooseSender({}, 'DE', [])).toMatchObject({ kind: 'none' });
  });

  it('is never a name in a country without, and one of those that were given', () => {
    const from = fc.constantFrom('Acme', 'Other', '+14155552345', '12345');
    const sender = fc.record({ country: fc.constantFrom(null, 'US', 'DE', 'FR'), from });
    fc.assert(
      fc.property(fc.array(sender), fc.constantFrom('US', 'DE', 'FR', 'CA'), fc.option(from), (list, country, own) => {
        const choice = chooseSender(own === null ? {} : { from: own }, country, list);
        if (choice.kind === 'none') return;
        expect([own, ...list.map((one) => one.from)]).toContain(choice.from);
        if (!takesNames(country)) expect(senderKind(choice.from)).not.toBe('name');
      }),
    );
  });

  it('is named once a country in the settings, and allowed there', () => {
    expect(senderProblems(senders)).toEqual([]);
    expect(senderProblems([...senders, { country: null, from: '12345' }])).toEqual([
      { pointer: '/settings/senders/3/country', message: 'has a sender already' },
    ]);
    expect(senderProblems([{ country: 'US', from: 'Acme' }])).toEqual([
      { pointer: '/settings/senders/0/from', message: 'names are not carried in US' },
    ]);
  });
});

describe('a message', () => {
  const limits = { maxLength: 1600, maxMedia: 10 };

  it('goes to the country of its number, unless it says another, in as many parts as it takes', () => {
    expect(prepareSms(sms(), limits)).toEqual({ kind: 'prepared', country: 'DE', segments: 1 });
    expect(prepareSms(sms({ country: 'AT', text: 'ж'.repeat(71) }), limits)).toEqual({
      kind: 'prepared',
      country: 'AT',
      segments: 2,
    });
  });

  it.each([
    ['+4930123456', 'landline'],
    ['+442083661177', 'landline'],
    // In North America numbers tell nothing of the line.
    ['+14155552671', undefined],
    // Twilio's magic numbers must reach Twilio.
    ['+15005550006', undefined],
    // Unknown to the plan as we know it: for the vendor to judge.
    ['+999123456789', undefined],
  ])('to %s is refused as %s', (to, code) => {
    const told = prepareSms(sms({ to }), limits);
    if (code === undefined) expect(told.kind).toBe('prepared');
    else expect(told).toMatchObject({ kind: 'refused', category: 'address', code });
  });

  it('of a picture alone needs no text', () => {
    expect(prepareSms(sms({ text: '', mediaUrls: ['https://a.example/1.png'] }), limits).kind).toBe('prepared');
    const eleven = Array.from({ length: 11 }, () => 'https://a.example/1.png');
    expect(prepareSms(sms({ mediaUrls: eleven }), limits)).toMatchObject({ category: 'content', code: 'media' });
  });
});

interface Words {
  readonly optOut?: readonly string[];
  readonly optIn?: readonly string[];
  readonly help?: readonly string[];
}
const vendors = readContract<{
  vendors: Readonly<Record<string, Words & { tollFree?: Words; frenchCanada?: Words }>>;
  fccRevocation: { reasonableWords: readonly string[] };
}>('rules/sms_optout_keywords.json');

describe.skipIf(vendors === undefined)('the words of all vendors', () => {
  const all = Object.values(vendors?.vendors ?? {}).flatMap((one) => [
    one,
    ...(one.tollFree === undefined ? [] : [one.tollFree]),
    ...(one.frenchCanada === undefined ? [] : [one.frenchCanada]),
  ]);
  const stop = new Set([...all.flatMap((one) => one.optOut ?? []), ...(vendors?.fccRevocation.reasonableWords ?? [])]);
  const start = new Set(all.flatMap((one) => one.optIn ?? []));
  start.delete('YES');
  const help = new Set(all.flatMap((one) => one.help ?? []));

  it.each([...stop])('%s stops', (word) => {
    for (const written of [word, word.toLowerCase(), ` ${word}. `, `"${word}"`])
      expect(keywordOf(written)).toBe('stop');
  });
  it.each([...start])('%s starts', (word) => expect(keywordOf(word.toLowerCase())).toBe('start'));
  it.each([...help])('%s asks for help', (word) => expect(keywordOf(word.toLowerCase())).toBe('help'));
});

it('a word in a sentence is for a person to read', () => {
  for (const text of ['STOP PLEASE', 'please stop', 'Yes', 'stopped', 'the end', 'I need help', '', 'x'.repeat(500)])
    expect(keywordOf(text)).toBeUndefined();
  expect(keywordOf('Arrêt')).toBe('stop');
});
