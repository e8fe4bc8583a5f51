import { describe, expect, it } from 'vitest';
import { parsePushAddress, readSubscription, writePushAddress } from './push-address.ts';

const p256dh = 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4';
const auth = 'BTBZMqHH6r4Tts7J_aSIgg';
const endpoint = 'https://updates.push.services.mozilla.com/wpush/v2/gAAAAABk';

describe('a push address', () => {
  it('of FCM is the token behind its platform', () => {
    const token = 'dGVzdA:APA91bH-long_enough_to_be_one';
    expect(parsePushAddress(`fcm:${token}`)).toEqual({
      ok: true,
      address: { platform: 'fcm', token, identity: token },
    });
  });

  it('of APNs is one whatever the case and the brackets it is written with', () => {
    const hex = 'a1b2c3d4'.repeat(8);
    for (const written of [`apns:${hex}`, `APNS:${hex.toUpperCase()}`, `apns:<${hex.slice(0, 8)} ${hex.slice(8)}>`])
      expect(parsePushAddress(written)).toMatchObject({ ok: true, address: { platform: 'apns', token: hex } });
  });

  it('of a browser is its subscription in one form, told from others by its endpoint', () => {
    const written = `webpush:${JSON.stringify({ keys: { auth: `${auth}==`, p256dh }, expirationTime: null, endpoint }, null, 2)}`;
    const result = parsePushAddress(written);
    expect(result).toEqual({
      ok: true,
      address: { platform: 'webpush', token: JSON.stringify({ endpoint, keys: { p256dh, auth } }), identity: endpoint },
    });
    if (result.ok) expect(parsePushAddress(writePushAddress(result.address))).toEqual(result);
  });

  it('without a platform, or with what its platform never gives out, is refused', () => {
    for (const wrong of [
      '',
      'dGVzdA',
      'gcm:dGVzdA:APA91bH-long_enough_to_be_one',
      'fcm:short',
      'fcm:with space in the middle of it',
      'apns:not-hexadecimal-at-all-0000000000000000',
      `apns:${'a'.repeat(63)}`,
      'webpush:https://push.example',
      `webpush:${JSON.stringify({ endpoint, keys: { p256dh } })}`,
    ])
      expect(parsePushAddress(wrong).ok, wrong).toBe(false);
  });
});

describe('the endpoint of a subscription', () => {
  const read = (url: string) => readSubscription(JSON.stringify({ endpoint: url, keys: { p256dh, auth } }));

  it('is encrypted, unless it is the sandbox', () => {
    expect(read('https://push.example/x')).toBeDefined();
    expect(read('http://sandbox.localhost/webpush/push/ada')).toBeDefined();
    for (const wrong of [
      'http://push.example/x',
      'http://127.0.0.1:9000/x',
      'ftp://push.example',
      'https://user:pass@push.example/x',
      'nonsense',
    ])
      expect(read(wrong), wrong).toBeUndefined();
  });
});
