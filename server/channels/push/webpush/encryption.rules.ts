import { createCipheriv, createECDH, hkdfSync } from 'node:crypto';

/**
 * Message encryption for Web Push (RFC 8291) in the content encoding aes128gcm (RFC 8188), one record. By hand rather than
 * with the library `web-push`: it is these thirty lines, which the RFC's own vectors judge, and the library brings an
 * HTTP client of its own that knows nothing of guarded connections.
 */

export interface Receiver {
  /** The browser's public key: an uncompressed point on P-256. */
  readonly publicKey: Uint8Array;
  readonly authSecret: Uint8Array;
}

export interface Ephemeral {
  /** A private key on P-256 for this message alone. */
  readonly privateKey: Uint8Array;
  /** 16 bytes. */
  readonly salt: Uint8Array;
}

const recordSize = 4096;
/** RFC 8188, 2: the last record's padding begins with this byte. */
const lastRecord = Buffer.of(2);
const headerBytes = 16 + 4 + 1 + 65;
const tagBytes = 16;

/** What a service must take (RFC 8030, 7.2) less what encryption adds. */
export const mostPlainBytes = 4096 - headerBytes - tagBytes - lastRecord.length;

const info = (...parts: (string | Uint8Array)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));
const hkdf = (salt: Uint8Array, key: Uint8Array, about: Uint8Array, length: number) =>
  Buffer.from(hkdfSync('sha256', key, salt, about, length));

/** Pure: the body of the request. Throws when the public key is no point on the curve. */
export function encryptPush(plain: Uint8Array, receiver: Receiver, { privateKey, salt }: Ephemeral): Buffer {
  const own = createECDH('prime256v1');
  own.setPrivateKey(privateKey);
  const publicKey = own.getPublicKey();
  const shared = own.computeSecret(receiver.publicKey);
  const keyInfo = info('WebPush: info\0', receiver.publicKey, publicKey);
  const ikm = hkdf(receiver.authSecret, shared, keyInfo, 32);
  const key = hkdf(salt, ikm, info('Content-Encoding: aes128gcm\0'), 16);
  const nonce = hkdf(salt, ikm, info('Content-Encoding: nonce\0'), 12);
  const cipher = createCipheriv('aes-128-gcm', key, nonce);
  const sealed = [cipher.update(plain), cipher.update(lastRecord), cipher.final(), cipher.getAuthTag()];
  const header = Buffer.alloc(5);
  header.writeUInt32BE(recordSize);
  header[4] = publicKey.length;
  return Buffer.concat([salt, header, publicKey, ...sealed]);
}
