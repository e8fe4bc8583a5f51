import { createHmac, timingSafeEqual } from 'node:crypto';
import { idBytes, idFromBytes } from './ids.ts';

/**
 * Tokens in the links of a message: base64url of version (1 byte) · workspace id (16) · message id (16) · the first 16
 * bytes of an HMAC-SHA-256 under the workspace's link key. One MAC a message serves its pixel, its clicks, its
 * unsubscribe and its preference link. The workspace in the token finds the key without a look-up, so a forged
 * token costs a hash and nothing more. (128 bits of a MAC cannot be guessed: RFC 2104, section 5.)
 */
export interface LinkTarget {
  readonly workspaceId: string;
  readonly messageId: string;
}

const tokenVersion = 1;
const macBytes = 16;
const signedBytes = 33;
/** 49 bytes in base64url. */
const tokenShape = /^[\w-]{66}$/;
const clickShape = /^([\w-]{66})\.(0|[1-9]\d{0,4})$/;

function macOf(key: Uint8Array, signed: Uint8Array): Buffer {
  return createHmac('sha256', key).update('parley:link:').update(signed).digest().subarray(0, macBytes);
}

export function makeToken(key: Uint8Array, { workspaceId, messageId }: LinkTarget): string {
  const signed = Buffer.concat([Buffer.of(tokenVersion), idBytes(workspaceId), idBytes(messageId)]);
  return Buffer.concat([signed, macOf(key, signed)]).toString('base64url');
}

/** Undefined unless the token is one that was made with the key of the workspace it names; compared in constant time. */
export function readToken(token: string, keyOf: (workspaceId: string) => Uint8Array): LinkTarget | undefined {
  if (!tokenShape.test(token)) return undefined;
  const bytes = Buffer.from(token, 'base64url');
  // The last character carries four unused bits: only one spelling of a token is ours.
  if (bytes[0] !== tokenVersion || bytes.toString('base64url') !== token) return undefined;
  const signed = bytes.subarray(0, signedBytes);
  const workspaceId = idFromBytes(signed.subarray(1, 17));
  if (!timingSafeEqual(macOf(keyOf(workspaceId), signed), bytes.subarray(signedBytes))) return undefined;
  return { workspaceId, messageId: idFromBytes(signed.subarray(17)) };
}

/** What a click carries: the message's token and the number of the link in the template version. */
export function clickToken(token: string, n: number): string {
  return `${token}.${n}`;
}

export function readClickToken(
  text: string,
  keyOf: (workspaceId: string) => Uint8Array,
): (LinkTarget & { readonly n: number }) | undefined {
  const [, token = '', n = ''] = clickShape.exec(text) ?? [];
  const target = readToken(token, keyOf);
  return target === undefined ? undefined : { ...target, n: Number(n) };
}
