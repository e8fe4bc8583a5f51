/**
 * How an address of kind `push` is written: `<platform>:<what the device registered>`.
 *
 * - `fcm:<registration token>`: Android, and whatever else registered with Firebase
 * - `apns:<device token>`: hexadecimal, as iOS gives it out
 * - `webpush:<PushSubscription as JSON>`: what `JSON.stringify(subscription)` gives in the browser
 *
 * One string, so that it is sealed, found by its hash, imported and exported like any other address; the platform in
 * front, so that no token can be taken for one of another platform.
 */
export const pushPlatforms = ['fcm', 'apns', 'webpush'] as const;
export type PushPlatform = (typeof pushPlatforms)[number];

export interface PushAddress {
  readonly platform: PushPlatform;
  /** What the provider of the platform is handed: a bare token, or the subscription as JSON in its one form. */
  readonly token: string;
  /** What tells one device from another: a subscription keeps its endpoint while its keys may change. */
  readonly identity: string;
}

export interface PushSubscription {
  readonly endpoint: string;
  /** The browser's public key on P-256: an uncompressed point (65 bytes) in base64url. */
  readonly p256dh: string;
  /** 16 bytes in base64url. */
  readonly auth: string;
}

export type PushAddressResult =
  { readonly ok: true; readonly address: PushAddress } | { readonly ok: false; readonly reason: string };

const fcmToken = /^[\w:.-]{20,1500}$/;
const apnsToken = /^(?:[0-9a-f]{2}){16,100}$/i;
const bytesOf = (count: number) => new RegExp(`^[\\w-]{${Math.ceil((count * 4) / 3)}}$`);
const publicKey = bytesOf(65);
const authSecret = bytesOf(16);

const no = (reason: string): PushAddressResult => ({ ok: false, reason });
const yes = (platform: PushPlatform, token: string, identity: string): PushAddressResult => ({
  ok: true,
  address: { platform, token, identity },
});

/** Pure: reads a push address as apps write it; the token comes out in its one form. */
export function parsePushAddress(text: string): PushAddressResult {
  const colon = text.indexOf(':');
  const platform = text.slice(0, Math.max(colon, 0)).toLowerCase();
  const token = text.slice(colon + 1).trim();
  if (platform === 'fcm')
    return fcmToken.test(token) ? yes('fcm', token, token) : no('is not an FCM registration token');
  if (platform === 'apns') {
    // Written with spaces and angle brackets by old versions of iOS.
    const hex = token.replace(/[<> ]/g, '').toLowerCase();
    return apnsToken.test(hex) ? yes('apns', hex, hex) : no('is not an APNs device token (hexadecimal digits)');
  }
  if (platform === 'webpush') {
    const subscription = readSubscription(token);
    if (subscription === undefined)
      return no('is not a push subscription: JSON with endpoint (https), keys.p256dh and keys.auth');
    const { endpoint, p256dh, auth } = subscription;
    return yes('webpush', JSON.stringify({ endpoint, keys: { p256dh, auth } }), endpoint);
  }
  return no('must begin with fcm:, apns: or webpush: and hold what the device registered');
}

/** Pure: the whole address again. */
export function writePushAddress({ platform, token }: Pick<PushAddress, 'platform' | 'token'>): string {
  return `${platform}:${token}`;
}

/** Pure: a subscription from its JSON; undefined when it is none. Keys may be padded, or in plain base64: browsers differ. */
export function readSubscription(json: string): PushSubscription | undefined {
  const given = parsed(json);
  const keys = objectOf(given?.['keys']);
  const endpoint = endpointOf(given?.['endpoint']);
  const [p256dh, auth] = [urlSafe(keys?.['p256dh']), urlSafe(keys?.['auth'])];
  if (endpoint === undefined || !publicKey.test(p256dh) || !authSecret.test(auth)) return undefined;
  return { endpoint, p256dh, auth };
}

/** Any host may be a push service; whether it may be connected to is judged when it is. */
function endpointOf(given: unknown): string | undefined {
  if (typeof given !== 'string' || given.length > 1500 || !URL.canParse(given)) return undefined;
  const url = new URL(given);
  // The sandbox's browsers are on this very machine.
  const isSandbox = url.protocol === 'http:' && url.host === 'sandbox.localhost';
  if (url.protocol !== 'https:' && !isSandbox) return undefined;
  return url.username === '' && url.password === '' && url.hash === '' ? url.href : undefined;
}

function urlSafe(given: unknown): string {
  return typeof given === 'string' ? given.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '') : '';
}

function parsed(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return objectOf(JSON.parse(json));
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null ? { ...value } : undefined;
}
