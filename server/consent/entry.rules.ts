import type { ChainField } from '../platform/chain.ts';
import type { ConsentAction } from './consent.rules.ts';

export type LegalBasis = 'consent' | 'contract' | 'legitimate-interest';

/** One line of the ledger, as it is stored. */
export interface LedgerEntry {
  readonly seq: number;
  readonly id: string;
  readonly contactId: string;
  readonly addressId: string;
  readonly channel: string;
  readonly topicId: string;
  readonly action: ConsentAction;
  readonly basis: LegalBasis;
  readonly source: string;
  /** Sealed under the contact's key: an erased contact's evidence is gone, the chain over the sealed form still holds. */
  readonly evidence: Buffer;
  readonly actor: string;
  readonly occurredAt: Temporal.Instant;
  readonly recordedAt: Temporal.Instant;
}

export interface Head {
  readonly seq: number;
  readonly mac: Buffer;
  readonly seal: Buffer;
}

/** How the person agreed or objected. What of it is personal stays sealed. */
export interface Evidence {
  /** Where the person said it: a form, an event, a call. */
  readonly source: string;
  readonly textVersion?: string | undefined;
  readonly locale?: string | undefined;
  readonly form?: string | undefined;
  readonly ip?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly reason?: string | undefined;
  readonly at?: string | undefined;
  readonly messageId?: string | undefined;
}

const microseconds = (instant: Temporal.Instant): bigint => instant.epochNanoseconds / 1000n;

/** What a link of the chain covers: every column, in this order, for good. */
export function chainFields(entry: LedgerEntry): ChainField[] {
  return [
    entry.seq,
    entry.id,
    entry.contactId,
    entry.addressId,
    entry.channel,
    entry.topicId,
    entry.action,
    entry.basis,
    entry.source,
    entry.evidence,
    entry.actor,
    microseconds(entry.occurredAt),
    microseconds(entry.recordedAt),
  ];
}

/** Ties sealed evidence to its entry: moved to another one, it does not open. */
export function evidenceContext(entryId: string): string {
  return `consent:${entryId}`;
}
