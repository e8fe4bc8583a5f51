import type { LedgerState } from './settle.rules.ts';

/** Where a plan goes on for whom it does not reach: the next channel, with content of its own, pinned like the plan's. */
export interface FallbackStep {
  readonly channel: string;
  readonly templateId: string;
  readonly templateVersion: number;
  /** The plan's, when absent. */
  readonly topicId?: string;
  /** From the hand-over on. */
  readonly afterMinutes: number;
  readonly until: 'delivered' | 'read';
}

export interface Reached {
  readonly state: string;
  readonly isRead: boolean;
}

/** Whether a message got as far as its plan waits for. */
export function hasReached({ state, isRead }: Reached, until: FallbackStep['until']): boolean {
  // Who complained or read it has it, whatever the provider told or did not tell.
  if (isRead || state === 'complained') return true;
  return until === 'delivered' && state === 'delivered';
}

/**
 * Whether what became of a message makes it one to look after later. Who may not be written to, or was spared on
 * purpose, is not tried on another channel; whom we could not reach is.
 */
export function asksForFallback(state: LedgerState, reason: string | null): boolean {
  switch (state) {
    case 'accepted':
    case 'delivered':
    case 'bounced':
    case 'failed':
    case 'unknown':
      return true;
    case 'suppressed':
      return reason !== null && reason.startsWith('address-');
    case 'planned':
    case 'held':
    case 'complained':
    case 'cancelled':
    case 'expired':
      return false;
  }
}
