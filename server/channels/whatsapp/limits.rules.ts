/**
 * How much WhatsApp lets a business send: people per 24 hours (tiers), messages to one person (pair rate), advertising to
 * one person (Meta's adaptive cap), messages a second (throughput), and what quality does to all of it. Decisions over
 * plain facts with the time passed in.
 * Source: developers.facebook.com/documentation/business-messaging/whatsapp/{messaging-limits,throughput}, error codes page.
 */

export type Slot = { readonly kind: 'send' } | { readonly kind: 'hold'; readonly until: Temporal.Instant };

const dayMs = 86_400_000;
const send: Slot = { kind: 'send' };
const later = (at: Temporal.Instant, ms: number) => at.add({ milliseconds: ms });
const isBefore = (one: Temporal.Instant, other: Temporal.Instant) => Temporal.Instant.compare(one, other) < 0;

// --- tiers ----------------------------------------------------------------------------------------------------------

const tiers: Readonly<Record<string, number>> = {
  TIER_NOT_SET: 250,
  TIER_50: 50,
  TIER_250: 250,
  TIER_1K: 1000,
  TIER_2K: 2000,
  TIER_10K: 10_000,
  TIER_100K: 100_000,
  TIER_UNLIMITED: Number.POSITIVE_INFINITY,
};

/**
 * Pure: how many different people may be written to in any 24 hours outside their windows, as Meta says it: a tier, a
 * number, or -1 for no limit. Undefined: not a limit that we know.
 */
export function tierLimit(said: string | number | undefined): number | undefined {
  if (typeof said === 'number') return limitOf(said);
  const text = said?.trim().toUpperCase() ?? '';
  if (Object.hasOwn(tiers, text)) return tiers[text];
  return /^-?\d{1,9}$/.test(text) ? limitOf(Number(text)) : undefined;
}

function limitOf(said: number): number | undefined {
  if (said === -1) return Number.POSITIVE_INFINITY;
  return Number.isSafeInteger(said) && said > 0 ? said : undefined;
}

export interface TierFacts {
  /** Of the whole business portfolio; all its numbers share it. Undefined: not told yet. */
  readonly limit: number | undefined;
  /** Different people written to outside their windows in the 24 hours up to now. */
  readonly reached: number;
  /** When the one of them was written to who leaves the count first. */
  readonly oldestAt?: Temporal.Instant;
  /** This person is one of them. */
  readonly isCounted: boolean;
  /** Inside a window nothing is counted. */
  readonly isWindowOpen: boolean;
}

/** A portfolio that has not told its limit is taken for a new one. */
export const newPortfolioLimit = 250;

/** Pure: whether one more person fits into the moving 24 hours. */
export function tierSlot(facts: TierFacts, now: Temporal.Instant): Slot {
  if (facts.isWindowOpen || facts.isCounted) return send;
  if (facts.reached < (facts.limit ?? newPortfolioLimit)) return send;
  const until = facts.oldestAt === undefined ? undefined : later(facts.oldestAt, dayMs);
  // A count without its oldest is asked again in a minute rather than believed for a day.
  return { kind: 'hold', until: until !== undefined && isBefore(now, until) ? until : later(now, 60_000) };
}

/** Pure: the share of a tier that is used, 0 to 1; alerts are raised at 0.8 and at 1. */
export function tierUse(facts: Pick<TierFacts, 'limit' | 'reached'>): number {
  return Math.min(1, facts.reached / (facts.limit ?? newPortfolioLimit));
}

// --- pair rate ------------------------------------------------------------------------------------------------------

/** One message in six seconds from one number to one person; up to 45 at once, borrowed from what follows. */
export const pairEveryMs = 6_000;
export const pairBurst = 45;

/** What is remembered of a pair; nothing once `freeAt` has passed. */
export interface Pair {
  /** When all that was sent would have been sent at the even rate. */
  readonly freeAt: Temporal.Instant;
  /** How many of those went ahead of their time. */
  readonly borrowed: number;
}

export type PairSlot =
  { readonly kind: 'send'; readonly pair: Pair } | { readonly kind: 'hold'; readonly until: Temporal.Instant };

/**
 * Pure: one more message to this person. `burst` is how many may go at once (1 to 45): a conversation may borrow, a campaign
 * should not. Once the burst is used up, it waits as long as its messages would have taken (else 131056).
 */
export function pairSlot(pair: Pair | undefined, now: Temporal.Instant, burst = pairBurst): PairSlot {
  if (pair === undefined || !isBefore(now, pair.freeAt))
    return { kind: 'send', pair: { freeAt: later(now, pairEveryMs), borrowed: 0 } };
  const borrowed = pair.borrowed + 1;
  if (borrowed >= Math.min(Math.max(burst, 1), pairBurst)) return { kind: 'hold', until: pair.freeAt };
  return { kind: 'send', pair: { freeAt: later(pair.freeAt, pairEveryMs), borrowed } };
}

/** Pure: Meta said 131056: nothing more to this person before a whole burst is paid back, growing with each time in a row. */
export function pairAfterRefusal(now: Temporal.Instant, inARow: number): Pair {
  // 4^n seconds is Meta's own advice for repeating; no longer than a burst takes.
  const waitMs = Math.min(4 ** Math.max(1, inARow) * 1000, pairBurst * pairEveryMs);
  return { freeAt: later(now, Math.max(waitMs, pairEveryMs)), borrowed: pairBurst };
}

// --- advertising to one person --------------------------------------------------------------------------------------

/** What Meta's adaptive cap (131049; Twilio 63049) has said about one person, since the last one that arrived. */
export interface MarketingRefusals {
  readonly count: number;
  readonly lastAt: Temporal.Instant;
}

/** Longer pauses than a week are no pauses but another message. */
const longestCapMs = 7 * dayMs;

/**
 * Pure: whether advertising may be tried with this person. Meta asks for 24 hours at least, and for growing pauses if it
 * goes on: 1, 2, 4, then 7 days. Utility and authentication are not concerned.
 */
export function marketingSlot(refusals: MarketingRefusals | undefined, now: Temporal.Instant): Slot {
  if (refusals === undefined || refusals.count < 1) return send;
  const pauseMs = Math.min(dayMs * 2 ** Math.min(refusals.count - 1, 10), longestCapMs);
  const until = later(refusals.lastAt, pauseMs);
  return isBefore(now, until) ? { kind: 'hold', until } : send;
}

// --- throughput and quality -----------------------------------------------------------------------------------------

/** Pure: messages a second of a number, in and out together, by the level Meta reports. */
export function throughputOf(level: string | undefined, isInBusinessApp = false): number {
  if (isInBusinessApp) return 20;
  return level?.toUpperCase() === 'HIGH' ? 1000 : 80;
}

export type Quality = 'green' | 'yellow' | 'red' | 'unknown';

/** Pure: a rating as webhooks and fields spell it. */
export function qualityOf(said: string | undefined): Quality {
  switch (said?.toUpperCase()) {
    case 'GREEN':
    case 'HIGH':
      return 'green';
    case 'YELLOW':
    case 'MEDIUM':
      return 'yellow';
    case 'RED':
    case 'LOW':
      return 'red';
    case undefined:
    default:
      return 'unknown';
  }
}

/** Of advertising with a template that nobody has judged yet, so many go first; Meta holds back or drops the rest itself (pacing). */
export const pacedFirst = 1000;
const pacedPauseMs = 30 * 60_000;

export interface PaceFacts {
  readonly phoneQuality: Quality;
  readonly templateQuality: Quality;
  readonly isMarketing: boolean;
  /** How many left with this template so far, and when the last of the first thousand did. */
  readonly sent: number;
  readonly pacedSince?: Temporal.Instant;
  /** Meta's answer to one of them was `held_for_quality_assessment`. */
  readonly isHeldByVendor: boolean;
}

export type Pace =
  /** `share` of the lane's speed, above 0 and at most 1. */
  | { readonly kind: 'send'; readonly share: number }
  | { readonly kind: 'hold'; readonly until: Temporal.Instant; readonly reason: string };

/**
 * Pure: how fast a template may go. What people object to is slowed down before Meta pauses it (a first time for three
 * hours, a second for six, then for good); an unjudged template of a campaign waits half an hour after its first thousand,
 * so that a bad one is found out at a thousand people and not at all of them.
 */
export function paceOf(facts: PaceFacts, now: Temporal.Instant): Pace {
  if (!facts.isMarketing) return { kind: 'send', share: 1 };
  if (facts.templateQuality === 'unknown' && facts.sent >= pacedFirst && facts.pacedSince !== undefined) {
    const until = later(facts.pacedSince, pacedPauseMs);
    if (isBefore(now, until)) return { kind: 'hold', until, reason: 'pacing' };
  }
  if (facts.isHeldByVendor && facts.templateQuality === 'unknown') return { kind: 'send', share: 0.5 };
  return { kind: 'send', share: Math.min(shareOf[facts.phoneQuality], shareOf[facts.templateQuality]) };
}

const shareOf: Readonly<Record<Quality, number>> = { green: 1, unknown: 1, yellow: 0.5, red: 0.1 };

/** Pure: until when a template that Meta paused stays so; undefined: for good. */
export function templatePausedUntil(pausedAt: Temporal.Instant, times: number): Temporal.Instant | undefined {
  if (times <= 1) return later(pausedAt, 3 * 3_600_000);
  return times === 2 ? later(pausedAt, 6 * 3_600_000) : undefined;
}
