export type ConsentAction = 'grant' | 'withdraw' | 'confirm' | 'expire';
export type ConsentState = 'granted' | 'withdrawn' | 'expired';
export type AddressKind = 'email' | 'phone' | 'push';

/** What counts for one address, channel and topic now. */
export interface Standing {
  readonly state: ConsentState;
  /** When the person said it. */
  readonly since: Temporal.Instant;
  readonly source: string;
}

/** What somebody says happened. */
export interface Act {
  readonly action: ConsentAction;
  readonly at: Temporal.Instant;
  readonly source: string;
}

export interface Verdict {
  /** `change` counts from now on, `note` is evidence for the ledger that changes nothing, `nothing` is not even written. */
  readonly effect: 'change' | 'note' | 'nothing';
  readonly standing: Standing | undefined;
}

export const importSource = 'import';
/** The person pressed the same link again: not worth a line of the ledger for so long. */
const repeatMs = 3_600_000;
const linkSources: ReadonlySet<string> = new Set(['unsubscribe', 'preference-page']);

const stateOf: Readonly<Record<ConsentAction, ConsentState>> = {
  grant: 'granted',
  confirm: 'granted',
  withdraw: 'withdrawn',
  expire: 'expired',
};
/** Of two acts of the same moment the more careful one counts. */
const caution: Readonly<Record<ConsentState, number>> = { granted: 0, expired: 1, withdrawn: 2 };

/**
 * What an act does to what counts. The outcome of a set of acts does not depend on the order in which they arrive:
 * of what people said, the latest counts (by when they said it, not by when we heard); an import counts only
 * where nobody has said anything, so it never overrides a withdrawal, whichever came first.
 */
export function apply(standing: Standing | undefined, act: Act): Verdict {
  const next: Standing = { state: stateOf[act.action], since: act.at, source: act.source };
  if (standing === undefined) return { effect: 'change', standing: next };
  if (act.source === importSource) return { effect: 'nothing', standing };
  if (standing.source === importSource) return { effect: 'change', standing: next };
  const order = Temporal.Instant.compare(act.at, standing.since) || caution[next.state] - caution[standing.state];
  if (order === 0 || isRepeat(standing, next)) return { effect: 'nothing', standing };
  return order > 0 ? { effect: 'change', standing: next } : { effect: 'note', standing };
}

function isRepeat(standing: Standing, next: Standing): boolean {
  if (standing.state !== next.state || !linkSources.has(next.source)) return false;
  return Math.abs(next.since.epochMilliseconds - standing.since.epochMilliseconds) < repeatMs;
}

const channelsOf: Readonly<Record<AddressKind, readonly string[]>> = {
  email: ['email', 'inapp'],
  phone: ['sms', 'whatsapp', 'inapp'],
  push: ['push', 'inapp'],
};

/** A consent for SMS on an e-mail address would never be found again, so it is refused. */
export function reaches(channel: string, kind: AddressKind): boolean {
  return channelsOf[kind].includes(channel);
}

/** Clocks differ a little; more than this ahead is a mistake, and would outlast every later withdrawal. */
const toleranceMs = 300_000;

/** When it was said: never in the future, so that what is said afterwards always comes later. Undefined: not believable. */
export function timeOfAct(given: Temporal.Instant | undefined, now: Temporal.Instant): Temporal.Instant | undefined {
  const moment = microsecondOf(now);
  if (given === undefined) return moment;
  const at = microsecondOf(given);
  if (at.epochMilliseconds - now.epochMilliseconds > toleranceMs) return undefined;
  return Temporal.Instant.compare(at, moment) > 0 ? moment : at;
}

/** PostgreSQL keeps microseconds; what is chained must read back as it was written. */
export function microsecondOf(instant: Temporal.Instant): Temporal.Instant {
  return instant.round({ smallestUnit: 'microsecond', roundingMode: 'floor' });
}
