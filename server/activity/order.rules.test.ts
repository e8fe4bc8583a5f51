import { expect, test } from 'vitest';
import { progressThrough } from './order.rules.ts';
import type { ReadRow } from './order.rules.ts';

const row = (xid: number, settled: boolean, event: string | null = `event ${xid}`): ReadRow<string> => ({
  epoch: 1,
  xid,
  id: `00000000-0000-0000-0000-00000000000${xid}`,
  settled,
  scanned: 2,
  event,
});

test('an empty page moves nothing', () => {
  expect(progressThrough([], 2)).toEqual({ events: [], to: undefined, more: false, blocked: false });
});

test('a full page is read to its end and more is expected', () => {
  const progress = progressThrough([row(1, true), row(2, true)], 2);
  expect(progress.events).toEqual(['event 1', 'event 2']);
  expect(progress.to).toMatchObject({ epoch: 1, xid: 2 });
  expect(progress.more).toBe(true);
});

test('events of other kinds are passed over, but count as read', () => {
  const progress = progressThrough([row(1, true), row(2, true, null)], 5);
  expect(progress.events).toEqual(['event 1']);
  expect(progress.to?.xid).toBe(2);
  expect(progress.more).toBe(false);
});

test('nothing is read past a transaction that still runs', () => {
  const progress = progressThrough([row(1, true), row(2, false), row(3, true)], 3);
  expect(progress.events).toEqual(['event 1']);
  expect(progress.to?.xid).toBe(1);
  expect(progress.blocked).toBe(true);
  expect(progress.more).toBe(false);
});

test('when the very first row is unsettled, the consumer stays where it is', () => {
  expect(progressThrough([row(1, false)], 2)).toEqual({ events: [], to: undefined, more: false, blocked: true });
});
