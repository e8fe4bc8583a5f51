import type { Tx } from '../platform/db.ts';
import { invalidField } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import type { Vault } from '../platform/sealing.ts';
import { parseAddress } from './address.rules.ts';
import type { AddressKind, ParsedAddress } from './address.rules.ts';
import type { Attributes } from './attribute.rules.ts';
import type { Contacts } from './contacts.ts';
import * as store from './contact.store.ts';
import type { Hash } from './contact.store.ts';
import { maskAddress } from './mask.rules.ts';
import { addressContext } from './upsert.ts';

/** An address that belongs to a contact, as higher slices see it. */
export interface Person extends Hash {
  readonly contactId: string;
  readonly addressId: string;
  readonly masked: string;
}

/** An address that was read, and the hash it is found by. */
export type HashedAddress = ParsedAddress & Hash;

export type PersonRef = { readonly kind: AddressKind; readonly value: string } | { readonly id: string };

/** A contact's data as templates see it: its attributes, and the fields every contact has. */
export interface ContactVariables {
  readonly id: string;
  readonly external_id: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  readonly locale: string | null;
  readonly time_zone: string | null;
  readonly country: string | null;
  readonly [attribute: string]: unknown;
}

/** Pure: attributes never hide the fields (their names are reserved, and the fields come last). */
export function contactVariables(contact: {
  readonly id: string;
  readonly externalId: string | null;
  readonly attributes: Attributes;
  readonly locale: string | null;
  readonly timeZone: string | null;
  readonly country: string | null;
  readonly email: string | null;
  readonly phone: string | null;
}): ContactVariables {
  const { id, externalId, attributes, locale, timeZone, country, email, phone } = contact;
  return { ...attributes, id, external_id: externalId, email, phone, locale, time_zone: timeZone, country };
}

export interface PeopleDeps {
  readonly vault: Vault;
  readonly contacts: Pick<Contacts, 'create' | 'obtain'>;
  readonly defaultCountry: (tx: Tx) => Promise<string | undefined>;
}

type Given = { readonly kind: AddressKind; readonly value: string };

async function parse({ defaultCountry }: PeopleDeps, tx: Tx, given: Given, pointer: string): Promise<ParsedAddress> {
  const read = parseAddress(given.kind, given.value, await defaultCountry(tx));
  if (!read.ok) throw invalidField(pointer, read.reason);
  return read.address;
}

async function hashOf({ vault }: PeopleDeps, tx: Tx, address: ParsedAddress): Promise<Hash> {
  const keys = await vault.keys(tx);
  return { kind: address.kind, ...keys.blindIndex(address.kind, address.matchKey) };
}

async function findAddress(deps: PeopleDeps, tx: Tx, ref: PersonRef, pointer: string): Promise<Person | undefined> {
  let addressId: string | undefined;
  if ('id' in ref) addressId = isId(ref.id) ? ref.id : undefined;
  else {
    const hash = await hashOf(deps, tx, await parse(deps, tx, ref, pointer));
    addressId = (await store.findAddress(tx, hash))?.addressId;
  }
  const row = addressId === undefined ? undefined : await store.findPerson(tx, addressId);
  if (row === undefined) return undefined;
  const value = (await deps.vault.keys(tx)).openFor(row.salt, row.sealed, addressContext);
  const { contactId, kind, hash, version, country } = row;
  return { contactId, addressId: row.addressId, kind, hash, version, masked: maskAddress(kind, value, country) };
}

async function obtainAddress(deps: PeopleDeps, tx: Tx, given: Given, pointer: string): Promise<Person> {
  const found = await findAddress(deps, tx, given, pointer);
  if (found !== undefined) return found;
  const contact = await deps.contacts.create(tx, { addresses: [given] });
  const made = await findAddress(deps, tx, { id: contact.addresses[0]?.id ?? '' }, pointer);
  if (made === undefined) throw new Error('a contact was made without its address');
  return made;
}

const findContact = async (tx: Tx, id: string) => (isId(id) ? store.findStored(tx, id) : undefined);

async function addressesOf({ vault }: PeopleDeps, tx: Tx, contactId: string): Promise<Person[]> {
  const contact = await findContact(tx, contactId);
  if (contact === undefined) return [];
  const hashes = new Map((await store.hashesOf(tx, contactId)).map((one) => [one.addressId, one]));
  const key = (await vault.keys(tx)).contactKey(contact.salt);
  return contact.addresses.flatMap((one) => {
    const index = hashes.get(one.id);
    if (index === undefined) return [];
    const masked = maskAddress(one.kind, key.open(one.sealed, addressContext), one.country);
    return [{ contactId, addressId: one.id, kind: one.kind, hash: index.hash, version: index.version, masked }];
  });
}

async function variablesOf({ vault }: PeopleDeps, tx: Tx, contactId: string): Promise<ContactVariables | undefined> {
  const contact = await findContact(tx, contactId);
  if (contact === undefined) return undefined;
  const keys = await vault.keys(tx);
  const first = (kind: AddressKind) => {
    const row = contact.addresses.find((one) => one.kind === kind);
    return row === undefined ? null : keys.openFor(contact.salt, row.sealed, addressContext);
  };
  return contactVariables({ ...contact, email: first('email'), phone: first('phone') });
}

/** What consent and delivery ask about addresses. `pointer` names the field in refusals (`invalid-input`). */
export function createPeople(deps: PeopleDeps) {
  return {
    findAddress: (tx: Tx, ref: PersonRef, pointer: string) => findAddress(deps, tx, ref, pointer),
    /** The address, of a new contact if nobody has it yet. */
    obtainAddress: (tx: Tx, given: Given, pointer: string) => obtainAddress(deps, tx, given, pointer),
    /**
     * Reads addresses of a call as people write them, of the kinds it has, each with the keyed hash it is found by; a
     * wrong one is refused at the pointer.
     */
    addressReader: async (tx: Tx, kinds: ReadonlySet<AddressKind>) => {
      const keys = await deps.vault.keys(tx);
      const country = kinds.has('phone') ? await deps.defaultCountry(tx) : undefined;
      return (given: Given, pointer: string): HashedAddress => {
        const read = parseAddress(given.kind, given.value, country);
        if (!read.ok) throw invalidField(pointer, read.reason);
        return { ...read.address, ...keys.blindIndex(read.address.kind, read.address.matchKey) };
      };
    },
    /** The contacts that addresses belong to, in their order; made where nobody has one. */
    obtainContacts: (tx: Tx, addresses: readonly ParsedAddress[]) => deps.contacts.obtain(tx, addresses),
    exists: async (tx: Tx, contactId: string): Promise<boolean> => (await findContact(tx, contactId)) !== undefined,
    /** Every address of a contact; empty for one that is not there. */
    addressesOf: (tx: Tx, contactId: string) => addressesOf(deps, tx, contactId),
    /** The keyed hash of an address, known or not. */
    hashAddress: async (tx: Tx, given: Given, pointer: string): Promise<Hash> =>
      hashOf(deps, tx, await parse(deps, tx, given, pointer)),
    /** Opens sealed addresses of many contacts; throws on one that was tampered with. */
    addressOpener: async (tx: Tx): Promise<(row: { readonly salt: Buffer; readonly sealed: Buffer }) => string> => {
      const keys = await deps.vault.keys(tx);
      return ({ salt, sealed }) => keys.openFor(salt, sealed, addressContext);
    },
    /** What templates are rendered with; undefined when there is no such contact. */
    variablesOf: (tx: Tx, contactId: string) => variablesOf(deps, tx, contactId),
  };
}
