import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, encodeFields, genesis, linkMac, sameMac, sealHead, verifyHead } from './chain.ts';
import type { ChainField } from './chain.ts';

const key = Buffer.alloc(32, 7);
const otherKey = Buffer.alloc(32, 8);

const field = fc.oneof(
  fc.string(),
  fc.maxSafeInteger(),
  fc.boolean(),
  fc.constant(null),
  fc.uint8Array({ maxLength: 12 }),
) as fc.Arbitrary<ChainField>;

describe('the encoding of fields', () => {
  test('never makes two different lists look alike', () => {
    fc.assert(
      fc.property(fc.array(field), fc.array(field), (left, right) => {
        const same = left.length === right.length && left.every((item, at) => sameField(item, right[at] as ChainField));
        expect(encodeFields(left).equals(encodeFields(right))).toBe(same);
      }),
      { numRuns: 500 },
    );
  });

  test('keeps where one field ends and the next begins', () => {
    expect(encodeFields(['ab', 'c']).equals(encodeFields(['a', 'bc']))).toBe(false);
    expect(encodeFields(['', 'a']).equals(encodeFields(['a', '']))).toBe(false);
    expect(encodeFields([null]).equals(encodeFields(['']))).toBe(false);
    expect(encodeFields(['1']).equals(encodeFields([1]))).toBe(false);
    expect(encodeFields(['a']).equals(encodeFields([Buffer.from('a')]))).toBe(false);
  });

  test('writes a number and the same bigint alike, and refuses what is no safe integer', () => {
    expect(encodeFields([42]).equals(encodeFields([42n]))).toBe(true);
    expect(() => encodeFields([1.5])).toThrow(RangeError);
    expect(() => encodeFields([2 ** 53])).toThrow(RangeError);
  });
});

describe('links', () => {
  test('depend on the key, on the link before and on every field', () => {
    const mac = linkMac(key, genesis, ['a', 1, null]);
    expect(mac).toHaveLength(32);
    expect(linkMac(key, genesis, ['a', 1, null]).equals(mac)).toBe(true);
    expect(linkMac(otherKey, genesis, ['a', 1, null]).equals(mac)).toBe(false);
    expect(linkMac(key, mac, ['a', 1, null]).equals(mac)).toBe(false);
    expect(linkMac(key, genesis, ['a', 2, null]).equals(mac)).toBe(false);
    expect(linkMac(key, genesis, ['a', 1]).equals(mac)).toBe(false);
  });

  test('refuse a previous MAC of the wrong length', () => {
    expect(() => linkMac(key, Buffer.alloc(31), [])).toThrow(RangeError);
  });

  test('keep the value they had when the first ledgers were written', () => {
    expect(linkMac(key, genesis, ['a', 1, true, null, Buffer.from([255])]).toString('hex')).toMatchInlineSnapshot(
      `"d548ab419774a0aff797e1a6bb12e4240ecb4da61d52b2884feb8debd745600d"`,
    );
  });
});

describe('the sealed head', () => {
  const mac = linkMac(key, genesis, ['last']);

  test('is accepted as it was sealed', () => {
    expect(verifyHead(key, 9, mac, sealHead(key, 9, mac))).toBe(true);
  });

  test('is refused for another count, another MAC, another key or a cut seal', () => {
    const seal = sealHead(key, 9, mac);
    expect(verifyHead(key, 8, mac, seal)).toBe(false);
    expect(verifyHead(key, 9, genesis, seal)).toBe(false);
    expect(verifyHead(otherKey, 9, mac, seal)).toBe(false);
    expect(verifyHead(key, 9, mac, seal.subarray(1))).toBe(false);
  });

  test('cannot be passed off as a link', () => {
    expect(sameMac(sealHead(key, 1, mac), linkMac(key, mac, [1, mac]))).toBe(false);
  });
});

describe('canonical JSON', () => {
  test('does not depend on the order of keys, at any depth', () => {
    expect(canonicalJson({ b: 1, a: { d: [1, 'x'], c: null } })).toBe('{"a":{"c":null,"d":[1,"x"]},"b":1}');
  });

  test('leaves out what JSON leaves out', () => {
    expect(canonicalJson({ a: undefined, b: [undefined] })).toBe('{"b":[null]}');
    expect(canonicalJson(undefined)).toBe('null');
  });

  test('reads back as the same value, and is stable', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });
});

function sameField(left: ChainField, right: ChainField): boolean {
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right) === 0;
  return Object.is(left, right) || left === right;
}
