import { randomBytes } from 'node:crypto';
import type { Clock } from './clock.ts';

let lastMs = 0;
let counter = 0;
let pool = Buffer.alloc(0);
let poolAt = 0;

/** Random bytes (never handed out twice), drawn in blocks: a call into OpenSSL per id or nonce would cost more than the rest of it. */
export function random(count: number): Buffer {
  if (poolAt + count > pool.length) {
    pool = randomBytes(4096);
    poolAt = 0;
  }
  poolAt += count;
  return pool.subarray(poolAt - count, poolAt);
}

/**
 * UUIDv7 (RFC 9562, 5.7), rising within the process: 48 bits of milliseconds, a 12-bit counter that starts
 * at random and carries into the time when it overflows, 62 random bits. Made here and not in the database,
 * so that rows can be written to any node.
 */
export function newId(clock: Clock): string {
  const ms = clock.now().epochMilliseconds;
  if (ms > lastMs) {
    lastMs = ms;
    counter = random(2).readUInt16BE() & 0x7ff;
  } else if (++counter > 0xfff) {
    lastMs += 1;
    counter = 0;
  }
  const time = lastMs.toString(16).padStart(12, '0');
  const tail = Buffer.from(random(8));
  tail[0] = ((tail[0] ?? 0) & 0x3f) | 0x80;
  const hex = tail.toString('hex');
  const middle = (0x7000 | counter).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-${middle}-${hex.slice(0, 4)}-${hex.slice(4)}`;
}

const shape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isId(value: string): boolean {
  return shape.test(value);
}

/** 16 bytes of an id, as they stand in links. */
export function idBytes(id: string): Buffer {
  return Buffer.from(id.replaceAll('-', ''), 'hex');
}

export function idFromBytes(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}
