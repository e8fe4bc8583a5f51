import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  marketingSlot,
  newPortfolioLimit,
  paceOf,
  pacedFirst,
  pairAfterRefusal,
  pairBurst,
  pairEveryMs,
  pairSlot,
  qualityOf,
  templatePausedUntil,
  throughputOf,
  tierLimit,
  tierSlot,
  tierUse,
} from './limits.rules.ts';
import type { PaceFacts, Pair } from './limits.rules.ts';

const now = Temporal.Instant.from('2026-03-01T12:00:00Z');
const plus = (ms: number) => now.add({ milliseconds: ms });
const hour = 3_600_000;
const day = 24 * hour;

describe('the tier', () => {
  it.each([
    ['TIER_50', 50],
    ['TIER_250', 250],
    ['TIER_1K', 1000],
    ['tier_2k', 2000],
    ['TIER_10K', 10_000],
    ['TIER_100K', 100_000],
    ['TIER_UNLIMITED', Number.POSITIVE_INFINITY],
    ['2000', 2000],
    [10_000, 10_000],
    [-1, Number.POSITIVE_INFINITY],
    ['-1', Number.POSITIVE_INFINITY],
  ])('%s is %s people in 24 hours', (said, limit) => {
    expect(tierLimit(said)).toBe(limit);
  });

  it.each(['', 'TIER_X', 'constructor', '0', '1e3', undefined, 0, 1.5])('%s is no limit that is known', (said) => {
    expect(tierLimit(said)).toBeUndefined();
  });

  const full = {
    limit: 250,
    reached: 250,
    oldestAt: now.subtract({ hours: 20 }),
    isCounted: false,
    isWindowOpen: false,
  };

  it('lets one more person in until it is full, then waits for the first of the day to leave the count', () => {
    expect(tierSlot({ ...full, reached: 249 }, now)).toEqual({ kind: 'send' });
    expect(tierSlot(full, now)).toEqual({ kind: 'hold', until: plus(4 * hour) });
  });

  it('does not count whoever is counted already, nor who wrote within a day', () => {
    expect(tierSlot({ ...full, isCounted: true }, now)).toEqual({ kind: 'send' });
    expect(tierSlot({ ...full, isWindowOpen: true }, now)).toEqual({ kind: 'send' });
  });

  it('takes a portfolio that said nothing for a new one', () => {
    const untold = { ...full, limit: undefined, reached: newPortfolioLimit - 1 };
    expect(tierSlot(untold, now)).toEqual({ kind: 'send' });
    expect(tierSlot({ ...untold, reached: newPortfolioLimit }, now).kind).toBe('hold');
    expect(tierUse({ limit: undefined, reached: 200 })).toBe(0.8);
  });

  it('is never full when it has no limit', () => {
    expect(tierSlot({ ...full, limit: Number.POSITIVE_INFINITY, reached: 1e9 }, now)).toEqual({ kind: 'send' });
    expect(tierUse({ limit: Number.POSITIVE_INFINITY, reached: 1e9 })).toBe(0);
    expect(tierUse({ limit: 250, reached: 300 })).toBe(1);
  });

  it('asks again soon where the count is full and its oldest is not known or is past', () => {
    const { oldestAt: _, ...unknown } = full;
    expect(tierSlot(unknown, now)).toEqual({ kind: 'hold', until: plus(60_000) });
    expect(tierSlot({ ...full, oldestAt: now.subtract({ hours: 25 }) }, now)).toEqual({
      kind: 'hold',
      until: plus(60_000),
    });
  });
});

describe('the pair', () => {
  it('takes one message in six seconds for ever', () => {
    let pair: Pair | undefined;
    for (let index = 0; index < 200; index++) {
      const slot = pairSlot(pair, plus(index * pairEveryMs), 1);
      if (slot.kind === 'hold') throw new Error(`held at ${index}`);
      pair = slot.pair;
    }
    expect(pair).toEqual({ freeAt: plus(200 * pairEveryMs), borrowed: 0 });
  });

  it('takes a burst, and then nothing until it would have been over', () => {
    let pair: Pair | undefined;
    for (let index = 0; index < pairBurst; index++) {
      const slot = pairSlot(pair, now);
      if (slot.kind === 'hold') throw new Error(`held at ${index}`);
      pair = slot.pair;
    }
    const until = plus(pairBurst * pairEveryMs);
    expect(pairSlot(pair, now)).toEqual({ kind: 'hold', until });
    expect(pairSlot(pair, until.subtract({ milliseconds: 1 }))).toEqual({ kind: 'hold', until });
    expect(pairSlot(pair, until).kind).toBe('send');
  });

  it('lends a campaign nothing', () => {
    const first = pairSlot(undefined, now, 1);
    if (first.kind === 'hold') throw new Error('held');
    expect(pairSlot(first.pair, plus(5_999), 1)).toEqual({ kind: 'hold', until: plus(pairEveryMs) });
  });

  it('never lets more through any span of time than the burst and the even rate together', () => {
    const gaps = fc.array(fc.nat(15_000), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 60 }), (between, burst) => {
        const sent: number[] = [];
        let pair: Pair | undefined;
        let time = 0;
        for (const gap of between) {
          time += gap;
          const slot = pairSlot(pair, plus(time), burst);
          if (slot.kind === 'hold') continue;
          pair = slot.pair;
          sent.push(time);
        }
        for (const [index, from] of sent.entries())
          for (let last = index; last < sent.length; last++) {
            const allowed = Math.min(burst, pairBurst) + ((sent[last] ?? 0) - from) / pairEveryMs;
            expect(last - index + 1).toBeLessThanOrEqual(allowed + 1e-9);
          }
      }),
      { numRuns: 60 },
    );
  });

  it('waits longer each time Meta refuses it in a row, and no longer than a burst takes', () => {
    expect(pairAfterRefusal(now, 1).freeAt).toEqual(plus(pairEveryMs));
    expect(pairAfterRefusal(now, 3).freeAt).toEqual(plus(64_000));
    expect(pairAfterRefusal(now, 50).freeAt).toEqual(plus(pairBurst * pairEveryMs));
    expect(pairSlot(pairAfterRefusal(now, 3), plus(63_999))).toEqual({ kind: 'hold', until: plus(64_000) });
  });
});

describe('advertising to one person', () => {
  it('is never tried again within 24 hours of the cap, and less and less often after', () => {
    const until = (count: number) => marketingSlot({ count, lastAt: now }, now);
    expect(until(1)).toEqual({ kind: 'hold', until: plus(day) });
    expect(until(2)).toEqual({ kind: 'hold', until: plus(2 * day) });
    expect(until(3)).toEqual({ kind: 'hold', until: plus(4 * day) });
    expect(until(4)).toEqual({ kind: 'hold', until: plus(7 * day) });
    expect(until(1000)).toEqual({ kind: 'hold', until: plus(7 * day) });
    expect(marketingSlot({ count: 1, lastAt: now }, plus(day))).toEqual({ kind: 'send' });
    expect(marketingSlot({ count: 1, lastAt: now }, plus(day - 1)).kind).toBe('hold');
  });

  it('goes where nothing was refused', () => {
    expect(marketingSlot(undefined, now)).toEqual({ kind: 'send' });
    expect(marketingSlot({ count: 0, lastAt: now }, now)).toEqual({ kind: 'send' });
  });
});

describe('speed and quality', () => {
  it('is 80 a second, 1,000 after the upgrade, 20 beside the app', () => {
    expect(throughputOf('STANDARD')).toBe(80);
    expect(throughputOf('HIGH')).toBe(1000);
    expect(throughputOf(undefined)).toBe(80);
    expect(throughputOf('HIGH', true)).toBe(20);
  });

  const facts: PaceFacts = {
    phoneQuality: 'green',
    templateQuality: 'green',
    isMarketing: true,
    sent: 0,
    isHeldByVendor: false,
  };

  it('slows advertising down that people object to, and nothing else', () => {
    expect(paceOf(facts, now)).toEqual({ kind: 'send', share: 1 });
    expect(paceOf({ ...facts, templateQuality: 'yellow' }, now)).toEqual({ kind: 'send', share: 0.5 });
    expect(paceOf({ ...facts, phoneQuality: 'red' }, now)).toEqual({ kind: 'send', share: 0.1 });
    expect(paceOf({ ...facts, phoneQuality: 'red', isMarketing: false }, now)).toEqual({ kind: 'send', share: 1 });
  });

  it('waits half an hour after the first thousand of a template that nobody has judged', () => {
    const unjudged: PaceFacts = { ...facts, templateQuality: 'unknown', sent: pacedFirst, pacedSince: now };
    expect(paceOf(unjudged, plus(hour / 2 - 1))).toEqual({ kind: 'hold', until: plus(hour / 2), reason: 'pacing' });
    expect(paceOf(unjudged, plus(hour / 2))).toEqual({ kind: 'send', share: 1 });
    expect(paceOf({ ...unjudged, sent: pacedFirst - 1 }, now)).toEqual({ kind: 'send', share: 1 });
    expect(paceOf({ ...unjudged, templateQuality: 'green' }, now)).toEqual({ kind: 'send', share: 1 });
    expect(paceOf({ ...unjudged, sent: 10, isHeldByVendor: true }, now)).toEqual({ kind: 'send', share: 0.5 });
  });

  it.each([
    ['GREEN', 'green'],
    ['High', 'green'],
    ['YELLOW', 'yellow'],
    ['RED', 'red'],
    ['NA', 'unknown'],
    [undefined, 'unknown'],
  ])('%s is %s', (said, quality) => {
    expect(qualityOf(said)).toBe(quality);
  });

  it('knows how long Meta pauses a template: three hours, six, then for good', () => {
    expect(templatePausedUntil(now, 1)).toEqual(plus(3 * hour));
    expect(templatePausedUntil(now, 2)).toEqual(plus(6 * hour));
    expect(templatePausedUntil(now, 3)).toBeUndefined();
  });
});
