import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { apply, reaches, timeOfAct } from './consent.rules.ts';
import type { Act, Standing } from './consent.rules.ts';

const at = (hours: number) => Temporal.Instant.from('2026-01-01T00:00:00Z').add({ hours });
const act = (action: Act['action'], hours: number, source = 'api'): Act => ({ action, at: at(hours), source });
const after = (acts: readonly Act[]): Standing | undefined =>
  acts.reduce<Standing | undefined>((standing, one) => apply(standing, one).standing, undefined);

const anyAct: fc.Arbitrary<Act> = fc.record({
  action: fc.constantFrom('grant', 'withdraw', 'confirm', 'expire'),
  at: fc.integer({ min: 0, max: 30 }).map(at),
  source: fc.constantFrom('api', 'dashboard', 'double-opt-in'),
});
const anyImport: fc.Arbitrary<Act> = fc.record({
  action: fc.constant('grant'),
  at: fc.integer({ min: 0, max: 30 }).map(at),
  source: fc.constant('import'),
});

describe('what counts', () => {
  test('an import grants where nobody has said anything', () => {
    expect(apply(undefined, act('grant', 1, 'import'))).toMatchObject({
      effect: 'change',
      standing: { state: 'granted' },
    });
  });

  test('an import never revives a withdrawal, even with later evidence', () => {
    expect(after([act('withdraw', 1), act('grant', 9, 'import')])?.state).toBe('withdrawn');
    expect(after([act('grant', 9, 'import'), act('withdraw', 1)])?.state).toBe('withdrawn');
  });

  test('the same import again is not even written', () => {
    const standing = after([act('grant', 1, 'import')]);
    expect(apply(standing, act('grant', 1, 'import')).effect).toBe('nothing');
    expect(apply(standing, act('grant', 5, 'import')).effect).toBe('nothing');
  });

  test('a person may agree again after a withdrawal', () => {
    expect(after([act('withdraw', 1), act('grant', 2)])?.state).toBe('granted');
  });

  test('evidence of something said earlier is noted, but changes nothing', () => {
    const standing = after([act('withdraw', 5)]);
    expect(apply(standing, act('grant', 3))).toEqual({ effect: 'note', standing });
  });

  test('said in the same moment, the withdrawal counts', () => {
    expect(after([act('grant', 1), act('withdraw', 1)])?.state).toBe('withdrawn');
    expect(after([act('withdraw', 1), act('grant', 1)])?.state).toBe('withdrawn');
  });

  test('pressing the same link again within the hour writes nothing; later it is a new act', () => {
    const standing = after([act('withdraw', 1, 'unsubscribe')]);
    const again = { ...act('withdraw', 1, 'unsubscribe'), at: at(1).add({ minutes: 10 }) };
    expect(apply(standing, again).effect).toBe('nothing');
    expect(apply(standing, act('withdraw', 3, 'unsubscribe')).effect).toBe('change');
  });

  test('in any order, the same acts come to the same', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(anyAct, anyImport), { maxLength: 12 }),
        fc.infiniteStream(fc.nat()),
        (acts, keys) => {
          const shuffled = acts
            .map((one) => ({ one, key: keys.next().value }))
            .sort((a, b) => a.key - b.key)
            .map(({ one }) => one);
          const [left, right] = [after(acts), after(shuffled)];
          expect(left?.state).toBe(right?.state);
          if (left?.source !== 'import') expect(left?.since.toString()).toBe(right?.since.toString());
        },
      ),
    );
  });

  test('whatever else was said, imports change nothing about it', () => {
    fc.assert(
      fc.property(
        fc.array(anyAct, { minLength: 1, maxLength: 8 }),
        fc.array(anyImport, { maxLength: 5 }),
        fc.nat(),
        (acts, imports, where) => {
          const place = where % (acts.length + 1);
          const mixed = [...acts.slice(0, place), ...imports, ...acts.slice(place)];
          expect(after(mixed)?.state).toBe(after(acts)?.state);
        },
      ),
    );
  });

  test('once withdrawn, only a later act of the person grants', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(anyAct, anyImport), { maxLength: 10 }), (acts) => {
        const standing = after([...acts, act('withdraw', 31)]);
        expect(standing?.state).toBe('withdrawn');
        const earlier = after([act('withdraw', 31), ...acts]);
        expect(earlier?.state).toBe('withdrawn');
      }),
    );
  });
});

describe('which channel an address has', () => {
  test('e-mail is for e-mail, a phone for SMS and WhatsApp', () => {
    expect(reaches('email', 'email')).toBe(true);
    expect(reaches('sms', 'phone')).toBe(true);
    expect(reaches('whatsapp', 'phone')).toBe(true);
    expect(reaches('sms', 'email')).toBe(false);
    expect(reaches('email', 'phone')).toBe(false);
  });
});

describe('when it was said', () => {
  const now = at(10);
  test('now, unless a time is given', () => {
    expect(timeOfAct(undefined, now)?.toString()).toBe(now.toString());
    expect(timeOfAct(at(3), now)?.toString()).toBe(at(3).toString());
  });
  test('a clock that is a little ahead is set to now, a time in the future is not believed', () => {
    expect(timeOfAct(now.add({ minutes: 2 }), now)?.toString()).toBe(now.toString());
    expect(timeOfAct(now.add({ hours: 2 }), now)).toBeUndefined();
  });
  test('to the microsecond, as the database keeps it', () => {
    expect(timeOfAct(Temporal.Instant.from('2026-01-01T00:00:00.123456789Z'), now)?.toString()).toBe(
      '2026-01-01T00:00:00.123456Z',
    );
  });
});
