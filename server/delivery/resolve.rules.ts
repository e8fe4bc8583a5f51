import type { ErrorCategory, Found } from '../channels/index.ts';
import type { UnknownPolicy } from './settle.rules.ts';

/** How a message in doubt is settled without a person: the provider is asked, and at last the policy applies. */

const minuteMs = 60_000;
/** From one asking to the next; vendors list what they took within a minute or so, and the last wait is for their callbacks. */
export const askPausesMs = [minuteMs, 5 * minuteMs, 15 * minuteMs, 60 * minuteMs, 360 * minuteMs] as const;

/** When the nth asking is due; undefined once all were made. */
export function nextAskMs(asks: number): number | undefined {
  return askPausesMs[asks];
}

/** One answer that it is absent may be the vendor's list lagging behind: only the second one, minutes later, is believed. */
const asksForAbsence = 2;

export type Verdict =
  | { readonly kind: 'accepted'; readonly ref: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'wait'; readonly afterMs: number }
  | { readonly kind: 'policy'; readonly policy: UnknownPolicy };

/** `asks`: with this one. */
export function verdict(found: Found, asks: number, policy: UnknownPolicy): Verdict {
  if (found.kind === 'accepted') return { kind: 'accepted', ref: found.ref };
  if (found.kind === 'absent' && asks >= asksForAbsence) return { kind: 'absent' };
  const afterMs = nextAskMs(asks);
  return afterMs === undefined ? { kind: 'policy', policy } : { kind: 'wait', afterMs };
}

const categories: ReadonlyMap<string, ErrorCategory> = new Map([
  ['retries-exhausted', 'transient'],
  ['address-unreadable', 'address'],
]);

/** The kind of trouble that the reason of a failed, bounced or unknown message speaks of. */
export function categoryOf(state: string, reason: string | null): ErrorCategory {
  if (state === 'unknown' || reason === null) return 'unknown';
  const named = categories.get(reason);
  if (named !== undefined) return named;
  const refused = /^(address|content|account|throttled|transient|provider-down)-refused$/.exec(reason)?.[1];
  return (refused as ErrorCategory | undefined) ?? 'unknown';
}
