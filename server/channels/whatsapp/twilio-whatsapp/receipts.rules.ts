import { hash } from 'node:crypto';
import type { AccountNews, Callback, InboundMessage, Receipt, Told } from '../../port.ts';
import { reasonText } from '../../outcome.rules.ts';
import { fieldOf, isTwilioStatus, messageIdOf, parseForm, twilioStatuses } from '../../twilio.rules.ts';
import type { FormFields } from '../../twilio.rules.ts';
import { buttonKeywordOf, keywordOf } from '../keyword.rules.ts';
import { e164Of } from '../number.rules.ts';
import { twilioWhatsAppErrors } from './errors.rules.ts';

/** What Twilio tells of WhatsApp: the status of one message, or one message that a person wrote. */

/** Neither form says when it happened; Twilio reports at once, so the time of arrival stands for it. What has none must not look new. */
const noTime = '1970-01-01T00:00:00Z';

const none: Told = { receipts: [], inbound: [], news: [] };

/** Pure. */
export function readCallback(callback: Callback): Told {
  const fields = callback.method === 'POST' ? parseForm(callback.body) : parseForm(queryOf(callback.url));
  const at = callback.receivedAt ?? noTime;
  // A reply to us has a status, too (`received`), so what a person wrote is looked for first.
  const inbound = readInbound(fields, at);
  if (inbound !== undefined) return { ...none, inbound: [inbound] };
  const receipt = readStatus(fields, callback.url, at);
  if (receipt !== undefined) return { ...none, receipts: [receipt] };
  return { ...none, news: [unreadable(callback, at)] };
}

function queryOf(url: string): Buffer {
  return Buffer.from(URL.parse(url)?.search.slice(1) ?? '');
}

function unreadable(callback: Callback, at: string): AccountNews {
  const digest = hash('sha256', Buffer.concat([Buffer.from(callback.url), callback.body]), 'hex').slice(0, 32);
  return { key: `unreadable:${digest}`, kind: 'unreadable', at, data: {} };
}

function readStatus(fields: FormFields, url: string, at: string): Receipt | undefined {
  const ref = fieldOf(fields, 'MessageSid') ?? fieldOf(fields, 'SmsSid');
  const status = (fieldOf(fields, 'MessageStatus') ?? fieldOf(fields, 'SmsStatus') ?? '').toLowerCase();
  if (ref === undefined || !isTwilioStatus(status)) return undefined;
  const kind = twilioStatuses[status];
  const messageId = messageIdOf(url);
  return {
    kind,
    key: `${ref}:${status}`,
    ref,
    at,
    ...(messageId === undefined ? {} : { messageId }),
    ...(kind === 'bounced' || kind === 'failed' ? failure(fields, status) : {}),
  };
}

function failure(fields: FormFields, status: string): Pick<Receipt, 'category' | 'code' | 'reason'> {
  const code = fieldOf(fields, 'ErrorCode') ?? status;
  const known = Object.hasOwn(twilioWhatsAppErrors, code) ? twilioWhatsAppErrors[code] : undefined;
  const to = e164Of(fieldOf(fields, 'To'));
  // `ChannelStatusMessage` is Meta's own words, where there are some.
  const said = fieldOf(fields, 'ChannelStatusMessage') ?? fieldOf(fields, 'ErrorMessage') ?? known?.meaning ?? status;
  return { category: known?.category ?? 'unknown', code, reason: reasonText(said, to === undefined ? [] : [to]) };
}

function readInbound(fields: FormFields, at: string): InboundMessage | undefined {
  const key = fieldOf(fields, 'MessageSid') ?? fieldOf(fields, 'SmsMessageSid');
  const isReceived = (fieldOf(fields, 'SmsStatus') ?? fieldOf(fields, 'MessageStatus')) === 'received';
  const from = e164Of(fieldOf(fields, 'From') ?? fieldOf(fields, 'WaId'));
  const to = e164Of(fieldOf(fields, 'To'));
  if (key === undefined || !isReceived || from === undefined || to === undefined) return undefined;
  const payload = fieldOf(fields, 'ButtonPayload') ?? fieldOf(fields, 'ListId');
  const name = fieldOf(fields, 'ProfileName')?.slice(0, 200);
  const inReplyTo = fieldOf(fields, 'OriginalRepliedMessageSid');
  const media = mediaOf(fields);
  const text = textOf(fields);
  const keyword = wishOf(fields, text, payload);
  return {
    channel: 'whatsapp',
    key,
    from,
    to,
    text,
    at,
    ...(inReplyTo === undefined ? {} : { inReplyTo }),
    ...(media.length === 0 ? {} : { media }),
    ...(payload === undefined ? {} : { payload }),
    ...(keyword === undefined ? {} : { keyword }),
    ...(name === undefined ? {} : { name }),
  };
}

/** With Advanced Opt-Out, Twilio has judged the words itself, by its own list. */
function wishOf(fields: FormFields, text: string, payload: string | undefined): InboundMessage['keyword'] {
  const judged = fieldOf(fields, 'OptOutType')?.toLowerCase();
  if (judged === 'stop' || judged === 'start' || judged === 'help') return judged;
  return payload === undefined ? keywordOf(text) : buttonKeywordOf(text, payload);
}

function textOf(fields: FormFields): string {
  const text = fieldOf(fields, 'Body') ?? fieldOf(fields, 'ButtonText') ?? fieldOf(fields, 'ListTitle');
  if (text !== undefined) return text;
  const [latitude, longitude] = [fieldOf(fields, 'Latitude'), fieldOf(fields, 'Longitude')];
  if (latitude === undefined || longitude === undefined) return '';
  const names = [fieldOf(fields, 'Label'), fieldOf(fields, 'Address')].filter((name) => name !== undefined);
  const place = `${latitude}, ${longitude}`;
  return names.length === 0 ? place : `${names.join(', ')} (${place})`;
}

function mediaOf(fields: FormFields): NonNullable<InboundMessage['media']> {
  const count = Math.min(Number(fieldOf(fields, 'NumMedia') ?? '0') || 0, 10);
  return Array.from({ length: count }, (_, index) => {
    const contentType = fieldOf(fields, `MediaContentType${index}`);
    return { url: fieldOf(fields, `MediaUrl${index}`) ?? '', ...(contentType === undefined ? {} : { contentType }) };
  }).filter(({ url }) => url !== '');
}
