import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createVirtualClock } from './clock.ts';
import { clickToken, makeToken, readClickToken, readToken } from './links.ts';
import { createVault } from './sealing.ts';

const vault = createVault(Buffer.alloc(32, 5), createVirtualClock());
const workspaceId = '019c476d-1e6c-72df-b010-50dd77008a8f';
const messageId = '019c476d-2222-7aaa-8bbb-50dd77008a8f';
const token = makeToken(vault.linkKey(workspaceId), { workspaceId, messageId });

describe('link tokens', () => {
  test('say which message of which workspace', () => {
    expect(readToken(token, vault.linkKey)).toEqual({ workspaceId, messageId });
    expect(token).toMatch(/^[\w-]{66}$/);
  });

  test('a click adds the number of its link', () => {
    expect(readClickToken(clickToken(token, 12), vault.linkKey)).toEqual({ workspaceId, messageId, n: 12 });
    for (const wrong of [
      token,
      `${token}.`,
      `${token}.01`,
      `${token}.-1`,
      `${token}.1.2`,
      `${token}.123456`,
      `${token}.1 `,
    ])
      expect(readClickToken(wrong, vault.linkKey)).toBeUndefined();
  });

  test('changed in any place, they are refused', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    fc.assert(
      fc.property(fc.nat({ max: 65 }), fc.constantFrom(...alphabet), (place, letter) => {
        fc.pre(token[place] !== letter);
        expect(readToken(token.slice(0, place) + letter + token.slice(place + 1), vault.linkKey)).toBeUndefined();
      }),
    );
  });

  test('garbage of any length is refused', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        expect(readToken(text, vault.linkKey)).toBeUndefined();
      }),
    );
  });

  test("another installation's or another workspace's token is refused", () => {
    const stranger = createVault(Buffer.alloc(32, 6), createVirtualClock());
    expect(readToken(token, stranger.linkKey)).toBeUndefined();
    const other = '019c476d-1e6c-72df-b010-50dd77008a90';
    expect(readToken(makeToken(vault.linkKey(other), { workspaceId, messageId }), vault.linkKey)).toBeUndefined();
  });
});
