import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoffMs, coolDownMs, mayRetry, retrySchedules } from './retry.rules.ts';

const planned = Temporal.Instant.from('2026-02-10T12:00:00Z');
const later = (hours: number) => planned.add({ hours });

describe('waiting', () => {
  test('of a message doubles from 15 seconds to an hour, in the upper half of each step', () => {
    const steps = Array.from({ length: 10 }, (_, attempt) => backoffMs(attempt, 0) * 2);
    expect(steps).toEqual([15, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600].map((seconds) => seconds * 1000));
    fc.assert(
      fc.property(fc.nat(200), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, random) => {
        const waited = backoffMs(attempt, random);
        return waited >= 7_500 && waited <= 3_600_000;
      }),
    );
  });

  test('of a lane grows to two minutes; an account that is refused rests 30 seconds at least', () => {
    expect(coolDownMs(0, 0, 'throttled')).toBe(1_000);
    expect(coolDownMs(99, 0.999, 'provider-down')).toBeLessThanOrEqual(120_000);
    expect(coolDownMs(0, 0, 'account')).toBe(30_000);
  });
});

describe('trying again', () => {
  test('ends for what is wrong with one message after eight attempts', () => {
    expect(mayRetry('transient', { attempts: 7, plannedAt: planned }, later(1))).toBe(true);
    expect(mayRetry('transient', { attempts: 8, plannedAt: planned }, later(1))).toBe(false);
    expect(mayRetry('transient', { attempts: 1, plannedAt: planned }, later(2_000))).toBe(true);
  });

  test.each(['throttled', 'provider-down', 'account'] as const)('counts no attempts while it is %s', (category) => {
    expect(retrySchedules[category].waits).toBe('lane');
    expect(mayRetry(category, { attempts: 1_000, plannedAt: planned }, later(71))).toBe(true);
    expect(mayRetry(category, { attempts: 0, plannedAt: planned }, later(72))).toBe(false);
  });

  test.each(['address', 'content', 'unknown'] as const)('never happens by itself for %s', (category) => {
    expect(mayRetry(category, { attempts: 0, plannedAt: planned }, planned)).toBe(false);
  });
});
