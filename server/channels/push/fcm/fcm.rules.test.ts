import { describe, expect, it } from 'vitest';
import { readContract, validatorFor } from '../../testing-spec.ts';
import type { ErrorCategory, OutgoingPush } from '../../port.ts';
import { fcmErrors } from './errors.rules.ts';
import { fcmBody, readFcmAnswer, reservedField } from './request.rules.ts';

const at = Temporal.Instant.from('2026-01-01T00:00:00Z');
const plain: OutgoingPush = {
  channel: 'push',
  messageId: '0198c1d2-0000-7000-8000-000000000001',
  token: 'dGVzdA:APA91bH-a_token_that_is_long_enough',
  title: 'Hello',
  body: 'There is news',
  urgency: 'normal',
};
const full: OutgoingPush = {
  ...plain,
  imageUrl: 'https://example.com/picture.png',
  url: 'https://example.com/news',
  data: { order: '17' },
  collapseKey: 'order 17',
  ttlSeconds: 3600,
  urgency: 'high',
  badge: 3,
  sound: 'bell.caf',
};

describe('a request', () => {
  const spec = 'specs/fcm/fcm_v1.flatpath.openapi3.json';
  const judge = validatorFor(spec, 'post', '/v1/projects/{projectsId}/messages:send', { closed: true });

  it.skipIf(judge === undefined)('is one that the specification of FCM knows, with every field it has', () => {
    for (const message of [plain, full, { ...full, ttlSeconds: 0 }]) expect(judge?.(fcmBody(message, at))).toEqual([]);
    expect(judge?.({ message: { token: 1 } })).not.toEqual([]);
  });

  it('says to each platform what it is to do', () => {
    expect(fcmBody(full, at)).toMatchObject({
      message: {
        token: full.token,
        notification: { title: 'Hello', body: 'There is news', image: 'https://example.com/picture.png' },
        data: { order: '17', url: 'https://example.com/news', parleyMessageId: full.messageId },
        android: { priority: 'HIGH', ttl: '3600s', notification: { sound: 'bell.caf', notificationCount: 3 } },
        apns: {
          headers: { 'apns-priority': '10', 'apns-expiration': String(Date.UTC(2026, 0, 1, 1) / 1000) },
          payload: { aps: { badge: 3, sound: 'bell.caf', 'mutable-content': 1 } },
        },
        webpush: { headers: { Urgency: 'high', TTL: '3600' }, fcmOptions: { link: 'https://example.com/news' } },
      },
    });
  });

  it('now or never is zero, not a moment that has passed; longer than four weeks is four weeks', () => {
    expect(fcmBody({ ...plain, ttlSeconds: 0 }, at)).toMatchObject({
      message: { android: { ttl: '0s' }, apns: { headers: { 'apns-expiration': '0' } } },
    });
    expect(fcmBody({ ...plain, ttlSeconds: 10 ** 8 }, at)).toMatchObject({ message: { android: { ttl: '2419200s' } } });
  });

  it('does not carry fields that FCM keeps to itself', () => {
    expect(reservedField({ order: '1', from: 'x' })).toBe('from');
    expect(reservedField({ 'google.x': '1' })).toBe('google.x');
    expect(reservedField({ order: '1' })).toBeUndefined();
    expect(reservedField(undefined)).toBeUndefined();
  });
});

interface Sample {
  readonly id: string;
  readonly payload: object;
}
const samples = readContract<{ samples: Sample[] }>('payloads/fcm/error_responses.json')?.samples;
const codes = readContract<{ codes: { code: string; class: string }[] }>('errors/fcm.json')?.codes;
const meant: Readonly<Record<string, readonly ErrorCategory[]>> = {
  suppress: ['address'],
  config: ['content', 'account'],
  throttle: ['throttled'],
  transient: ['transient', 'provider-down'],
};

describe('an answer', () => {
  it('that took the message names it', () => {
    expect(readFcmAnswer('{"name":"projects/p/messages/0:17"}')).toEqual({ name: 'projects/p/messages/0:17' });
    for (const odd of ['', '<html>', '[]', '{}', '{"name":"x"}', 'null'])
      expect(readFcmAnswer(odd), odd).toBeUndefined();
  });

  it.skipIf(samples === undefined)('blames the token only where the token is to blame', () => {
    const codeOf = (id: string) => readFcmAnswer(JSON.stringify(samples?.find((one) => one.id === id)?.payload))?.code;
    expect(codeOf('invalid-data-value')).toBe('INVALID_ARGUMENT');
    expect(codeOf('invalid-token')).toBe('INVALID_TOKEN');
    expect(codeOf('unregistered')).toBe('UNREGISTERED');
  });

  it('with both kinds of details, the field decides', () => {
    const both = (field: string) =>
      readFcmAnswer(
        JSON.stringify({
          error: {
            status: 'INVALID_ARGUMENT',
            message: 'Invalid registration token',
            details: [
              { '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode: 'INVALID_ARGUMENT' },
              { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ field }] },
            ],
          },
        }),
      )?.code;
    expect(both('message.token')).toBe('INVALID_TOKEN');
    expect(both('message.android.ttl')).toBe('INVALID_ARGUMENT');
  });

  it.skipIf(codes === undefined)('every code of FCM is in the table, in the group the vendor describes', () => {
    for (const { code, class: group } of codes ?? []) {
      // Collected as a mistake of the configuration; here the token is of no use to the account, so it is retired.
      const expected = code === 'SENDER_ID_MISMATCH' ? ['address'] : meant[group];
      expect(expected, code).toContain(fcmErrors[code]?.category);
    }
    expect(codes?.length).toBeGreaterThan(7);
  });
});
