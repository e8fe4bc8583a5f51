import { describe, expect, test } from 'vitest';
import { breakerText, ceilingsIn, domainsIn, doubling, settingsOf, valuesOf } from './limits.rules.ts';

describe('the form of limits', () => {
  test('gives back what it was given', () => {
    const settings = {
      perSecond: 5,
      perRecipientPerDay: 2,
      perDomain: { 'gmail.com': { perMinute: 600, perDay: 9_000 }, 'gmx.de': { perHour: 100 } },
      warmup: { startsOn: '2026-02-10', ceilings: [50, 100] },
    };
    expect(settingsOf(valuesOf(settings))).toEqual(settings);
    expect(settingsOf(valuesOf({}))).toEqual({});
  });

  test('reads domains line by line, and says which cannot be read', () => {
    expect(domainsIn(' Gmail.com 600 / minute\n\ngmail.com 5/second')).toEqual({
      'gmail.com': { perMinute: 600, perSecond: 5 },
    });
    expect(domainsIn('gmail 600/minute')).toBeUndefined();
    expect(domainsIn('gmail.com 0/minute')).toBeUndefined();
    expect(domainsIn('gmail.com 6/week')).toBeUndefined();
  });

  test('reads the days of a warm-up, or fills them in', () => {
    expect(ceilingsIn('50, 100 200')).toEqual([50, 100, 200]);
    expect(ceilingsIn('50, many')).toBeUndefined();
    expect(ceilingsIn('50.5')).toBeUndefined();
    expect(doubling(50, 500)).toEqual([50, 100, 200, 400, 500]);
    expect(doubling(50, 50)).toEqual([50]);
  });
});

test('what a lane does is said in words', () => {
  expect(breakerText({ state: 'open', breaker: 'closed', coolReason: null })).toBe('Sending.');
  expect(breakerText({ state: 'cooling', breaker: 'open', coolReason: 'throttled' })).toContain('slow down');
  expect(breakerText({ state: 'open', breaker: 'half-open', coolReason: 'provider-down' })).toContain('One message');
  expect(breakerText({ state: 'paused', breaker: 'open', coolReason: null })).toContain('Paused');
});
