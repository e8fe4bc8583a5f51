import { messageIdOf, reasonText } from '../../outcome.rules.ts';
import type { Callback, InboundMessage, Receipt, ReceiptKind, Told } from '../../port.ts';
import { keywordOf } from '../keyword.rules.ts';
import { noTime, unreadable } from '../told.rules.ts';
import { plivoErrors } from './errors.rules.ts';

/**
 * Pure: a delivery report, or a message that came in. Both are forms (or queries); the one has `Status`, the other `Text` or
 * media. Checked against Plivo's "Message callbacks" and "Incoming message" pages.
 */
export function readPlivo(callback: Callback): Told {
  const fields = new Map(
    callback.method === 'GET'
      ? URL.canParse(callback.url)
        ? new URL(callback.url).searchParams
        : []
      : new URLSearchParams(callback.body.toString('utf8')),
  );
  const uuid = textOf(fields, 'MessageUUID');
  const at = callback.receivedAt ?? noTime;
  if (uuid === undefined) return unreadable(callback, 'neither a report nor a message');
  const status = textOf(fields, 'Status');
  if (status === undefined || status.toLowerCase() === 'received') {
    const inbound = readInbound(fields, uuid, at);
    return inbound === undefined
      ? unreadable(callback, 'a message without its sender')
      : { receipts: [], inbound: [inbound], news: [] };
  }
  const receipt = readReport(callback, fields, uuid, status.toLowerCase(), at);
  return receipt === undefined
    ? unreadable(callback, 'a status that is not known')
    : { receipts: [receipt], inbound: [], news: [] };
}

type Fields = ReadonlyMap<string, string>;

function textOf(fields: Fields, name: string): string | undefined {
  const value = fields.get(name);
  return value === undefined || value === '' ? undefined : value;
}

const kinds: Readonly<Record<string, ReceiptKind>> = {
  queued: 'accepted',
  sent: 'sent',
  delivered: 'delivered',
  read: 'read',
  undelivered: 'bounced',
  rejected: 'failed',
  failed: 'failed',
};

function readReport(callback: Callback, fields: Fields, uuid: string, status: string, at: string): Receipt | undefined {
  const kind = Object.hasOwn(kinds, status) ? kinds[status] : undefined;
  if (kind === undefined) return undefined;
  const messageId = messageIdOf(callback.url);
  const units = Number(textOf(fields, 'Units'));
  const common = {
    kind,
    // Of a long text each part is reported; the id that was answered is that of the whole.
    key: `${uuid}:${status}`,
    ref: textOf(fields, 'ParentMessageUUID') ?? uuid,
    at,
    ...(messageId === undefined ? {} : { messageId }),
    ...(Number.isInteger(units) && units > 0 ? { segments: units } : {}),
  };
  if (kind !== 'bounced' && kind !== 'failed') return common;
  const code = textOf(fields, 'ErrorCode') ?? status;
  const known = Object.hasOwn(plivoErrors, code) ? plivoErrors[code] : undefined;
  const said = textOf(fields, 'ErrorMessage') ?? known?.meaning ?? status;
  return {
    ...common,
    category: known?.category ?? 'unknown',
    code,
    reason: reasonText(said, [fields.get('To') ?? '']),
  };
}

/** Plivo writes numbers without their plus. */
function e164(text: string | undefined): string | undefined {
  return text !== undefined && /^[1-9]\d{6,14}$/.test(text) ? `+${text}` : text;
}

const intents: Readonly<Record<string, NonNullable<InboundMessage['keyword']>>> = {
  optout: 'stop',
  optin: 'start',
  help: 'help',
};

const mostMedia = 10;

function readInbound(fields: Fields, key: string, at: string): InboundMessage | undefined {
  const [from, to] = [e164(textOf(fields, 'From')), e164(textOf(fields, 'To'))];
  if (from === undefined || to === undefined) return undefined;
  const text = textOf(fields, 'Text') ?? textOf(fields, 'Body') ?? '';
  const intent = textOf(fields, 'MessageIntent')?.toLowerCase() ?? '';
  const keyword = Object.hasOwn(intents, intent) ? intents[intent] : keywordOf(text);
  const media = Array.from({ length: mostMedia }, (_, index) => textOf(fields, `Media${index}`)).flatMap((url) =>
    url === undefined ? [] : [{ url }],
  );
  return {
    channel: 'sms',
    key,
    from,
    to,
    text,
    at,
    ...(media.length === 0 ? {} : { media }),
    ...(keyword === undefined ? {} : { keyword }),
  };
}
