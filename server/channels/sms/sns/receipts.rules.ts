import { reasonText } from '../../outcome.rules.ts';
import type { Callback, InboundMessage, Receipt, ReceiptKind, Told } from '../../port.ts';
import { parseEnvelope } from '../../sns-envelope.rules.ts';
import type { SnsEnvelope } from '../../sns-envelope.rules.ts';
import { keywordOf } from '../keyword.rules.ts';
import { unreadable } from '../told.rules.ts';
import { snsErrors } from './errors.rules.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * Pure: an SNS notification with an event of AWS End User Messaging, a message that came in, or an entry of SNS's own
 * delivery log that somebody forwards. Checked against contracts/payloads/sns.
 */
export function readSns(callback: Callback): Told {
  const envelope = parseEnvelope(callback.body);
  const fields = envelope === undefined ? undefined : parseFields(envelope.message);
  if (envelope === undefined || fields === undefined) return unreadable(callback, 'not an event of Amazon’s');
  const receipt = readEvent(fields, envelope) ?? readLog(fields, envelope);
  if (receipt !== undefined) return { receipts: [receipt], inbound: [], news: [] };
  const inbound = readInbound(fields, envelope);
  if (inbound !== undefined) return { receipts: [], inbound: [inbound], news: [] };
  return unreadable(callback, 'an event that is not known');
}

function parseFields(text: string): Fields | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function textOf(fields: Fields, name: string): string | undefined {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

const kinds: Readonly<Record<string, ReceiptKind>> = {
  TEXT_QUEUED: 'accepted',
  TEXT_PENDING: 'accepted',
  TEXT_SENT: 'sent',
  TEXT_DELIVERED: 'delivered',
  TEXT_BLOCKED: 'failed',
  TEXT_CARRIER_BLOCKED: 'bounced',
  TEXT_CARRIER_UNREACHABLE: 'bounced',
  TEXT_INVALID: 'bounced',
  TEXT_INVALID_MESSAGE: 'failed',
  TEXT_PROTECT_BLOCKED: 'failed',
  TEXT_SPAM: 'bounced',
  TEXT_TTL_EXPIRED: 'bounced',
  TEXT_UNREACHABLE: 'bounced',
  TEXT_UNKNOWN: 'bounced',
};

/** Where a carrier gives no receipts, its having taken the message is the last that is heard: as delivered as it gets. */
function eventKind(type: string, isFinal: boolean): ReceiptKind | undefined {
  if (type === 'TEXT_SUCCESSFUL') return isFinal ? 'delivered' : 'sent';
  return Object.hasOwn(kinds, type) ? kinds[type] : undefined;
}

function readEvent(fields: Fields, envelope: SnsEnvelope): Receipt | undefined {
  const [type, ref] = [textOf(fields, 'eventType'), textOf(fields, 'messageId')];
  if (type === undefined || ref === undefined) return undefined;
  const kind = eventKind(type, fields['isFinal'] === true);
  if (kind === undefined) return undefined;
  const { eventTimestamp, totalMessageParts } = fields;
  return {
    kind,
    key: `${ref}:${type}`,
    ref,
    at: typeof eventTimestamp === 'number' ? (instant(eventTimestamp) ?? envelope.timestamp) : envelope.timestamp,
    ...segmentsOf(totalMessageParts),
    ...troubleOf(kind, type, textOf(fields, 'messageStatusDescription'), textOf(fields, 'destinationPhoneNumber')),
  };
}

function readLog(fields: Fields, envelope: SnsEnvelope): Receipt | undefined {
  const notification = objectAt(fields, 'notification');
  const delivery = objectAt(fields, 'delivery');
  const ref = notification === undefined ? undefined : textOf(notification, 'messageId');
  const status = textOf(fields, 'status');
  if (notification === undefined || delivery === undefined || ref === undefined) return undefined;
  if (status !== 'SUCCESS' && status !== 'FAILURE') return undefined;
  const said = textOf(delivery, 'providerResponse') ?? 'Unknown error attempting to reach phone';
  const kind = status === 'SUCCESS' ? 'delivered' : 'bounced';
  // `2016-06-28 00:40:34.558`, in UTC.
  const at = `${textOf(notification, 'timestamp')?.replace(' ', 'T') ?? ''}Z`;
  return {
    kind,
    key: `${ref}:${status}`,
    ref,
    at: Number.isNaN(Date.parse(at)) ? envelope.timestamp : at,
    ...segmentsOf(delivery['numberOfMessageParts']),
    ...troubleOf(kind, said, said, textOf(delivery, 'destination')),
  };
}

function objectAt(fields: Fields, name: string): Fields | undefined {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
}

function segmentsOf(parts: unknown): Pick<Receipt, 'segments'> {
  return typeof parts === 'number' && Number.isInteger(parts) && parts > 0 ? { segments: parts } : {};
}

function troubleOf(
  kind: ReceiptKind,
  code: string,
  said: string | undefined,
  to: string | undefined,
): Pick<Receipt, 'category' | 'code' | 'reason'> {
  if (kind !== 'bounced' && kind !== 'failed') return {};
  const byText = said !== undefined && Object.hasOwn(snsErrors, said) ? snsErrors[said] : undefined;
  const known = byText ?? (Object.hasOwn(snsErrors, code) ? snsErrors[code] : undefined);
  return {
    category: known?.category ?? 'unknown',
    code,
    reason: reasonText(said ?? known?.meaning ?? code, to === undefined ? [] : [to]),
  };
}

function instant(epochMs: number): string | undefined {
  if (!Number.isFinite(epochMs) || Math.abs(epochMs) > 8e15) return undefined;
  return Temporal.Instant.fromEpochMilliseconds(Math.trunc(epochMs)).toString();
}

function readInbound(fields: Fields, envelope: SnsEnvelope): InboundMessage | undefined {
  const [from, to] = [textOf(fields, 'originationNumber'), textOf(fields, 'destinationNumber')];
  if (from === undefined || to === undefined) return undefined;
  const text = textOf(fields, 'messageBody') ?? '';
  const keyword = keywordOf(text);
  const inReplyTo = textOf(fields, 'previousPublishedMessageId');
  return {
    channel: 'sms',
    key: textOf(fields, 'inboundMessageId') ?? envelope.messageId,
    from,
    to,
    text,
    at: envelope.timestamp,
    ...(keyword === undefined ? {} : { keyword }),
    ...(inReplyTo === undefined ? {} : { inReplyTo }),
  };
}
