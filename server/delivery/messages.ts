import type { z } from 'zod';
import type { getMessage, listMessages as listEndpoint, Message, MessageSummary } from '../../contract/messages.ts';
import { messageState, messageSummary } from '../../contract/messages.ts';
import type { LoggedEvent } from '../activity/index.ts';
import type { Tx } from '../platform/db.ts';
import { notFound } from '../platform/errors.ts';
import { decodeIdCursor, encodeCursor } from '../platform/http.ts';
import type { MessageDeps } from './ports.ts';
import { findMessage, listMessages } from './read.store.ts';
import type { MessageRow } from './read.store.ts';

type Query = z.output<(typeof listEndpoint)['query']>;

/** A page of the history, newest first. */
export async function messageList(
  tx: Tx,
  deps: MessageDeps,
  query: Query,
): Promise<z.input<(typeof listEndpoint)['response']>> {
  const { limit, cursor, ...filter } = query;
  const after = decodeIdCursor(cursor);
  const rows = await listMessages(tx, filter, after, limit + 1);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const mask = await masker(tx, deps);
  const names = await deps.campaignNames(
    tx,
    page.flatMap((row) => row.campaignId ?? []),
  );
  return {
    data: page.map((row) => summary(row, mask, names)),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(last.id) : null,
  };
}

/** Opens the address only to mask it. */
async function masker(tx: Tx, deps: MessageDeps): Promise<(row: MessageRow) => string | null> {
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
): MessageSummary {
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
  const names = await deps.campaignNames(tx, row.campaignId === null ? [] : [row.campaignId]);
  return {
    ...summary(row, await masker(tx, deps), names),
    topic: row.topic,
    decision: decisionOf(row),
    attempts: events.filter((event) => event.data['attempt'] !== undefined).map((event) => attemptOf(event, accounts)),
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

function attemptOf(event: LoggedEvent, accounts: ReadonlyMap<string, string>): Message['attempts'][number] {
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
  };
}
