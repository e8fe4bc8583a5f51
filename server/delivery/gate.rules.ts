/**
 * The gate: may this message be handed over now? A pure function over facts read in that moment. The same function
 * with planned facts makes the audience waterfall of a campaign and the answer to one API call.
 */
export interface GateFacts {
  readonly plan: {
    readonly state: 'open' | 'paused' | 'cancelled';
    /** In-app messages go to the contact itself: an address only carries the consent, and how it does is no matter. */
    readonly channel?: string;
    readonly category: string;
    readonly topicId: string | null;
    readonly expiresAt: Temporal.Instant | null;
  };
  readonly notBefore: Temporal.Instant | null;
  readonly contactErased: boolean;
  readonly addressState: string | null;
  /** Why the address is on the suppression list; null when it is not. */
  readonly suppression: string | null;
  /** State of the consent for channel and topic; null when there never was one. */
  readonly consent: string | null;
  /** Why the channel itself takes no such message now: `landline`, `whatsapp-window-closed`. */
  readonly objection?: string | undefined;
}

export type Decision =
  | { readonly outcome: 'send' }
  | { readonly outcome: 'hold'; readonly reason: string; readonly until: Temporal.Instant }
  | { readonly outcome: 'suppress'; readonly reason: string }
  | { readonly outcome: 'cancel' }
  | { readonly outcome: 'expire' };

const suppress = (reason: string): Decision => ({ outcome: 'suppress', reason });

/** Purposes that need consent: everything that is not owed to the person by a service he uses. */
export function needsConsent(category: string): boolean {
  return category === 'marketing';
}

/**
 * In this order, first answer wins: plan open · not expired · time come · contact not erased · address present and
 * working · not on a suppression list (hard opt-outs bind transactional mail too) · consent for channel and topic · the
 * channel itself does not object. What is not known counts as no: it fails closed.
 */
export function decide(facts: GateFacts, now: Temporal.Instant): Decision {
  const { plan } = facts;
  if (plan.state === 'cancelled') return { outcome: 'cancel' };
  if (plan.expiresAt !== null && Temporal.Instant.compare(plan.expiresAt, now) <= 0) return { outcome: 'expire' };
  if (facts.notBefore !== null && Temporal.Instant.compare(facts.notBefore, now) > 0)
    return { outcome: 'hold', reason: 'scheduled', until: facts.notBefore };
  if (facts.contactErased) return suppress('contact-erased');
  const unreachable = plan.channel === 'inapp' ? undefined : unreachableBecause(facts);
  if (unreachable !== undefined) return suppress(unreachable);
  const decision = needsConsent(plan.category) ? consented(facts) : { outcome: 'send' as const };
  return decision.outcome === 'send' && facts.objection !== undefined ? suppress(facts.objection) : decision;
}

function unreachableBecause({ addressState, suppression }: GateFacts): string | undefined {
  if (addressState === null) return 'address-missing';
  if (addressState !== 'ok') return `address-${addressState}`;
  return suppression === null ? undefined : `suppressed-${suppression}`;
}

function consented(facts: GateFacts): Decision {
  if (facts.plan.topicId === null) return suppress('no-topic');
  if (facts.consent === 'granted') return { outcome: 'send' };
  if (facts.consent === 'withdrawn') return suppress('withdrawn');
  if (facts.consent === 'expired') return suppress('consent-expired');
  return suppress('no-consent');
}
