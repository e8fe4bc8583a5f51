import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MergeShape, OutgoingEmail } from '../port.ts';
import { email } from '../testing.ts';
import { fitEmail, mailboxText } from './fit.rules.ts';
import { resetMs } from './limit.rules.ts';
import { groupTogether, literalsOf, mergedText, placesOf } from './merge.rules.ts';

const shapes: MergeShape[] = [
  { subject: ['a', 0], text: ['b', 1], html: ['c', 0, 'd'] },
  { subject: ['e'], text: ['f', 3] },
];

describe('messages in groups', () => {
  const message = fc.record({
    to: fc.constantFrom('a@example.com', 'A@example.com', 'b@example.com', 'c@example.com', 'd@example.com'),
    from: fc.constantFrom('x@example.com', 'y@example.com'),
    shape: fc.constantFrom(...shapes, undefined),
  });

  it('are each in one group, of one kind, with no address twice and no more than fit', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 40 }), fc.integer({ min: 1, max: 6 }), (drafts, most) => {
        const messages: OutgoingEmail[] = drafts.map(({ to, from, shape }) =>
          email(to, { from: { address: from }, ...(shape === undefined ? {} : { merge: { shape, values: [] } }) }),
        );
        const groups = groupTogether(messages, most, ({ to }) => to !== 'd@example.com');
        expect(groups.flat().toSorted((a, b) => a - b)).toEqual(messages.map((_, index) => index));
        for (const group of groups) {
          const members = group.map((index) => messages[index]);
          expect(group.length).toBeLessThanOrEqual(most);
          expect(group).toEqual(group.toSorted((a, b) => a - b));
          expect(new Set(members.map((one) => one?.to.toLowerCase())).size).toBe(group.length);
          expect(new Set(members.map((one) => one?.from.address)).size).toBe(1);
          expect(new Set(members.map((one) => one?.merge?.shape)).size).toBe(1);
          if (group.length > 1) {
            expect(members[0]?.merge).toBeDefined();
            expect(members.map((one) => one?.to)).not.toContain('d@example.com');
          }
        }
      }),
    );
  });

  it('print their shape with the vendor’s own places', () => {
    const [shape] = shapes;
    if (shape === undefined) throw new Error('no shape');
    expect(mergedText(shape, (place) => `{${place}}`)).toEqual({ subject: 'a{0}', text: 'b{1}', html: 'c{0}d' });
    expect(literalsOf(shape)).toEqual(['a', 'b', 'c', 'd']);
    expect([...placesOf(shape)]).toEqual([0, 1]);
  });
});

describe('a message for a vendor that composes itself', () => {
  it('carries headers in one line each, encoded, and none that could be smuggled in', () => {
    const long = 'ein sehr langer Wert mit Umlauten wie ä, ö und ü '.repeat(4).trim();
    const fit = fitEmail(
      email('ada@exämple.com', { headers: { 'X-Long': long }, unsubscribeUrl: 'https://u.example/1' }),
    );
    if (!fit.ok) throw new Error('unfit');
    expect(fit.email.to).toBe('ada@xn--exmple-cua.com');
    expect(Object.keys(fit.email.headers)).toEqual(['List-Unsubscribe', 'List-Unsubscribe-Post', 'X-Long']);
    for (const value of Object.values(fit.email.headers)) expect(value).toMatch(/^[\x20-\x7e]+$/);
  });

  it.each([
    [{ subject: 'a\r\nBcc: b@example.com' }, 'content'],
    [{ headers: { 'X-A': 'a\nb' } }, 'content'],
    [{ headers: { Bcc: 'b@example.com' } }, 'content'],
    [{ from: { address: 'a@example.com', name: 'a\r\nb' } }, 'content'],
    [{ from: { address: 'nobody' } }, 'content'],
    [{ replyTo: { address: 'a b@example.com' } }, 'content'],
    [{ messageId: 'a b' }, 'content'],
    [{ to: 'a@example.com\r\nBcc: b@example.com' }, 'address'],
    [{ to: 'a@example.com, b@example.com' }, 'address'],
  ])('is refused with %j', (change, category) => {
    expect(fitEmail(email('ada@example.com', change))).toMatchObject({
      ok: false,
      result: { kind: 'refused', category },
    });
  });

  it('names its mailboxes in ASCII', () => {
    expect(mailboxText({ address: 'a@example.com' })).toBe('a@example.com');
    expect(mailboxText({ address: 'a@example.com', name: 'Acme, Inc.' })).toBe('"Acme, Inc." <a@example.com>');
    expect(mailboxText({ address: 'a@example.com', name: 'Größe' })).toBe('=?UTF-8?B?R3LDtsOfZQ==?= <a@example.com>');
  });
});

it.each([
  ['1767225607', 7_000],
  ['1767225607000', 7_000],
  ['7', 7_000],
  ['1767225500', 1_000],
  ['9999999999', 86_400_000],
  ['soon', undefined],
  [undefined, undefined],
])('a reset at %s is %s ms away', (value, wait) => {
  expect(resetMs(value, Temporal.Instant.from('2026-01-01T00:00:00Z'))).toBe(wait);
});
