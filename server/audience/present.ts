import type { Contact } from '../../contract/contacts.ts';
import type { ContactImport } from '../../contract/imports.ts';
import type { WorkspaceKeys } from '../platform/sealing.ts';
import type { AttributeValue } from './attribute.rules.ts';
import type { StoredAddress, StoredContact } from './contact.store.ts';
import type { ImportRow } from './import.store.ts';
import { maskAddress } from './mask.rules.ts';
import { addressContext } from './upsert.ts';

/** The plain addresses of one contact, in order; one key derivation for all of them. */
export function openAddresses(
  keys: WorkspaceKeys,
  contact: Pick<StoredContact, 'salt' | 'addresses'>,
): { stored: StoredAddress; value: string }[] {
  if (contact.addresses.length === 0) return [];
  const key = keys.contactKey(contact.salt);
  return contact.addresses.map((stored) => ({ stored, value: key.open(stored.sealed, addressContext) }));
}

const copy = (value: AttributeValue): string | number | boolean | string[] =>
  typeof value === 'object' ? [...value] : value;

/** A contact as answers show it: addresses masked. */
export function presentContact(keys: WorkspaceKeys, contact: StoredContact): Contact {
  return {
    id: contact.id,
    externalId: contact.externalId,
    addresses: openAddresses(keys, contact).map(({ stored, value }) => ({
      id: stored.id,
      kind: stored.kind,
      masked: maskAddress(stored.kind, value, stored.country),
      position: stored.position,
      state: stored.state,
      stateAt: stored.stateAt?.toString() ?? null,
      domain: stored.domain,
      country: stored.country,
      lineType: stored.lineType,
    })),
    attributes: Object.fromEntries(Object.entries(contact.attributes).map(([key, value]) => [key, copy(value)])),
    locale: contact.locale,
    timeZone: contact.timeZone,
    country: contact.country,
    createdAt: contact.createdAt.toString(),
    updatedAt: contact.updatedAt.toString(),
    revision: contact.revision,
  };
}

export function presentImport(row: ImportRow): ContactImport {
  const {
    id,
    state,
    fileName,
    bytesTotal,
    bytesDone,
    rowsRead,
    created,
    updated,
    unchanged,
    rejected,
    failure,
    requestedBy,
  } = row;
  return {
    id,
    state,
    fileName,
    dryRun: row.settings.dryRun,
    bytesTotal,
    bytesDone,
    rowsRead,
    created,
    updated,
    unchanged,
    rejected,
    failure,
    requestedBy,
    createdAt: row.createdAt.toString(),
    startedAt: row.startedAt?.toString() ?? null,
    endedAt: row.endedAt?.toString() ?? null,
  };
}
