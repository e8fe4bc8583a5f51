import { describe, expect, test } from 'vitest';
import { keysOf, place } from './key.rules.ts';
import type { KeyState } from './key.rules.ts';

const now = Temporal.Instant.from('2026-02-10T12:00:00Z');
const limits = { perSenderPerSecond: 1, perDomain: { 'a.com': { perMinute: 60 } } };
const newcomer = { returning: false, urgent: false };

function states() {
  const all = new Map<string, KeyState>();
  return (key: string): KeyState => {
    const known = all.get(key) ?? { nextAt: now, tailAt: now };
    all.set(key, known);
    return known;
  };
}

describe('limits by domain and sender', () => {
  test('hold for what they name, and nothing else', () => {
    const keys = (ends: Parameters<typeof keysOf>[1]) => keysOf(limits, ends).map(({ key }) => key);
    expect(keys({ domain: 'a.com', sender: '+1555' })).toEqual(['domain a.com', 'sender +1555']);
    expect(keys({ domain: 'b.com', sender: '+1555' })).toEqual(['sender +1555']);
    // The provider chooses the number: all of them count as one.
    expect(keys({ domain: undefined, sender: undefined })).toEqual(['sender ']);
    expect(keysOf({ perSecond: 1 }, { domain: 'a.com', sender: 'x' })).toEqual([]);
  });

  test('who finds no slot within reach queues up at the pace of the key, and comes back in time', () => {
    const keys = keysOf({ perDomain: limits.perDomain }, { domain: 'a.com', sender: undefined });
    const state = states();
    const placed = Array.from({ length: 5 }, () => place(keys, state, newcomer, now));
    expect(placed.map((one) => one.kind)).toEqual(['slot', 'slot', 'later', 'later', 'later']);
    const dueMs = placed.flatMap((one) => (one.kind === 'later' ? [one.dueAt.since(now).total('milliseconds')] : []));
    expect(dueMs).toEqual([2_000, 3_000, 4_000]);
    const later = now.add({ milliseconds: 2_080 });
    expect(place(keys, state, { returning: true, urgent: false }, later)).toMatchObject({ kind: 'slot' });
  });

  test('newcomers do not take the slots of those who wait; what is urgent does', () => {
    const keys = keysOf({ perDomain: limits.perDomain }, { domain: 'a.com', sender: undefined });
    const state = states();
    for (let n = 0; n < 20; n++) place(keys, state, newcomer, now);
    const later = now.add({ seconds: 5 });
    expect(place(keys, state, newcomer, later).kind).toBe('later');
    expect(place(keys, state, { returning: false, urgent: true }, later).kind).toBe('slot');
    expect(place(keys, state, { returning: true, urgent: false }, later).kind).toBe('slot');
  });
});
