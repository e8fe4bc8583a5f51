import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { after, legible, monthOf } from './receipt.rules.ts';
import type { Fact, Standing } from './receipt.rules.ts';

const kinds = [
  'accepted',
  'sent',
  'deferred',
  'delivered',
  'read',
  'bounced',
  'failed',
  'complained',
  'opened',
  'clicked',
  'unsubscribed',
] as const;
const categories = ['address', 'content', 'account', 'throttled', 'transient', 'provider-down', 'unknown'] as const;
const fact: fc.Arbitrary<Fact> = fc.record({
  kind: fc.constantFrom(...kinds),
  category: fc.constantFrom(...categories),
});
const fold = (from: Standing, facts: readonly Fact[]) =>
  facts.reduce((standing, one) => after(standing, one) ?? standing, from);
const accepted: Standing = { state: 'accepted', reason: null };

describe('what a vendor tells about a message', () => {
  it('ends in the same state in whatever order it comes, and however often', () => {
    fc.assert(
      fc.property(fc.array(fact, { maxLength: 8 }), fc.integer({ min: 0 }), (facts, seed) => {
        const shuffled = facts
          .flatMap((one, place) => [one, ...(place % 2 === 0 ? [one] : [])])
          .map((one, place) => ({ one, key: (place * 7919 + seed) % 1009 }))
          .sort((a, b) => a.key - b.key)
          .map(({ one }) => one);
        expect(fold(accepted, shuffled).state).toBe(fold(accepted, facts).state);
      }),
    );
  });

  it.each(['held', 'suppressed', 'cancelled', 'expired'] as const)('moves nothing that is %s', (state) => {
    fc.assert(fc.property(fact, (one) => after({ state, reason: 'x' }, one) === undefined));
  });

  it('settles a message in doubt, and one whose answer has not been written yet', () => {
    expect(after({ state: 'unknown', reason: 'timeout' }, { kind: 'accepted' })?.state).toBe('accepted');
    expect(after({ state: 'unknown', reason: 'timeout' }, { kind: 'delivered' })?.state).toBe('delivered');
    expect(after({ state: 'planned', reason: null }, { kind: 'delivered' })?.state).toBe('delivered');
  });

  it('overrules a failure that was only our guess, and no other', () => {
    expect(after({ state: 'failed', reason: 'unknown-given-up' }, { kind: 'delivered' })?.state).toBe('delivered');
    expect(after({ state: 'failed', reason: 'content-refused' }, { kind: 'accepted' })).toBeUndefined();
  });

  it('a failure that is the address’s is a bounce; any other leaves the message failed with its reason', () => {
    expect(after(accepted, { kind: 'failed', category: 'address' })).toEqual({
      state: 'bounced',
      reason: 'address-refused',
    });
    expect(after(accepted, { kind: 'failed', category: 'throttled' })).toEqual({
      state: 'failed',
      reason: 'throttled-refused',
    });
  });

  it('a complaint after the delivery counts, a delivery after the bounce does not', () => {
    expect(after({ state: 'delivered', reason: null }, { kind: 'complained' })?.state).toBe('complained');
    expect(after({ state: 'bounced', reason: 'address-refused' }, { kind: 'delivered' })).toBeUndefined();
  });
});

describe('an id', () => {
  it('tells the month it was made in, if it tells a time that can be', () => {
    expect(monthOf('019c1b2e-3c00-7000-8000-000000000001')).toBe('2026-02-01');
    expect(monthOf('019c1b2e-3c00-4000-8000-000000000001')).toBe('');
    expect(monthOf('ffffffff-ffff-7fff-bfff-ffffffffffff')).toBe('');
    expect(monthOf('00000000-0000-7000-8000-000000000001')).toBe('');
  });
});

describe('words of a vendor', () => {
  it('are cut, without half characters and NUL, which a database refuses', () => {
    expect(legible('a\0b\ud800c')).toBe('ab\ufffdc');
    expect(legible(`${'x'.repeat(499)}\u{1f600}`)).toBe(`${'x'.repeat(499)}\ufffd`);
  });
});
