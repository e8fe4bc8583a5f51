import { addressOrder } from '../delivery/index.ts';
import type { Tx } from '../platform/db.ts';
import type { AudienceGroup, Lacking } from './campaign.rules.ts';

/** The address kind a channel writes to; `any` for in-app, which goes to the contact: an address only carries the consent. */
export function addressKind(channel: string): string {
  if (channel === 'inapp') return 'any';
  return channel === 'email' || channel === 'push' ? channel : 'phone';
}

const ofKind = (place: string) => `(x.kind = ${place} or ${place} = 'any')`;

export interface Target {
  readonly channel: string;
  /** What the campaign is about: the address that agreed to it goes first. */
  readonly topicId: string;
  /** Only those with a consent of any state to this topic: who withdrew is counted, and said why; null for everybody. */
  readonly audienceTopicId: string | null;
}

export interface ScannedContact {
  readonly contactId: string;
  readonly addressId: string | null;
  readonly isMember: boolean;
}

/**
 * The next contacts by id, at most `scan`, each with the address to use: the first by position that agreed to the
 * topic, else the first. Those outside of the audience are answered too, since the cursor has to pass them. Every step
 * can only go along a key (measured elsewhere: PostgreSQL otherwise hashes the whole table per page).
 */
export async function scanContacts(
  tx: Tx,
  target: Target,
  after: string | null,
  end: string,
  scan: number,
): Promise<ScannedContact[]> {
  // On a just filled table a bitmap of everything in the workspace looks cheap; it would be built for each contact.
  await tx.hot("select set_config('enable_bitmapscan', 'off', true)");
  return tx.hot<ScannedContact>(
    `select p.id as "contactId", a.id as "addressId", $8::uuid is null or m.found is not null as "isMember"
     from (select id from contact where workspace_id = $1 and id > $2 and id <= $3 and erased_at is null order by id limit $4) p
     left join lateral (
       select x.id from address x
       left join lateral (select k.state from consent k
         where k.workspace_id = $1 and k.address_id = x.id and k.channel = $6 and k.topic_id = $7 offset 0) k on true
       where x.workspace_id = $1 and x.contact_id = p.id and ${ofKind('$5')}
       order by (k.state is distinct from 'granted'), ${addressOrder} limit 1) a on true
     left join lateral (
       select 1 as found from address x
       cross join lateral (select 1 from consent k
         where k.workspace_id = $1 and k.address_id = x.id and k.channel = $6 and k.topic_id = $8 offset 0) k
       where $8::uuid is not null and x.workspace_id = $1 and x.contact_id = p.id and ${ofKind('$5')} limit 1) m on true
     order by p.id`,
    [
      tx.workspaceId,
      after ?? '00000000-0000-0000-0000-000000000000',
      end,
      scan,
      addressKind(target.channel),
      target.channel,
      target.topicId,
      target.audienceTopicId,
    ],
  );
}

/** The newest contact: ids rise with time, so whoever comes later has a greater one. */
export async function lastContact(tx: Tx): Promise<string | null> {
  const [row] = await tx.query<{ id: string }>(
    'select id from contact where workspace_id = $1 order by id desc limit 1',
    [tx.workspaceId],
  );
  return row?.id ?? null;
}

const nothing = { lineType: 'null::text', country: 'null::text', lastInbound: 'null::timestamptz', join: '' };

/** SQL: what the channel itself may object to, as coarse as its rules are, so that the groups stay few. */
function reachOf(channel: string): typeof nothing {
  if (channel === 'sms') return { ...nothing, lineType: 'a.line_type' };
  if (channel !== 'whatsapp') return nothing;
  return {
    ...nothing,
    country: 'a.country',
    lastInbound: 'w.at',
    join: `left join (select i.sender_hash, date_trunc('hour', max(i.written_at)) as at from inbound_message i
       where i.workspace_id = $1 and i.channel = 'whatsapp' and i.written_at > $6::timestamptz - interval '25 hours' group by 1) w on w.sender_hash = a.hash`,
  };
}

/** Everybody of the audience, by what the gate would see of them; one statement over the whole. */
export async function groupAudience(tx: Tx, target: Target, now: Temporal.Instant): Promise<AudienceGroup[]> {
  // Over the whole population only hashing is right; on a table just filled, whose statistics say "one row", the
  // planner would walk the one side once per row of the other (measured: 10,000 contacts, more than a minute).
  await tx.query("select set_config('enable_nestloop', 'off', true)");
  const reach = reachOf(target.channel);
  const groups = await tx.query<AudienceGroup>(
    `with chosen as (
       select distinct on (x.contact_id) x.contact_id, x.state, x.kind, x.hash_version, x.hash, x.line_type, x.country, k.state as consent
       from address x
       left join consent k on k.workspace_id = $1 and k.address_id = x.id and k.channel = $3 and k.topic_id = $4
       where x.workspace_id = $1 and ${ofKind('$2')}
       order by x.contact_id, (k.state is distinct from 'granted'), ${addressOrder})
     select a.state as "addressState", s.reason as suppression, a.consent,
       ${reach.lineType} as "lineType", ${reach.country} as "addressCountry", ${reach.lastInbound} as "lastInboundAt", count(*)::int as count
     from contact p
     left join chosen a on a.contact_id = p.id
     left join (select distinct on (x.kind, x.hash_version, x.hash) x.* from suppression x
       where x.workspace_id = $1 and x.channel in ('', $3) order by x.kind, x.hash_version, x.hash, x.channel) s
       on s.kind = a.kind and s.hash_version = a.hash_version and s.hash = a.hash
     ${reach.join}
     where p.workspace_id = $1 and p.erased_at is null
       and ($5::uuid is null or p.id in (
         select x.contact_id from consent k join address x on x.workspace_id = $1 and x.id = k.address_id
         where k.workspace_id = $1 and k.channel = $3 and k.topic_id = $5 and ${ofKind('$2')}))
     group by 1, 2, 3, 4, 5, 6`,
    [
      tx.workspaceId,
      addressKind(target.channel),
      target.channel,
      target.topicId,
      target.audienceTopicId,
      ...(target.channel === 'whatsapp' ? [now] : []),
    ],
  );
  await tx.query("select set_config('enable_nestloop', 'on', true)");
  return groups;
}

/** Built in for everybody who has the address; the rest are attributes or columns. */
const columnsOf: Readonly<Record<string, string>> = {
  locale: 'locale',
  time_zone: 'time_zone',
  country: 'country',
  external_id: 'external_id',
  // Along the index over the contact; at most a sample's worth of looks.
  phone: `(select a.id from address a where a.contact_id = newest.id and a.workspace_id = $1 and a.kind = 'phone' limit 1)`,
};

/** Of the newest contacts, at most `sample`, how many lack each value. */
export async function countLacking(tx: Tx, names: readonly string[], sample: number): Promise<Lacking[]> {
  const keys = names.filter((name) => name.startsWith('contact.') && name !== 'contact.email' && name !== 'contact.id');
  if (keys.length === 0) return [];
  const values: unknown[] = [tx.workspaceId, sample];
  const counts = keys.map((name, at) => {
    const key = name.split('.')[1] ?? '';
    const column = Object.hasOwn(columnsOf, key) ? columnsOf[key] : undefined;
    const value = column ?? `attributes ->> $${values.push(key)}`;
    return `count(*) filter (where ${value} is null)::int as n${at}`;
  });
  const [row] = await tx.query<Record<string, number>>(
    `select count(*)::int as of, ${counts.join(', ')} from (
       select id, locale, time_zone, country, external_id, attributes from contact
       where workspace_id = $1 and erased_at is null order by id desc limit $2) newest`,
    values,
  );
  return keys.map((name, at) => ({ name, lacking: row?.[`n${at}`] ?? 0, of: row?.['of'] ?? 0 }));
}
