import { describe, expect, it } from 'vitest';
import type { WhatsAppContent } from '../port.ts';
import { admit } from './admission.rules.ts';
import type { AdmissionFacts } from './admission.rules.ts';

const now = Temporal.Instant.from('2026-03-01T12:00:00Z');
const plus = (hours: number) => now.add({ minutes: hours * 60 });
const template: WhatsAppContent = { kind: 'template', name: 'offer', language: 'en_US', body: [] };
const offer = { category: 'marketing', content: template } as const;
const notice = { category: 'utility', content: template } as const;
const text = { category: 'service', content: { kind: 'text', body: 'Hi' } } as const;
const facts: AdmissionFacts = { tier: { limit: 250, reached: 0, isCounted: false }, burst: 1 };
const wrote = { lastInboundAt: plus(-1) };

describe('one message at its hand-over', () => {
  it('goes, is remembered of the pair, and counts unless the person wrote or is counted', () => {
    const pair = { freeAt: now.add({ seconds: 6 }), borrowed: 0 };
    expect(admit(offer, facts, now)).toEqual({ kind: 'send', pair, counts: true, share: 1 });
    expect(admit(offer, { ...facts, ...wrote }, now)).toMatchObject({ counts: false });
    expect(admit(offer, { ...facts, tier: { ...facts.tier, isCounted: true } }, now)).toMatchObject({ counts: false });
    expect(admit(text, { ...facts, ...wrote }, now)).toMatchObject({ kind: 'send', counts: false });
  });

  it('is refused for its form before it is held for anything', () => {
    const full = { ...facts, tier: { limit: 1, reached: 1, isCounted: false } };
    expect(admit(text, full, now)).toEqual({ kind: 'refused', reason: 'window-closed' });
    expect(admit(offer, { ...full, country: 'US' }, now)).toEqual({ kind: 'refused', reason: 'marketing-to-us' });
    expect(admit(notice, { ...full, templateStatus: 'DISABLED' }, now)).toMatchObject({ kind: 'refused' });
  });

  it('waits for a template that somebody has yet to approve, nobody knows how long', () => {
    expect(admit(notice, { ...facts, templateStatus: 'PENDING' }, now)).toEqual({
      kind: 'hold',
      reason: 'template-pending',
    });
  });

  it('is held by Meta’s cap only where it advertises', () => {
    const capped = { ...facts, marketing: { count: 1, lastAt: plus(-1) } };
    expect(admit(offer, capped, now)).toEqual({ kind: 'hold', reason: 'marketing-cap', until: plus(23) });
    expect(admit(notice, capped, now).kind).toBe('send');
    // Not even in an open window: the cap is about advertising, whoever wrote last.
    expect(admit(offer, { ...capped, ...wrote }, now).kind).toBe('hold');
  });

  it('goes as fast as its quality allows', () => {
    const pace = { phoneQuality: 'green', templateQuality: 'yellow', sent: 5000, isHeldByVendor: false } as const;
    expect(admit(offer, { ...facts, pace }, now)).toMatchObject({ share: 0.5 });
    expect(admit(notice, { ...facts, pace }, now)).toMatchObject({ share: 1 });
    const unjudged = { ...pace, templateQuality: 'unknown', pacedSince: now } as const;
    expect(admit(offer, { ...facts, pace: unjudged }, now)).toEqual({
      kind: 'hold',
      reason: 'pacing',
      until: plus(0.5),
    });
  });

  it('waits for room in the tier, but not for somebody who wrote', () => {
    const full = { ...facts, tier: { limit: 250, reached: 250, oldestAt: plus(-20), isCounted: false } };
    expect(admit(notice, full, now)).toEqual({ kind: 'hold', reason: 'messaging-limit', until: plus(4) });
    expect(admit(notice, { ...full, ...wrote }, now).kind).toBe('send');
  });

  it('waits for its slot with the person; a conversation may borrow', () => {
    const busy = { ...facts, ...wrote, pair: { freeAt: now.add({ seconds: 4 }), borrowed: 0 } };
    expect(admit(notice, busy, now)).toEqual({ kind: 'hold', reason: 'pair-rate', until: now.add({ seconds: 4 }) });
    expect(admit(text, { ...busy, burst: 45 }, now)).toMatchObject({
      kind: 'send',
      pair: { freeAt: now.add({ seconds: 10 }), borrowed: 1 },
    });
  });
});
