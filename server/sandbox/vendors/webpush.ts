import { createDecipheriv, createECDH, createPublicKey, hkdfSync } from 'node:crypto';
import type { ECDH } from 'node:crypto';
import { jwtVerify } from 'jose';
import type { Desk, Vendor, VendorAnswer, VendorRequest } from '../vendor.ts';
import { objectIn, pushFate, textOf } from './push.rules.ts';

/**
 * A push service and the browsers behind it: `GET /subscription/{name}` gives the subscription of a made-up browser, as
 * `JSON.stringify(subscription)` does; `POST /push/{name}` takes a message for it. The browser's key is derived from its
 * name, so what was encrypted is opened again here, and the sandbox shows what the person would see.
 *
 * Checked against: RFC 8030 (statuses, TTL, Topic, Urgency), RFC 8291 and RFC 8292 by the vectors in
 * signatures/webpush_rfc8291_rfc8292.json of the vendor contracts, errors/webpush.json. Not played: receipts.
 */
export const webpush: Vendor = {
  name: 'webpush',
  accounts: [
    { kind: 'webpush', channel: 'push', title: 'Web Push', fields: () => ({ subject: 'mailto:sandbox@example.com' }) },
  ],
  handle: async (request, desk) => {
    const [, place = '', name = ''] = /^\/(subscription|push)\/([\w-]{1,100})$/.exec(request.path) ?? [];
    if (place === 'subscription' && request.method === 'GET')
      return { status: 200, body: subscriptionOf(request.workspaceId, name, desk) };
    if (place !== 'push') return { status: 404 };
    if (request.method !== 'POST') return { status: 405 };
    return takePush(request, name, desk);
  },
};

interface Browser {
  readonly pair: ECDH;
  readonly auth: Buffer;
}

function browserOf(workspaceId: string, name: string, desk: Desk): Browser {
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(desk.secret(workspaceId, `webpush-key:${name}`));
  return { pair, auth: desk.secret(workspaceId, `webpush-auth:${name}`).subarray(0, 16) };
}

function subscriptionOf(workspaceId: string, name: string, desk: Desk): object {
  const { pair, auth } = browserOf(workspaceId, name, desk);
  return {
    endpoint: `http://sandbox.localhost/webpush/push/${name}`,
    expirationTime: null,
    keys: { p256dh: pair.getPublicKey('base64url'), auth: auth.toString('base64url') },
  };
}

async function takePush(
  request: VendorRequest,
  name: string,
  desk: Desk,
): Promise<VendorAnswer | { readonly fate: 'quiet' }> {
  const stranger = await strangerStatus(request, desk);
  if (stranger !== undefined) return { status: stranger };
  const { headers, body, workspaceId } = request;
  if (!/^\d{1,10}$/.test(headers['ttl'] ?? '')) return { status: 400, body: 'TTL is missing' };
  if (!['very-low', 'low', 'normal', 'high', undefined].includes(headers['urgency'])) return { status: 400 };
  if (!/^[\w-]{0,32}$/.test(headers['topic'] ?? '')) return { status: 400, body: 'Topic is wrong' };
  if (body.length > 4096) return { status: 413 };
  const plain =
    headers['content-encoding'] === 'aes128gcm' ? opened(body, browserOf(workspaceId, name, desk)) : undefined;
  if (plain === undefined) return { status: 400, body: 'The message cannot be decrypted' };
  const fate = pushFate(desk.fateOf(workspaceId, name, 'webpush'));
  switch (fate.kind) {
    case 'gone':
      return { status: fate.code === '404' ? 404 : 410 };
    case 'object':
      return { status: 413 };
    case 'throttle':
      return { status: 429, headers: { 'retry-after': String(fate.afterSeconds) } };
    case 'fail':
      return { status: fate.status };
    case 'quiet':
      return { fate: 'quiet' };
    case 'malformed':
      return { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Welcome</html>' };
    case 'take': {
      if (fate.afterMs > 0) await desk.clock.sleep(fate.afterMs);
      const ref = `https://sandbox.invalid/message/${desk.hex(24)}`;
      await desk.keep(workspaceId, mailOf(plain, name, ref));
      return { status: 201, headers: { location: ref, ttl: headers['ttl'] ?? '0' } };
    }
  }
}

/** 401 without VAPID, 403 where the signature, the audience or the time is wrong; undefined: it may send. */
async function strangerStatus({ headers }: VendorRequest, desk: Desk): Promise<401 | 403 | undefined> {
  const [, jwt, key] = /^vapid t=([\w.-]+), ?k=([\w-]{87})$/.exec(headers['authorization'] ?? '') ?? [];
  if (jwt === undefined || key === undefined) return 401;
  const point = Buffer.from(key, 'base64url');
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
  const now = desk.clock.now();
  try {
    const publicKey = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '' }, format: 'jwk' });
    const { payload } = await jwtVerify(jwt, publicKey, {
      algorithms: ['ES256'],
      audience: `http://${headers['host'] ?? ''}`,
      currentDate: new Date(now.epochMilliseconds),
    });
    const leftSeconds = (payload.exp ?? 0) - now.epochMilliseconds / 1000;
    return leftSeconds > 0 && leftSeconds <= 86_400 ? undefined : 403;
  } catch {
    return 403;
  }
}

/** As the browser does it (RFC 8291, 3.4); undefined when it is not for this one. */
function opened(body: Buffer, { pair, auth }: Browser): string | undefined {
  if (body.length < 86 + 17 || body[20] !== 65) return undefined;
  const [salt, peer] = [body.subarray(0, 16), body.subarray(21, 86)];
  try {
    const about = Buffer.concat([Buffer.from('WebPush: info\0'), pair.getPublicKey(), peer]);
    const ikm = Buffer.from(hkdfSync('sha256', pair.computeSecret(peer), auth, about, 32));
    const key = Buffer.from(hkdfSync('sha256', ikm, salt, 'Content-Encoding: aes128gcm\0', 16));
    const nonce = Buffer.from(hkdfSync('sha256', ikm, salt, 'Content-Encoding: nonce\0', 12));
    const decipher = createDecipheriv('aes-128-gcm', key, nonce);
    decipher.setAuthTag(body.subarray(-16));
    const padded = Buffer.concat([decipher.update(body.subarray(86, -16)), decipher.final()]);
    const end = padded.lastIndexOf(2);
    return end === -1 ? undefined : padded.toString('utf8', 0, end);
  } catch {
    return undefined;
  }
}

function mailOf(plain: string, name: string, ref: string) {
  const message = objectIn(plain) ?? {};
  const [heading, text] = [textOf(message['title']), textOf(message['body'])];
  const [image, url, messageId] = ['image', 'url', 'messageId'].map((field) => textOf(message[field]));
  return {
    channel: 'push' as const,
    vendor: 'webpush',
    to: name,
    title: heading,
    shown: {
      heading,
      text,
      ...(image === undefined || image === '' ? {} : { pictures: [image] }),
      ...(url === undefined || url === '' ? {} : { url }),
    },
    ...(messageId === undefined || messageId === '' ? {} : { messageId }),
    ref,
    raw: Buffer.from(plain),
  };
}
