import { describe, expect, test } from 'vitest';
import { createPasswordHasher } from './password.ts';

describe('the password hasher', () => {
  const hasher = createPasswordHasher();

  test('recognises the password it hashed and no other', async () => {
    const stored = await hasher.hash('violet-turnip-archive');
    expect(await hasher.verify(stored, 'violet-turnip-archive')).toBe(true);
    expect(await hasher.verify(stored, 'violet-turnip-archivf')).toBe(false);
  });

  test('writes argon2id with the parameters OWASP names, and another salt each time', async () => {
    const stored = await hasher.hash('violet-turnip-archive');
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(await hasher.hash('violet-turnip-archive')).not.toBe(stored);
  });

  test('takes the same letters however they were composed', async () => {
    const stored = await hasher.hash('a\u0308pfel-und-birnen');
    expect(await hasher.verify(stored, '\u00e4pfel-und-birnen')).toBe(true);
  });

  test('does not open for something that is no hash', async () => {
    for (const stored of ['', 'plain', '$argon2i$v=19$m=8,t=1,p=1$AAAA$AAAA', '$2b$10$abcdefghijklmnopqrstuv'])
      expect(await hasher.verify(stored, stored)).toBe(false);
  });

  test('works on a few at a time, and turns away what would wait too long', async () => {
    const small = createPasswordHasher({ atOnce: 1, waiting: 2 });
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => small.hash('violet-turnip-archive')));
    expect(results.map((one) => one.status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected']);
    expect(results[4]).toMatchObject({ reason: { code: 'auth/busy' } });
    expect(await small.hash('violet-turnip-archive')).toContain('argon2id');
  });
});
