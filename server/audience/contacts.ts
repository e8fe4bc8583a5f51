import type { Contact } from '../../contract/contacts.ts';
import type { Tx } from '../platform/db.ts';
import { AppError, notFound } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { AddressKind, ParsedAddress } from './address.rules.ts';
import { writeBatch } from './contact-batch.ts';
import { addressTaken, defineAttributes, externalIdTaken, inputContext, refuseProblems } from './contact-input.ts';
import type { ContactsDeps } from './contact-input.ts';
import * as store from './contact.store.ts';
import type { StoredContact } from './contact.store.ts';
import { readInput } from './given.rules.ts';
import type { ContactInput } from './given.rules.ts';
import { addressKey } from './match.rules.ts';
import type { Found } from './match.rules.ts';
import { obtainContacts } from './newcomers.ts';
import { openAddresses, presentContact } from './present.ts';
import { findPeople, PageRaceError, prepare, upsertPage } from './upsert.ts';
import type { Prepared } from './upsert.ts';

async function getContact(tx: Tx, id: string, lock = false): Promise<StoredContact> {
  const contact = await store.findStored(tx, id, lock);
  if (contact === undefined) throw notFound('contact');
  return contact;
}

function refuseTaken(found: Found, { given }: Prepared): void {
  for (const [, known] of found.byExternalId) throw externalIdTaken(known.id);
  for (const { address, field } of given.addresses) {
    const there = found.byAddress.get(addressKey(address.kind, address.matchKey));
    if (there !== undefined) throw addressTaken(field, there.contact.id);
  }
}

async function createContact(deps: ContactsDeps, tx: Tx, input: ContactInput, id: string): Promise<StoredContact> {
  const { clock, vault, activity } = deps;
  const read = readInput(input, await inputContext(tx, deps.defaultCountry));
  refuseProblems(read.problems);
  const keys = await vault.keys(tx);
  const prepared = prepare(keys, clock, read.contact, id, true);
  refuseTaken(await findPeople(tx, [prepared]), prepared);
  await defineAttributes(tx, clock, [read]);
  try {
    const [outcome] = (await upsertPage(tx, keys, [prepared], clock.now())).plan.outcomes;
    if (outcome?.outcome === 'rejected')
      refuseProblems(outcome.problems.map((one) => ({ pointer: '/attributes', message: one.reason })));
  } catch (error) {
    if (!(error instanceof PageRaceError)) throw error;
    throw new AppError('conflict', 'Somebody else made the same contact just now.');
  }
  await activity.append(tx, [{ kind: 'contact.created', contactId: id, occurredAt: clock.now() }]);
  return getContact(tx, id);
}

async function eraseContact({ clock, ports, activity }: ContactsDeps, tx: Tx, id: string): Promise<void> {
  await getContact(tx, id, true);
  const at = clock.now();
  await ports.erase(tx, { contactId: id, addresses: await store.hashesOf(tx, id), at });
  await store.eraseStored(tx, id, at);
  await activity.append(tx, [{ kind: 'contact.erased', contactId: id, occurredAt: at }]);
}

async function revealContact({ vault }: ContactsDeps, tx: Tx, id: string) {
  const contact = await getContact(tx, id);
  const opened = openAddresses(await vault.keys(tx), contact);
  return opened.map(({ stored, value }): { id: string; kind: AddressKind; value: string } => {
    return { id: stored.id, kind: stored.kind, value };
  });
}

/** Single contacts, as people and programs change them; files go through imports. */
export function createContacts(deps: ContactsDeps) {
  return {
    /** Throws 404. `lock` for a change that is made from what is read. */
    get: getContact,
    /** Throws 409 when somebody has the external id or one of the addresses. */
    create: (tx: Tx, input: ContactInput, id = newId(deps.clock)) => createContact(deps, tx, input, id),
    /** For addresses, each read already: the contact it belongs to, made where nobody has it. */
    obtain: (tx: Tx, addresses: readonly ParsedAddress[]) => obtainContacts(deps, tx, addresses),
    batch: (tx: Tx, inputs: readonly ContactInput[]) => writeBatch(deps, tx, inputs),
    /** Destroys key, addresses and everything that was known; tells whoever else knows of the person. */
    erase: (tx: Tx, id: string) => eraseContact(deps, tx, id),
    reveal: (tx: Tx, id: string) => revealContact(deps, tx, id),
    present: async (tx: Tx, contact: StoredContact): Promise<Contact> =>
      presentContact(await deps.vault.keys(tx), contact),
  };
}

export type Contacts = ReturnType<typeof createContacts>;
