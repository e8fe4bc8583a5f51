import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { Vault } from '../platform/sealing.ts';
import type { AddressKind, ParsedAddress } from './address.rules.ts';
import { addressTaken, refuseProblems } from './contact-input.ts';
import * as store from './contact.store.ts';
import type { StoredContact } from './contact.store.ts';
import { readInput } from './given.rules.ts';
import type { InputContext, InputProblem } from './given.rules.ts';
import { addressContext } from './upsert.ts';

/** An id keeps an address the contact has, a value adds one. */
export type AddressEntry = { readonly id: string } | { readonly kind: AddressKind; readonly value: string };

export interface AddressDeps {
  readonly clock: Clock;
  readonly vault: Vault;
}

/** One place of the new list. */
interface Slot {
  readonly id: string;
  /** Undefined for one that stays. */
  readonly fresh: ParsedAddress | undefined;
}

export interface ReadEntries {
  /** Undefined where an id stands. */
  readonly addresses: readonly (ParsedAddress | undefined)[];
  readonly problems: readonly InputProblem[];
}

/** Each address by itself, so that the pointer of a problem keeps its place in the list. */
export function readEntries(
  entries: readonly AddressEntry[],
  country: string | null,
  context: InputContext,
): ReadEntries {
  const problems: InputProblem[] = [];
  const addresses = entries.map((entry, at) => {
    if ('id' in entry) return undefined;
    const read = readInput({ country, addresses: [entry] }, context);
    for (const { pointer, message } of read.problems)
      if (pointer.startsWith('/addresses/')) problems.push({ pointer: `/addresses/${at}/value`, message });
    return read.contact.addresses[0]?.address;
  });
  return { addresses, problems };
}

async function slotFor(
  deps: AddressDeps,
  tx: Tx,
  contact: StoredContact,
  fresh: ParsedAddress,
  pointer: string,
): Promise<Slot> {
  const keys = await deps.vault.keys(tx);
  const held = await store.findAddress(tx, { kind: fresh.kind, ...keys.blindIndex(fresh.kind, fresh.matchKey) });
  if (held === undefined) return { id: newId(deps.clock), fresh };
  if (held.contactId !== contact.id) throw addressTaken(`${pointer}/value`, held.contactId);
  return { id: held.addressId, fresh: undefined };
}

/** The new list, in order; addresses of other people, and any that stands twice, are refused. */
async function arrange(
  deps: AddressDeps,
  tx: Tx,
  contact: StoredContact,
  entries: readonly AddressEntry[],
  read: ReadEntries,
) {
  const slots: Slot[] = [];
  for (const [at, entry] of entries.entries()) {
    const pointer = `/addresses/${at}`;
    const fresh = read.addresses[at];
    if ('id' in entry && !contact.addresses.some((held) => held.id === entry.id))
      refuseProblems([{ pointer: `${pointer}/id`, message: 'is not an address of this contact' }]);
    let slot: Slot | undefined;
    if ('id' in entry) slot = { id: entry.id, fresh: undefined };
    else if (fresh !== undefined) slot = await slotFor(deps, tx, contact, fresh, pointer);
    if (slot === undefined) continue;
    const { id } = slot;
    const isTwice = slots.some(
      (other) =>
        other.id === id ||
        (fresh !== undefined && other.fresh?.kind === fresh.kind && other.fresh.matchKey === fresh.matchKey),
    );
    if (isTwice) refuseProblems([{ pointer, message: 'is in the list twice' }]);
    slots.push(slot);
  }
  return slots;
}

/** Makes the contact's addresses those of the list; true when something changed. */
export async function writeEntries(
  deps: AddressDeps,
  tx: Tx,
  contact: StoredContact,
  entries: readonly AddressEntry[],
  read: ReadEntries,
): Promise<boolean> {
  const slots = await arrange(deps, tx, contact, entries, read);
  const before = contact.addresses.map((one) => one.id);
  if (slots.length === before.length && slots.every((slot, at) => slot.id === before[at])) return false;
  const keys = await deps.vault.keys(tx);
  const key = keys.contactKey(contact.salt);
  const rows = slots.flatMap(({ id, fresh }, position) => {
    if (fresh === undefined) return [];
    const { kind, value, matchKey, ...beside } = fresh;
    const sealed = key.seal(value, addressContext);
    return [{ ...beside, id, contactId: contact.id, kind, position, sealed, ...keys.blindIndex(kind, matchKey) }];
  });
  if ((await store.insertAddresses(tx, rows, deps.clock.now())) !== rows.length)
    throw new AppError('conflict', 'Somebody else took one of these addresses just now.');
  const ids = slots.map((slot) => slot.id);
  await store.arrangeAddresses(tx, contact.id, ids);
  return true;
}
