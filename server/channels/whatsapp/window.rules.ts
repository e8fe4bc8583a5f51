import type { OutgoingWhatsApp, WhatsAppContent } from '../port.ts';

/**
 * When what may be said on WhatsApp: freely for 24 hours after the person last wrote (the customer service window), else
 * only with a template that Meta has approved. Decisions over plain facts; the gate feeds them.
 */

export const windowMs = 86_400_000;

export type Window =
  | { readonly kind: 'open'; readonly closesAt: Temporal.Instant }
  /** `closedAt` is absent where the person never wrote. */
  | { readonly kind: 'closed'; readonly closedAt?: Temporal.Instant };

/**
 * Pure: the window between one of our numbers and one person. The last instant no longer belongs to it (half-open); an
 * inbound time a little in the future comes from another clock and opens it all the same.
 */
export function windowOf(lastInboundAt: Temporal.Instant | undefined, now: Temporal.Instant): Window {
  if (lastInboundAt === undefined) return { kind: 'closed' };
  const closesAt = lastInboundAt.add({ milliseconds: windowMs });
  return Temporal.Instant.compare(now, closesAt) < 0
    ? { kind: 'open', closesAt }
    : { kind: 'closed', closedAt: closesAt };
}

/** As Meta and Twilio name the states of a template, in upper case. */
export type TemplateStanding = 'sendable' | 'later' | 'never' | 'unknown';

const standings: Readonly<Record<string, TemplateStanding>> = {
  APPROVED: 'sendable',
  ACTIVE: 'sendable',
  // Back in use after an appeal or a pause.
  REINSTATED: 'sendable',
  // Can be sent until it is paused; the warning is for people.
  FLAGGED: 'sendable',
  PENDING: 'later',
  IN_APPEAL: 'later',
  APPEAL_REQUESTED: 'later',
  PAUSED: 'later',
  RECEIVED: 'later',
  UNSUBMITTED: 'never',
  REJECTED: 'never',
  DISABLED: 'never',
  ARCHIVED: 'never',
  DELETED: 'never',
  PENDING_DELETION: 'never',
  LIMIT_EXCEEDED: 'never',
};

/** Pure: what a template's state lets us do. One that nobody knows is asked of the vendor by sending. */
export function templateStanding(status: string | undefined): TemplateStanding {
  const known = status?.toUpperCase() ?? '';
  return Object.hasOwn(standings, known) ? (standings[known] ?? 'unknown') : 'unknown';
}

export interface ContentFacts {
  readonly window: Window;
  /** ISO 3166 alpha-2 of the person's number, where known. */
  readonly country?: string;
  /** The template's state at the vendor's, where it was synchronised. */
  readonly templateStatus?: string;
}

export type ContentDecision =
  | { readonly kind: 'allowed' }
  /** Not now: `template-pending`. */
  | { readonly kind: 'hold'; readonly reason: string }
  /** Not in this form: `window-closed`, `template-rejected`, `marketing-needs-template`, `marketing-to-us`, `wrong-category`. */
  | { readonly kind: 'refused'; readonly reason: string };

const refused = (reason: string): ContentDecision => ({ kind: 'refused', reason });

/** Pure: whether this content may leave now. */
export function contentAllowed(
  content: WhatsAppContent,
  category: OutgoingWhatsApp['category'],
  facts: ContentFacts,
): ContentDecision {
  if (content.kind !== 'template') {
    // One-time codes and advertising have forms of their own, whoever wrote last.
    if (category === 'authentication') return refused('wrong-category');
    if (facts.window.kind === 'open') return { kind: 'allowed' };
    return refused('window-closed');
  }
  if (category === 'service') return refused('wrong-category');
  // Since April 2025 Meta delivers no marketing templates to numbers of the United States (131049, Twilio 63049).
  if (category === 'marketing' && facts.country === 'US') return refused('marketing-to-us');
  switch (templateStanding(facts.templateStatus)) {
    case 'sendable':
    case 'unknown':
      return { kind: 'allowed' };
    case 'later':
      return { kind: 'hold', reason: 'template-pending' };
    case 'never':
      return refused('template-rejected');
  }
}

/** Pure: whether a message counts for the limit of people reached in 24 hours, and is charged as begun by the business. */
export function isBusinessInitiated(window: Window): boolean {
  return window.kind === 'closed';
}
