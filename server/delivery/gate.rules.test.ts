import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide } from './gate.rules.ts';
import type { GateFacts } from './gate.rules.ts';

const now = Temporal.Instant.from('2026-02-10T12:00:00Z');
const fine: GateFacts = {
  plan: { state: 'open', category: 'marketing', topicId: 'news', expiresAt: null },
  notBefore: null,
  contactErased: false,
  addressState: 'ok',
  suppression: null,
  consent: 'granted',
};
const transactional = { ...fine.plan, category: 'transactional', topicId: null };

describe('the gate', () => {
  test('lets a consented message to a working address through', () => {
    expect(decide(fine, now)).toEqual({ outcome: 'send' });
  });

  test.each([
    [{ consent: null }, 'no-consent'],
    [{ consent: 'withdrawn' }, 'withdrawn'],
    [{ consent: 'expired' }, 'consent-expired'],
    [{ suppression: 'complaint' }, 'suppressed-complaint'],
    [{ addressState: 'bounced' }, 'address-bounced'],
    [{ addressState: null }, 'address-missing'],
    [{ contactErased: true }, 'contact-erased'],
    [{ plan: { ...fine.plan, topicId: null } }, 'no-topic'],
  ])('suppresses %o as %s', (change, reason) => {
    expect(decide({ ...fine, ...change }, now)).toEqual({ outcome: 'suppress', reason });
  });

  test('a transactional message needs no consent, but honours a hard opt-out', () => {
    expect(decide({ ...fine, plan: transactional, consent: null }, now)).toEqual({ outcome: 'send' });
    expect(decide({ ...fine, plan: transactional, consent: null, suppression: 'opt-out' }, now)).toEqual({
      outcome: 'suppress',
      reason: 'suppressed-opt-out',
    });
  });

  test('holds until its time, to the moment', () => {
    const until = now.add({ seconds: 1 });
    expect(decide({ ...fine, notBefore: until }, now)).toEqual({ outcome: 'hold', reason: 'scheduled', until });
    expect(decide({ ...fine, notBefore: until }, until)).toEqual({ outcome: 'send' });
  });

  test('a cancelled plan sends nothing, an expired one neither', () => {
    expect(decide({ ...fine, plan: { ...fine.plan, state: 'cancelled' } }, now)).toEqual({ outcome: 'cancel' });
    expect(decide({ ...fine, plan: { ...fine.plan, expiresAt: now } }, now)).toEqual({ outcome: 'expire' });
  });

  test('marketing never goes out without a granted consent, whatever else is true', () => {
    const facts = fc.record({
      plan: fc.constant(fine.plan),
      notBefore: fc.constantFrom(null, now),
      contactErased: fc.boolean(),
      addressState: fc.constantFrom(null, 'ok', 'bounced', 'complained', 'invalid'),
      suppression: fc.constantFrom(null, 'bounce', 'opt-out'),
      consent: fc.constantFrom(null, 'granted', 'withdrawn', 'expired'),
    });
    fc.assert(
      fc.property(facts, (given) => {
        const sends = decide(given, now).outcome === 'send';
        const may =
          !given.contactErased &&
          given.addressState === 'ok' &&
          given.suppression === null &&
          given.consent === 'granted';
        return sends === may;
      }),
    );
  });
});
