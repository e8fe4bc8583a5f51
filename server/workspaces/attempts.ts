import { createHmac } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import * as store from './people.store.ts';

/** What is limited: so many failures of one account, or from one address, within a window. */
export interface AttemptLimit {
  readonly name: string;
  readonly most: number;
  readonly windowSeconds: number;
}

const quarterHour = 15 * 60;
const hour = 60 * 60;
export const limits = {
  signInAccount: { name: 'sign-in-account', most: 10, windowSeconds: quarterHour },
  signInAddress: { name: 'sign-in-address', most: 100, windowSeconds: quarterHour },
  resetAccount: { name: 'reset-account', most: 5, windowSeconds: hour },
  resetAddress: { name: 'reset-address', most: 50, windowSeconds: hour },
  tokenAddress: { name: 'token-address', most: 50, windowSeconds: quarterHour },
  ownAccount: { name: 'own-account', most: 10, windowSeconds: quarterHour },
  /** A code of an authenticator app opens once: it is valid for 30 s and one step either way. */
  usedCode: { name: 'used-code', most: 1, windowSeconds: 120 },
} as const satisfies Record<string, AttemptLimit>;

export interface Attempt {
  readonly limit: AttemptLimit;
  /** The account's address or the client's: kept only as a keyed hash. */
  readonly subject: string;
}

export interface Attempts {
  /** Throws `auth/locked` with Retry-After when one of them has had too many. */
  assertAllowed(attempts: readonly Attempt[]): Promise<void>;
  /** How many there have been, with this one. */
  count(attempt: Attempt): Promise<number>;
  forget(attempt: Attempt): Promise<void>;
}

/** Persisted, so that neither a restart nor a second process forgives anything. Counts are the same for accounts that do not exist. */
export function createAttempts({
  db,
  clock,
  key,
}: {
  readonly db: Db;
  readonly clock: Clock;
  readonly key: Buffer;
}): Attempts {
  const keyOf = ({ limit, subject }: Attempt) =>
    createHmac('sha256', key).update(`${limit.name}:${subject.toLowerCase()}`).digest('base64url');

  return {
    assertAllowed: async (attempts) => {
      const now = clock.now();
      const found = await db.system((tx) => store.findAttempts(tx, attempts.map(keyOf), now));
      const waits = attempts.flatMap((attempt) => {
        const window = found.get(keyOf(attempt));
        return window !== undefined && window.attempts >= attempt.limit.most
          ? [now.until(window.endsAt).total('seconds')]
          : [];
      });
      if (waits.length > 0) throw locked(Math.max(1, Math.ceil(Math.max(...waits))));
    },
    count: (attempt) =>
      db.system((tx) => store.addAttempt(tx, keyOf(attempt), attempt.limit.windowSeconds, clock.now())),
    forget: (attempt) => db.system((tx) => store.forgetAttempts(tx, keyOf(attempt))),
  };
}

export function locked(seconds: number): AppError {
  const minutes = Math.ceil(seconds / 60);
  return new AppError(
    'auth/locked',
    `Too many attempts. Try again in ${minutes === 1 ? 'a minute' : `${minutes} minutes`}.`,
    {
      headers: { 'retry-after': String(seconds) },
    },
  );
}

/** One household or office of IPv6 counts as one: whoever has a /64 has 2^64 addresses. */
export function addressSubject(ip: string): string {
  if (!isIPv6(ip)) return ip;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = ip.split('%', 1)[0]?.split('::') ?? [];
  const left = head.split(':').filter(Boolean);
  const right = tail?.split(':').filter(Boolean) ?? [];
  const groups =
    tail === undefined
      ? left
      : [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => group.padStart(4, '0'))
    .join(':')}::/64`;
}
