import type { Tx } from '../platform/db.ts';
import { firstOf, lastInboundOfA } from './needs.ts';
import type { Needs, Reach } from './needs.ts';

/** Who a message of the API would go to, read in one look with what the gate and a trial rendering need. */
export interface PersonFacts extends Reach {
  readonly contactId: string;
  readonly externalId: string | null;
  readonly salt: Buffer | null;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly locale: string | null;
  readonly timeZone: string | null;
  readonly country: string | null;
  readonly erasedAt: Temporal.Instant | null;
  readonly addressId: string | null;
  readonly addressState: string | null;
  readonly sealed: Buffer | null;
  /** The contact's first phone, and first e-mail address, when they were asked for. */
  readonly phone: Buffer | null;
  readonly email: Buffer | null;
  readonly suppression: string | null;
  readonly consent: string | null;
}

const factsWith = ({ phone = false, email = false, lastInbound = false }: Needs) =>
  `p.id as "contactId", p.external_id as "externalId", p.salt, p.attributes, p.locale, p.time_zone as "timeZone", p.country,
  p.erased_at as "erasedAt", a.id as "addressId", a.state as "addressState", a.sealed, a.line_type as "lineType",
  a.country as "addressCountry", ${phone ? 'f.sealed' : 'null::bytea'} as phone, ${email ? 'e.sealed' : 'null::bytea'} as email,
  ${lastInbound ? 'w.written_at' : 'null::timestamptz'} as "lastInboundAt", s.reason as suppression`;

/** What most templates need not pay for. */
const joinsOf = ({ phone = false, email = false, lastInbound = false }: Needs) =>
  `${phone ? firstOf('f', 'phone', 'p.id') : ''} ${email ? firstOf('e', 'email', 'p.id') : ''} ${lastInbound ? lastInboundOfA : ''}`;

/**
 * SQL: which address of a contact is used, of those that qualify: the first by position. Of push tokens the working one that
 * registered last, since an app that is installed again leaves its old token behind.
 */
export const addressOrder =
  "(x.kind = 'push' and x.state <> 'ok'), case when x.kind = 'push' then x.created_at end desc nulls last, x.position, x.id";

export interface ByAddress {
  readonly kind: string;
  readonly version: number;
  readonly hash: Buffer;
  readonly channel: string;
  readonly topicId: string | null;
}

/** Nobody has the address yet; that it is suppressed may be known all the same. */
export interface Stranger {
  readonly contactId: null;
  readonly suppression: string | null;
}

/** One row for each that is asked for, in their order. */
export async function readByAddress(
  tx: Tx,
  wanted: readonly ByAddress[],
  needs: Needs,
): Promise<(PersonFacts | Stranger)[]> {
  if (wanted.length === 0) return [];
  return tx.hot<PersonFacts | Stranger>(
    `select ${factsWith(needs)}, t.state as consent
     from unnest($2::text[], $3::int[], $4::bytea[], $5::text[], $6::uuid[]) with ordinality as k (kind, version, hash, channel, topic, place)
     left join lateral (select * from address x where x.workspace_id = $1 and x.kind = k.kind and x.hash_version = k.version
       and x.hash_version > 0 and x.hash = k.hash offset 0) a on true
     left join lateral (select * from contact x where x.workspace_id = $1 and x.id = a.contact_id offset 0) p on true
     ${joinsOf(needs)}
     left join lateral (select x.reason from suppression x where x.workspace_id = $1 and x.kind = k.kind and x.hash_version = k.version
       and x.hash = k.hash and x.channel in ('', k.channel) order by x.channel limit 1) s on true
     left join lateral (select x.state from consent x where x.workspace_id = $1 and x.address_id = a.id and x.channel = k.channel
       and x.topic_id = k.topic offset 0) t on true
     order by k.place`,
    [
      tx.workspaceId,
      wanted.map((one) => one.kind),
      wanted.map((one) => one.version),
      wanted.map((one) => one.hash),
      wanted.map((one) => one.channel),
      wanted.map((one) => one.topicId),
    ],
  );
}

export interface ByContact {
  readonly contactId: string | null;
  readonly externalId: string | null;
  /** `any`: whichever carries the consent. */
  readonly kind: string;
  readonly channel: string;
  readonly topicId: string | null;
}

/** In the order asked for, with undefined for those that are no contact (any more). Of several addresses the first that agreed to the topic, else the first. */
export async function readByContact(
  tx: Tx,
  wanted: readonly ByContact[],
  needs: Needs,
): Promise<(PersonFacts | undefined)[]> {
  if (wanted.length === 0) return [];
  const rows = await tx.hot<PersonFacts & { place: number }>(
    `select k.place::int - 1 as place, ${factsWith(needs)}, a.consent
     from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[]) with ordinality as k (id, external, kind, channel, topic, place)
     cross join lateral (select * from contact x where x.workspace_id = $1 and x.erased_at is null and x.id = coalesce(k.id,
       (select e.id from contact e where e.workspace_id = $1 and e.external_id = k.external)) offset 0) p
     left join lateral (
       select x.id, x.state, x.sealed, x.kind, x.hash_version, x.hash, x.line_type, x.country, t.state as consent from address x
       left join lateral (select c.state from consent c where c.workspace_id = $1 and c.address_id = x.id and c.channel = k.channel
         and c.topic_id = k.topic offset 0) t on true
       where x.contact_id = p.id and x.workspace_id = $1 and (x.kind = k.kind or k.kind = 'any')
       order by coalesce(t.state = 'granted', false) desc, ${addressOrder} limit 1) a on true
     ${joinsOf(needs)}
     left join lateral (select x.reason from suppression x where x.workspace_id = $1 and x.kind = a.kind
       and x.hash_version = a.hash_version and x.hash = a.hash
       and x.channel in ('', k.channel) order by x.channel limit 1) s on true`,
    [
      tx.workspaceId,
      wanted.map((one) => one.contactId),
      wanted.map((one) => one.externalId),
      wanted.map((one) => one.kind),
      wanted.map((one) => one.channel),
      wanted.map((one) => one.topicId),
    ],
  );
  const found: (PersonFacts | undefined)[] = wanted.map(() => undefined);
  for (const row of rows) found[row.place] = row;
  return found;
}
