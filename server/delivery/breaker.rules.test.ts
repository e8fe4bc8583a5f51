import { describe, expect, test } from 'vitest';
import { admitted, breakerOf } from './breaker.rules.ts';

const now = Temporal.Instant.from('2026-02-10T12:00:00Z');
const soon = now.add({ seconds: 10 });
const fine = { coolUntil: null, failures: 0, probeUntil: null };

describe('the breaker of a lane', () => {
  test('closed lets all through', () => {
    expect(breakerOf(fine, now)).toBe('closed');
    expect(admitted(fine, 500, now).count).toBe(500);
  });

  test('open lets nothing through until the lane has rested', () => {
    const open = { ...fine, coolUntil: soon, failures: 1 };
    expect(breakerOf(open, now)).toBe('open');
    expect(admitted(open, 500, now)).toEqual({ count: 0, again: soon });
  });

  test('half open lets one message try, and one at a time', () => {
    const rested = { coolUntil: now, failures: 3, probeUntil: null };
    expect(breakerOf(rested, now)).toBe('half-open');
    expect(admitted(rested, 500, now).count).toBe(1);
    const probing = { ...rested, probeUntil: soon };
    expect(breakerOf(probing, now)).toBe('probing');
    expect(admitted(probing, 500, now)).toEqual({ count: 0, again: soon });
    expect(breakerOf(probing, soon)).toBe('half-open');
  });
});
