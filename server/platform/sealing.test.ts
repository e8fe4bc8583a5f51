import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WorkspaceKeys } from './sealing.ts';
import { createTestDb } from './testing.ts';
import type { TestDb } from './testing.ts';

let db: TestDb;
let keys: WorkspaceKeys;
let others: WorkspaceKeys;
beforeAll(async () => {
  db = await createTestDb();
  keys = await db.read((tx) => db.vault.keys(tx));
  others = await db.db.read(await db.newWorkspace(), (tx) => db.vault.keys(tx));
});
afterAll(() => db.close());

describe('sealing', () => {
  test('what is sealed opens again, with the same salt, context and workspace only', () => {
    const salt = randomBytes(16);
    const sealed = keys.sealFor(salt, 'zoë@example.com', 'address');
    expect(keys.openFor(salt, sealed, 'address')).toBe('zoë@example.com');
    expect(() => keys.openFor(randomBytes(16), sealed, 'address')).toThrow();
    expect(() => keys.openFor(salt, sealed, 'evidence')).toThrow();
    expect(() => others.openFor(salt, sealed, 'address')).toThrow();
  });

  test('a flipped bit is noticed', () => {
    const sealed = keys.seal('secret', 'account');
    for (let at = 0; at < sealed.length; at++) {
      const bad = Buffer.from(sealed);
      bad[at] = (bad[at] ?? 0) ^ 1;
      expect(() => keys.open(bad, 'account')).toThrow();
    }
  });

  test('the same value never seals the same, but its blind index is the same, per workspace', () => {
    expect(keys.seal('a', 'c').equals(keys.seal('a', 'c'))).toBe(false);
    expect(keys.blindIndex('email', 'a@b.co')).toEqual(keys.blindIndex('email', 'a@b.co'));
    expect(keys.blindIndex('email', 'a@b.co').hash.equals(others.blindIndex('email', 'a@b.co').hash)).toBe(false);
  });
});
