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

let hexPool = '';
let hexAt = 0;

/** As `random`, as hexadecimal text: an id needs no bytes in between. */
function randomHex(length: number): string {
  if (hexAt + length > hexPool.length) {
    hexPool = randomBytes(4096).toString('hex');
    hexAt = 0;
  }
  hexAt += length;
  return hexPool.slice(hexAt - length, hexAt);
}

let timePart = '';

function setTime(ms: number): void {
  lastMs = ms;
  const time = ms.toString(16).padStart(12, '0');
  timePart = `${time.slice(0, 8)}-${time.slice(8)}`;
}

/**
 * UUIDv7 (RFC 9562, 5.7), rising within the process: 48 bits of milliseconds, a 12-bit counter that starts
 * at random and carries into the time when it overflows, 62 random bits. Made here and not in the database,
 * so that rows can be written to any node. Four of them go into each row of an import, so the time is
 * written out once a millisecond, and the rest is text from the start.
 */
export function newId(clock: Clock): string {
  const ms = clock.now().epochMilliseconds;
  if (ms > lastMs) {
    setTime(ms);
    counter = Number.parseInt(randomHex(3), 16) & 0x7ff;
  } else if (++counter > 0xfff) {
    setTime(lastMs + 1);
    counter = 0;
  }
  const tail = randomHex(16);
  // The two highest bits of the tail are 10: one of 8, 9, a, b.
  const variant = '89ab'.charAt(tail.charCodeAt(0) & 3);
  return `${timePart}-${(0x7000 | counter).toString(16)}-${variant}${tail.slice(1, 4)}-${tail.slice(4)}`;
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
