import type { Clock } from './clock.ts';
import { AppError } from './errors.ts';

/** Requests a minute: generous for programs that send, small for strangers at the door (their wrong credentials are limited apart). */
const perMinute = { known: 180_000, stranger: 60_000 };
const windowMs = 60_000;

/** Fixed windows in memory, a bound on what one client can cost; headers as in draft-ietf-httpapi-ratelimit-headers. */
export function createRequestLimit(clock: Clock): { take(client: string, stranger: boolean): [string, string][] } {
  let windowStart = clock.now().epochMilliseconds;
  let used = new Map<string, number>();
  return {
    take: (client, stranger) => {
      const now = clock.now().epochMilliseconds;
      if (now - windowStart >= windowMs) {
        windowStart = now;
        used = new Map();
      }
      const most = stranger ? perMinute.stranger : perMinute.known;
      const count = (used.get(client) ?? 0) + 1;
      used.set(client, count);
      const reset = String(Math.max(1, Math.ceil((windowStart + windowMs - now) / 1000)));
      if (count > most)
        throw new AppError('too-many-requests', `More than ${most} requests in a minute.`, {
          headers: { 'retry-after': reset },
        });
      if (stranger) return [];
      return [
        ['ratelimit-limit', String(most)],
        ['ratelimit-remaining', String(most - count)],
        ['ratelimit-reset', reset],
      ];
    },
  };
}
