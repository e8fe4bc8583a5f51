import { createECDH, createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Clock } from '../../../platform/clock.ts';

/** Voluntary application server identification (RFC 8292): who sends, signed for each push service. */

export interface VapidKeys {
  /** 32 bytes in base64url. */
  readonly privateKey: string;
  /** An uncompressed point in base64url: what the browser is given as `applicationServerKey`. */
  readonly publicKey: string;
}

export function makeVapidKeys(): VapidKeys {
  const pair = createECDH('prime256v1');
  pair.generateKeys();
  // Leading zeros are dropped here, and wanted everywhere else.
  const privateKey = Buffer.concat([Buffer.alloc(32), pair.getPrivateKey()]).subarray(-32);
  return { privateKey: privateKey.toString('base64url'), publicKey: pair.getPublicKey('base64url') };
}

/** Undefined when it is no private key on P-256. */
export function vapidPublicKey(privateKey: string): string | undefined {
  if (!/^[\w-]{43}$/.test(privateKey)) return undefined;
  try {
    const pair = createECDH('prime256v1');
    pair.setPrivateKey(Buffer.from(privateKey, 'base64url'));
    return pair.getPublicKey('base64url');
  } catch {
    return undefined;
  }
}

function signingKey({ privateKey, publicKey }: VapidKeys): KeyObject {
  const point = Buffer.from(publicKey, 'base64url');
  const x = point.subarray(1, 33).toString('base64url');
  const y = point.subarray(33).toString('base64url');
  return createPrivateKey({ key: { kty: 'EC', crv: 'P-256', d: privateKey, x, y }, format: 'jwk' });
}

/** The most that RFC 8292 allows is 24 hours; clocks differ. */
const validHours = 12;
const spareHours = 1;

/** Of an endpoint's origin to the value of `Authorization`; signed once and used for hours. */
export function createVapid(keys: VapidKeys, subject: string, clock: Clock): (origin: string) => Promise<string> {
  const key = signingKey(keys);
  const known = new Map<string, { header: Promise<string>; until: Temporal.Instant }>();
  const sign = async (origin: string, until: Temporal.Instant) => {
    const token = await new SignJWT({})
      .setProtectedHeader({ typ: 'JWT', alg: 'ES256' })
      .setAudience(origin)
      .setExpirationTime(Math.floor(until.epochMilliseconds / 1000))
      .setSubject(subject)
      .sign(key);
    return `vapid t=${token}, k=${keys.publicKey}`;
  };
  return (origin) => {
    const now = clock.now();
    const found = known.get(origin);
    if (found !== undefined && Temporal.Instant.compare(found.until.subtract({ hours: spareHours }), now) > 0)
      return found.header;
    const until = now.add({ hours: validHours });
    const header = sign(origin, until);
    known.set(origin, { header, until });
    return header;
  };
}
