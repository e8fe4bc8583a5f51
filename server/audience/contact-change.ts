import type { Activity } from '../activity/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import type { Vault } from '../platform/sealing.ts';
import { attributesProblem, mergeAttributes } from './attribute.rules.ts';
import { readEntries, writeEntries } from './contact-addresses.ts';
import type { AddressEntry } from './contact-addresses.ts';
import { defineAttributes, externalIdTaken, inputContext, refuseProblems } from './contact-input.ts';
import * as store from './contact.store.ts';
import type { ContactChange, StoredContact } from './contact.store.ts';
import type { Contacts } from './contacts.ts';
import { readInput } from './given.rules.ts';
import type { ContactInput, ReadInput } from './given.rules.ts';

/** Attributes are merged (null removes); addresses are the whole new list. */
export interface ContactPatch extends Omit<ContactInput, 'addresses'> {
  readonly addresses?: readonly AddressEntry[] | undefined;
}

export interface ChangeDeps {
  readonly clock: Clock;
  readonly vault: Vault;
  readonly activity: Pick<Activity, 'append'>;
  readonly contacts: Pick<Contacts, 'get'>;
  readonly defaultCountry: (tx: Tx) => Promise<string | undefined>;
}

const fields = ['externalId', 'locale', 'timeZone', 'country'] as const;

async function checkExternalId(tx: Tx, contact: StoredContact, { externalId }: ContactPatch): Promise<void> {
  if (externalId === undefined || externalId === null || externalId === contact.externalId) return;
  const [held] = await store.findByExternalIds(tx, [externalId]);
  if (held !== undefined) throw externalIdTaken(held.id);
}

/** Pure: the contact's row after the change. */
function changedRow(contact: StoredContact, patch: ContactPatch, read: ReadInput): ContactChange {
  const place = (field: (typeof fields)[number]) =>
    patch[field] === undefined ? contact[field] : (read.contact[field] ?? null);
  const attributes = mergeAttributes(contact.attributes, read.contact.attributes);
  const tooMuch = attributesProblem(attributes, read.contact.attributes.length);
  if (tooMuch !== undefined) refuseProblems([{ pointer: '/attributes', message: tooMuch }]);
  return {
    id: contact.id,
    revision: contact.revision,
    attributes,
    externalId: place('externalId'),
    locale: place('locale'),
    timeZone: place('timeZone'),
    country: place('country'),
  };
}

async function writeRow(tx: Tx, row: ContactChange, at: Temporal.Instant): Promise<void> {
  const raced = new AppError('conflict', 'Somebody else changed the contact, or took its external id, just now.');
  const written = await store.updateContacts(tx, [row], at).catch((error: unknown) => {
    throw error instanceof Error && 'code' in error && error.code === '23505' ? raced : error;
  });
  if (written !== 1) throw raced;
}

/** Changes one contact from what was read under lock; the caller has compared the revision. */
export function createChange(deps: ChangeDeps) {
  const { clock, activity, contacts } = deps;
  return async (tx: Tx, contact: StoredContact, patch: ContactPatch): Promise<StoredContact> => {
    const context = await inputContext(tx, deps.defaultCountry);
    const read = readInput({ ...patch, addresses: undefined }, context);
    const entries = patch.addresses ?? [];
    const readAddresses = readEntries(entries, read.contact.country ?? contact.country, context);
    refuseProblems([...read.problems, ...readAddresses.problems]);
    await checkExternalId(tx, contact, patch);
    await defineAttributes(tx, clock, [read]);
    const row = changedRow(contact, patch, read);
    const isMoved = patch.addresses !== undefined && (await writeEntries(deps, tx, contact, entries, readAddresses));
    const changed: string[] = fields.filter((field) => row[field] !== contact[field]);
    if (row.attributes !== contact.attributes) changed.push('attributes');
    if (isMoved) changed.push('addresses');
    if (changed.length === 0) return contact;
    await writeRow(tx, row, clock.now());
    const event = {
      kind: 'contact.updated',
      contactId: contact.id,
      occurredAt: clock.now(),
      data: { fields: changed },
    };
    await activity.append(tx, [event]);
    return contacts.get(tx, contact.id);
  };
}
