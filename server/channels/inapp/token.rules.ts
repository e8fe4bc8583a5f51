import { timingSafeEqual } from 'node:crypto';
import { hmacSha256 } from '../../platform/hmac.ts';

/**
 * A token that opens one contact's inbox: base64url of version (1 byte) · workspace id (16) · contact id (16) · end, seconds
 * since 1970 (6) · the first 16 bytes of an HMAC-SHA-256 under the workspace's link key, in a context of its own. The
 * workspace in it finds the key without a look-up, so a forged one costs a hash and nothing more.
 */
export interface InboxPass {
  readonly workspaceId: string;
  readonly contactId: string;
  /** Whole seconds count. */
  readonly until: Temporal.Instant;
}

const version = 1;
const signedBytes = 39;
const macBytes = 16;
/** 55 bytes in base64url. */
const shape = /^[\w-]{74}$/;

function macOf(key: Uint8Array, signed: Uint8Array): Buffer {
  return hmacSha256(key, 'parley:inapp:', signed).subarray(0, macBytes);
}

const bytesOf = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex');

function idOf(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/** Pure. */
export function makeInboxToken(key: Uint8Array, { workspaceId, contactId, until }: InboxPass): string {
  const end = Buffer.alloc(6);
  end.writeUIntBE(Math.floor(until.epochMilliseconds / 1000), 0, 6);
  const signed = Buffer.concat([Buffer.of(version), bytesOf(workspaceId), bytesOf(contactId), end]);
  return Buffer.concat([signed, macOf(key, signed)]).toString('base64url');
}

/** Pure: undefined unless it was made with the key of the workspace it names and has not ended; compared in constant time. */
export function readInboxToken(
  token: string,
  keyOf: (workspaceId: string) => Uint8Array,
  now: Temporal.Instant,
): InboxPass | undefined {
  if (!shape.test(token)) return undefined;
  const bytes = Buffer.from(token, 'base64url');
  // The last character carries two unused bits: only one spelling of a token is ours.
  if (bytes[0] !== version || bytes.toString('base64url') !== token) return undefined;
  const signed = bytes.subarray(0, signedBytes);
  const workspaceId = idOf(signed.subarray(1, 17));
  if (!timingSafeEqual(macOf(keyOf(workspaceId), signed), bytes.subarray(signedBytes))) return undefined;
  const until = Temporal.Instant.fromEpochMilliseconds(signed.readUIntBE(33, 6) * 1000);
  if (Temporal.Instant.compare(until, now) <= 0) return undefined;
  return { workspaceId, contactId: idOf(signed.subarray(17, 33)), until };
}
