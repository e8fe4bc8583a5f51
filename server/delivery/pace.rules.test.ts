import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { intervalMs, reserve, slot } from './pace.rules.ts';

const now = Temporal.Instant.from('2026-02-10T12:00:00Z');

describe('the pace of a lane', () => {
  test('the tightest limit rules', () => {
    expect(intervalMs({})).toBe(0);
    expect(intervalMs({ perSecond: 10 })).toBe(100);
    expect(intervalMs({ perSecond: 10, perMinute: 60 })).toBe(1_000);
  });

  test('a claim reserves at most five seconds, and at least one message', () => {
    expect(reserve(now, 100, 500, now)?.count).toBe(50);
    expect(reserve(now, 30_000, 500, now)?.count).toBe(1);
  });

  test('a lane booked further ahead than a claim’s span is left alone', () => {
    expect(reserve(now.add({ seconds: 6 }), 100, 1, now)).toBeUndefined();
  });

  test('no sliding window ever holds more than the limit, over any claims at any times', () => {
    const claims = fc.array(
      fc.record({ wanted: fc.integer({ min: 1, max: 40 }), pauseMs: fc.integer({ min: 0, max: 3_000 }) }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), claims, (perSecond, list) => {
        const interval = intervalMs({ perSecond });
        const sentAt: bigint[] = [];
        let nextAt = now;
        let clock = now;
        for (const { wanted, pauseMs } of list) {
          clock = clock.add({ milliseconds: pauseMs });
          const got = reserve(nextAt, interval, wanted, clock);
          if (got === undefined) continue;
          nextAt = got.nextAt;
          for (let n = 0; n < got.count; n++) sentAt.push(slot(got.startAt, interval, n).epochNanoseconds);
        }
        return sentAt.every((at, i) => {
          const beyond = sentAt[i + perSecond];
          return beyond === undefined || beyond - at >= 1_000_000_000n;
        });
      }),
    );
  });
});
