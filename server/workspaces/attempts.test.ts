import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { addressSubject, createAttempts } from './attempts.ts';
import type { Attempts } from './attempts.ts';

let testDb: TestDb;
let attempts: Attempts;
beforeAll(async () => {
  testDb = await createTestDb();
  attempts = createAttempts({ db: testDb.db, clock: testDb.clock, key: Buffer.alloc(32, 3) });
});
afterAll(() => testDb.close());

const limit = { name: 'test', most: 3, windowSeconds: 60 };

describe('attempts', () => {
  test('are allowed up to the limit, then refused until the window ends', async () => {
    const attempt = { limit, subject: 'Mia@example.com' };
    for (let at = 1; at <= 3; at++) {
      await attempts.assertAllowed([attempt]);
      expect(await attempts.count(attempt)).toBe(at);
    }
    testDb.clock.advance(20_000);
    await expect(attempts.assertAllowed([{ limit, subject: 'mia@EXAMPLE.com' }])).rejects.toMatchObject({
      code: 'auth/locked',
      headers: { 'retry-after': '40' },
    });
    await attempts.assertAllowed([{ limit, subject: 'max@example.com' }]);
    testDb.clock.advance(40_000);
    await attempts.assertAllowed([attempt]);
    expect(await attempts.count(attempt)).toBe(1);
  });

  test('are counted right when many come at once, and forgotten when told', async () => {
    const attempt = { limit, subject: 'many' };
    const counts = await Promise.all(Array.from({ length: 20 }, () => attempts.count(attempt)));
    expect(new Set(counts).size).toBe(20);
    await attempts.forget(attempt);
    await attempts.assertAllowed([attempt]);
  });

  test('do not keep whose they were', async () => {
    await attempts.count({ limit, subject: 'secret@example.com' });
    const rows = await testDb.owner.query<{ row: string }>('select r::text as row from auth_rate_limit r');
    expect(rows.rows.map((one) => one.row).join()).not.toContain('secret');
  });
});

describe('the address that is counted', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:0db8:0001:0002::/64'],
    ['2001:db8:1:2::9', '2001:0db8:0001:0002::/64'],
    ['2001:db8::1', '2001:0db8:0000:0000::/64'],
    ['::1', '0000:0000:0000:0000::/64'],
    ['fe80::1%eth0', 'fe80:0000:0000:0000::/64'],
  ])('of %s is %s', (ip, subject) => {
    expect(addressSubject(ip)).toBe(subject);
  });
});
