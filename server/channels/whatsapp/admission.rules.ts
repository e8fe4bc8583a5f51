import type { OutgoingWhatsApp } from '../port.ts';
import { marketingSlot, paceOf, pairSlot, tierSlot } from './limits.rules.ts';
import type { MarketingRefusals, Pace, PaceFacts, Pair, TierFacts } from './limits.rules.ts';
import { contentAllowed, isBusinessInitiated, windowOf } from './window.rules.ts';
import type { ContentFacts } from './window.rules.ts';

/** All that WhatsApp wants of one message at its hand-over, asked in one go. */

export interface AdmissionFacts {
  readonly lastInboundAt?: Temporal.Instant;
  readonly country?: ContentFacts['country'];
  readonly templateStatus?: ContentFacts['templateStatus'];
  readonly tier: Omit<TierFacts, 'isWindowOpen'>;
  readonly pair?: Pair;
  /** How many may go to one person at once: 45 in a conversation, 1 of a campaign. */
  readonly burst: number;
  readonly marketing?: MarketingRefusals;
  /** Of a template; absent: nothing is known of its quality. */
  readonly pace?: Omit<PaceFacts, 'isMarketing'>;
}

export type Admission =
  | {
      readonly kind: 'send';
      /** To be remembered of the pair. */
      readonly pair: Pair;
      /** The person is counted among those reached in 24 hours. */
      readonly counts: boolean;
      /** Of the lane's speed, above 0 and at most 1. */
      readonly share: number;
    }
  /** `until` is absent where nobody knows: somebody else has to approve a template. */
  | { readonly kind: 'hold'; readonly reason: string; readonly until?: Temporal.Instant }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Pure: what is refused for good is said before what is only held, so that nothing waits in vain; then Meta's cap of
 * advertising, the template's pace, the tier, and the pair last, since only who passes all else uses its slot.
 */
export function admit(
  message: Pick<OutgoingWhatsApp, 'category' | 'content'>,
  facts: AdmissionFacts,
  now: Temporal.Instant,
): Admission {
  const { category, content } = message;
  const window = windowOf(facts.lastInboundAt, now);
  const form = contentAllowed(content, category, {
    window,
    ...(facts.country === undefined ? {} : { country: facts.country }),
    ...(facts.templateStatus === undefined ? {} : { templateStatus: facts.templateStatus }),
  });
  if (form.kind !== 'allowed') return form;
  const isMarketing = category === 'marketing';
  const cap = isMarketing ? marketingSlot(facts.marketing, now) : undefined;
  if (cap?.kind === 'hold') return { kind: 'hold', reason: 'marketing-cap', until: cap.until };
  const pace: Pace =
    facts.pace === undefined ? { kind: 'send', share: 1 } : paceOf({ ...facts.pace, isMarketing }, now);
  if (pace.kind === 'hold') return pace;
  const isWindowOpen = window.kind === 'open';
  const tier = tierSlot({ ...facts.tier, isWindowOpen }, now);
  if (tier.kind === 'hold') return { kind: 'hold', reason: 'messaging-limit', until: tier.until };
  const pair = pairSlot(facts.pair, now, facts.burst);
  if (pair.kind === 'hold') return { kind: 'hold', reason: 'pair-rate', until: pair.until };
  const counts = isBusinessInitiated(window) && !facts.tier.isCounted;
  return { kind: 'send', pair: pair.pair, counts, share: pace.share };
}
