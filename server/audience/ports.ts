import type { Tx } from '../platform/db.ts';
import type { Caller } from '../platform/http.ts';
import type { Hash } from './contact.store.ts';
import type { ImportEvidence, LegalBasis } from './import.store.ts';
import type { TouchedAddress } from './upsert.ts';

/** What the audience asks of slices above it; `compose.ts` fills it, all in the same transaction. */
export interface AudiencePorts {
  /** Refuses (throws `AppError`, naming the field below the pointer) consent that could not be recorded later. */
  checkImport(
    tx: Tx,
    consent: AskedConsent,
    pointer: string,
  ): Promise<{ readonly topicId: string; readonly at: Temporal.Instant }>;
  /** After each page of an import that brings consent; never raises one that was withdrawn. */
  afterImportPage(tx: Tx, page: ImportPage): Promise<void>;
  /** Before a contact's addresses go: what else knows of the person, and the suppression list. */
  erase(tx: Tx, erasure: Erasure): Promise<void>;
  /** An SQL condition over the contact alias `c`, for lists; `bind` takes a value and returns its placeholder. */
  consentCondition(filter: ConsentFilter, bind: (value: unknown) => string): string;
}

export interface AskedConsent {
  readonly channel: string;
  readonly topic: string;
  readonly basis: LegalBasis;
  readonly evidence: ImportEvidence;
}

export interface ImportPage {
  readonly importId: string;
  readonly channel: string;
  readonly topicId: string;
  readonly basis: LegalBasis;
  readonly evidence: ImportEvidence;
  readonly at: Temporal.Instant;
  readonly addresses: readonly TouchedAddress[];
}

export interface Erasure {
  readonly contactId: string;
  readonly addresses: readonly (Hash & { readonly addressId: string })[];
  readonly at: Temporal.Instant;
}

export interface ConsentFilter {
  /** Key of the topic. */
  readonly topic: string;
  /** `none`: it was never spoken of. Undefined: whatever was said. */
  readonly state: 'granted' | 'withdrawn' | 'expired' | 'none' | undefined;
}

/** Who asks, as calls carry it. */
export interface Asked {
  readonly caller: Caller;
  readonly ip: string;
  readonly userAgent: string;
  readonly requestId: string;
}

/** The part of the audit log that the audience uses: one entry per change by a person or key, in its transaction. */
export interface AuditPort {
  record(
    tx: Tx,
    entry: {
      readonly actor: Caller;
      readonly action: string;
      readonly target: { readonly kind: string; readonly id: string };
      readonly before?: object;
      readonly after?: object;
      readonly ip: string;
      readonly userAgent: string;
      readonly requestId: string;
    },
  ): Promise<unknown>;
}
