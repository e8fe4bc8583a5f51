import type { Tx } from '../platform/db.ts';
import type { ConsentState } from './consent.rules.ts';
import type { Head, LedgerEntry, LegalBasis } from './entry.rules.ts';

/** What one consent hangs on. */
export interface ConsentKey {
  readonly addressId: string;
  readonly channel: string;
  readonly topicId: string;
}

export interface CurrentConsent {
  readonly state: ConsentState;
  readonly since: Temporal.Instant;
  readonly source: string;
  readonly eventId: string;
}

/** The head of the chain, held until the end of the transaction: whoever writes to the ledger waits here. */
export async function lockHead(tx: Tx): Promise<Head | undefined> {
  const [head] = await tx.hot<Head>('select seq, mac, seal from consent_head where workspace_id = $1 for update', [
    tx.workspaceId,
  ]);
  return head;
}

/** Before the first entry; whoever comes second waits for the first and finds it made. */
export async function makeHead(tx: Tx, head: Head): Promise<void> {
  await tx.query(
    'insert into consent_head (workspace_id, seq, mac, seal) values ($1, $2, $3, $4) on conflict do nothing',
    [tx.workspaceId, head.seq, head.mac, head.seal],
  );
}

export async function hasEntries(tx: Tx): Promise<boolean> {
  return (await tx.query('select 1 from consent_event where workspace_id = $1 limit 1', [tx.workspaceId])).length > 0;
}

export async function moveHead(tx: Tx, head: Head): Promise<void> {
  await tx.hot('update consent_head set seq = $2, mac = $3, seal = $4 where workspace_id = $1', [
    tx.workspaceId,
    head.seq,
    head.mac,
    head.seal,
  ]);
}

export async function readHead(tx: Tx): Promise<Head | undefined> {
  const [head] = await tx.query<Head>('select seq, mac, seal from consent_head where workspace_id = $1', [
    tx.workspaceId,
  ]);
  return head;
}

// One index look-up a key, whatever the statistics of a table that is just being filled say (`offset 0` forbids the join).
export const standingsText = `
  select k.i::integer as place, c.state, c.since, c.source, c.event_id as "eventId"
  from unnest($2::uuid[], $3::text[], $4::uuid[]) with ordinality k (address, channel, topic, i)
  cross join lateral (select c.state, c.since, c.source, c.event_id from consent c
    where c.workspace_id = $1 and c.address_id = k.address and c.channel = k.channel and c.topic_id = k.topic offset 0) c`;

/** What counts now for each key, at the key's place; undefined where nothing was ever said. */
export async function readStandings(tx: Tx, keys: readonly ConsentKey[]): Promise<(CurrentConsent | undefined)[]> {
  const rows = await tx.hot<CurrentConsent & { place: number }>(standingsText, [
    tx.workspaceId,
    keys.map((key) => key.addressId),
    keys.map((key) => key.channel),
    keys.map((key) => key.topicId),
  ]);
  const found: (CurrentConsent | undefined)[] = new Array(keys.length).fill(undefined);
  for (const row of rows) found[row.place - 1] = row;
  return found;
}

export const saltsText = `
  select k.i::integer as place, c.salt from unnest($2::uuid[]) with ordinality k (id, i)
  cross join lateral (select c.salt from contact c where c.workspace_id = $1 and c.id = k.id offset 0) c`;

/** Each contact's salt, at the contact's place; undefined once erased. */
export async function readSalts(tx: Tx, contactIds: readonly string[]): Promise<(Buffer | undefined)[]> {
  const rows = await tx.hot<{ place: number; salt: Buffer | null }>(saltsText, [tx.workspaceId, contactIds]);
  const found: (Buffer | undefined)[] = new Array(contactIds.length).fill(undefined);
  for (const row of rows) found[row.place - 1] = row.salt ?? undefined;
  return found;
}

export interface LinkedEntry extends LedgerEntry {
  readonly mac: Buffer;
}

/** All of one moment. */
export async function insertEntries(
  tx: Tx,
  recordedAt: Temporal.Instant,
  entries: readonly LinkedEntry[],
): Promise<void> {
  await tx.hot(
    `insert into consent_event (workspace_id, seq, id, contact_id, address_id, channel, topic_id, action, basis, source, evidence, actor, occurred_at, mac, recorded_at)
     select $1, e.*, $2 from unnest($3::bigint[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::uuid[], $9::text[], $10::text[], $11::text[],
       $12::bytea[], $13::text[], $14::timestamptz[], $15::bytea[]) as e
     returning 1`,
    [
      tx.workspaceId,
      recordedAt,
      entries.map((entry) => entry.seq),
      entries.map((entry) => entry.id),
      entries.map((entry) => entry.contactId),
      entries.map((entry) => entry.addressId),
      entries.map((entry) => entry.channel),
      entries.map((entry) => entry.topicId),
      entries.map((entry) => entry.action),
      entries.map((entry) => entry.basis),
      entries.map((entry) => entry.source),
      entries.map((entry) => entry.evidence),
      entries.map((entry) => entry.actor),
      entries.map((entry) => entry.occurredAt),
      entries.map((entry) => entry.mac),
    ],
  );
}

export interface Projected extends ConsentKey {
  readonly state: ConsentState;
  readonly basis: LegalBasis;
  readonly source: string;
  readonly since: Temporal.Instant;
  readonly eventSeq: number;
  readonly eventId: string;
}

/** Writes what counts from now on; each key at most once. */
export async function project(tx: Tx, consents: readonly Projected[]): Promise<void> {
  await tx.hot(
    `insert into consent (workspace_id, address_id, channel, topic_id, state, basis, source, since, event_seq, event_id)
     select $1, c.* from unnest($2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::bigint[], $10::uuid[]) as c
     on conflict (workspace_id, address_id, channel, topic_id) do update set state = excluded.state, basis = excluded.basis,
       source = excluded.source, since = excluded.since, event_seq = excluded.event_seq, event_id = excluded.event_id`,
    [
      tx.workspaceId,
      consents.map((one) => one.addressId),
      consents.map((one) => one.channel),
      consents.map((one) => one.topicId),
      consents.map((one) => one.state),
      consents.map((one) => one.basis),
      consents.map((one) => one.source),
      consents.map((one) => one.since),
      consents.map((one) => one.eventSeq),
      consents.map((one) => one.eventId),
    ],
  );
}

const entryColumns = `seq, id, contact_id as "contactId", address_id as "addressId", channel, topic_id as "topicId", action, basis,
  source, evidence, actor, occurred_at as "occurredAt", recorded_at as "recordedAt", mac`;

/** The chain in order, a page at a time. */
export async function readEntries(tx: Tx, afterSeq: number, most: number): Promise<LinkedEntry[]> {
  return tx.hot<LinkedEntry>(
    `select ${entryColumns} from consent_event where workspace_id = $1 and seq > $2 order by seq limit $3`,
    [tx.workspaceId, afterSeq, most],
  );
}

export interface StoredHistory extends LinkedEntry {
  /** MAC of the entry before it; null for the first, and where the one before is missing. */
  readonly previousMac: Buffer | null;
}

/** What was ever said for one address, oldest first, with what each link hangs on. */
export async function readHistory(tx: Tx, addressId: string, most: number): Promise<StoredHistory[]> {
  return tx
    .query<StoredHistory>(
      `select ${entryColumns}, (select p.mac from consent_event p where p.workspace_id = $1 and p.seq = e.seq - 1) as "previousMac"
     from consent_event e where workspace_id = $1 and address_id = $2 order by seq desc limit $3`,
      [tx.workspaceId, addressId, most],
    )
    .then((rows) => rows.toReversed());
}

/** The lowest entry beyond the head, as one snapshot sees both. */
export async function findBeyondHead(tx: Tx): Promise<{ seq: number; id: string; at: Temporal.Instant } | undefined> {
  const [row] = await tx.query<{ seq: number; id: string; at: Temporal.Instant }>(
    `select seq, id, recorded_at as at from consent_event where workspace_id = $1
     and seq > coalesce((select seq from consent_head where workspace_id = $1), 0) order by seq limit 1`,
    [tx.workspaceId],
  );
  return row;
}

export interface Unfounded {
  readonly seq: number;
  readonly id: string;
  readonly at: Temporal.Instant;
}

/**
 * Consents that do not follow from the entry they name: the entry is missing (the ledger and its head were set
 * back together), or says something else (the projection was changed by hand). A page at a time.
 */
export async function findUnfounded(
  tx: Tx,
  after: ConsentKey,
  most: number,
): Promise<{ last: ConsentKey | undefined; unfounded: Unfounded | undefined }> {
  const rows = await tx.hot<ConsentKey & Unfounded & { founded: boolean }>(
    `with page as materialized (select * from consent where workspace_id = $1 and (address_id, channel, topic_id) > ($2, $3, $4)
       order by address_id, channel, topic_id limit $5)
     select c.address_id as "addressId", c.channel, c.topic_id as "topicId", c.event_seq as seq, c.event_id as id, c.since as at,
       coalesce(e.founded, false) as founded
     from page c left join lateral (
       select e.id = c.event_id and e.address_id = c.address_id and e.channel = c.channel and e.topic_id = c.topic_id
         and e.occurred_at = c.since and e.source = c.source and e.basis = c.basis
         and case e.action when 'withdraw' then 'withdrawn' when 'expire' then 'expired' else 'granted' end = c.state as founded
       from consent_event e where e.workspace_id = $1 and e.seq = c.event_seq offset 0) e on true
     order by c.address_id, c.channel, c.topic_id`,
    [tx.workspaceId, after.addressId, after.channel, after.topicId, most],
  );
  return { last: rows.length < most ? undefined : rows.at(-1), unfounded: rows.find((row) => !row.founded) };
}

export interface StandingConsent extends CurrentConsent {
  readonly addressId: string;
  readonly channel: string;
  readonly topicId: string;
  readonly topicKey: string;
  readonly topicName: string;
  readonly basis: LegalBasis;
}

/** Everything that counts now for some addresses, by topic. */
export async function readConsentsOf(tx: Tx, addressIds: readonly string[]): Promise<StandingConsent[]> {
  return tx.query<StandingConsent>(
    `select c.address_id as "addressId", c.channel, c.topic_id as "topicId", t.key as "topicKey", t.name as "topicName",
       c.state, c.basis, c.since, c.source, c.event_id as "eventId"
     from consent c join topic t on t.workspace_id = $1 and t.id = c.topic_id
     where c.workspace_id = $1 and c.address_id = any($2) order by t.key, c.channel`,
    [tx.workspaceId, addressIds],
  );
}

/** What counted for addresses that are erased; the ledger keeps its sealed entries. */
export async function dropConsentsOf(tx: Tx, addressIds: readonly string[]): Promise<void> {
  await tx.query('delete from consent where workspace_id = $1 and address_id = any($2)', [tx.workspaceId, addressIds]);
}
