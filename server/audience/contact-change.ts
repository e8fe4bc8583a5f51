import { AppError } from '../platform/errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import type { Vault } from '../platform/sealing.ts';
import type { Activity } from '../activity/index.ts';
import type { AddressKind, ParsedAddress } from './address.rules.ts';
import { attributesProblem, mergeAttributes } from './attribute.rules.ts';
import type { Contacts } from './contacts.ts';
import * as store from './contact.store.ts';
import type { StoredContact } from './contact.store.ts';
import { readInput } from './given.rules.ts';
import type { ContactInput, InputProblem } from './given.rules.ts';
import { addressContext } from './upsert.ts';

/** Attributes are merged (null removes); addresses are the whole new list: an id keeps one, a value adds one. */
export interface ContactPatch extends Omit<ContactInput, 'addresses'> {
  readonly addresses?:
    readonly ({ readonly id: string } | { readonly kind: AddressKind; readonly value: string })[] | undefined;
}

export interface ChangeDeps {
  readonly clock: Clock;
  readonly vault: Vault;
  readonly activity: Pick<Activity, 'append'>;
  readonly contacts: Pick<Contacts, 'get' | 'contextOf' | 'define'>;
}

interface Slot {
  readonly id: string;
  /** Undefined for one that stays. */
  readonly fresh: ParsedAddress | undefined;
}

const refusal = (problems: readonly InputProblem[]) =>
  new AppError(
    'invalid-input',
    problems
      .map(({ pointer, message }) => `${pointer.slice(1)} ${message}`)
      .slice(0, 3)
      .join('; '),
    { errors: problems },
  );

const givenOnly = (addresses: ContactPatch['addresses']) => addresses?.map((one) => ('id' in one ? undefined : one));

/** Changes one contact from what was read under lock; the caller has compared the revision. */
export function createChange({ clock, vault, activity, contacts }: ChangeDeps) {
  /** The new list of addresses, in order; those of other people are refused. */
  const arrange = async (
    tx: Tx,
    contact: StoredContact,
    patch: ContactPatch,
    parsed: readonly (ParsedAddress | undefined)[],
  ): Promise<Slot[]> => {
    const keys = await vault.keys(tx);
    const slots: Slot[] = [];
    for (const [at, one] of (patch.addresses ?? []).entries()) {
      const pointer = `/addresses/${at}`;
      const fresh = parsed[at];
      let slot: Slot;
      if ('id' in one) {
        if (!contact.addresses.some((held) => held.id === one.id))
          throw refusal([{ pointer: `${pointer}/id`, message: 'is not an address of this contact' }]);
        slot = { id: one.id, fresh: undefined };
      } else if (fresh === undefined) continue;
      else {
        const held = await store.findAddress(tx, { kind: fresh.kind, ...keys.blindIndex(fresh.kind, fresh.matchKey) });
        if (held !== undefined && held.contactId !== contact.id)
          throw new AppError('contact/address-taken', `Contact ${held.contactId} has this address.`, {
            errors: [{ pointer: `${pointer}/value`, message: `belongs to contact ${held.contactId}` }],
          });
        slot = held === undefined ? { id: newId(clock), fresh } : { id: held.addressId, fresh: undefined };
      }
      if (slots.some((other) => other.id === slot.id)) throw refusal([{ pointer, message: 'is in the list twice' }]);
      slots.push(slot);
    }
    return slots;
  };

  const writeAddresses = async (tx: Tx, contact: StoredContact, slots: readonly Slot[]): Promise<boolean> => {
    const before = contact.addresses.map((one) => one.id);
    if (slots.length === before.length && slots.every((slot, at) => slot.id === before[at])) return false;
    const keys = await vault.keys(tx);
    const key = keys.contactKey(contact.salt);
    const rows = slots.flatMap(({ id, fresh }, position) => {
      if (fresh === undefined) return [];
      const { kind, value, matchKey, domain, country, lineType } = fresh;
      const sealed = key.seal(value, addressContext);
      return [
        {
          id,
          contactId: contact.id,
          kind,
          position,
          ...keys.blindIndex(kind, matchKey),
          sealed,
          domain,
          country,
          lineType,
        },
      ];
    });
    if ((await store.insertAddresses(tx, rows, clock.now())) !== rows.length)
      throw new AppError('conflict', 'Somebody else took one of these addresses just now.');
    await store.arrangeAddresses(
      tx,
      contact.id,
      slots.map((slot) => slot.id),
    );
    return true;
  };

  const checkExternalId = async (
    tx: Tx,
    contact: StoredContact,
    externalId: string | null | undefined,
  ): Promise<void> => {
    if (externalId === undefined || externalId === null || externalId === contact.externalId) return;
    const [held] = await store.findByExternalIds(tx, [externalId]);
    if (held === undefined) return;
    throw new AppError('contact/external-id-taken', `Contact ${held.id} has this external id.`, {
      errors: [{ pointer: '/externalId', message: `belongs to contact ${held.id}` }],
    });
  };

  return async (tx: Tx, contact: StoredContact, patch: ContactPatch): Promise<StoredContact> => {
    const given = givenOnly(patch.addresses);
    const context = await contacts.contextOf(tx);
    const read = readInput({ ...patch, addresses: undefined }, context);
    // Each address by itself, so that its pointer keeps its place in the list.
    const single = (given ?? []).map((one, at) => {
      const alone =
        one === undefined
          ? undefined
          : readInput({ country: patch.country ?? contact.country, addresses: [one] }, context);
      return {
        address: alone?.contact.addresses[0]?.address,
        problems: (alone?.problems ?? []).map((problem) => ({
          ...problem,
          pointer: problem.pointer.replace('/addresses/0', `/addresses/${at}`),
        })),
      };
    });
    const problems = [...read.problems, ...single.flatMap((one) => one.problems)];
    if (problems.length > 0) throw refusal(problems);
    await checkExternalId(tx, contact, patch.externalId);
    await contacts.define(tx, [read]);
    const attributes = mergeAttributes(contact.attributes, read.contact.attributes);
    const tooMuch = attributesProblem(attributes, read.contact.attributes.length);
    if (tooMuch !== undefined) throw refusal([{ pointer: '/attributes', message: tooMuch }]);
    const place = (field: 'externalId' | 'locale' | 'timeZone' | 'country') =>
      patch[field] === undefined ? contact[field] : (read.contact[field] ?? null);
    const next = {
      externalId: place('externalId'),
      locale: place('locale'),
      timeZone: place('timeZone'),
      country: place('country'),
    };
    const slots =
      given === undefined
        ? undefined
        : await arrange(
            tx,
            contact,
            patch,
            single.map((one) => one.address),
          );
    const moved = slots === undefined ? false : await writeAddresses(tx, contact, slots);
    const fields = (['externalId', 'locale', 'timeZone', 'country'] as const).filter(
      (field) => next[field] !== contact[field],
    );
    const changed = [
      ...fields,
      ...(attributes === contact.attributes ? [] : ['attributes']),
      ...(moved ? ['addresses'] : []),
    ];
    if (changed.length === 0) return contact;
    if (
      (await store.updateContacts(
        tx,
        [{ id: contact.id, revision: contact.revision, attributes, ...next }],
        clock.now(),
      )) !== 1
    )
      throw new AppError('conflict', 'Somebody else changed the contact just now.');
    await activity.append(tx, [
      { kind: 'contact.updated', contactId: contact.id, occurredAt: clock.now(), data: { fields: changed } },
    ]);
    return contacts.get(tx, contact.id);
  };
}
