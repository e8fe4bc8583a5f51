import { describe, expect, test } from 'vitest';
import { countDeltas, settle, unknown } from './settle.rules.ts';
import type { Attempted } from './settle.rules.ts';

const now = Temporal.Instant.from('2026-02-10T12:00:00Z');
const first: Attempted = { attempt: 0, plannedAt: now, laneFailures: 0 };

describe('what an answer means', () => {
  test('accepted is accepted, with the provider’s reference', () => {
    expect(settle({ kind: 'accepted', ref: 'abc' }, first, 'hold', now, 0).outcome).toEqual({
      state: 'accepted',
      reason: null,
      ref: 'abc',
      tried: true,
    });
  });

  test('a refused address fails the message and marks the address', () => {
    const { outcome, lane } = settle(
      { kind: 'refused', category: 'address', code: '5.1.1', reason: 'no such user', permanent: true },
      first,
      'hold',
      now,
      0,
    );
    expect(outcome).toMatchObject({ state: 'failed', reason: 'address-refused', code: '5.1.1', badAddress: true });
    expect(lane).toBeUndefined();
  });

  test('a refused account stops the lane and puts the message back without burning an attempt', () => {
    const { outcome, lane } = settle(
      { kind: 'refused', category: 'account', code: '535', reason: 'bad password', permanent: true },
      first,
      'hold',
      now,
      0.5,
    );
    expect(outcome).toMatchObject({ state: 'planned', tried: false });
    expect(lane?.reason).toBe('account-refused');
  });

  test('a transient failure waits longer each time and fails in the end', () => {
    const transient = { kind: 'retry', category: 'transient', code: '451', reason: 'later' } as const;
    expect(settle(transient, first, 'hold', now, 0).outcome).toMatchObject({
      state: 'planned',
      reason: 'retry',
      tried: true,
    });
    expect(settle(transient, { ...first, attempt: 7 }, 'hold', now, 0).outcome).toMatchObject({
      state: 'failed',
      reason: 'retries-exhausted',
    });
  });

  test('Retry-After is honoured, for the message and for the lane', () => {
    const { outcome, lane } = settle(
      { kind: 'retry', category: 'throttled', code: '4.7.0', reason: 'slow down', afterMs: 600_000 },
      first,
      'hold',
      now,
      0,
    );
    expect(outcome.dueAt?.epochMilliseconds).toBe(now.epochMilliseconds + 600_000);
    expect(lane?.coolUntil.epochMilliseconds).toBe(now.epochMilliseconds + 600_000);
  });

  test('a provider that stays down for three days lets the message expire', () => {
    const down = { kind: 'retry', category: 'provider-down', code: 'refused', reason: 'no answer' } as const;
    expect(settle(down, { ...first, plannedAt: now.subtract({ hours: 72 }) }, 'hold', now, 0).outcome.state).toBe(
      'expired',
    );
  });

  test('a message in doubt is never sent again unless the policy says so', () => {
    expect(unknown('timeout', 'no answer', 1, 'hold', now, 0)).toMatchObject({ state: 'unknown', reason: 'timeout' });
    expect(unknown('timeout', 'no answer', 1, 'give-up', now, 0)).toMatchObject({ state: 'failed' });
    expect(unknown('timeout', 'no answer', 1, 'resend', now, 0)).toMatchObject({
      state: 'planned',
      reason: 'unknown-resent',
    });
    expect(unknown('timeout', 'no answer', 8, 'resend', now, 0)).toMatchObject({ state: 'unknown' });
  });
});

describe('counts', () => {
  test('moving messages never changes their sum', () => {
    const deltas = countDeltas([
      { from: 'planned', to: 'accepted' },
      { from: 'planned', to: 'suppressed' },
      { from: 'accepted', to: 'bounced' },
      { from: 'planned', to: 'planned' },
    ]);
    expect([...deltas].sort()).toEqual([
      ['accepted', 1],
      ['planned', -2],
      ['suppressed', 1],
    ]);
    expect([...deltas.values()].reduce((a, b) => a + b, 0)).toBe(0);
  });
});
