import { describe, expect, test } from 'vitest';
import { createVirtualClock } from '../platform/clock.ts';
import { createLease, leaseFrom, leaseSeconds } from './lease.ts';

describe('the lease of a hand-over', () => {
  test('is over before the one in the database, with no timer having told so', () => {
    const clock = createVirtualClock();
    const lease = createLease(clock);
    clock.advance((leaseSeconds - 6) * 1_000);
    expect(lease.aborted).toBe(false);
    clock.advance(1_000);
    expect(lease.aborted).toBe(true);
  });

  test('counts from before its renewal was asked for, and an older one does not shorten it', () => {
    const clock = createVirtualClock();
    const lease = createLease(clock);
    const older = leaseFrom(clock);
    clock.advance(10_000);
    const asked = leaseFrom(clock);
    clock.advance(5_000);
    lease.extend(asked);
    lease.extend(older);
    clock.advance(19_000);
    expect(lease.aborted).toBe(false);
    clock.advance(1_000);
    expect(lease.aborted).toBe(true);
  });

  test('tells those who wait when it is lost, or found to have run out; not those who no longer listen', () => {
    const clock = createVirtualClock();
    const lease = createLease(clock);
    const told: string[] = [];
    const gone = () => void told.push('gone');
    lease.addEventListener('abort', () => void told.push('waits'));
    lease.addEventListener('abort', gone);
    lease.removeEventListener('abort', gone);
    lease.look();
    expect(told).toEqual([]);
    clock.advance(leaseSeconds * 1_000);
    lease.look();
    expect(told).toEqual(['waits']);
    lease.lose();
    lease.extend(leaseFrom(clock));
    expect(lease.isLost()).toBe(true);
    expect(lease.aborted).toBe(true);
  });
});
