import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hmacSha256 } from './hmac.ts';

test('the vectors of RFC 4231', () => {
  expect(hmacSha256(Buffer.alloc(20, 0x0b), 'Hi There').toString('hex')).toBe(
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  );
  expect(hmacSha256(Buffer.from('Jefe'), 'what do ya want ', Buffer.from('for nothing?')).toString('hex')).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  );
  expect(
    hmacSha256(Buffer.alloc(131, 0xaa), 'Test Using Larger Than Block-Size Key - Hash Key First').toString('hex'),
  ).toBe('60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54');
});

test('any key and any parts give what createHmac gives', () => {
  const part = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.uint8Array({ maxLength: 40 }),
    fc.constant('ü'.repeat(5000)),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.array(part, { maxLength: 4 }), (key, parts) => {
      const kept = createHmac('sha256', key);
      for (const one of parts) kept.update(one);
      expect(hmacSha256(key, ...parts)).toEqual(kept.digest());
    }),
  );
});
