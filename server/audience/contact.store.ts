import type { Tx } from '../platform/db.ts';
import type { AddressKind } from './address.rules.ts';
import type { Attributes } from './attribute.rules.ts';
import type { KnownContact } from './match.rules.ts';

/**
 * Hot statements go through prepared plans that only an index can serve: each key is looked up by itself
 * (`cross join lateral … offset 0` keeps the planner from hashing the whole table for a page of keys), and every
 * look-up compares with `=` on text, uuid or bytea, since under row-level security only leakproof operators
 * reach an index. `hash_version > 0` is what the index of hashes asks for (see the migration).
 */

const findByExternalIdText = `
  select k.n::int - 1 as at, c.id
  from unnest($2::text[]) with ordinality as k (external_id, n)
  cross join lateral (
    select id from contact c where c.workspace_id = $1 and c.external_id = k.external_id offset 0
  ) c`;

/** Ids by the position of the external id in the list given. */
export async function findByExternalIds(tx: Tx, externalIds: readonly string[]): Promise<{ at: number; id: string }[]> {
  return externalIds.length === 0 ? [] : tx.hot(findByExternalIdText, [tx.workspaceId, externalIds]);
}

export interface Hash {
  readonly kind: AddressKind;
  readonly hash: Buffer;
  readonly version: number;
}

const findByHashText = `
  select k.n::int - 1 as at, a.id as "addressId", a.contact_id as "contactId"
  from unnest($2::text[], $3::int[], $4::bytea[]) with ordinality as k (kind, version, hash, n)
  cross join lateral (
    select id, contact_id from address a
    where a.workspace_id = $1 and a.kind = k.kind and a.hash_version = k.version and a.hash_version > 0 and a.hash = k.hash
    offset 0
  ) a`;

/** Addresses by the position of their hash in the list given. */
export async function findByHashes(
  tx: Tx,
  hashes: readonly Hash[],
): Promise<{ at: number; addressId: string; contactId: string }[]> {
  if (hashes.length === 0) return [];
  const values = [hashes.map((one) => one.kind), hashes.map((one) => one.version), hashes.map((one) => one.hash)];
  return tx.hot(findByHashText, [tx.workspaceId, ...values]);
}

const readContactsText = `
  select c.id, c.revision, c.salt, c.external_id as "externalId", c.attributes, c.locale, c.time_zone as "timeZone", c.country
  from unnest($2::uuid[]) as k (id)
  cross join lateral (select * from contact c where c.workspace_id = $1 and c.id = k.id and c.erased_at is null offset 0) c`;

const readOwnedText = `
  select a.contact_id as "contactId", a.id, a.kind, a.position::int as position
  from unnest($2::uuid[]) as k (id)
  cross join lateral (select * from address a where a.workspace_id = $1 and a.contact_id = k.id offset 0) a
  order by a.position`;

type ContactOnly = Omit<KnownContact, 'addresses'> & { readonly attributes: Attributes };

/** Contacts with the kinds and places of their addresses; erased ones are not there. */
export async function readKnown(tx: Tx, ids: readonly string[]): Promise<KnownContact[]> {
  if (ids.length === 0) return [];
  const contacts = await tx.hot<ContactOnly>(readContactsText, [tx.workspaceId, ids]);
  const owned = await tx.hot<{ contactId: string; id: string; kind: AddressKind; position: number }>(readOwnedText, [
    tx.workspaceId,
    ids,
  ]);
  const byContact = new Map<string, { id: string; kind: AddressKind; position: number }[]>();
  for (const { contactId, ...address } of owned) {
    const list = byContact.get(contactId);
    if (list === undefined) byContact.set(contactId, [address]);
    else list.push(address);
  }
  return contacts.map((contact) => ({ ...contact, addresses: byContact.get(contact.id) ?? [] }));
}

export interface ContactRow {
  readonly id: string;
  readonly externalId: string | null;
  readonly salt: Buffer;
  readonly attributes: Attributes;
  readonly locale: string | null;
  readonly timeZone: string | null;
  readonly country: string | null;
}

const insertContactsText = `
  with added as (
    insert into contact (workspace_id, id, external_id, salt, attributes, locale, time_zone, country, created_at, updated_at)
    select $1, k.id, k.external_id, k.salt, k.attributes::jsonb, k.locale, k.time_zone, k.country, $9, $9
    from unnest($2::uuid[], $3::text[], $4::bytea[], $5::text[], $6::text[], $7::text[], $8::text[])
      as k (id, external_id, salt, attributes, locale, time_zone, country)
    on conflict do nothing returning 1)
  select count(*)::int as count from added`;

/** How many were added: fewer than given when another transaction took an external id meanwhile. */
export async function insertContacts(tx: Tx, rows: readonly ContactRow[], at: Temporal.Instant): Promise<number> {
  if (rows.length === 0) return 0;
  const [added] = await tx.hot<{ count: number }>(insertContactsText, [
    tx.workspaceId,
    rows.map((row) => row.id),
    rows.map((row) => row.externalId),
    rows.map((row) => row.salt),
    rows.map((row) => JSON.stringify(row.attributes)),
    rows.map((row) => row.locale),
    rows.map((row) => row.timeZone),
    rows.map((row) => row.country),
    at,
  ]);
  return added?.count ?? 0;
}

export interface AddressRow extends Hash {
  readonly id: string;
  readonly contactId: string;
  readonly position: number;
  readonly sealed: Buffer;
  readonly domain: string | null;
  readonly country: string | null;
  readonly lineType: string | null;
}

const insertAddressesText = `
  with added as (
    insert into address (workspace_id, id, contact_id, kind, position, hash, hash_version, sealed, domain, country, line_type, created_at)
    select $1, k.id, k.contact_id, k.kind, k.position, k.hash, k.version, k.sealed, k.domain, k.country, k.line_type, $12
    from unnest($2::uuid[], $3::uuid[], $4::text[], $5::smallint[], $6::bytea[], $7::int[], $8::bytea[], $9::text[], $10::text[], $11::text[])
      as k (id, contact_id, kind, position, hash, version, sealed, domain, country, line_type)
    on conflict do nothing returning 1)
  select count(*)::int as count from added`;

/** How many were added: fewer than given when another transaction took an address meanwhile. */
export async function insertAddresses(tx: Tx, rows: readonly AddressRow[], at: Temporal.Instant): Promise<number> {
  if (rows.length === 0) return 0;
  const [added] = await tx.hot<{ count: number }>(insertAddressesText, [
    tx.workspaceId,
    rows.map((row) => row.id),
    rows.map((row) => row.contactId),
    rows.map((row) => row.kind),
    rows.map((row) => row.position),
    rows.map((row) => row.hash),
    rows.map((row) => row.version),
    rows.map((row) => row.sealed),
    rows.map((row) => row.domain),
    rows.map((row) => row.country),
    rows.map((row) => row.lineType),
    at,
  ]);
  return added?.count ?? 0;
}

export interface ContactChange extends Omit<ContactRow, 'salt'> {
  /** The revision the change was made from. */
  readonly revision: number;
}

/**
 * An upsert that only ever updates: it goes by the primary key whatever the planner believes, where `update … from
 * unnest` may go through the whole workspace. Contacts are never deleted, so there is always a row to conflict with.
 */
const updateContactsText = `
  with changed as (
    insert into contact as c (workspace_id, id, revision, external_id, attributes, locale, time_zone, country, created_at, updated_at)
    select $1, k.id, k.revision, k.external_id, k.attributes::jsonb, k.locale, k.time_zone, k.country, $9, $9
    from unnest($2::uuid[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
      as k (id, revision, external_id, attributes, locale, time_zone, country)
    on conflict (workspace_id, id) do update
    set external_id = excluded.external_id, attributes = excluded.attributes, locale = excluded.locale,
        time_zone = excluded.time_zone, country = excluded.country, updated_at = excluded.updated_at, revision = c.revision + 1
    where c.revision = excluded.revision and c.erased_at is null
    returning 1)
  select count(*)::int as count from changed`;

/** How many were changed: fewer than given when another transaction changed one meanwhile. */
export async function updateContacts(tx: Tx, rows: readonly ContactChange[], at: Temporal.Instant): Promise<number> {
  if (rows.length === 0) return 0;
  const [changed] = await tx.hot<{ count: number }>(updateContactsText, [
    tx.workspaceId,
    rows.map((row) => row.id),
    rows.map((row) => row.revision),
    rows.map((row) => row.externalId),
    rows.map((row) => JSON.stringify(row.attributes)),
    rows.map((row) => row.locale),
    rows.map((row) => row.timeZone),
    rows.map((row) => row.country),
    at,
  ]);
  return changed?.count ?? 0;
}

export interface StoredAddress {
  readonly id: string;
  readonly contactId: string;
  readonly kind: AddressKind;
  readonly position: number;
  readonly sealed: Buffer;
  readonly domain: string | null;
  readonly country: string | null;
  readonly lineType: string | null;
  readonly state: 'ok' | 'bounced' | 'complained' | 'invalid';
  readonly stateAt: Temporal.Instant | null;
}

export interface StoredContact extends ContactRow {
  readonly revision: number;
  readonly createdAt: Temporal.Instant;
  readonly updatedAt: Temporal.Instant;
  readonly addresses: readonly StoredAddress[];
}

const contactColumns = `c.id, c.external_id as "externalId", c.salt, c.attributes, c.locale, c.time_zone as "timeZone", c.country,
  c.revision, c.created_at as "createdAt", c.updated_at as "updatedAt"`;
const addressColumns = `a.id, a.contact_id as "contactId", a.kind, a.position::int as position, a.sealed, a.domain, a.country,
  a.line_type as "lineType", a.state, a.state_at as "stateAt"`;

const readAddressesText = `
  select ${addressColumns} from unnest($2::uuid[]) as k (id)
  cross join lateral (select * from address a where a.workspace_id = $1 and a.contact_id = k.id offset 0) a
  order by a.contact_id, a.position, a.id`;

async function withAddresses(tx: Tx, contacts: readonly Omit<StoredContact, 'addresses'>[]): Promise<StoredContact[]> {
  if (contacts.length === 0) return [];
  const addresses = await tx.hot<StoredAddress>(readAddressesText, [tx.workspaceId, contacts.map((one) => one.id)]);
  const byContact = Map.groupBy(addresses, (one) => one.contactId);
  return contacts.map((contact) => ({ ...contact, addresses: byContact.get(contact.id) ?? [] }));
}

/** `lock` keeps the row until the end of the transaction: for a change that is made from what was read. */
export async function findStored(tx: Tx, id: string, lock = false): Promise<StoredContact | undefined> {
  const text = `select ${contactColumns} from contact c where c.workspace_id = $1 and c.id = $2 and c.erased_at is null${lock ? ' for update' : ''}`;
  const rows = await tx.hot<Omit<StoredContact, 'addresses'>>(text, [tx.workspaceId, id]);
  return (await withAddresses(tx, rows))[0];
}

/** Conditions of a list, made by `contact-filter.rules.ts`: text with placeholders from $2 on. */
export interface Condition {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** A page of contacts by id (which rises with the time of creation). */
export async function listStored(
  tx: Tx,
  {
    where,
    after,
    descending,
    limit,
  }: { where: Condition; after: string | undefined; descending: boolean; limit: number },
): Promise<StoredContact[]> {
  const values = [tx.workspaceId, ...where.values];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const from = after === undefined ? '' : `and c.id ${descending ? '<' : '>'} ${bind(after)}::uuid`;
  const text = `select ${contactColumns} from contact c
    where c.workspace_id = $1 and c.erased_at is null ${where.text} ${from}
    order by c.id ${descending ? 'desc' : 'asc'} limit ${bind(limit)}`;
  return withAddresses(tx, await tx.query<Omit<StoredContact, 'addresses'>>(text, values));
}

/** What remains of an erased person: a row that says so, without key, name or address. */
export async function eraseStored(tx: Tx, id: string, at: Temporal.Instant): Promise<void> {
  await tx.query('delete from address where workspace_id = $1 and contact_id = $2', [tx.workspaceId, id]);
  await tx.query(
    `update contact set salt = null, external_id = null, attributes = '{}', locale = null, time_zone = null, country = null,
       erased_at = $3, updated_at = $3, revision = revision + 1
     where workspace_id = $1 and id = $2`,
    [tx.workspaceId, id, at],
  );
}

/** The blind indexes of a contact's addresses; what the suppression list keeps after an erasure. */
export async function hashesOf(tx: Tx, contactId: string): Promise<(Hash & { readonly addressId: string })[]> {
  return tx.query(
    'select id as "addressId", kind, hash, hash_version as version from address where workspace_id = $1 and contact_id = $2',
    [tx.workspaceId, contactId],
  );
}

/** Puts addresses in the order of the list; those not in it are removed. */
export async function arrangeAddresses(tx: Tx, contactId: string, ids: readonly string[]): Promise<void> {
  await tx.query('delete from address where workspace_id = $1 and contact_id = $2 and not (id = any($3::uuid[]))', [
    tx.workspaceId,
    contactId,
    ids,
  ]);
  await tx.query(
    `update address a set position = k.n - 1 from unnest($3::uuid[]) with ordinality as k (id, n)
     where a.workspace_id = $1 and a.contact_id = $2 and a.id = k.id and a.position <> k.n - 1`,
    [tx.workspaceId, contactId, ids],
  );
}

export interface AddressFound {
  readonly addressId: string;
  readonly contactId: string;
}

const findAddressText = `select id as "addressId", contact_id as "contactId" from address
  where workspace_id = $1 and kind = $2 and hash_version = $3 and hash_version > 0 and hash = $4`;

export async function findAddress(tx: Tx, { kind, version, hash }: Hash): Promise<AddressFound | undefined> {
  return (await tx.hot<AddressFound>(findAddressText, [tx.workspaceId, kind, version, hash]))[0];
}

/** What the wire says of an address (bounced, complained); not a change of the contact's own row. */
export async function markAddresses(
  tx: Tx,
  ids: readonly string[],
  state: StoredAddress['state'],
  at: Temporal.Instant,
): Promise<void> {
  await tx.hot(
    'update address set state = $3, state_at = $4 where workspace_id = $1 and id = any($2::uuid[]) and state <> $3',
    [tx.workspaceId, ids, state, at],
  );
}

export interface PersonRow extends Hash {
  readonly contactId: string;
  readonly addressId: string;
  readonly salt: Buffer;
  readonly sealed: Buffer;
  readonly country: string | null;
}

/** One address with what opens it. */
export async function findPerson(tx: Tx, addressId: string): Promise<PersonRow | undefined> {
  const rows = await tx.hot<PersonRow>(
    `select a.contact_id as "contactId", a.id as "addressId", a.kind, a.hash, a.hash_version as version, a.sealed, a.country, c.salt
     from address a join contact c on c.workspace_id = a.workspace_id and c.id = a.contact_id
     where a.workspace_id = $1 and a.id = $2 and c.erased_at is null`,
    [tx.workspaceId, addressId],
  );
  return rows[0];
}

/** For the test that looks at their plans. */
export const hotStatements = {
  findByExternalIds: findByExternalIdText,
  findByHashes: findByHashText,
  findAddress: findAddressText,
  readContacts: readContactsText,
  readOwned: readOwnedText,
  readAddresses: readAddressesText,
  insertContacts: insertContactsText,
  insertAddresses: insertAddressesText,
  updateContacts: updateContactsText,
} as const;
