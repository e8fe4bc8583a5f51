import { timingSafeEqual } from 'node:crypto';
import { hmacSha256 } from './hmac.ts';

/**
 * Hash chains for ledgers that must show tampering: each link's MAC covers its fields and the MAC before it, and the head
 * (how many links, and the last MAC) is sealed apart from the rows. Everything is keyed, so that whoever can write to the
 * database but lacks the workspace's chain key can neither recompute the chain nor cut off its tail unseen.
 */

/** What a link covers. Order matters; names are the ledger's own business, since its field list is fixed. */
export type ChainField = string | number | bigint | boolean | null | Uint8Array;

/** The MAC before the first link. */
export const genesis: Buffer = Buffer.alloc(32);

const macBytes = 32;

/** One buffer for all encodings, grown when needed: an import links a million entries of a dozen fields. */
let scratch = Buffer.allocUnsafe(4096);
const headBytes = 9;

function room(at: number, bytes: number): void {
  if (at + bytes <= scratch.length) return;
  const larger = Buffer.allocUnsafe((at + bytes) * 2);
  scratch.copy(larger, 0, 0, at);
  scratch = larger;
}

/** One type byte and the length in 8 bytes; what follows was written already. */
function head(at: number, type: string, length: number): number {
  scratch[at] = type.charCodeAt(0);
  scratch.writeUInt32BE(Math.floor(length / 2 ** 32), at + 1);
  scratch.writeUInt32BE(length % 2 ** 32, at + 5);
  return at + headBytes;
}

function text(at: number, type: string, value: string): number {
  room(at, headBytes + value.length * 3);
  const bytes = scratch.write(value, at + headBytes, 'utf8');
  return head(at, type, bytes) + bytes;
}

/** Each field is one type byte, its length in 8 bytes, and its bytes: no two different lists of fields encode alike. */
function encodeField(at: number, field: ChainField): number {
  if (typeof field === 'string') return text(at, 's', field.toWellFormed());
  if (typeof field === 'bigint') return text(at, 'i', field.toString());
  if (typeof field === 'number') {
    if (!Number.isSafeInteger(field)) throw new RangeError(`a chain field must be a safe integer, not ${field}`);
    return text(at, 'i', Object.is(field, -0) ? '0' : field.toString());
  }
  room(at, headBytes);
  if (field === null) return head(at, 'n', 0);
  if (typeof field === 'boolean') return head(at, field ? 't' : 'f', 0);
  room(at, headBytes + field.length);
  scratch.set(field, at + headBytes);
  return head(at, 'b', field.length) + field.length;
}

/** The one unambiguous byte form of a list of fields. */
export function encodeFields(fields: readonly ChainField[]): Buffer {
  let at = head(0, 'l', fields.length);
  for (const field of fields) at = encodeField(at, field);
  return Buffer.from(scratch.subarray(0, at));
}

/** MAC of a link (32 bytes): HMAC-SHA-256 under the chain key over the previous MAC and the fields. */
export function linkMac(key: Uint8Array, previousMac: Uint8Array, fields: readonly ChainField[]): Buffer {
  if (previousMac.length !== macBytes) throw new RangeError('the previous MAC of a chain has 32 bytes');
  return hmacSha256(key, 'parley:link:1', previousMac, encodeFields(fields));
}

/** Seals the head: that the chain holds exactly `seq` links and ends with `mac`. */
export function sealHead(key: Uint8Array, seq: number, mac: Uint8Array): Buffer {
  return hmacSha256(key, 'parley:head:1', encodeFields([seq, mac]));
}

export function verifyHead(key: Uint8Array, seq: number, mac: Uint8Array, seal: Uint8Array): boolean {
  return sameMac(sealHead(key, seq, mac), seal);
}

/** Compares in constant time; different lengths are simply different. */
export function sameMac(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}

/**
 * JSON with sorted keys, the same for every value that jsonb would store alike: hash this, and what comes back from the
 * database hashes to the same.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .toSorted(([left], [right]) => (left < right ? -1 : 1));
    return `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${canonicalJson(item)}`).join(',')}}`;
  }
  return JSON.stringify(value ?? null);
}
