import type { z } from 'zod';
import type { getMessage, listMessages as listEndpoint, Message, MessageSummary } from '../../contract/messages.ts';
import type { messageStatus, planStatus } from '../../contract/messages.ts';
import { errorCategory } from '../../contract/dead-letters.ts';
import { messageState, messageSummary } from '../../contract/messages.ts';
import type { LoggedEvent } from '../activity/index.ts';
import type { Tx } from '../platform/db.ts';
import { notFound } from '../platform/errors.ts';
import { decodeCursor, encodeCursor } from '../platform/http.ts';
import { findPage } from './history.store.ts';
import type { MessageFilter, Place } from './history.store.ts';
import { findPlan, readCounts } from './plan.store.ts';
import type { MessageDeps } from './ports.ts';
import { findMessage, messagesById } from './read.store.ts';
import type { MessageRow } from './read.store.ts';
import { lettersOf } from './trouble.store.ts';
import type { LetterRow } from './trouble.store.ts';

type Query = z.output<(typeof listEndpoint)['query']>;

/** A page of the history, newest first. */
export async function messageList(
  tx: Tx,
  deps: MessageDeps,
  query: Query,
): Promise<z.input<(typeof listEndpoint)['response']>> {
  const { limit, cursor, recipient, ...given } = query;
  const filter = await narrow(tx, deps, given, recipient);
  if (filter === undefined) return { data: [], nextCursor: null };
  const { ids, next } = await findPage(tx, filter, placeOf(cursor), limit);
  const rows = await messagesById(tx, ids);
  const page = ids.flatMap((id) => rows.get(id) ?? []);
  const present = await presenter(tx, deps, page);
  return {
    data: page.map(present),
    nextCursor:
      next === undefined ? null : next.key === undefined ? encodeCursor(next.id) : encodeCursor(next.id, next.key),
  };
}

/** Undefined: nobody has that address, so nothing was sent there. */
async function narrow(
  tx: Tx,
  deps: MessageDeps,
  filter: MessageFilter,
  recipient: string | undefined,
): Promise<MessageFilter | undefined> {
  if (recipient === undefined) return filter;
  const found = await deps.findAddress(tx, {
    kind: recipient.includes('@') ? 'email' : 'phone',
    value: recipient,
    pointer: '/query/recipient',
  });
  if (found === undefined || (filter.contactId ?? found.contactId) !== found.contactId) return undefined;
  return { ...filter, contactId: found.contactId, addressId: found.addressId };
}

function placeOf(cursor: string | undefined): Place | undefined {
  if (cursor === undefined) return undefined;
  const isPair = decodeText(cursor).includes(',');
  const [id = '', key] = decodeCursor(cursor, ...(isPair ? (['id', 'id'] as const) : (['id'] as const))) ?? [];
  return { id, key };
}

const decodeText = (cursor: string) => Buffer.from(cursor, 'base64url').toString();

type Presenter = (row: MessageRow) => MessageSummary;

async function presenter(tx: Tx, deps: MessageDeps, rows: readonly MessageRow[]): Promise<Presenter> {
  const mask = await masker(tx, deps);
  const names = await deps.campaignNames(
    tx,
    rows.flatMap((row) => row.campaignId ?? []),
  );
  const accounts = await deps.accountNames(tx);
  const letters = await lettersOf(
    tx,
    rows.flatMap((row) => (troubled.has(row.state) ? [row.id] : [])),
  );
  return (row) => ({
    ...summary(row, mask, names),
    accountName: row.accountId === null ? null : (accounts.get(row.accountId) ?? null),
    trouble: troubleOf(deps, letters.get(row.id)),
  });
}

const troubled: ReadonlySet<string> = new Set(['failed', 'bounced', 'unknown']);

function troubleOf(deps: MessageDeps, letter: LetterRow | undefined): MessageSummary['trouble'] {
  if (letter === undefined) return null;
  const { category, code, provider } = letter;
  return { category: errorCategory.parse(category), code, meaning: deps.meaningOf(provider, code) };
}

/** Opens the address only to mask it. */
export async function masker(
  tx: Tx,
  deps: MessageDeps,
): Promise<(row: Pick<MessageRow, 'kind' | 'salt' | 'sealed' | 'country'>) => string | null> {
  const open = await deps.addressOpener(tx);
  return (row) =>
    row.salt === null || row.sealed === null || row.kind === null
      ? null
      : deps.maskAddress(row.kind, open({ salt: row.salt, sealed: row.sealed }), row.country);
}

function summary(
  row: MessageRow,
  mask: (row: MessageRow) => string | null,
  names: ReadonlyMap<string, string>,
): Omit<MessageSummary, 'accountName' | 'trouble'> {
  const campaignName = row.campaignId === null ? undefined : names.get(row.campaignId);
  return {
    id: row.id,
    state: stateOf(row),
    channel: messageSummary.shape.channel.parse(row.channel),
    // In-app goes to the contact: an address only carries the consent.
    to: row.channel === 'inapp' ? null : mask(row),
    contactId: row.contactId,
    templateId: row.templateId,
    templateName: row.templateName,
    templateVersion: row.templateVersion,
    category: messageSummary.shape.category.parse(row.category),
    planId: row.planId,
    accountId: row.accountId,
    ...(row.campaignId === null ? {} : { campaignId: row.campaignId }),
    ...(campaignName === undefined ? {} : { campaignName }),
    reason: row.reason,
    attempt: row.attempt,
    plannedAt: row.plannedAt.toString(),
    notBefore: row.notBefore?.toString() ?? null,
    settledAt: row.settledAt?.toString() ?? null,
  };
}

function stateOf(row: MessageRow): MessageSummary['state'] {
  return messageState.parse(row.sending && row.state === 'planned' ? 'sending' : row.state);
}

/** One message with its whole story. */
export async function messageDetail(
  tx: Tx,
  deps: MessageDeps,
  id: string,
): Promise<z.input<(typeof getMessage)['response']>> {
  const row = await findMessage(tx, id);
  if (row === undefined) throw notFound('message');
  const events = await deps.events.messageTimeline(tx, row.contactId, id);
  const accounts = await deps.accountNames(tx);
  const kinds = new Map((await deps.laneAccounts(tx)).map((account) => [account.id, account.kind]));
  const present = await presenter(tx, deps, [row]);
  const meaningOf = (accountId: string | null, code: string | null) =>
    deps.meaningOf(accountId === null ? null : (kinds.get(accountId) ?? null), code);
  return {
    ...present(row),
    topic: row.topic,
    decision: decisionOf(row),
    attempts: events
      .filter((event) => event.data['attempt'] !== undefined)
      .map((event) => attemptOf(event, accounts, meaningOf)),
    timeline: [
      { at: row.plannedAt.toString(), kind: 'message.planned', data: {} },
      ...events.map((event) => ({ at: event.occurredAt.toString(), kind: event.kind, data: { ...event.data } })),
    ],
    opens: row.opens,
    clicks: row.clicks,
    providerRef: row.providerRef,
  };
}

function decisionOf(row: MessageRow): Message['decision'] {
  const reason = row.reason === null ? {} : { reason: row.reason };
  if (row.state === 'suppressed') return { outcome: 'suppress', ...reason };
  if (row.state === 'held')
    return { outcome: 'hold', ...reason, ...(row.notBefore === null ? {} : { until: row.notBefore.toString() }) };
  return { outcome: 'send' };
}

function attemptOf(
  event: LoggedEvent,
  accounts: ReadonlyMap<string, string>,
  meaningOf: (accountId: string | null, code: string | null) => string | null,
): Message['attempts'][number] {
  const text = (key: string) => {
    const value = event.data[key];
    return typeof value === 'string' ? value : null;
  };
  const accountId = text('account');
  return {
    at: event.occurredAt.toString(),
    accountId,
    accountName: accountId === null ? null : (accounts.get(accountId) ?? null),
    outcome: event.kind.replace('message.', ''),
    code: text('code'),
    detail: text('detail'),
    meaning: meaningOf(accountId, text('code')),
  };
}

type Status = z.input<(typeof messageStatus)['response']>;

const moving: ReadonlySet<string> = new Set(['planned', 'held', 'sending']);

/** How some messages stand, one by one and in all. */
export async function statusOf(tx: Tx, given: readonly string[]): Promise<Status> {
  const ids = [...new Set(given)];
  const rows = await messagesById(tx, ids);
  const data = ids.flatMap((id) => {
    const row = rows.get(id);
    return row === undefined ? [] : [{ id, state: stateOf(row), reason: row.reason }];
  });
  const counts: Status['counts'] = {};
  for (const { state } of data) counts[state] = (counts[state] ?? 0) + 1;
  const isSettled = data.every(({ state }) => !moving.has(state));
  return { total: data.length, missing: ids.length - data.length, isSettled, counts, data };
}

/** The same of a plan, from its counts. What was delivered, bounced or complained of is part of accepted there. */
export async function statusOfPlan(tx: Tx, planId: string): Promise<z.input<(typeof planStatus)['response']>> {
  const found = (await readCounts(tx, [planId])).get(planId);
  if (found === undefined || (await findPlan(tx, planId)) === undefined) throw notFound('batch');
  const { planned, inFlight, accepted, delivered, bounced, complained } = found;
  const { held, suppressed, failed, unknown, cancelled, expired } = found;
  const counts = {
    planned: planned - inFlight,
    sending: inFlight,
    held,
    suppressed,
    failed,
    unknown,
    cancelled,
    expired,
    delivered,
    bounced,
    complained,
    accepted: accepted - delivered - bounced - complained,
  };
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return { total, missing: 0, isSettled: planned + held === 0, counts };
}
