import { messageIdOf, reasonText } from '../../outcome.rules.ts';
import type { Callback, InboundMessage, Receipt, Told } from '../../port.ts';
import { fieldOf, isTwilioStatus, parseForm, twilioStatuses } from '../../twilio.rules.ts';
import type { FormFields } from '../../twilio.rules.ts';
import { keywordOf } from '../keyword.rules.ts';
import { noTime, unreadable } from '../told.rules.ts';
import { twilioErrors } from './errors.rules.ts';

/**
 * Pure: a status callback, or a message that came in. Both are forms; the one has `MessageStatus`, the other
 * `SmsStatus=received` and a text. Checked against Twilio's "Message status callback" and "Incoming message" pages.
 */
export function readTwilio(callback: Callback): Told {
  const fields = parseForm(callback.body);
  const sid = fieldOf(fields, 'MessageSid') ?? fieldOf(fields, 'SmsSid');
  const status = fieldOf(fields, 'MessageStatus') ?? fieldOf(fields, 'SmsStatus');
  const at = callback.receivedAt ?? noTime;
  if (sid === undefined || status === undefined) return unreadable(callback, 'neither a status nor a message');
  if (status === 'received' || status === 'receiving') {
    const inbound = readInbound(fields, sid, at);
    if (inbound === undefined) return unreadable(callback, 'a message without its sender');
    // A part of a message that is still coming: the whole is told again.
    return { receipts: [], inbound: status === 'received' ? [inbound] : [], news: [] };
  }
  if (!isTwilioStatus(status)) return unreadable(callback, 'a status that is not known');
  return { receipts: [readReceipt(callback, fields, sid, status, at)], inbound: [], news: [] };
}

function readReceipt(
  callback: Callback,
  fields: FormFields,
  ref: string,
  status: keyof typeof twilioStatuses,
  at: string,
): Receipt {
  const kind = twilioStatuses[status];
  const messageId = messageIdOf(callback.url);
  const common = {
    kind,
    key: `${ref}:${status}`,
    ref,
    at: doneDate(fieldOf(fields, 'RawDlrDoneDate')) ?? at,
    ...(messageId === undefined ? {} : { messageId }),
  };
  const segments = Number(fieldOf(fields, 'NumSegments'));
  const parts = Number.isInteger(segments) && segments > 0 ? { segments } : {};
  if (kind !== 'bounced' && kind !== 'failed') return { ...common, ...parts };
  const code = fieldOf(fields, 'ErrorCode') ?? status;
  const known = Object.hasOwn(twilioErrors, code) ? twilioErrors[code] : undefined;
  const said = fieldOf(fields, 'ErrorMessage') ?? fieldOf(fields, 'ChannelStatusMessage') ?? known?.meaning ?? status;
  return {
    ...common,
    ...parts,
    category: known?.category ?? 'unknown',
    code,
    reason: reasonText(said, [fieldOf(fields, 'To') ?? '']),
  };
}

/** `YYMMDDhhmm`, in UTC, of the carrier's receipt. */
function doneDate(text: string | undefined): string | undefined {
  const found = /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})$/.exec(text ?? '');
  if (found === null) return undefined;
  const [, year, month, day, hour, minute] = found;
  const at = `20${year}-${month}-${day}T${hour}:${minute}:00Z`;
  return Number.isNaN(Date.parse(at)) ? undefined : at;
}

const keywords: Readonly<Record<string, NonNullable<InboundMessage['keyword']>>> = {
  STOP: 'stop',
  START: 'start',
  HELP: 'help',
};

function readInbound(fields: FormFields, key: string, at: string): InboundMessage | undefined {
  const [from, to] = [fieldOf(fields, 'From'), fieldOf(fields, 'To')];
  if (from === undefined || to === undefined) return undefined;
  const text = fieldOf(fields, 'Body') ?? '';
  const said = fieldOf(fields, 'OptOutType')?.toUpperCase() ?? '';
  const keyword = Object.hasOwn(keywords, said) ? keywords[said] : keywordOf(text);
  const inReplyTo = fieldOf(fields, 'OriginalRepliedMessageSid');
  const media = readMedia(fields);
  return {
    channel: 'sms',
    key,
    from,
    to,
    text,
    at,
    ...(media.length === 0 ? {} : { media }),
    ...(keyword === undefined ? {} : { keyword }),
    ...(inReplyTo === undefined ? {} : { inReplyTo }),
  };
}

const mostMedia = 10;

function readMedia(fields: FormFields) {
  const count = Math.min(Number(fieldOf(fields, 'NumMedia') ?? 0) || 0, mostMedia);
  return Array.from({ length: count }, (_, index) => index).flatMap((index) => {
    const [url, contentType] = [fieldOf(fields, `MediaUrl${index}`), fieldOf(fields, `MediaContentType${index}`)];
    return url === undefined ? [] : [{ url, ...(contentType === undefined ? {} : { contentType }) }];
  });
}
