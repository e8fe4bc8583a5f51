import type { Contact } from '../../../contract/contacts.ts';

type Named = Pick<Contact, 'id' | 'externalId' | 'addresses' | 'attributes'>;

/** What a contact is called on screens: their name if it is known, else a masked address, else an id. */
export function contactName(contact: Named): string {
  const { attributes } = contact;
  const parts = [attributes['first_name'], attributes['last_name']].filter(
    (part): part is string => typeof part === 'string' && part.trim() !== '',
  );
  const full = attributes['name'] ?? attributes['full_name'];
  if (parts.length > 0) return parts.join(' ');
  if (typeof full === 'string' && full.trim() !== '') return full;
  return contact.addresses[0]?.masked ?? contact.externalId ?? `Contact ${contact.id.slice(-8)}`;
}

/** The first address of a kind, masked. */
export function firstAddress(contact: Named, kind: 'email' | 'phone' | 'push'): string | undefined {
  return contact.addresses.find((address) => address.kind === kind)?.masked;
}

export type AttributeType = 'text' | 'number' | 'boolean' | 'date' | 'list';
export type AttributeValue = Contact['attributes'][string];

/** What an attribute looks like to a reader. */
export function attributeText(value: AttributeValue): string {
  if (value === null) return '';
  if (typeof value === 'boolean') return value ? 'Yes' : 'No';
  if (Array.isArray(value)) return value.join(', ');
  return String(value);
}

/** Only what changed, with null for what was emptied: what a PATCH takes. */
export function changedAttributes(
  before: Readonly<Record<string, AttributeValue>>,
  after: Readonly<Record<string, AttributeValue>>,
): Record<string, AttributeValue> {
  const changed: Record<string, AttributeValue> = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const from = emptyIsNull(before[key] ?? null);
    const to = emptyIsNull(after[key] ?? null);
    if (JSON.stringify(from) !== JSON.stringify(to)) changed[key] = to;
  }
  return changed;
}

function emptyIsNull(value: AttributeValue): AttributeValue {
  if (typeof value === 'string' && value.trim() === '') return null;
  return Array.isArray(value) && value.length === 0 ? null : value;
}

/** A key made from what people call it: `Lieblings-Farbe 2` -> `lieblings_farbe_2`. */
export function keyFrom(label: string): string {
  const key = label
    .replaceAll('ß', 'ss')
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^[_0-9]+|_+$/g, '')
    .slice(0, 63);
  return key === 'constructor' || key === 'prototype' ? `${key}_` : key;
}
