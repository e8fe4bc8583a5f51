import { createHmac, timingSafeEqual } from 'node:crypto';

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

/** Each field is one type byte, its length in 8 bytes, and its bytes: no two different lists of fields encode alike. */
function encodeField(field: ChainField): Buffer[] {
  if (field === null) return [prefix('n', 0)];
  if (typeof field === 'boolean') return [prefix(field ? 't' : 'f', 0)];
  if (typeof field === 'string') return prefixed('s', Buffer.from(field.toWellFormed(), 'utf8'));
  if (typeof field === 'bigint') return prefixed('i', Buffer.from(field.toString(), 'latin1'));
  if (typeof field === 'number') {
    if (!Number.isSafeInteger(field)) throw new RangeError(`a chain field must be a safe integer, not ${field}`);
    return prefixed('i', Buffer.from(BigInt(field).toString(), 'latin1'));
  }
  return prefixed('b', Buffer.from(field.buffer, field.byteOffset, field.byteLength));
}

function prefix(type: string, length: number): Buffer {
  const head = Buffer.alloc(9);
  head.write(type, 0, 'latin1');
  head.writeBigUInt64BE(BigInt(length), 1);
  return head;
}

function prefixed(type: string, bytes: Buffer): Buffer[] {
  return [prefix(type, bytes.length), bytes];
}

/** The one unambiguous byte form of a list of fields. */
export function encodeFields(fields: readonly ChainField[]): Buffer {
  return Buffer.concat([prefix('l', fields.length), ...fields.flatMap(encodeField)]);
}

/** MAC of a link (32 bytes): HMAC-SHA-256 under the chain key over the previous MAC and the fields. */
export function linkMac(key: Uint8Array, previousMac: Uint8Array, fields: readonly ChainField[]): Buffer {
  if (previousMac.length !== macBytes) throw new RangeError('the previous MAC of a chain has 32 bytes');
  return createHmac('sha256', key).update('parley:link:1').update(previousMac).update(encodeFields(fields)).digest();
}

/** Seals the head: that the chain holds exactly `seq` links and ends with `mac`. */
export function sealHead(key: Uint8Array, seq: number, mac: Uint8Array): Buffer {
  return createHmac('sha256', key)
    .update('parley:head:1')
    .update(encodeFields([seq, mac]))
    .digest();
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
