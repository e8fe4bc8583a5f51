import type { Tx } from '../platform/db.ts';
import type { AddressKind } from './consent.rules.ts';
import type { HashedAddress } from './suppression.rules.ts';

/** An address that belongs to a contact. */
export interface Person extends HashedAddress {
  readonly contactId: string;
  readonly addressId: string;
  /** `m•••@example.com`; whole addresses never leave the audience. */
  readonly masked: string;
}

export interface GivenAddress {
  readonly kind: AddressKind;
  /** As people write it. */
  readonly value: string;
}

export type AddressRef = GivenAddress | { readonly id: string };

/**
 * What consent asks of the audience. Addresses that cannot be read are refused (`invalid-input`), naming the field
 * by the pointer given.
 */
export interface People {
  findAddress(tx: Tx, ref: AddressRef, pointer: string): Promise<Person | undefined>;
  /** The address, of a new contact if nobody has it yet. */
  obtainAddress(tx: Tx, given: GivenAddress, pointer: string): Promise<Person>;
  exists(tx: Tx, contactId: string): Promise<boolean>;
  /** Every address of a contact; empty for one that is not there. */
  addressesOf(tx: Tx, contactId: string): Promise<Person[]>;
  /** The keyed hash of an address, known or not. */
  hashAddress(tx: Tx, given: GivenAddress, pointer: string): Promise<HashedAddress>;
}
