import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WhatsAppContent } from '../port.ts';
import { contentAllowed, isBusinessInitiated, templateStanding, windowMs, windowOf } from './window.rules.ts';

const at = (text: string) => Temporal.Instant.from(text);
const now = at('2026-03-01T12:00:00Z');
const open = windowOf(at('2026-03-01T11:00:00Z'), now);
const closed = windowOf(undefined, now);
const text: WhatsAppContent = { kind: 'text', body: 'Hello' };
const template: WhatsAppContent = { kind: 'template', name: 'offer', language: 'en_US', body: [] };

describe('the window', () => {
  it('is open for 24 hours after the person wrote, and not a moment longer', () => {
    const wrote = at('2026-03-01T00:00:00Z');
    const end = at('2026-03-02T00:00:00Z');
    expect(windowOf(wrote, end.subtract({ nanoseconds: 1 }))).toEqual({ kind: 'open', closesAt: end });
    expect(windowOf(wrote, end)).toEqual({ kind: 'closed', closedAt: end });
  });

  it('never was open for a person who never wrote', () => {
    expect(windowOf(undefined, now)).toEqual({ kind: 'closed' });
  });

  it('is moved on by a later message, never cut by it', () => {
    fc.assert(
      fc.property(fc.nat(3 * windowMs), fc.nat(windowMs), (agoMs, laterMs) => {
        const early = now.subtract({ milliseconds: agoMs });
        const late = early.add({ milliseconds: Math.min(laterMs, agoMs) });
        if (windowOf(early, now).kind === 'open') expect(windowOf(late, now).kind).toBe('open');
        expect(windowOf(early, now).kind).toBe(agoMs < windowMs ? 'open' : 'closed');
      }),
    );
  });

  it('decides whether a message counts as begun by the business', () => {
    expect(isBusinessInitiated(open)).toBe(false);
    expect(isBusinessInitiated(closed)).toBe(true);
  });
});

describe('what may be said', () => {
  it('is anything in the window, and only a template outside of it', () => {
    expect(contentAllowed(text, 'service', { window: open })).toEqual({ kind: 'allowed' });
    expect(contentAllowed(text, 'service', { window: closed })).toEqual({ kind: 'refused', reason: 'window-closed' });
    expect(contentAllowed(template, 'utility', { window: closed })).toEqual({ kind: 'allowed' });
    expect(contentAllowed(template, 'utility', { window: open })).toEqual({ kind: 'allowed' });
  });

  it('is no one-time code in free text, and no template as service', () => {
    expect(contentAllowed(text, 'authentication', { window: open })).toEqual({
      kind: 'refused',
      reason: 'wrong-category',
    });
    expect(contentAllowed(template, 'service', { window: open })).toEqual({
      kind: 'refused',
      reason: 'wrong-category',
    });
  });

  it('is no advertising template to the United States', () => {
    const toUs = { window: open, country: 'US' };
    expect(contentAllowed(template, 'marketing', toUs)).toEqual({ kind: 'refused', reason: 'marketing-to-us' });
    expect(contentAllowed(template, 'utility', toUs)).toEqual({ kind: 'allowed' });
    expect(contentAllowed(template, 'marketing', { window: open, country: 'CA' })).toEqual({ kind: 'allowed' });
  });

  it('waits for a template that is pending or paused, and gives up one that is rejected or gone', () => {
    const told = (templateStatus: string) => contentAllowed(template, 'utility', { window: closed, templateStatus });
    expect(told('APPROVED')).toEqual({ kind: 'allowed' });
    expect(told('PAUSED')).toEqual({ kind: 'hold', reason: 'template-pending' });
    expect(told('pending')).toEqual({ kind: 'hold', reason: 'template-pending' });
    expect(told('REJECTED')).toEqual({ kind: 'refused', reason: 'template-rejected' });
    expect(told('SOMETHING_NEW')).toEqual({ kind: 'allowed' });
  });

  it('takes no state for a property that every object has', () => {
    expect(templateStanding('constructor')).toBe('unknown');
    expect(templateStanding(undefined)).toBe('unknown');
  });
});
