import { hash } from 'node:crypto';

const block = 64;
let inner = Buffer.allocUnsafeSlow(4096);
const outer = Buffer.allocUnsafeSlow(block + 32);

/**
 * HMAC-SHA-256 (RFC 2104) of the parts one after the other, from the one-shot hash. The same as `createHmac`, which
 * makes an object of the system's library for each call: four times as slow, and an import needs five for each row.
 */
export function hmacSha256(key: Uint8Array, ...parts: readonly (string | Uint8Array)[]): Buffer {
  const short = key.length > block ? hash('sha256', key, 'buffer') : key;
  for (let at = 0; at < block; at++) {
    const byte = short[at] ?? 0;
    inner[at] = byte ^ 0x36;
    outer[at] = byte ^ 0x5c;
  }
  let at = block;
  for (const part of parts) {
    const most = typeof part === 'string' ? part.length * 3 : part.length;
    if (at + most > inner.length) {
      const larger = Buffer.allocUnsafeSlow((at + most) * 2);
      inner.copy(larger, 0, 0, at);
      inner = larger;
    }
    if (typeof part === 'string') at += inner.write(part, at, 'utf8');
    else {
      inner.set(part, at);
      at += part.length;
    }
  }
  // By way of hexadecimal text, which costs a third of what a buffer of its own for each result would.
  outer.write(hash('sha256', inner.subarray(0, at), 'hex'), block, 'hex');
  return Buffer.from(hash('sha256', outer, 'hex'), 'hex');
}
