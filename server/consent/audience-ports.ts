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
  readonly actor: string;
  readonly consent: ImportConsent;
  readonly addresses: readonly {
    readonly contactId: string;
    readonly addressId: string;
    readonly kind: AddressKind;
    key(): ContactKey;
  }[];
}

export interface AudienceConsentPorts {
  /** Refuses what an import could not record later, before it starts. */
  checkConsent(tx: Tx, consent: ImportConsent): Promise<void>;
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

function draftsOf(page: ImportedPage, topicId: string, at: Temporal.Instant): ConsentDraft[] {
  const { channel, basis, evidence } = page.consent;
  const shared = { channel, topicId, basis, evidence, at, action: 'grant', source: importSource } as const;
  const actor = `import:${page.importId} by ${page.actor}`;
  return page.addresses
    .filter((one) => reaches(channel, one.kind))
    .map(({ contactId, addressId, key }) => ({ ...shared, actor, contactId, addressId, key }));
}

export interface AudiencePortsDeps {
  readonly clock: Clock;
  readonly topics: Topics;
  readonly record: Ledger['record'];
}

export function createAudiencePorts({ clock, topics, record }: AudiencePortsDeps): AudienceConsentPorts {
  const momentOf = ({ evidence }: ImportConsent) =>
    timeOfAct(evidence.at === undefined ? undefined : Temporal.Instant.from(evidence.at), clock.now());
  return {
    checkConsent: async (tx, consent) => {
      await topics.require(tx, consent.topic, { pointer: '/options/consent/topic' });
      if (momentOf(consent) === undefined) throw invalidField('/options/consent/evidence/at', 'lies in the future');
    },
    afterImportPage: async (tx, page) => {
      const topic = await topics.require(tx, page.consent.topic, { pointer: '/options/consent/topic', archived: true });
      await record(tx, draftsOf(page, topic.id, momentOf(page.consent) ?? clock.now()));
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
