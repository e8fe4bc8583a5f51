import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSlots, openAt, paceFor, paceOf, reserve, unpaced } from './pace.rules.ts';

const now = Temporal.Instant.from('2026-02-10T12:00:00Z');

describe('the pace of a lane', () => {
  test('the tightest limit rules; a little room between messages lets them be a little late', () => {
    expect(paceOf({})).toEqual(unpaced);
    expect(paceOf({ perSecond: 10 })).toEqual({ intervalMs: 104, latenessMs: 39 });
    expect(paceOf({ perSecond: 10, perMinute: 60 })).toEqual({ intervalMs: 1_040, latenessMs: 2_399 });
    expect(paceOf({ perHour: 5, perDay: 5 })).toEqual(unpaced);
  });

  test('a claim reserves at most three seconds, and at least one message', () => {
    expect(reserve(now, paceFor([{ seconds: 1, limit: 10 }]), 500, now)?.count).toBe(28);
    expect(reserve(now, paceFor([{ seconds: 60, limit: 2 }]), 500, now)?.count).toBe(1);
  });

  test('a lane booked far ahead is left alone; what is urgent may stand behind what is not', () => {
    const pace = paceFor([{ seconds: 1, limit: 10 }]);
    const booked = now.add({ seconds: 5 });
    expect(reserve(booked, pace, 1, now)).toBeUndefined();
    expect(reserve(booked, pace, 1, now, true)?.startAt).toEqual(booked);
    expect(reserve(booked, pace, 1, openAt(booked))?.startAt).toEqual(booked);
    expect(reserve(now.add({ seconds: 11 }), pace, 1, now, true)).toBeUndefined();
  });

  test('a slot that was missed is lost', () => {
    const pace = paceFor([{ seconds: 1, limit: 10 }]);
    const reservation = reserve(now, pace, 5, now);
    if (reservation === undefined) throw new Error('nothing was reserved');
    const slots = createSlots(reservation, pace);
    expect(slots.take(now)).toEqual(now);
    const late = now.add({ milliseconds: 104 + 40 });
    expect(slots.left(late)).toBe(3);
    expect(slots.take(late)).toEqual(now.add({ milliseconds: 208 }));
    expect(slots.take(now)).toEqual(now.add({ milliseconds: 312 }));
    expect(slots.next()).toEqual(now.add({ milliseconds: 416 }));
    expect(slots.take(now.add({ seconds: 5 }))).toBeUndefined();
  });

  test('no sliding window ever holds more than the limit, over any claims at any times, however late messages are', () => {
    const step = fc.record({
      wanted: fc.integer({ min: 1, max: 40 }),
      pauseMs: fc.integer({ min: 0, max: 2_000 }),
      lates: fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 5 }),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.array(step, { maxLength: 30 }), (limit, list) => {
        const pace = paceFor([{ seconds: 1, limit }]);
        const sentAt: number[] = [];
        let nextAt = now;
        let clock = now;
        for (const { wanted, pauseMs, lates } of list) {
          clock = clock.add({ milliseconds: pauseMs });
          const got = reserve(nextAt, pace, wanted, clock);
          if (got === undefined) continue;
          const slots = createSlots(got, pace);
          // One after the other; each is late by so much after its slot, and then has to see whether it still may.
          for (let n = 0; n < got.count; n++) {
            const due = slots.take(clock);
            if (due === undefined) break;
            const at = (Temporal.Instant.compare(due, clock) > 0 ? due : clock).add({
              milliseconds: lates[n % lates.length] ?? 0,
            });
            if (slots.holds(due, at)) sentAt.push(at.epochMilliseconds);
            if (Temporal.Instant.compare(at, clock) > 0) clock = at;
          }
          nextAt = slots.next();
        }
        return sentAt.every((at, i) => (sentAt[i + limit] ?? Infinity) - at >= 1_000);
      }),
    );
  });
});
