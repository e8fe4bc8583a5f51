import type { ErrorCategory, ReceiptKind } from '../channels/index.ts';
import type { LedgerState } from './settle.rules.ts';

/** Where a message stands, as far as receipts can change it. */
export interface Standing {
  readonly state: LedgerState;
  readonly reason: string | null;
}

export interface Fact {
  readonly kind: ReceiptKind;
  readonly category?: ErrorCategory | undefined;
}

/**
 * How far each state is from the beginning: a receipt only ever moves a message on. So the end is the same in whatever
 * order the facts come, and a fact that comes twice changes nothing.
 */
const rank: Partial<Record<LedgerState, number>> = {
  planned: 0,
  unknown: 0,
  accepted: 1,
  failed: 2,
  delivered: 3,
  bounced: 4,
  complained: 5,
};

/** A failure that we declared without having heard from the vendor; what he says then counts. */
const guesses = new Set(['unknown-given-up', 'resolved-failed']);

/**
 * Where a fact leads from where a message stands; undefined where it changes nothing. What never left (held, suppressed,
 * cancelled, expired) stays: such a receipt speaks of something else.
 */
export function after(standing: Standing, fact: Fact): Standing | undefined {
  const from = standing.state === 'failed' && guesses.has(standing.reason ?? '') ? 0 : rank[standing.state];
  const to = meant(fact);
  if (from === undefined || to === undefined || (rank[to.state] ?? 0) <= from) return undefined;
  return to;
}

function meant({ kind, category }: Fact): Standing | undefined {
  switch (kind) {
    case 'accepted':
    case 'sent':
      return { state: 'accepted', reason: null };
    case 'delivered':
    case 'read':
      return { state: 'delivered', reason: null };
    case 'bounced':
      return { state: 'bounced', reason: `${category ?? 'address'}-refused` };
    case 'failed':
      return category === 'address'
        ? { state: 'bounced', reason: 'address-refused' }
        : { state: 'failed', reason: `${category ?? 'unknown'}-refused` };
    case 'complained':
      return { state: 'complained', reason: null };
    case 'deferred':
    case 'opened':
    case 'clicked':
    case 'unsubscribed':
      return undefined;
  }
}

/** Whether the address is finished: nothing is sent there again. */
export function endsAddress({ kind, category }: Fact): boolean {
  return (kind === 'bounced' || kind === 'failed') && category === 'address';
}

/**
 * What the event of a receipt is called. Opens and clicks are counted by our own links; what a vendor counts besides is
 * kept apart, so that nobody is counted twice.
 */
export function eventKindOf(kind: ReceiptKind): string {
  return kind === 'opened' || kind === 'clicked' ? `message.${kind}-at-vendor` : `message.${kind}`;
}

const earliest = Date.UTC(2020, 0);
const latest = Date.UTC(2200, 0);

/** The first day of the month an id was made in (UUIDv7), where its plan most likely is; empty for an id that tells no time. */
export function monthOf(id: string): string {
  const ms = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
  if (id[14] !== '7' || !(ms >= earliest && ms < latest)) return '';
  return `${new Date(ms).toISOString().slice(0, 7)}-01`;
}

/** Words of a vendor as a database takes them: no half characters, no NUL, no more than is worth reading. */
export function legible(text: string, most = 500): string {
  return text.slice(0, most).toWellFormed().replaceAll('\0', '');
}
