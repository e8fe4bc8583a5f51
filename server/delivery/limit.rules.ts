import { ceilingOn } from './warmup.rules.ts';
import type { Warmup } from './warmup.rules.ts';

/**
 * What an account may send. Two mechanisms keep the limits, both conservative, so that no sliding window ever holds more:
 * short ones (second, minute, and everything per domain and per sender) space messages evenly, see `pace.rules.ts`; long ones
 * (hour, day, warm-up) are counted, minute by minute, so that a day's allowance may go out at once.
 */
export interface Limits {
  readonly perSecond?: number | undefined;
  readonly perMinute?: number | undefined;
  readonly perHour?: number | undefined;
  readonly perDay?: number | undefined;
  /** To one person through this lane within any 24 hours; who had enough waits. */
  readonly perRecipientPerDay?: number | undefined;
  /** From one number or address of the account. */
  readonly perSenderPerSecond?: number | undefined;
  /** To mailboxes of one domain; subdomains are domains of their own. */
  readonly perDomain?: Readonly<Record<string, PeriodLimits>> | undefined;
  readonly warmup?: Warmup | undefined;
}

export interface PeriodLimits {
  readonly perSecond?: number | undefined;
  readonly perMinute?: number | undefined;
  readonly perHour?: number | undefined;
  readonly perDay?: number | undefined;
}

/** The periods of the limits, in seconds. */
const periods = { perSecond: 1, perMinute: 60, perHour: 3_600, perDay: 86_400 } as const;

export interface PeriodLimit {
  readonly seconds: number;
  readonly limit: number;
}

/** The limits that are set, with their periods. */
export function givenLimits(limits: PeriodLimits): PeriodLimit[] {
  const all = [
    { seconds: periods.perSecond, limit: limits.perSecond },
    { seconds: periods.perMinute, limit: limits.perMinute },
    { seconds: periods.perHour, limit: limits.perHour },
    { seconds: periods.perDay, limit: limits.perDay },
  ];
  return all.flatMap(({ seconds, limit }) => (limit === undefined ? [] : [{ seconds, limit }]));
}

/** Those that space messages. */
export function paced(limits: Limits): PeriodLimit[] {
  return givenLimits(limits).filter(({ seconds }) => seconds <= periods.perMinute);
}

export interface CountedLimit extends PeriodLimit {
  readonly kind: 'hour' | 'day' | 'warm-up';
}

/** Those that are counted, as they stand now. */
export function counted(limits: Limits, now: Temporal.Instant): CountedLimit[] {
  const ceiling = limits.warmup === undefined ? undefined : ceilingOn(limits.warmup, now);
  const all: (Omit<CountedLimit, 'limit'> & { limit: number | undefined })[] = [
    { kind: 'hour', seconds: periods.perHour, limit: limits.perHour },
    { kind: 'day', seconds: periods.perDay, limit: limits.perDay },
    { kind: 'warm-up', seconds: periods.perDay, limit: ceiling },
  ];
  return all.flatMap(({ limit, ...one }) => (limit === undefined ? [] : [{ ...one, limit }]));
}

/** What has gone out in the last hour and day, and what is leased and may go out any moment. */
export interface Used {
  readonly hour: number;
  readonly day: number;
  readonly leased: number;
  /** The oldest minutes that count for them. */
  readonly hourSince: Temporal.Instant | null;
  readonly daySince: Temporal.Instant | null;
}

/** Uses are counted by the minute: one may have happened at its end, so it counts until a minute after its period. */
export const countedInSeconds = 60;
/** Who finds everything leased looks again after this: leases that were not used up are returned. */
const leasedRetrySeconds = 5;
/** Of a long limit this share is kept for what is urgent, so that no campaign can use up a day's one-time codes. */
const keptForUrgent = 0.02;

export interface Grant {
  readonly count: number;
  /** When to ask again; set when `count` is 0. */
  readonly again: Temporal.Instant | undefined;
}

export function usedOf(used: Used, seconds: number): number {
  return (seconds <= periods.perHour ? used.hour : used.day) + used.leased;
}

/** How many of `wanted` may be leased: whatever all counted limits leave. */
export function grant(
  limits: readonly CountedLimit[],
  used: Used,
  wanted: number,
  urgent: boolean,
  now: Temporal.Instant,
): Grant {
  let count = wanted;
  let again: Temporal.Instant | undefined;
  for (const { seconds, limit } of limits) {
    const most = urgent ? limit : mostBulk(limit);
    const left = Math.max(0, most - usedOf(used, seconds));
    count = Math.min(count, left);
    if (left > 0) continue;
    const free = freeAt(used, seconds, now);
    if (again === undefined || Temporal.Instant.compare(free, again) > 0) again = free;
  }
  return { count, again: count === 0 ? (again ?? now) : undefined };
}

function freeAt(used: Used, seconds: number, now: Temporal.Instant): Temporal.Instant {
  const soon = now.add({ seconds: leasedRetrySeconds });
  const since = seconds <= periods.perHour ? used.hourSince : used.daySince;
  if (since === null) return soon;
  const free = since.add({ seconds: seconds + countedInSeconds });
  return used.leased > 0 && Temporal.Instant.compare(soon, free) < 0 ? soon : free;
}

function mostBulk(limit: number): number {
  return limit - Math.floor(limit * keptForUrgent);
}

/** `near` from four fifths on; `reached` when campaigns have nothing left of it. */
export type Level = 'near' | 'reached';

export function levelOf(used: number, limit: number): Level | undefined {
  if (used >= mostBulk(limit)) return 'reached';
  return used * 5 >= limit * 4 ? 'near' : undefined;
}

/** Whether anything is limited by whom a message goes to or comes from. */
export function hasKeyedLimits({ perSenderPerSecond, perDomain, perRecipientPerDay }: Limits): boolean {
  return (
    perSenderPerSecond !== undefined || perRecipientPerDay !== undefined || Object.keys(perDomain ?? {}).length > 0
  );
}

/**
 * Seconds until the last of `count` messages is through, should nothing else go out: the slowest limit rules. Null when
 * nothing limits.
 */
export function secondsFor(
  count: number,
  limits: Limits,
  used: Used | undefined,
  now: Temporal.Instant,
): number | null {
  const all = [...paced(limits), ...counted(limits, now)];
  if (all.length === 0) return null;
  if (count === 0) return 0;
  const each = all.map(({ seconds, limit }) => {
    if (seconds <= periods.perMinute) return (count * seconds) / limit;
    const left = Math.max(0, limit - (used === undefined ? 0 : usedOf(used, seconds)));
    return count <= left ? 0 : Math.ceil((count - left) / limit) * seconds;
  });
  return Math.ceil(Math.max(...each));
}
