import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { newId, random } from '../platform/ids.ts';
import type { ContactKey, WorkspaceKeys } from '../platform/sealing.ts';
import type { AddressKind } from './address.rules.ts';
import {
  findByExternalIds,
  findByHashes,
  insertAddresses,
  insertContacts,
  readKnown,
  updateContacts,
} from './contact.store.ts';
import type { AddressRow } from './contact.store.ts';
import type { GivenContact } from './import-row.rules.ts';
import { addressKey, planPage } from './match.rules.ts';
import type { Candidate, Found, KnownContact, NewAddress, PagePlan, Target } from './match.rules.ts';

/** The one context in which addresses are sealed; a sealed value moved elsewhere does not open. */
export const addressContext = 'address';

const saltBytes = 16;

/** A given contact with its ids and blind indexes, and, when it is likely to be new, sealed already. */
export interface Prepared extends Candidate {
  readonly hashes: readonly { readonly hash: Buffer; readonly version: number }[];
  readonly ahead: { readonly salt: Buffer; readonly key: ContactKey; readonly sealed: readonly Buffer[] } | undefined;
}

/** An address that a row spoke of, with the key of its contact (derived when first asked for). */
export interface TouchedAddress {
  readonly contactId: string;
  readonly addressId: string;
  readonly kind: AddressKind;
  key(): ContactKey;
}

export interface Upserted {
  readonly plan: PagePlan;
  /** In the order of the rows. */
  readonly touched: readonly TouchedAddress[];
}

/** Somebody else wrote one of the same contacts or addresses between our look and our write: look again. */
export class PageRaceError extends Error {
  constructor() {
    super('another transaction wrote the same contacts');
    this.name = 'PageRaceError';
  }
}

/**
 * All the work on a contact that needs no database. `seal` does the sealing now as well: right for rows that are
 * new, wasted on those that are not.
 */
export function prepare(keys: WorkspaceKeys, clock: Clock, given: GivenContact, id: string, seal: boolean): Prepared {
  const hashes = given.addresses.map(({ address }) => keys.blindIndex(address.kind, address.matchKey));
  const addressIds = given.addresses.map(() => newId(clock));
  if (!seal) return { given, id, addressIds, hashes, ahead: undefined };
  const salt = random(saltBytes);
  const key = keys.contactKey(salt);
  const sealed = given.addresses.map(({ address }) => key.seal(address.value, addressContext));
  return { given, id, addressIds, hashes, ahead: { salt, key, sealed } };
}

/** Everybody that the rows of a page could mean. */
export async function findPeople(tx: Tx, page: readonly Prepared[]): Promise<Found> {
  const externalIds = page.map((one) => one.given.externalId).filter((one) => one !== undefined);
  const flat = page.flatMap((one) =>
    one.given.addresses.map(({ address }, at) => ({
      key: addressKey(address.kind, address.matchKey),
      hash: {
        kind: address.kind,
        hash: one.hashes[at]?.hash ?? Buffer.alloc(0),
        version: one.hashes[at]?.version ?? 0,
      },
    })),
  );
  const idsFound = await findByExternalIds(tx, externalIds);
  const addressesFound = await findByHashes(
    tx,
    flat.map((one) => one.hash),
  );
  const ids = new Set([...idsFound.map((one) => one.id), ...addressesFound.map((one) => one.contactId)]);
  const known = new Map((await readKnown(tx, [...ids])).map((contact) => [contact.id, contact]));
  const byExternalId = new Map<string, KnownContact>();
  for (const { at, id } of idsFound) {
    const contact = known.get(id);
    const externalId = externalIds[at];
    if (contact !== undefined && externalId !== undefined) byExternalId.set(externalId, contact);
  }
  const byAddress = new Map<string, { addressId: string; contact: KnownContact }>();
  for (const { at, addressId, contactId } of addressesFound) {
    const contact = known.get(contactId);
    const key = flat[at]?.key;
    if (contact !== undefined && key !== undefined) byAddress.set(key, { addressId, contact });
  }
  return { byExternalId, byAddress };
}

/** Keys of the contacts of one page, each derived once. */
function keyRing(keys: WorkspaceKeys, page: readonly Prepared[]) {
  const ring = new Map<Target, { salt: Buffer; key: ContactKey }>();
  const preparedBy = new Map<Candidate, Prepared>(page.map((one) => [one, one]));
  const of = (target: Target) => {
    let held = ring.get(target);
    if (held === undefined) {
      const ahead = target.known === undefined ? preparedBy.get(target.candidate)?.ahead : undefined;
      const salt = target.known?.salt ?? ahead?.salt ?? random(saltBytes);
      held = { salt, key: ahead?.key ?? keys.contactKey(salt) };
      ring.set(target, held);
    }
    return held;
  };
  const addressRow = (one: NewAddress): AddressRow => {
    const { contact, given, id, position } = one;
    const { kind, value, matchKey, domain, country, lineType } = given.address;
    const prepared = preparedBy.get(contact.candidate);
    const at = contact.known === undefined ? (prepared?.addressIds.indexOf(id) ?? -1) : -1;
    const sealed = (at < 0 ? undefined : prepared?.ahead?.sealed[at]) ?? of(contact).key.seal(value, addressContext);
    const index = (at < 0 ? undefined : prepared?.hashes[at]) ?? keys.blindIndex(kind, matchKey);
    return { id, contactId: contact.id, kind, position, ...index, sealed, domain, country, lineType };
  };
  return { of, addressRow };
}

/**
 * Creates and changes the contacts of one page in a handful of statements. Throws `PageRaceError` when it has to
 * be done again in a new transaction. With `mayWrite` false it only says what it would do; as a function it is waited
 * for before the first row is written.
 */
export async function upsertPage(
  tx: Tx,
  keys: WorkspaceKeys,
  page: readonly Prepared[],
  at: Temporal.Instant,
  mayWrite: ((isEverybodyNew: boolean) => Promise<void>) | boolean = true,
): Promise<Upserted> {
  const found = await findPeople(tx, page);
  const plan = planPage(page, found);
  if (mayWrite === false) return { plan, touched: [] };
  if (mayWrite !== true) await mayWrite(found.byExternalId.size + found.byAddress.size === 0);
  const ring = keyRing(keys, page);
  const contacts = plan.created.map((target) => ({ ...rowOf(target), salt: ring.of(target).salt }));
  const changes = plan.updated.map((target) => ({ ...rowOf(target), revision: target.known?.revision ?? 0 }));
  const addresses = plan.addresses.map(ring.addressRow);
  if ((await insertContacts(tx, contacts, at)) !== contacts.length) throw new PageRaceError();
  if ((await updateContacts(tx, changes, at)) !== changes.length) throw new PageRaceError();
  if ((await insertAddresses(tx, addresses, at)) !== addresses.length) throw new PageRaceError();
  const touched = plan.outcomes.flatMap((one) =>
    one.outcome === 'rejected'
      ? []
      : one.addresses.map(({ id, kind }) => ({
          contactId: one.contact.id,
          addressId: id,
          kind,
          key: () => ring.of(one.contact).key,
        })),
  );
  return { plan, touched };
}

function rowOf({ id, externalId, attributes, locale, timeZone, country }: Target) {
  return { id, externalId, attributes, locale, timeZone, country };
}
