import { createHmac, timingSafeEqual } from 'node:crypto';
import { idBytes, idFromBytes } from './ids.ts';
import type { LinkTarget } from './links.ts';

/**
 * The address a message's bounces come back to (a variable envelope return path): `b` and base32 of workspace (16 bytes),
 * message (16) and the first 6 bytes of an HMAC-SHA-256. 62 characters, since a local part has at most 64 (RFC 5321,
 * 4.5.3.1.1), and base32, since mail servers change the case of letters. 48 bits keep out who cannot see our mail; the worst
 * a guess could do is to stop one message's address.
 */
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const macBytes = 6;
const shape = /^b([a-z2-7]{61})$/;

function macOf(key: Uint8Array, signed: Uint8Array): Buffer {
  return createHmac('sha256', key).update('parley:return:').update(signed).digest().subarray(0, macBytes);
}

function encode(bytes: Uint8Array): string {
  let out = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xffff;
    bits += 8;
    for (; bits >= 5; bits -= 5) out += alphabet.charAt((value >>> (bits - 5)) & 31);
  }
  return bits === 0 ? out : out + alphabet.charAt((value << (5 - bits)) & 31);
}

function decode(text: string): Buffer {
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const char of text) {
    value = ((value << 5) | alphabet.indexOf(char)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((value >>> bits) & 0xff);
  }
  return Buffer.from(bytes);
}

/** The local part of the return path. */
export function makeReturnPath(key: Uint8Array, { workspaceId, messageId }: LinkTarget): string {
  const signed = Buffer.concat([idBytes(workspaceId), idBytes(messageId)]);
  return `b${encode(Buffer.concat([signed, macOf(key, signed)]))}`;
}

/** Undefined unless it was made with the key of the workspace it names; compared in constant time. */
export function readReturnPath(local: string, keyOf: (workspaceId: string) => Uint8Array): LinkTarget | undefined {
  const [, text] = shape.exec(local.toLowerCase()) ?? [];
  if (text === undefined) return undefined;
  const bytes = decode(text);
  if (bytes.length !== 32 + macBytes || encode(bytes) !== text) return undefined;
  const signed = bytes.subarray(0, 32);
  const workspaceId = idFromBytes(signed.subarray(0, 16));
  if (!timingSafeEqual(macOf(keyOf(workspaceId), signed), bytes.subarray(32))) return undefined;
  return { workspaceId, messageId: idFromBytes(signed.subarray(16)) };
}
