import type { Tx } from '../platform/db.ts';

/**
 * Finding a page of the history. Nothing that changes has an index on the ledger (it would cost every settling its HOT
 * update), so a page is found along what never changes (time, plan, contact) or along narrow tables beside it (dead
 * letters, deferrals), and in each case at most `window` rows are looked at: a page may be short, and says where to go on.
 */
export const window = 20_000;

export interface MessageFilter {
  readonly state?: string | undefined;
  readonly reason?: string | undefined;
  readonly campaignId?: string | undefined;
  readonly contactId?: string | undefined;
  /** Of the address that was asked for. */
  readonly addressId?: string | undefined;
  readonly templateId?: string | undefined;
  readonly channel?: string | undefined;
  readonly category?: string | undefined;
  readonly accountId?: string | undefined;
  readonly provider?: string | undefined;
  readonly code?: string | undefined;
  readonly errorCategory?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Where a page begins: before this message; within a plan, before this recipient of it. */
export interface Place {
  readonly id: string;
  readonly key?: string | undefined;
}

export interface Found {
  readonly ids: readonly string[];
  readonly next: Place | undefined;
}

type Bind = (value: unknown) => string;

const troubled: ReadonlySet<string> = new Set(['failed', 'bounced', 'unknown']);

export async function findPage(tx: Tx, filter: MessageFilter, before: Place | undefined, most: number): Promise<Found> {
  if (filter.contactId === undefined && !isOfTrouble(filter) && (filter.campaignId ?? filter.templateId) !== undefined)
    return findInPlans(tx, filter, before, most);
  return scan(tx, filter, before, most);
}

function isOfTrouble({ state, code, errorCategory }: MessageFilter): boolean {
  return code !== undefined || errorCategory !== undefined || (state !== undefined && troubled.has(state));
}

/** Ids of messages and plans begin with their time in milliseconds (UUIDv7, RFC 9562, 5.7). */
export function idAt(at: string, afterMs: number): string {
  const ms = Math.max(0, Temporal.Instant.from(at).epochMilliseconds + afterMs);
  const hex = ms.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

/** An id is made when a call comes in and, by a process that makes many at once, up to a moment ahead. */
const slackMs = 3_600_000;

function rowsAlong(filter: MessageFilter, before: Place | undefined, bind: Bind): string {
  const along = (table: string, column: string, more: readonly string[]) => {
    const where = ['k.workspace_id = $1', ...more];
    if (before !== undefined) where.push(`k.${column} < ${bind(before.id)}`);
    if (filter.from !== undefined) where.push(`k.${column} >= ${bind(idAt(filter.from, -slackMs))}`);
    if (filter.to !== undefined) where.push(`k.${column} < ${bind(idAt(filter.to, slackMs))}`);
    return `from ${table} k where ${where.join(' and ')} order by k.${column} desc limit ${window}`;
  };
  const byId = (keys: string) =>
    `select m.*, s.lead from (${keys}) s cross join lateral (select * from message y where y.workspace_id = $1 and y.id = s.id offset 0) m`;
  if (filter.contactId !== undefined)
    return `select k.*, k.id as lead ${along('message', 'id', [`k.contact_id = ${bind(filter.contactId)}`])}`;
  if (isOfTrouble(filter)) {
    const { code, errorCategory, campaignId, state } = filter;
    const more = [
      ...(code === undefined ? [] : [`k.code = ${bind(code)}`]),
      ...(errorCategory === undefined ? [] : [`k.category = ${bind(errorCategory)}`]),
      ...(campaignId === undefined ? [] : [`k.campaign_id = ${bind(campaignId)}`]),
      ...(state === undefined || !troubled.has(state) ? [] : [`k.state = ${bind(state)}`]),
    ];
    return byId(`select k.message_id as id, k.message_id as lead ${along('dead_letter', 'message_id', more)}`);
  }
  if (filter.state === 'held')
    return byId(`select k.message_id as id, k.message_id as lead ${along('deferral', 'message_id', [])}`);
  return `select k.*, k.id as lead ${along('message', 'id', [])}`;
}

function conditions(filter: MessageFilter, bind: Bind): string {
  const where = ['true'];
  const same = { reason: 'reason', channel: 'channel', accountId: 'account_id', addressId: 'address_id' } as const;
  for (const key of ['reason', 'channel', 'accountId', 'addressId'] as const)
    if (filter[key] !== undefined) where.push(`l.${same[key]} = ${bind(filter[key])}`);
  if (filter.state === 'sending')
    where.push('l.id in (select unnest(b.in_flight) from batch b where b.workspace_id = $1)');
  else if (filter.state !== undefined) where.push(`l.state = ${bind(filter.state)}`);
  if (filter.from !== undefined) where.push(`l.planned_at >= ${bind(filter.from)}`);
  if (filter.to !== undefined) where.push(`l.planned_at < ${bind(filter.to)}`);
  const plans = plansOf(filter, bind);
  if (plans.length > 0)
    where.push(`l.plan_id in (select q.id from plan q where q.workspace_id = $1 and ${plans.join(' and ')})`);
  if (filter.provider !== undefined)
    where.push(
      `l.account_id in (select p.id from provider_account p where p.workspace_id = $1 and p.kind = ${bind(filter.provider)})`,
    );
  return where.join(' and ');
}

function plansOf({ campaignId, templateId, category }: MessageFilter, bind: Bind): string[] {
  return [
    ...(campaignId === undefined ? [] : [`q.source = 'campaign' and q.source_id = ${bind(campaignId)}`]),
    ...(templateId === undefined ? [] : [`q.template_id = ${bind(templateId)}`]),
    ...(category === undefined ? [] : [`q.category = ${bind(category)}`]),
  ];
}

async function scan(tx: Tx, filter: MessageFilter, before: Place | undefined, most: number): Promise<Found> {
  if (filter.state === 'sending') return findSending(tx, filter, before, most);
  const values: unknown[] = [tx.workspaceId];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const rows = await tx.query<{ id: string }>(
    `select l.id from (${rowsAlong(filter, before, bind)}) l where ${conditions(filter, bind)} order by l.lead desc limit ${bind(most + 1)}`,
    values,
  );
  const ids = rows.slice(0, most).map((row) => row.id);
  const last = ids.at(-1);
  if (rows.length > most && last !== undefined) return { ids, next: { id: last } };
  const end = await endOfScan(tx, filter, before);
  return { ids, next: end === undefined ? undefined : { id: end } };
}

/** The last row that was looked at, when there may be more behind it. */
async function endOfScan(tx: Tx, filter: MessageFilter, before: Place | undefined): Promise<string | undefined> {
  const values: unknown[] = [tx.workspaceId];
  const rows = rowsAlong(filter, before, (value) => `$${values.push(value)}`);
  const [row] = await tx.query<{ id: string }>(
    `select l.lead as id from (${rows}) l offset ${window - 1} limit 1`,
    values,
  );
  return row?.id;
}

/** What is on the wire is at most a window for each hand-over. */
async function findSending(tx: Tx, filter: MessageFilter, before: Place | undefined, most: number): Promise<Found> {
  const values: unknown[] = [tx.workspaceId];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const { state: _, ...rest } = filter;
  const earlier = before === undefined ? '' : `and k.id < ${bind(before.id)}`;
  const rows = await tx.query<{ id: string }>(
    `select l.id from (select distinct x.id from batch b cross join lateral unnest(b.in_flight) x (id) where b.workspace_id = $1) k
     cross join lateral (select * from message y where y.workspace_id = $1 and y.id = k.id offset 0) l
     where l.state = 'planned' and ${conditions({ ...rest, contactId: undefined }, bind)} ${earlier}
       ${filter.contactId === undefined ? '' : `and l.contact_id = ${bind(filter.contactId)}`}
     order by l.id desc limit ${bind(most + 1)}`,
    values,
  );
  const ids = rows.slice(0, most).map((row) => row.id);
  const last = ids.at(-1);
  return { ids, next: rows.length > most && last !== undefined ? { id: last } : undefined };
}

/** Plans looked into for one page. */
const mostPlans = 25;

/**
 * Of a campaign or a template: plan by plan, the newest first, each in the order of its recipients, which is what the
 * ledger's unique index has. (Of calls of the API that is the order of time.)
 */
async function findInPlans(tx: Tx, filter: MessageFilter, before: Place | undefined, most: number): Promise<Found> {
  const values: unknown[] = [tx.workspaceId];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const where = plansOf(filter, bind);
  if (before !== undefined) where.push(`q.id <= ${bind(before.id)}`);
  const plans = await tx.query<{ id: string; month: string }>(
    `select q.id, q.month from plan q where q.workspace_id = $1 and ${where.join(' and ')} order by q.id desc limit ${bind(mostPlans + 1)}`,
    values,
  );
  const rest = { ...filter, campaignId: undefined, templateId: undefined, category: undefined };
  const ids: string[] = [];
  for (const [at, plan] of plans.slice(0, mostPlans).entries()) {
    const key = plan.id === before?.id ? before.key : undefined;
    const page = await scanPlan(tx, plan, rest, key, most - ids.length);
    ids.push(...page.ids);
    if (page.next !== undefined) return { ids, next: { id: plan.id, key: page.next } };
    const following = plans[at + 1];
    if (ids.length >= most)
      return { ids, next: following === undefined ? undefined : { id: following.id, key: lastKey } };
  }
  const beyond = plans[mostPlans];
  return { ids, next: beyond === undefined ? undefined : { id: beyond.id, key: lastKey } };
}

const lastKey = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

async function scanPlan(
  tx: Tx,
  plan: { readonly id: string; readonly month: string },
  filter: MessageFilter,
  before: string | undefined,
  most: number,
): Promise<{ ids: readonly string[]; next: string | undefined }> {
  const values: unknown[] = [tx.workspaceId, plan.month, plan.id, before ?? lastKey];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const rows = `select k.* from message k where k.workspace_id = $1 and k.plan_month = $2 and k.plan_id = $3 and k.recipient_key < $4
    order by k.recipient_key desc limit ${window}`;
  const found = await tx.query<{ id: string; key: string }>(
    `select l.id, l.recipient_key as key from (${rows}) l where ${conditions(filter, bind)} order by l.recipient_key desc limit ${bind(most + 1)}`,
    values,
  );
  const page = found.slice(0, most);
  if (found.length > most) return { ids: page.map((row) => row.id), next: page.at(-1)?.key };
  const [end] = await tx.query<{ key: string }>(
    `select l.recipient_key as key from (${rows}) l offset ${window - 1} limit 1`,
    values.slice(0, 4),
  );
  return { ids: page.map((row) => row.id), next: end?.key };
}
