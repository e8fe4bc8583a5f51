import type { Tx } from '../platform/db.ts';

/** A message in trouble, as it is written down when it gets there. */
export interface NewLetter {
  readonly messageId: string;
  readonly planId: string;
  readonly campaignId: string | null;
  readonly state: 'failed' | 'bounced' | 'unknown';
  readonly channel: string;
  readonly category: string;
  readonly reason: string | null;
  readonly code: string | null;
  readonly accountId: string | null;
  readonly addressId: string | null;
  readonly tries: number;
  readonly askAt: Temporal.Instant | null;
}

/** The vendor and the domain are looked up along their keys. A letter that is there already begins anew. */
export async function writeLetters(tx: Tx, letters: readonly NewLetter[], now: Temporal.Instant): Promise<void> {
  if (letters.length === 0) return;
  const of = <Value>(read: (letter: NewLetter) => Value) => letters.map(read);
  await tx.hot(
    `insert into dead_letter (workspace_id, message_id, plan_id, campaign_id, state, channel, category, reason, code, account_id, provider, domain, tries, at, ask_at)
     select $1, l.id, l.plan, l.campaign, l.state, l.channel, l.category, l.reason, l.code, l.account, p.kind, a.domain, l.tries, $2, l.ask_at
     from unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::uuid[], $12::uuid[], $13::smallint[], $14::timestamptz[])
       as l (id, plan, campaign, state, channel, category, reason, code, account, address, tries, ask_at)
     left join lateral (select x.kind from provider_account x where x.workspace_id = $1 and x.id = l.account offset 0) p on true
     left join lateral (select x.domain from address x where x.workspace_id = $1 and x.id = l.address offset 0) a on true
     on conflict (workspace_id, message_id) do update set state = excluded.state, category = excluded.category, reason = excluded.reason,
       code = excluded.code, account_id = coalesce(excluded.account_id, dead_letter.account_id), provider = coalesce(excluded.provider, dead_letter.provider),
       domain = coalesce(excluded.domain, dead_letter.domain), tries = greatest(excluded.tries, dead_letter.tries), at = excluded.at,
       ask_at = excluded.ask_at, asks = 0, discarded_at = null`,
    [
      tx.workspaceId,
      now,
      of((one) => one.messageId),
      of((one) => one.planId),
      of((one) => one.campaignId),
      of((one) => one.state),
      of((one) => one.channel),
      of((one) => one.category),
      of((one) => one.reason),
      of((one) => one.code?.slice(0, 100) ?? null),
      of((one) => one.accountId),
      of((one) => one.addressId),
      of((one) => one.tries),
      of((one) => one.askAt),
    ],
  );
}

/** They are in no trouble any more. */
export async function dropLetters(tx: Tx, messageIds: readonly string[]): Promise<void> {
  if (messageIds.length > 0)
    await tx.hot('delete from dead_letter where workspace_id = $1 and message_id = any($2::uuid[])', [
      tx.workspaceId,
      messageIds,
    ]);
}

/** What was in doubt is settled as failed. */
export async function failLetters(tx: Tx, messageIds: readonly string[], reason: string): Promise<void> {
  await tx.hot(
    `update dead_letter set state = 'failed', reason = $3, ask_at = null where workspace_id = $1 and message_id = any($2::uuid[])`,
    [tx.workspaceId, messageIds, reason],
  );
}

export async function discardLetters(tx: Tx, messageIds: readonly string[], now: Temporal.Instant): Promise<number> {
  const rows = await tx.hot(
    'update dead_letter set discarded_at = $3 where workspace_id = $1 and message_id = any($2::uuid[]) and discarded_at is null returning message_id',
    [tx.workspaceId, messageIds, now],
  );
  return rows.length;
}

export interface LetterFilter {
  readonly state?: 'failed' | 'bounced' | 'unknown' | undefined;
  readonly category?: string | undefined;
  readonly code?: string | undefined;
  readonly reason?: string | undefined;
  readonly provider?: string | undefined;
  readonly accountId?: string | undefined;
  readonly domain?: string | undefined;
  readonly channel?: string | undefined;
  readonly campaignId?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly discarded?: boolean | undefined;
}

/** Filters that an index leads to, the narrowest first: the first one given bounds what is read. */
const indexed = [
  ['code', 'code'],
  ['domain', 'domain'],
  ['campaignId', 'campaign_id'],
  ['category', 'category'],
  ['state', 'state'],
] as const;
const others = [
  ['reason', 'reason'],
  ['provider', 'provider'],
  ['accountId', 'account_id'],
  ['channel', 'channel'],
] as const;

/**
 * At most `window` letters are looked at, newest message first; those that the filter lets through are answered. `next` is
 * where to go on, also when the page is not full.
 */
const window = 20_000;

function scanOf(
  filter: LetterFilter,
  before: string | undefined,
  bind: (value: unknown) => string,
  most = window,
): string {
  const lead = indexed.find(([key]) => filter[key] !== undefined);
  const inside = ['x.workspace_id = $1'];
  if (lead !== undefined) inside.push(`x.${lead[1]} = ${bind(filter[lead[0]])}`);
  if (before !== undefined) inside.push(`x.message_id < ${bind(before)}`);
  return `select * from dead_letter x where ${inside.join(' and ')} order by x.message_id desc limit ${most}`;
}

function conditionsOf(filter: LetterFilter, bind: (value: unknown) => string): string {
  const where = [filter.discarded === true ? 'd.discarded_at is not null' : 'd.discarded_at is null'];
  for (const [key, column] of [...indexed, ...others])
    if (filter[key] !== undefined) where.push(`d.${column} = ${bind(filter[key])}`);
  if (filter.from !== undefined) where.push(`d.at >= ${bind(filter.from)}`);
  if (filter.to !== undefined) where.push(`d.at < ${bind(filter.to)}`);
  return where.join(' and ');
}

export interface LetterRow {
  readonly id: string;
  readonly state: string;
  readonly channel: string;
  readonly category: string;
  readonly reason: string | null;
  readonly code: string | null;
  readonly provider: string | null;
  readonly accountId: string | null;
  readonly domain: string | null;
  readonly campaignId: string | null;
  readonly tries: number;
  readonly at: Temporal.Instant;
  readonly discardedAt: Temporal.Instant | null;
  readonly askAt: Temporal.Instant | null;
}

export interface LetterPage {
  readonly rows: readonly LetterRow[];
  /** Go on before this one; undefined at the end. */
  readonly next: string | undefined;
}

const columns = `d.message_id as id, d.state, d.channel, d.category, d.reason, d.code, d.provider, d.account_id as "accountId", d.domain,
  d.campaign_id as "campaignId", d.tries, d.at, d.discarded_at as "discardedAt", d.ask_at as "askAt"`;

export async function findLetters(
  tx: Tx,
  filter: LetterFilter,
  before: string | undefined,
  most: number,
): Promise<LetterPage> {
  const values: unknown[] = [tx.workspaceId];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const rows = await tx.query<LetterRow>(
    `select ${columns} from (${scanOf(filter, before, bind)}) d where ${conditionsOf(filter, bind)} order by d.message_id desc limit ${bind(most + 1)}`,
    values,
  );
  if (rows.length > most) return { rows: rows.slice(0, most), next: rows[most - 1]?.id };
  return { rows, next: await endOfScan(tx, filter, before) };
}

async function endOfScan(tx: Tx, filter: LetterFilter, before: string | undefined): Promise<string | undefined> {
  const values: unknown[] = [tx.workspaceId];
  const scan = scanOf(filter, before, (value) => `$${values.push(value)}`);
  const [row] = await tx.query<{ id: string }>(
    `select d.message_id as id from (${scan}) d offset ${window - 1} limit 1`,
    values,
  );
  return row?.id;
}

export async function lettersOf(tx: Tx, messageIds: readonly string[]): Promise<Map<string, LetterRow>> {
  const rows = await tx.hot<LetterRow>(
    `select ${columns} from dead_letter d where d.workspace_id = $1 and d.message_id = any($2::uuid[])`,
    [tx.workspaceId, messageIds],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** Groups are counted over so many letters at most: the newest. */
export const mostCounted = 200_000;
const mostGroups = 20;

export interface LetterGroups {
  readonly total: number;
  readonly groups: readonly { readonly by: string; readonly value: string; readonly count: number }[];
}

/** `before`: only those that come after it in the list. */
export async function countLetters(tx: Tx, filter: LetterFilter, before?: string): Promise<LetterGroups> {
  const values: unknown[] = [tx.workspaceId];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const scan = scanOf(filter, before, bind, mostCounted);
  const rows = await tx.query<{ by: string; value: string | null; count: number }>(
    `with found as materialized (select d.state, d.category, d.code, d.provider, d.domain, d.channel, d.campaign_id::text as campaign
       from (${scan}) d where ${conditionsOf(filter, bind)}),
     counted as (
       select case when grouping(state) = 0 then 'state' when grouping(category) = 0 then 'category' when grouping(code) = 0 then 'code'
                when grouping(provider) = 0 then 'provider' when grouping(domain) = 0 then 'domain' when grouping(channel) = 0 then 'channel'
                when grouping(campaign) = 0 then 'campaign' else 'all' end as by,
              coalesce(state, category, code, provider, domain, channel, campaign) as value, count(*)::int as count
       from found group by grouping sets ((state), (category), (code), (provider), (domain), (channel), (campaign), ())
     )
     select by, value, count from (select c.*, row_number() over (partition by by order by count desc, value) as place from counted c
       where by = 'all' or value is not null) r where place <= ${mostGroups} order by by, place`,
    values,
  );
  return {
    total: rows.find((row) => row.by === 'all')?.count ?? 0,
    groups: rows.flatMap(({ by, value, count }) => (by === 'all' || value === null ? [] : [{ by, value, count }])),
  };
}
