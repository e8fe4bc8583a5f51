import { hash } from 'node:crypto';
import type { AccountNews, Callback, InboundMessage, Receipt, ReceiptKind, Told } from '../../port.ts';
import { reasonText } from '../../outcome.rules.ts';
import { metaCode, metaErrors } from './errors.rules.ts';
import { fieldsOf, maybe, objectAt, objectsAt, parseObject, textAt, timeAt } from '../json.rules.ts';
import type { Fields } from '../json.rules.ts';
import { readMessage } from './inbound.rules.ts';
import { readNews } from './news.rules.ts';

/** What Meta's webhooks say: several entries and changes in one request, in any order, and some of them again. */

interface Gathered {
  readonly receipts: Receipt[];
  readonly inbound: InboundMessage[];
  readonly news: AccountNews[];
}

/** Pure. */
export function readCallback(callback: Callback): Told {
  const told: Gathered = { receipts: [], inbound: [], news: [] };
  const now = callback.receivedAt ?? noTime;
  if (callback.method !== 'POST') return told;
  const envelope = parseObject(callback.body);
  const entries = objectsAt(envelope, 'entry');
  if (envelope === undefined || entries.length === 0) told.news.push(unreadable(callback.body, now));
  for (const entry of entries)
    for (const change of objectsAt(entry, 'changes')) {
      const value = objectAt(change, 'value');
      const field = textAt(change, 'field');
      if (value === undefined || field === undefined) told.news.push(unreadable(change, timeAt(entry, 'time') ?? now));
      else if (field === 'messages') readMessages(told, value, now);
      else told.news.push(...readNews(field, value, entryOf(entry, now)));
    }
  return told;
}

function entryOf(entry: Fields, now: string) {
  const at = timeAt(entry, 'time');
  return { account: textAt(entry, 'id'), at: at ?? now, hasTime: at !== undefined };
}

/** Where not even the time of arrival is known: it must not look newer than anything. */
const noTime = '1970-01-01T00:00:00Z';

function unreadable(what: unknown, at: string): AccountNews {
  const bytes = Buffer.isBuffer(what) ? what : JSON.stringify(what);
  // The content stays out: it may be about anybody.
  return {
    key: `unreadable:${hash('sha256', bytes, 'hex').slice(0, 32)}`,
    kind: 'unreadable',
    at,
    data: {},
  };
}

function readMessages(told: Gathered, value: Fields, now: string): void {
  for (const status of objectsAt(value, 'statuses')) {
    const receipt = readStatus(status);
    if (receipt === undefined) told.news.push(unreadable(status, timeAt(status, 'timestamp') ?? now));
    else told.receipts.push(receipt);
  }
  for (const message of objectsAt(value, 'messages')) {
    const read = readMessage(message, value);
    if (read === undefined) told.news.push(unreadable(message, timeAt(message, 'timestamp') ?? now));
    else if ('channel' in read) told.inbound.push(read);
    else told.news.push(read);
  }
  // Errors outside of any message: about the app or the number.
  for (const error of objectsAt(value, 'errors')) told.news.push(errorNews(error, now));
}

function errorNews(error: Fields, at: string): AccountNews {
  const code = textAt(error, 'code') ?? 'unknown';
  const data = { code, reason: errorText(error, []) };
  // The same words an hour later are another error.
  const key = `error:${hash('sha256', JSON.stringify(error), 'hex').slice(0, 32)}:${at.slice(0, 13)}`;
  return { key, kind: 'error', at, data };
}

const kinds: Readonly<Record<string, ReceiptKind>> = {
  sent: 'sent',
  delivered: 'delivered',
  read: 'read',
  // A voice message was listened to.
  played: 'read',
  failed: 'failed',
};

/** What we gave as `biz_opaque_callback_data`; other senders of the same number may write anything there. */
const ourId = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function readStatus(status: Fields): Receipt | undefined {
  const ref = textAt(status, 'id');
  const said = textAt(status, 'status') ?? '';
  const kind = Object.hasOwn(kinds, said) ? kinds[said] : undefined;
  const at = timeAt(status, 'timestamp');
  if (ref === undefined || kind === undefined || at === undefined) return undefined;
  const carried = textAt(status, 'biz_opaque_callback_data');
  return {
    kind,
    key: `${ref}:${kind}`,
    ref,
    at,
    ...(carried !== undefined && ourId.test(carried) ? { messageId: carried } : {}),
    ...(kind === 'failed' ? failure(status) : {}),
    ...maybe('pricing', pricingOf(status)),
  };
}

function failure(status: Fields): Pick<Receipt, 'category' | 'code' | 'reason'> {
  const error = objectsAt(status, 'errors')[0];
  const said = textAt(error, 'code');
  if (said === undefined) return { category: 'unknown', code: 'failed', reason: 'Meta gave no reason' };
  const code = metaCode(said, textAt(error, 'error_subcode'));
  const known = Object.hasOwn(metaErrors, code) ? metaErrors[code] : undefined;
  const recipient = textAt(status, 'recipient_id');
  const reason = errorText(error, recipient === undefined ? [] : [`+${recipient}`]);
  return { category: known?.category ?? 'unknown', code, reason: reason === '' ? (known?.meaning ?? '') : reason };
}

/** Pure: Meta's words, the more exact ones last. */
export function errorText(error: Fields | undefined, addresses: readonly string[]): string {
  const title = textAt(error, 'title') ?? textAt(error, 'message') ?? '';
  const details = textAt(objectAt(error, 'error_data'), 'details');
  const both = details === undefined || details === title ? title : `${title}: ${details}`;
  return reasonText(both, addresses);
}

function pricingOf(status: Fields): Receipt['pricing'] {
  const pricing = objectAt(status, 'pricing');
  const conversation = objectAt(status, 'conversation');
  const category = textAt(pricing, 'category') ?? textAt(objectAt(conversation, 'origin'), 'type');
  if (category === undefined) return undefined;
  const billable = fieldsOf(pricing)?.['billable'];
  return {
    category,
    ...(typeof billable === 'boolean' ? { isBillable: billable } : {}),
    ...maybe('conversationId', textAt(conversation, 'id')),
  };
}
