import type { Tx } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { ParsedAddress } from './address.rules.ts';
import type { ContactsDeps } from './contact-input.ts';
import type { GivenContact } from './import-row.rules.ts';
import { PageRaceError, prepare, upsertPage } from './upsert.ts';
import type { Upserted } from './upsert.ts';

/** An address with the contact it belongs to. */
export interface Belonging {
  readonly contactId: string;
  readonly addressId: string;
}

function nobodyWith(address: ParsedAddress, line: number): GivenContact {
  return {
    line,
    externalId: undefined,
    externalIdField: '',
    addresses: [{ address, field: '' }],
    attributes: [],
    locale: undefined,
    timeZone: undefined,
    country: undefined,
  };
}

/** Contacts for addresses, in their order: a new one for each that nobody has, the same one for one that is given twice. */
export async function obtainContacts(
  { clock, vault, activity }: ContactsDeps,
  tx: Tx,
  addresses: readonly ParsedAddress[],
): Promise<Belonging[]> {
  if (addresses.length === 0) return [];
  const keys = await vault.keys(tx);
  const page = addresses.map((address, line) => prepare(keys, clock, nobodyWith(address, line), newId(clock), true));
  const { outcomes, created } = (await written(() => upsertPage(tx, keys, page, clock.now()))).plan;
  await activity.append(
    tx,
    created.map((one) => ({ kind: 'contact.created', contactId: one.id, occurredAt: clock.now() })),
  );
  return outcomes.map((one) => {
    const addressId = one.outcome === 'rejected' ? undefined : one.addresses[0]?.id;
    if (one.outcome === 'rejected' || addressId === undefined) throw new Error('a bare address was no contact');
    return { contactId: one.contact.id, addressId };
  });
}

async function written(write: () => Promise<Upserted>): Promise<Upserted> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof PageRaceError)) throw error;
    throw new AppError('conflict', 'Somebody else made the same contact just now.');
  }
}
