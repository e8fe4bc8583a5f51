import { describe, expect, test } from 'vitest';
import { messageQuery, startOfDay } from './filter.rules.ts';

describe('days in the reader’s zone', () => {
  test.each([
    ['2026-11-21', 0, 'UTC', '2026-11-21T00:00:00.000Z'],
    ['2026-11-21', 0, 'Europe/Vienna', '2026-11-20T23:00:00.000Z'],
    ['2026-07-01', 0, 'Europe/Vienna', '2026-06-30T22:00:00.000Z'],
    ['2026-11-21', 0, 'America/Los_Angeles', '2026-11-21T08:00:00.000Z'],
    ['2026-11-21', 0, 'Asia/Kathmandu', '2026-11-20T18:15:00.000Z'],
    // The clocks go back on 25 October 2026: the day is 25 hours long.
    ['2026-10-25', 0, 'Europe/Vienna', '2026-10-24T22:00:00.000Z'],
    ['2026-10-25', 1, 'Europe/Vienna', '2026-10-25T23:00:00.000Z'],
  ])('%s + %d in %s begins at %s', (day, plus, zone, instant) => {
    expect(startOfDay(day, plus, zone)).toBe(instant);
  });

  test('the last day is meant to its end; what is no day is ignored', () => {
    expect(messageQuery({ from: '2026-11-01', to: '2026-11-02' }, 'UTC')).toEqual({
      from: '2026-11-01T00:00:00.000Z',
      to: '2026-11-03T00:00:00.000Z',
    });
    expect(messageQuery({ from: 'yesterday' }, 'UTC')).toEqual({});
  });
});
