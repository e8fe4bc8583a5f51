import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { durationText, fallsOf, partsOf, progressOf, rankedReasons, ratesOf, type Stats } from './results.rules.ts';

function stats(given: Partial<Stats>): Stats {
  const counts = {
    waiting: 0,
    held: 0,
    sending: 0,
    suppressed: 0,
    accepted: 0,
    failed: 0,
    unknown: 0,
    cancelled: 0,
    expired: 0,
    ...given,
  };
  const { waiting, held, sending, suppressed, accepted, failed, unknown, cancelled, expired } = counts;
  return {
    status: 'running',
    planned: waiting + held + sending + suppressed + accepted + failed + unknown + cancelled + expired,
    delivered: 0,
    bounced: 0,
    complained: 0,
    opened: 0,
    clicked: 0,
    unsubscribed: 0,
    machineOpened: 0,
    etaSeconds: null,
    startedAt: null,
    endedAt: null,
    reasons: {},
    ...counts,
  };
}

const count = fc.integer({ min: 0, max: 2_000_000 });
const anyStats = fc
  .record({
    waiting: count,
    held: count,
    sending: count,
    suppressed: count,
    accepted: count,
    failed: count,
    unknown: count,
    cancelled: count,
    expired: count,
  })
  .map(stats);

describe('the results of a campaign', () => {
  test('the parts shown add up to what was planned', () => {
    fc.assert(
      fc.property(anyStats, (given) => {
        expect(partsOf(given).reduce((sum, part) => sum + part.count, 0)).toBe(given.planned);
      }),
    );
  });

  test('progress is whole only when nothing waits, is held or is on the wire', () => {
    fc.assert(
      fc.property(anyStats, (given) => {
        const open = given.waiting + given.held + given.sending;
        expect(progressOf(given) === 100).toBe(open === 0 && given.planned > 0);
      }),
    );
  });

  test('one failure in a million still has a width', () => {
    const parts = partsOf(stats({ accepted: 999_999, failed: 1 }));
    expect(parts.find((part) => part.key === 'failed')?.percent).toBe(0.1);
    expect(parts.find((part) => part.key === 'accepted')?.percent).toBe(99.9);
  });

  test('opens are a share of what was sent and did not bounce; bounces of what was sent', () => {
    const rates = ratesOf(stats({ accepted: 200, bounced: 20, opened: 90 }));
    expect(rates.find((rate) => rate.key === 'opened')).toMatchObject({ count: 90, of: 180, rate: 0.5 });
    expect(rates.find((rate) => rate.key === 'bounced')).toMatchObject({ count: 20, of: 200, rate: 0.1 });
  });

  test('with nothing sent there is no rate, rather than zero', () => {
    expect(ratesOf(stats({ suppressed: 5 })).map((rate) => rate.rate)).toEqual(Array(5).fill(undefined));
  });
});

describe('the waterfall', () => {
  test('each step says how many were lost on the way to it', () => {
    const steps = [
      { name: 'In the audience', count: 1000 },
      { name: 'Has an address', count: 990 },
      { name: 'Agreed', count: 495 },
    ];
    const falls = fallsOf({ steps, willSend: 495, held: {}, suppressed: {}, estimatedSeconds: null });
    expect(falls.map((fall) => [fall.lost, fall.percent])).toEqual([
      [0, 100],
      [10, 99],
      [495, 49.5],
    ]);
  });

  test('reasons come with the most frequent first, without empty ones', () => {
    expect(rankedReasons({ a: 1, b: 7, c: 0 })).toEqual([
      { code: 'b', count: 7 },
      { code: 'a', count: 1 },
    ]);
  });
});

test.each([
  [0, 'less than a second'],
  [30, 'about 30 seconds'],
  [59, 'about 1 minute'],
  [600, 'about 10 minutes'],
  [9_000, 'about 2.5 hours'],
  [400_000, 'about 5 days'],
])('%d seconds are told as %s', (seconds, words) => {
  expect(durationText(seconds)).toBe(words);
});
