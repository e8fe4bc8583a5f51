import { createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto';
import { compactVerify, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../../platform/clock.ts';
import { readContract } from '../../testing-spec.ts';
import type { ErrorCategory } from '../../port.ts';
import { webpushProvider } from './provider.ts';
import { encryptPush, mostPlainBytes } from './encryption.rules.ts';
import { webpushCode, webpushErrors } from './errors.rules.ts';
import { isPushService } from './services.rules.ts';
import { createVapid, makeVapidKeys, vapidPublicKey } from './vapid.ts';

const bytes = (text: string | undefined) => Buffer.from(text ?? '', 'base64url');

interface Vector {
  readonly id: string;
  readonly [field: string]: string;
}
const vectors = readContract<{ vectors: Vector[] }>('signatures/webpush_rfc8291_rfc8292.json')?.vectors;
const vector = (id: string) => vectors?.find((one) => one.id === id) ?? { id };

describe.skipIf(vectors === undefined)('the vectors of the RFCs', () => {
  it('RFC 8291, appendix A: the body comes out to the byte', () => {
    const one = vector('wp-01-rfc8291');
    const body = encryptPush(
      Buffer.from(one['plaintext'] ?? ''),
      { publicKey: bytes(one['receiverPublicKey']), authSecret: bytes(one['authSecret']) },
      { privateKey: bytes(one['senderPrivateKey']), salt: bytes(one['salt']) },
    );
    expect(body.toString('base64url')).toBe(one['body']);
    expect(vapidPublicKey(one['senderPrivateKey'] ?? '')).toBe(one['senderPublicKey']);
  });

  it('RFC 8292, 2.4: its token is read by what reads ours', async () => {
    const one = vector('vapid-01-rfc8292');
    const read = await verified(one['jwt'] ?? '', one['publicKey'] ?? '');
    expect(read).toEqual({ aud: one['audience'], exp: one['expiry'], sub: one['subject'] });
  });
});

async function verified(jwt: string, publicKey: string): Promise<unknown> {
  const point = bytes(publicKey);
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
  const key = await importJWK({ kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '' }, 'ES256');
  return JSON.parse(Buffer.from((await compactVerify(jwt, key)).payload).toString());
}

/** What a browser does (RFC 8291, 3.4), written down apart from what it checks. */
function decrypt(body: Buffer, own: ReturnType<typeof createECDH>, auth: Buffer): string {
  const [salt, peer] = [body.subarray(0, 16), body.subarray(21, 86)];
  const about = Buffer.concat([Buffer.from('WebPush: info\0'), own.getPublicKey(), peer]);
  const ikm = Buffer.from(hkdfSync('sha256', own.computeSecret(peer), auth, about, 32));
  const key = Buffer.from(hkdfSync('sha256', ikm, salt, 'Content-Encoding: aes128gcm\0', 16));
  const nonce = Buffer.from(hkdfSync('sha256', ikm, salt, 'Content-Encoding: nonce\0', 12));
  const decipher = createDecipheriv('aes-128-gcm', key, nonce);
  decipher.setAuthTag(body.subarray(-16));
  const plain = Buffer.concat([decipher.update(body.subarray(86, -16)), decipher.final()]);
  expect(plain.at(-1)).toBe(2);
  return plain.subarray(0, -1).toString();
}

describe('encryption', () => {
  it('is undone by the browser that subscribed, and the longest message still fits in 4,096 bytes', () => {
    const browser = createECDH('prime256v1');
    browser.generateKeys();
    const [auth, salt] = [randomBytes(16), randomBytes(16)];
    for (const text of ['', 'Grüße', 'x'.repeat(mostPlainBytes)]) {
      const receiver = { publicKey: browser.getPublicKey(), authSecret: auth };
      const body = encryptPush(Buffer.from(text), receiver, { privateKey: bytes(makeVapidKeys().privateKey), salt });
      expect(decrypt(body, browser, auth)).toBe(text);
      expect(body.length).toBeLessThanOrEqual(4096);
    }
  });

  it('throws where the public key is no point on the curve', () => {
    const receiver = { publicKey: Buffer.alloc(65, 4), authSecret: Buffer.alloc(16) };
    const ephemeral = { privateKey: bytes(makeVapidKeys().privateKey), salt: Buffer.alloc(16) };
    expect(() => encryptPush(Buffer.from('x'), receiver, ephemeral)).toThrow();
  });
});

describe('VAPID', () => {
  it('names the service, the sender and an end within a day, and is signed once for hours', async () => {
    const clock = createVirtualClock('2026-01-01T00:00:00Z');
    const keys = makeVapidKeys();
    const authorize = createVapid(keys, 'mailto:ops@example.com', clock);
    const first = await authorize('https://push.example');
    const [, jwt = '', k = ''] = /^vapid t=([^,]+), k=(.+)$/.exec(first) ?? [];
    expect(k).toBe(keys.publicKey);
    expect(await verified(jwt, keys.publicKey)).toEqual({
      aud: 'https://push.example',
      exp: Math.floor(clock.now().add({ hours: 12 }).epochMilliseconds / 1000),
      sub: 'mailto:ops@example.com',
    });
    clock.advance(10 * 3_600_000);
    expect(await authorize('https://push.example')).toBe(first);
    expect(await authorize('https://other.example')).not.toBe(first);
    clock.advance(3_600_000);
    expect(await authorize('https://push.example')).not.toBe(first);
  });

  it('makes keys that are whole', () => {
    for (let count = 0; count < 300; count++) {
      const { privateKey, publicKey } = makeVapidKeys();
      expect([bytes(privateKey).length, bytes(publicKey).length]).toEqual([32, 65]);
      expect(vapidPublicKey(privateKey)).toBe(publicKey);
    }
    for (const wrong of ['', 'A'.repeat(43), 'x'.repeat(42), '_'.repeat(43)])
      expect(vapidPublicKey(wrong)).toBeUndefined();
  });

  it('an account without keys gets a pair, one with a key its public half, whatever was given for it', () => {
    const made = webpushProvider.complete?.({ subject: 'mailto:a@example.com' }, {});
    expect(vapidPublicKey(String(made?.secrets['privateKey']))).toBe(made?.settings['publicKey']);
    const { privateKey, publicKey } = makeVapidKeys();
    expect(webpushProvider.complete?.({ publicKey: 'mine' }, { privateKey })).toEqual({
      settings: { publicKey },
      secrets: { privateKey },
    });
  });
});

const meant: Readonly<Record<string, readonly ErrorCategory[]>> = {
  suppress: ['address'],
  config: ['content', 'account'],
  throttle: ['throttled'],
  transient: ['transient', 'provider-down'],
};
const statuses = readContract<{ http: { status: number; class: string }[] }>('errors/webpush.json')?.http;

describe('statuses', () => {
  it.skipIf(statuses === undefined)('mean what the RFCs say, each of them', () => {
    for (const one of statuses ?? [])
      if (one.class !== 'success')
        expect(meant[one.class], String(one.status)).toContain(webpushErrors[one.status]?.category);
    expect(statuses?.length).toBeGreaterThan(8);
  });

  it('a subscription made with another key is told from an account that is not let in', () => {
    expect(webpushCode(403, '{"reason":"VapidPkHashMismatch"}')).toBe('other-key');
    expect(webpushCode(403, 'the VAPID credentials do not correspond to the credentials used to subscribe')).toBe(
      'other-key',
    );
    expect(webpushCode(403, '{"reason":"BadJwtToken"}')).toBe('403');
    expect(webpushCode(500, 'VapidPkHashMismatch')).toBe('500');
  });
});

it('only push services are called: what a stranger names as his endpoint cannot stop an account', () => {
  for (const host of [
    'fcm.googleapis.com',
    'updates.push.services.mozilla.com',
    'web.push.apple.com',
    'db5p.notify.windows.com',
  ])
    expect(isPushService(host), host).toBe(true);
  for (const host of ['evil.example', 'push.apple.com.evil.example', 'xfcm.googleapis.com', '.push.apple.com'])
    expect(isPushService(host), host).toBe(false);
  expect(isPushService('push.own.example', ['push.own.example'])).toBe(true);
  expect(isPushService('a.own.example', ['*.own.example'])).toBe(true);
});
