import type { Tx } from '../platform/db.ts';
import { isId } from '../platform/ids.ts';
import type { Vault } from '../platform/sealing.ts';
import { parseAddress } from './address.rules.ts';
import { filterCondition } from './contact-filter.rules.ts';
import * as store from './contact.store.ts';
import type { Condition, StoredContact } from './contact.store.ts';
import { parseHostName } from './idna.rules.ts';
import { readLocale } from './place.rules.ts';
import type { AudiencePorts, ConsentFilter } from './ports.ts';

/** As the query of a list gives it. */
export interface ListFilter {
  readonly q?: string | undefined;
  readonly domain?: string | undefined;
  readonly country?: string | undefined;
  readonly locale?: string | undefined;
  readonly addressState?: string | undefined;
  readonly topic?: string | undefined;
  readonly consent?: ConsentFilter['state'];
}

export interface ListDeps {
  readonly vault: Vault;
  readonly ports: Pick<AudiencePorts, 'consentCondition'>;
  readonly defaultCountry: (tx: Tx) => Promise<string | undefined>;
}

export interface ListPage {
  readonly after?: string | undefined;
  readonly descending: boolean;
  readonly limit: number;
}

export function createContactList({ vault, ports, defaultCountry }: ListDeps) {
  /** Addresses are sealed, so only a whole one can be found; an id and an external id as well. */
  const search = async (tx: Tx, q: string): Promise<string[]> => {
    const ids = new Set<string>();
    if (isId(q)) ids.add(q.toLowerCase());
    for (const { id } of await store.findByExternalIds(tx, [q])) ids.add(id);
    const keys = await vault.keys(tx);
    const country = await defaultCountry(tx);
    for (const kind of ['email', 'phone'] as const) {
      const read = parseAddress(kind, q, country);
      if (!read.ok) continue;
      const found = await store.findAddress(tx, { kind, ...keys.blindIndex(kind, read.address.matchKey) });
      if (found !== undefined) ids.add(found.contactId);
    }
    return [...ids];
  };

  const conditionOf = async (tx: Tx, filter: ListFilter): Promise<Condition> => {
    const host = filter.domain === undefined ? undefined : parseHostName(filter.domain);
    const locale = filter.locale === undefined ? undefined : readLocale(filter.locale);
    const { topic, consent } = filter;
    return filterCondition(
      {
        ids: filter.q === undefined ? undefined : await search(tx, filter.q),
        domain: typeof host === 'object' ? host.ascii : filter.domain,
        country: filter.country,
        locale: locale?.ok === true ? locale.value : filter.locale,
        addressState: filter.addressState,
      },
      topic === undefined ? undefined : (bind) => ports.consentCondition({ topic, state: consent }, bind),
    );
  };

  return async (tx: Tx, filter: ListFilter, page: ListPage): Promise<StoredContact[]> =>
    store.listStored(tx, {
      where: await conditionOf(tx, filter),
      after: page.after,
      descending: page.descending,
      limit: page.limit,
    });
}

export type ListContacts = ReturnType<typeof createContactList>;
