import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { invalidField } from '../platform/errors.ts';
import type { ContactKey } from '../platform/sealing.ts';
import { importSource, reaches, timeOfAct } from './consent.rules.ts';
import type { AddressKind } from './consent.rules.ts';
import type { LegalBasis } from './entry.rules.ts';
import type { ConsentDraft, Ledger } from './ledger.ts';
import { dropConsentsOf } from './ledger.store.ts';
import { insertSuppressions } from './store.ts';
import type { HashedAddress } from './suppression.rules.ts';
import type { Topics } from './topics.ts';

/** What an import says about the consent of its rows. */
export interface ImportConsent {
  readonly channel: string;
  /** Key of the topic. */
  readonly topic: string;
  readonly basis: LegalBasis;
  readonly evidence: {
    readonly source: string;
    readonly textVersion?: string | undefined;
    readonly at?: string | undefined;
  };
}

/** A page of an import, once its contacts are written. */
export interface ImportedPage {
  readonly importId: string;
  readonly channel: string;
  readonly topicId: string;
  readonly basis: LegalBasis;
  readonly evidence: ImportConsent['evidence'];
  readonly at: Temporal.Instant;
  readonly addresses: readonly {
    readonly contactId: string;
    readonly addressId: string;
    readonly kind: AddressKind;
    key(): ContactKey;
  }[];
}

export interface AudienceConsentPorts {
  /** Refuses what an import could not record later, before it starts. */
  checkImport(
    tx: Tx,
    consent: ImportConsent,
    pointer: string,
  ): Promise<{ readonly topicId: string; readonly at: Temporal.Instant }>;
  afterImportPage(tx: Tx, page: ImportedPage): Promise<void>;
  /** Before the rows of an erased contact go: what remains is a keyed hash on the suppression list. */
  erase(
    tx: Tx,
    erasure: { readonly addresses: readonly (HashedAddress & { readonly addressId: string })[] },
  ): Promise<void>;
  /** A condition over the contact alias `c`; `bind` takes a value and returns its placeholder. */
  consentCondition(filter: ConsentFilter, bind: (value: unknown) => string): string;
}

export interface ConsentFilter {
  readonly topic: string;
  /** `none`: it was never spoken of. Undefined: whatever was said. */
  readonly state: 'granted' | 'withdrawn' | 'expired' | 'none' | undefined;
}

function draftsOf(page: ImportedPage): ConsentDraft[] {
  const { importId, channel, topicId, basis, evidence, at } = page;
  const shared = {
    channel,
    topicId,
    basis,
    evidence,
    at,
    action: 'grant',
    source: importSource,
    actor: `import:${importId}`,
  } as const;
  return page.addresses
    .filter((one) => reaches(channel, one.kind))
    .map((one) => ({ ...shared, contactId: one.contactId, addressId: one.addressId, key: () => one.key() }));
}

export interface AudiencePortsDeps {
  readonly clock: Clock;
  readonly topics: Topics;
  readonly record: Ledger['record'];
}

export function createAudiencePorts({ clock, topics, record }: AudiencePortsDeps): AudienceConsentPorts {
  return {
    checkImport: async (tx, { topic: key, evidence }, pointer) => {
      const topic = await topics.require(tx, key, { pointer: `${pointer}/topic` });
      const given = evidence.at === undefined ? undefined : Temporal.Instant.from(evidence.at);
      const at = timeOfAct(given, clock.now());
      if (at === undefined) throw invalidField(`${pointer}/evidence/at`, 'lies in the future');
      return { topicId: topic.id, at };
    },
    afterImportPage: async (tx, page) => {
      await record(tx, draftsOf(page));
    },
    erase: async (tx, { addresses }) => {
      const erased = addresses.map((one) => ({ ...one, reason: 'erased' as const }));
      await insertSuppressions(tx, erased, clock.now());
      await dropConsentsOf(
        tx,
        addresses.map((one) => one.addressId),
      );
    },
    consentCondition: ({ topic, state }, bind) => {
      const wanted = state === undefined || state === 'none' ? '' : `and s.state = ${bind(state)}`;
      const spoken = `exists (select 1 from address a join consent s on s.workspace_id = c.workspace_id and s.address_id = a.id
        join topic t on t.workspace_id = c.workspace_id and t.id = s.topic_id
        where a.workspace_id = c.workspace_id and a.contact_id = c.id and t.key = ${bind(topic)} ${wanted})`;
      return state === 'none' ? `not ${spoken}` : spoken;
    },
  };
}
