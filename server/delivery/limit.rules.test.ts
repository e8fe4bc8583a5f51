import { describe, expect, test } from 'vitest';
import { counted, grant, hasKeyedLimits, levelOf, secondsFor } from './limit.rules.ts';
import type { Used } from './limit.rules.ts';
import { ceilingOn, dayOf } from './warmup.rules.ts';

const now = Temporal.Instant.from('2026-02-10T12:00:00Z');
const unused: Used = { hour: 0, day: 0, leased: 0, hourSince: null, daySince: null };
const plan = { startsOn: '2026-02-10', ceilings: [50, 100, 200] };

describe('limits that are counted', () => {
  test('give what is left of all of them, and keep a little for what is urgent', () => {
    const limits = counted({ perHour: 1_000, perDay: 5_000 }, now);
    expect(grant(limits, unused, 2_000, false, now).count).toBe(980);
    expect(grant(limits, unused, 2_000, true, now).count).toBe(1_000);
    expect(grant(limits, { ...unused, day: 4_900 }, 2_000, true, now).count).toBe(100);
    expect(grant(limits, { ...unused, day: 4_950 }, 2_000, false, now).count).toBe(0);
    expect(grant(limits, { ...unused, leased: 990 }, 2_000, true, now).count).toBe(10);
  });

  test('say when there is something again: a minute after the first use has left the window', () => {
    const limits = counted({ perHour: 10 }, now);
    const since = Temporal.Instant.from('2026-02-10T11:30:00Z');
    const full = { ...unused, hour: 10, hourSince: since };
    expect(grant(limits, full, 5, false, now)).toEqual({ count: 0, again: since.add({ minutes: 61 }) });
    // What is leased may come back at any time.
    const leased = { ...full, hour: 4, leased: 6 };
    expect(grant(limits, leased, 5, false, now).again).toEqual(now.add({ seconds: 5 }));
  });

  test('are near at four fifths, and reached when campaigns have nothing left', () => {
    expect(levelOf(79, 100)).toBeUndefined();
    expect(levelOf(80, 100)).toBe('near');
    expect(levelOf(97, 100)).toBe('near');
    expect(levelOf(98, 100)).toBe('reached');
    expect(levelOf(10, 10)).toBe('reached');
  });

  test('a warm-up plan is a day’s limit that grows, from the first day to the last', () => {
    const at = (day: string) => Temporal.Instant.from(`${day}T23:59:59Z`);
    expect(ceilingOn(plan, at('2026-02-01'))).toBe(50);
    expect(ceilingOn(plan, at('2026-02-10'))).toBe(50);
    expect(ceilingOn(plan, at('2026-02-11'))).toBe(100);
    expect(ceilingOn(plan, at('2026-02-12'))).toBe(200);
    expect(ceilingOn(plan, at('2026-02-13'))).toBeUndefined();
    expect(dayOf(plan, at('2026-03-01'))).toBe(19);
    expect(counted({ perDay: 80, warmup: plan }, at('2026-02-11'))).toEqual([
      { kind: 'day', seconds: 86_400, limit: 80 },
      { kind: 'warm-up', seconds: 86_400, limit: 100 },
    ]);
  });
});

describe('how long it takes', () => {
  test('follows the slowest limit, and what is used of it already', () => {
    expect(secondsFor(1_000, {}, undefined, now)).toBeNull();
    expect(secondsFor(0, { perSecond: 10 }, undefined, now)).toBe(0);
    expect(secondsFor(1_000, { perSecond: 10 }, undefined, now)).toBe(100);
    expect(secondsFor(1_000, { perSecond: 10, perDay: 1_000 }, undefined, now)).toBe(100);
    expect(secondsFor(1_000, { perSecond: 10, perDay: 400 }, undefined, now)).toBe(2 * 86_400);
    expect(secondsFor(100, { perDay: 400 }, { ...unused, day: 350 }, now)).toBe(86_400);
  });
});

test('limits by person, sender or domain are looked at only where there are some', () => {
  expect(hasKeyedLimits({ perSecond: 5 })).toBe(false);
  expect(hasKeyedLimits({ perDomain: {} })).toBe(false);
  expect(hasKeyedLimits({ perDomain: { 'a.com': { perMinute: 1 } } })).toBe(true);
  expect(hasKeyedLimits({ perSenderPerSecond: 1 })).toBe(true);
  expect(hasKeyedLimits({ perRecipientPerDay: 1 })).toBe(true);
});
