import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hidden, maskChange, maskEmail, maskPhone, maskText, maskValue } from './mask.rules.ts';

describe('masking', () => {
  test('leaves the first letter and the domain of an e-mail address', () => {
    expect(maskEmail('mia@example.com')).toBe('m•••@example.com');
    expect(maskEmail('@example.com')).toBe(hidden);
  });

  test('leaves the country and the last two digits of a phone number', () => {
    expect(maskPhone('+49 151 2345678')).toBe('+49•••78');
    expect(maskPhone('12')).toBe(hidden);
  });

  test('finds addresses inside a text', () => {
    expect(maskText('From "Mia" <mia@example.com>, call +49 151 2345678.')).toBe(
      'From "Mia" <m•••@example.com>, call +49•••78.',
    );
    expect(maskText('version 1.2.3, 500 rows, 2026-01-01')).toBe('version 1.2.3, 500 rows, 2026-01-01');
  });

  test('hides secrets by their name, at any depth, and keeps flags', () => {
    expect(
      maskValue({
        smtp: { password: 'x', apiKey: ['a'], secure: true },
        token: 7,
        hasPassword: true,
        backupCodes: ['1'],
      }),
    ).toEqual({
      smtp: { password: hidden, apiKey: hidden, secure: true },
      token: hidden,
      hasPassword: true,
      backupCodes: hidden,
    });
  });

  test('hides phone numbers written without a plus when the field says what they are', () => {
    expect(maskValue({ phone: '0151 2345678' })).toEqual({ phone: '015•••78' });
  });

  test('writes times as text and bytes not at all', () => {
    expect(maskValue({ at: Temporal.Instant.from('2026-01-01T00:00:00Z'), raw: Buffer.from('x') })).toEqual({
      at: '2026-01-01T00:00:00Z',
      raw: hidden,
    });
  });

  test('bounds what is huge', () => {
    const masked = maskValue({ text: 'a'.repeat(10_000), list: Array.from({ length: 500 }, (_, at) => at) });
    expect(JSON.stringify(masked).length).toBeLessThan(800);
    expect(maskValue({ a: { b: { c: { d: { e: { f: { g: 1 } } } } } } })).toEqual({
      a: { b: { c: { d: { e: { f: '…' } } } } },
    });
  });

  test('keeps a key called __proto__ a mere key', () => {
    const masked = maskValue(JSON.parse('{"__proto__": {"polluted": true}}'));
    expect(Object.keys(masked as object)).toEqual(['__proto__']);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test('replaces what jsonb refuses', () => {
    expect(maskText('a\0b\ud800c')).toBe('a\ufffdb\ufffdc');
  });

  test('never lets an e-mail address through, wherever it stands', () => {
    fc.assert(
      fc.property(fc.emailAddress(), fc.string({ maxLength: 20 }), (email, around) => {
        const local = email.slice(0, email.lastIndexOf('@'));
        fc.pre(local.length > 4);
        expect(JSON.stringify(maskValue({ note: `${around} ${email}`, list: [email] }))).not.toContain(email);
      }),
    );
  });

  test('always gives plain JSON', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withTypedArray: true, withSet: true }), (value) => {
        const masked = maskValue(value);
        expect(JSON.parse(JSON.stringify(masked))).toEqual(JSON.parse(JSON.stringify(masked ?? null)));
      }),
    );
  });
});

describe('a change', () => {
  test('shows only what differs', () => {
    expect(maskChange({ name: 'A', city: 'X', gone: 1 }, { name: 'B', city: 'X', come: 2 })).toEqual({
      before: { name: 'A', gone: 1 },
      after: { name: 'B', come: 2 },
    });
  });

  test('shows that a secret or address was replaced though both look alike', () => {
    expect(
      maskChange({ password: 'a', email: 'mia@example.com' }, { password: 'b', email: 'max@example.com' }),
    ).toEqual({
      before: { password: hidden, email: 'm•••@example.com' },
      after: { password: hidden, email: 'm•••@example.com' },
    });
  });

  test('shows all of what was made or removed', () => {
    expect(maskChange(undefined, { name: 'A' })).toEqual({ before: null, after: { name: 'A' } });
    expect(maskChange({ name: 'A' }, null)).toEqual({ before: { name: 'A' }, after: null });
  });
});
