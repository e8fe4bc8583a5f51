import { generateKeyPairSync } from 'node:crypto';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../../platform/clock.ts';
import { readContract } from '../../testing-spec.ts';
import type { ErrorCategory, OutgoingPush } from '../../port.ts';
import { collapseId } from '../collapse.rules.ts';
import { apnsErrors } from './errors.rules.ts';
import { createProviderTokens } from './provider-token.ts';
import { apnsHeaders, apnsPayload, readApnsReason } from './request.rules.ts';

const at = Temporal.Instant.from('2026-01-01T00:00:00Z');
const message: OutgoingPush = {
  channel: 'push',
  messageId: '0198c1d2-0000-7000-8000-000000000001',
  token: 'a1b2c3d4'.repeat(8),
  title: 'Hello',
  body: 'There is news',
  urgency: 'high',
};

describe('a request', () => {
  it('carries our id, the topic and what the message asks for', () => {
    expect(apnsHeaders({ ...message, ttlSeconds: 60, collapseKey: 'order-17' }, 'com.example.app', at)).toEqual({
      'apns-id': message.messageId,
      'apns-topic': 'com.example.app',
      'apns-push-type': 'alert',
      'apns-priority': '10',
      'apns-expiration': String(Date.UTC(2026, 0, 1, 0, 1) / 1000),
      'apns-collapse-id': 'order-17',
    });
    expect(apnsHeaders({ ...message, urgency: 'normal', ttlSeconds: 0 }, 't', at)).toMatchObject({
      'apns-priority': '5',
      'apns-expiration': '0',
    });
  });

  it('cannot have its alert replaced by the data of the app', () => {
    const data = { aps: 'mine', parleyMessageId: 'other', order: '17' };
    expect(JSON.parse(apnsPayload({ ...message, data, badge: 2, url: 'https://example.com' }).toString())).toEqual({
      order: '17',
      url: 'https://example.com',
      parleyMessageId: message.messageId,
      aps: { alert: { title: 'Hello', body: 'There is news' }, sound: 'default', badge: 2 },
    });
  });
});

it('a collapse key that does not fit becomes its digest: no two keys become one', () => {
  expect(collapseId('order-17', 64)).toBe('order-17');
  const [one, other] = [`${'x'.repeat(70)}1`, `${'x'.repeat(70)}2`].map((key) => collapseId(key, 32));
  expect(one).toMatch(/^[\w-]{32}$/);
  expect(one).not.toBe(other);
  expect(collapseId('with space', 32)).toMatch(/^[\w-]{32}$/);
});

const codes = readContract<{ codes: { reason: string; class: string }[] }>('errors/apns.json')?.codes;
const meant: Readonly<Record<string, readonly ErrorCategory[]>> = {
  suppress: ['address'],
  config: ['content', 'account'],
  throttle: ['throttled'],
  transient: ['transient', 'provider-down'],
};
/** Where we think otherwise than the table, with why. */
const differing: Readonly<Record<string, ErrorCategory>> = {
  // The request cannot be repeated with another token, and none was given: the address is empty.
  MissingDeviceToken: 'address',
  // "For that device token only": the lane has done nothing wrong.
  TooManyRequests: 'transient',
};

describe('reasons', () => {
  it.skipIf(codes === undefined)('are all in the table, in the group that Apple describes', () => {
    for (const { reason, class: group } of codes ?? []) {
      const category = apnsErrors[reason]?.category;
      expect(differing[reason] === undefined ? meant[group] : [differing[reason]], reason).toContain(category);
    }
    expect(codes?.length).toBe(32);
  });

  it('are read from the body, and from nothing else', () => {
    expect(readApnsReason('{"reason":"Unregistered","timestamp":1700000000000}')).toBe('Unregistered');
    for (const odd of ['', '<html>', '{}', '{"reason":1}', '"x"', '{"reason":"two words"}'])
      expect(readApnsReason(odd), odd).toBeUndefined();
  });
});

describe('the provider token', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const made = (clock = createVirtualClock('2026-01-01T00:00:00Z')) => ({
    clock,
    tokens: createProviderTokens({ teamId: 'TEAM123456', keyId: 'KEY1234567', privateKey: pem }, clock),
  });

  it('is signed with the key, and says whose it is and since when', async () => {
    const { clock, tokens } = made();
    const token = await tokens.get();
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', kid: 'KEY1234567' });
    const currentDate = new Date(clock.now().epochMilliseconds);
    expect((await jwtVerify(token, publicKey, { currentDate })).payload).toEqual({
      iss: 'TEAM123456',
      iat: Math.floor(clock.now().epochMilliseconds / 1000),
    });
  });

  it('is used for more than 20 minutes and less than an hour, by all at once', async () => {
    const { clock, tokens } = made();
    const [first, same] = await Promise.all([tokens.get(), tokens.get()]);
    expect(same).toBe(first);
    clock.advance(40 * 60_000);
    expect(await tokens.get()).toBe(first);
    clock.advance(10 * 60_000);
    expect(await tokens.get()).not.toBe(first);
  });

  it('is not made anew within 20 minutes, whatever APNs says of it', async () => {
    const { clock, tokens } = made();
    const first = await tokens.get();
    expect(tokens.renew(first)).toBe(false);
    clock.advance(21 * 60_000);
    expect(tokens.renew(first)).toBe(true);
    const second = await tokens.get();
    expect(second).not.toBe(first);
    // Another message met the old one, too: the new one stays.
    expect(tokens.renew(first)).toBe(true);
    expect(await tokens.get()).toBe(second);
  });
});
