import { describe, expect, it } from 'vitest';
import {
  callbackAbout,
  categoryOfStatus,
  failureResult,
  malformedResult,
  maskAddress,
  messageIdOf,
  reasonText,
  refusalResult,
  retryAfterMs,
} from './outcome.rules.ts';
import type { ErrorTable } from './port.ts';

const errors: ErrorTable = {
  21211: { category: 'address', meaning: 'the number is not valid' },
  30007: { category: 'content', meaning: 'filtered by the carrier' },
  20003: { category: 'account', meaning: 'wrong credentials' },
  20429: { category: 'throttled', meaning: 'too many requests', afterMs: 5000 },
  20500: { category: 'provider-down', meaning: 'an error of the vendor' },
  30003: { category: 'transient', meaning: 'the handset cannot be reached' },
  30410: { category: 'unknown', meaning: 'the carrier did not answer' },
};

describe('what a vendor said instead of yes', () => {
  it.each([
    ['21211', { kind: 'refused', category: 'address', permanent: true }],
    ['30007', { kind: 'refused', category: 'content', permanent: true }],
    ['20003', { kind: 'refused', category: 'account', permanent: true }],
    ['20429', { kind: 'retry', category: 'throttled', afterMs: 5000 }],
    ['20500', { kind: 'retry', category: 'provider-down' }],
    ['30003', { kind: 'retry', category: 'transient' }],
    ['30410', { kind: 'unknown' }],
  ])('is looked up in its table: %s', (code, result) => {
    expect(refusalResult(errors, { code, reason: 'no', status: 400 })).toEqual({
      ...result,
      code,
      ...(result.kind === 'unknown' ? { cause: 'no' } : { reason: 'no' }),
    });
  });

  it('is judged by the status where the code is not in the table, and in doubt where there is neither', () => {
    expect(refusalResult(errors, { code: '99999', reason: 'x', status: 429 })).toMatchObject({ category: 'throttled' });
    expect(refusalResult(errors, { code: '99999', reason: 'x', status: 400 })).toMatchObject({ category: 'content' });
    expect(refusalResult(errors, { code: '99999', reason: 'x' })).toEqual({
      kind: 'unknown',
      code: '99999',
      cause: 'x',
    });
  });

  it('takes no code for a property that every object has', () => {
    expect(refusalResult(errors, { code: 'constructor', reason: 'x', status: 400 })).toMatchObject({
      kind: 'refused',
      category: 'content',
    });
  });

  it('waits as long as the longer of the two wishes', () => {
    expect(refusalResult(errors, { code: '20429', reason: 'x', afterMs: 7000 })).toMatchObject({ afterMs: 7000 });
    expect(refusalResult(errors, { code: '20429', reason: 'x', afterMs: 1000 })).toMatchObject({ afterMs: 5000 });
  });

  it('has our words where the vendor has none, and never the address', () => {
    expect(refusalResult(errors, { code: '21211', reason: '' })).toMatchObject({ reason: 'the number is not valid' });
    const told = refusalResult(errors, {
      code: '21211',
      reason: "The 'To' number +15005550001 is not valid; device d3v1ceT0ken is gone",
      addresses: ['+15005550001', 'd3v1ceT0ken'],
    });
    expect(told).toMatchObject({ reason: "The 'To' number •••••001 is not valid; device ••• is gone" });
  });
});

describe('a status by itself', () => {
  it.each([
    [301, 'account'],
    [400, 'content'],
    [401, 'account'],
    [402, 'account'],
    [403, 'account'],
    [404, 'account'],
    [408, 'transient'],
    [413, 'content'],
    [422, 'content'],
    [429, 'throttled'],
    [500, 'provider-down'],
    [502, 'unknown'],
    [503, 'provider-down'],
    [504, 'unknown'],
    [524, 'unknown'],
  ])('%i: %s', (status, category) => expect(categoryOfStatus(status)).toBe(category));

  it('decides about an answer that is not the vendor’s, but a success that cannot be read is doubt', () => {
    expect(malformedResult(503, 'not JSON')).toMatchObject({ kind: 'retry', category: 'provider-down', code: '503' });
    expect(malformedResult(200, 'not JSON')).toMatchObject({ kind: 'unknown', code: 'malformed' });
  });
});

describe('a call without an answer', () => {
  const failed = (code: string, mayHaveArrived: boolean) =>
    failureResult({ kind: 'failed', code, mayHaveArrived, reason: 'for a reason' });

  it('is doubt once it may have arrived, whatever broke', () => {
    for (const code of ['timeout', 'connection-lost', 'too-large', 'aborted', 'tls'])
      expect(failed(code, true)).toEqual({ kind: 'unknown', code, cause: 'for a reason' });
  });

  it('is tried again when nothing has left: the vendor is down, or we gave up ourselves', () => {
    for (const code of ['dns', 'connect', 'tls', 'timeout', 'connection-lost'])
      expect(failed(code, false)).toMatchObject({ kind: 'retry', category: 'provider-down', code });
    for (const code of ['aborted', 'closed'])
      expect(failed(code, false)).toMatchObject({ kind: 'retry', category: 'transient', code });
  });

  it('is a matter of the message when it fits into no request', () => {
    expect(failed('invalid-request', false)).toMatchObject({ kind: 'refused', category: 'content' });
  });

  it('is a matter of the account when the host may not be called at all', () => {
    expect(failed('refused-host', false)).toMatchObject({ kind: 'refused', category: 'account', code: 'refused-host' });
  });
});

describe('Retry-After', () => {
  const now = Temporal.Instant.from('2026-11-21T10:00:00Z');

  it.each([
    ['7', 7000],
    ['0', 0],
    ['1.5', 1500],
    ['999999999', 86_400_000],
    ['Sat, 21 Nov 2026 10:00:30 GMT', 30_000],
    ['Sat, 21 Nov 2026 09:00:00 GMT', 0],
    ['Mon, 21 Dec 2026 10:00:00 GMT', 86_400_000],
  ])('%s', (value, wait) => expect(retryAfterMs({ 'retry-after': value }, now)).toBe(wait));

  it.each([undefined, '', 'soon', '-5', 'Sat, 41 Nov 2026 10:00:30 GMT', '2026-11-21'])('says nothing as %s', (value) =>
    expect(retryAfterMs(value === undefined ? {} : { 'retry-after': value }, now)).toBeUndefined(),
  );
});

describe('a reason', () => {
  it.each([
    ['ada@example.com is suppressed', '•••@example.com is suppressed'],
    ['number +49 151 2345-6789 unreachable', 'number •••••789 unreachable'],
    ['number 4915123456789, unreachable', 'number •••••789, unreachable'],
    [
      'code 30007 in message SM0123456789abcdef0123456789abcdef',
      'code 30007 in message SM0123456789abcdef0123456789abcdef',
    ],
    [
      'at 2026-11-21 on the 5b40a428-bfc7-4daf-9d06-726c558bf3b8',
      'at 2026-11-21 on the 5b40a428-bfc7-4daf-9d06-726c558bf3b8',
    ],
    ['two\r\nlines\u2028more', 'two lines more'],
  ])('%s', (text, told) => expect(reasonText(text)).toBe(told));

  it('is bounded, also where a vendor answers with a whole page', () => {
    expect(reasonText('x'.repeat(1_000_000))).toHaveLength(300);
  });

  it('masks the number of the message however it is written', () => {
    expect(reasonText('To 15005550001 and +15005550001', ['+15005550001'])).toBe('To •••••001 and •••••001');
    expect(maskAddress('short')).toBe('•••');
  });
});

describe('our id in the address of a callback', () => {
  it('comes back as it was given', () => {
    const id = '0198c1d2-0000-7000-8000-000000000001';
    expect(messageIdOf(callbackAbout('https://parley.example/c/twilio/1?a=b', id))).toBe(id);
  });
  it('is nothing but an id', () => {
    expect(messageIdOf('https://parley.example/c?message=x')).toBeUndefined();
    expect(messageIdOf('https://parley.example/c')).toBeUndefined();
    expect(messageIdOf('nonsense')).toBeUndefined();
  });
});
