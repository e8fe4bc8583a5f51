import { describe, expect, test } from 'vitest';
import { weakness } from './password.rules.ts';

const email = 'ada.lovelace@example.com';

describe('a password', () => {
  test.each(['violet-turnip-archive', 'S0me thing nobody guesses', 'ünïcode spelt löngly', 'kX9#vTq2!mZr'])(
    'is taken when it is long and not on a list: %s',
    (password) => {
      expect(weakness(password, email)).toBeUndefined();
    },
  );

  test.each([
    ['Short1!aaaa', /at least 12/],
    ['x'.repeat(201), /at most 200/],
    ['password12345', /first that are tried/],
    ['2024Welcome2024', /first that are tried/],
    ['aaaaaaaaaaaab', /same few/],
    ['121212121212', /same few/],
    ['123456789012', /keyboard/],
    ['abcdefghijklm', /keyboard/],
    ['mlkjihgfedcba', /keyboard/],
    ['1q2w3e4r5t6y', /keyboard/],
    ['ada.lovelace@example.com', /e-mail/],
    ['my ADA.lovelace@example.com!', /e-mail/],
    ['Ada.Lovelace1815', /e-mail/],
  ])('is refused with the reason: %s', (password, reason) => {
    expect(weakness(password, email)).toMatch(reason);
  });

  test('is counted in characters, not in UTF-16 units', () => {
    expect(weakness('🦊🐻🐼🐨🐯🦁', email)).toMatch(/at least 12/);
  });
});
