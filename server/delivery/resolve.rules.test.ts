import { describe, expect, test } from 'vitest';
import { askPausesMs, categoryOf, nextAskMs, verdict } from './resolve.rules.ts';

const unclear = { kind: 'unclear', reason: 'cannot say' } as const;

describe('a message in doubt', () => {
  test('that the provider has was sent, at the first answer', () => {
    expect(verdict({ kind: 'accepted', ref: 'SM1' }, 1, 'resend')).toEqual({ kind: 'accepted', ref: 'SM1' });
  });

  test('is believed to be absent only when the provider says so a second time', () => {
    expect(verdict({ kind: 'absent' }, 1, 'resend')).toEqual({ kind: 'wait', afterMs: nextAskMs(1) });
    expect(verdict({ kind: 'absent' }, 2, 'hold')).toEqual({ kind: 'absent' });
  });

  test('is asked about at growing intervals, and then the policy applies', () => {
    for (let asks = 1; asks < askPausesMs.length; asks++) {
      expect(verdict(unclear, asks, 'give-up')).toEqual({ kind: 'wait', afterMs: askPausesMs[asks] });
      expect(askPausesMs[asks]).toBeGreaterThan(askPausesMs[asks - 1] ?? 0);
    }
    expect(verdict(unclear, askPausesMs.length, 'give-up')).toEqual({ kind: 'policy', policy: 'give-up' });
  });
});

test.each([
  ['failed', 'address-refused', 'address'],
  ['failed', 'content-refused', 'content'],
  ['failed', 'provider-down-refused', 'provider-down'],
  ['failed', 'retries-exhausted', 'transient'],
  ['bounced', 'address-refused', 'address'],
  ['unknown', 'timeout', 'unknown'],
  ['failed', 'unknown-given-up', 'unknown'],
  ['failed', 'never-heard-of', 'unknown'],
  ['failed', 'constructor', 'unknown'],
] as const)('%s for %s is trouble of the kind %s', (state, reason, category) => {
  expect(categoryOf(state, reason)).toBe(category);
});
