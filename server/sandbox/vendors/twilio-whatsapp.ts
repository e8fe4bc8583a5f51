import { createHmac, timingSafeEqual } from 'node:crypto';
import type { CallbackDraft, Desk, Fate, KeptMail, Vendor, VendorAnswer, VendorRequest } from '../vendor.ts';
import { contentsOf } from './twilio-content.ts';

/**
 * Twilio's Messages API for WhatsApp: `POST` and `GET /2010-04-01/Accounts/{AccountSid}/Messages.json`, `GET` of one message
 * and of the account, `GET /v1/ContentAndApprovals`, status callbacks and the webhook of incoming messages, signed as X-Twilio-Signature. Checked against
 * twilio-oai twilio_api_v2010.json (requests, answers), twilio_content_v1.json, errors/twilio.json, and the scheme of twilio-node's
 * validation.spec.js.
 *
 * It keeps the 24 hours: what is no Content template fails (63016) unless the person wrote, which `reply` in the inbox does.
 * Any Content SID is taken as an approved template. What it remembers is gone with the process.
 */

interface Message {
  readonly sid: string;
  readonly to: string;
  readonly from: string;
  readonly body: string;
  readonly createdAt: Temporal.Instant;
}

interface Memory {
  /** By workspace and number, in milliseconds: when the person last wrote. */
  readonly wrote: Map<string, number>;
  /** By workspace, newest last. */
  readonly messages: Map<string, Message[]>;
}

const name = 'twilio-whatsapp';
const mostRemembered = 5_000;
const dayMs = 86_400_000;
/** The number that Twilio's own sandbox of WhatsApp has. */
const ownNumber = '+14155238886';
const afterMs = { sent: 300, delivered: 1_300, read: 6_500, failed: 800 } as const;

export function createTwilioWhatsAppVendor(): Vendor {
  const memory: Memory = { wrote: new Map(), messages: new Map() };
  return {
    name,
    accounts: [
      {
        kind: name,
        channel: 'whatsapp',
        title: 'WhatsApp (Twilio)',
        fields: (workspaceId, desk) => ({ ...loginOf(workspaceId, desk), from: ownNumber }),
      },
    ],
    handle: (request, desk) => handle(memory, request, desk),
    act: (mail, act, desk) => {
      const tell = (status: string, code?: string) => {
        const url = mail.memo?.['statusCallback'];
        return url === undefined ? undefined : statusDraft(mail.workspaceId, url, mail, status, 0, desk, code);
      };
      switch (act.kind) {
        case 'read':
          return tell('read');
        case 'bounce':
          return tell('undelivered', '63024');
        case 'complain':
          return inboundDraft(mail, 'STOP', desk);
        case 'reply':
          remember(memory.wrote, `${mail.workspaceId}:${mail.to}`, desk.clock.now().epochMilliseconds);
          return inboundDraft(mail, act.text, desk);
      }
    },
  };
}

function loginOf(workspaceId: string, desk: Desk) {
  const secret = (use: string) => desk.secret(workspaceId, `twilio-whatsapp-${use}`).toString('hex').slice(0, 32);
  return { accountSid: `AC${secret('account')}`, authToken: secret('token') };
}

function remember(map: Map<string, number>, key: string, value: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > mostRemembered) map.delete(map.keys().next().value ?? '');
}

// --- calls ----------------------------------------------------------------------------------------------------------

async function handle(
  memory: Memory,
  request: VendorRequest,
  desk: Desk,
): Promise<VendorAnswer | { readonly fate: 'quiet' }> {
  const { accountSid, authToken } = loginOf(request.workspaceId, desk);
  const login = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`;
  if (!isSame(request.headers['authorization'] ?? '', login)) return refusal(401, '20003', 'Authenticate');
  const base = `/2010-04-01/Accounts/${accountSid}`;
  const known = memory.messages.get(request.workspaceId) ?? [];
  const route = `${request.method} ${request.path.startsWith(base) ? request.path.slice(base.length) : request.path}`;
  if (route === 'GET .json')
    return { status: 200, body: { sid: accountSid, friendly_name: 'Parley sandbox', status: 'active', type: 'Full' } };
  if (route === 'GET /v1/ContentAndApprovals') return { status: 200, body: contentsOf(accountSid, request.query) };
  if (route === 'POST /Messages.json') return send(memory, accountSid, request, desk);
  if (route === 'GET /Messages.json') return { status: 200, body: pageOf(accountSid, known, request.query) };
  const one = known.find(({ sid }) => route === `GET /Messages/${sid}.json`);
  if (one !== undefined) return { status: 200, body: resourceOf(accountSid, one) };
  return refusal(404, '20404', `The requested resource ${request.path} was not found`);
}

function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHmac('sha256', name).update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

function refusal(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): VendorAnswer {
  const body = { code: Number(code), message, more_info: `https://www.twilio.com/docs/errors/${code}`, status };
  return { status, headers, body };
}

/** RFC 2822, as this API writes times. */
const written = (at: Temporal.Instant) => new Date(at.epochMilliseconds).toUTCString().replace('GMT', '+0000');

function resourceOf(accountSid: string, message: Message): object {
  const at = written(message.createdAt);
  const uri = `/2010-04-01/Accounts/${accountSid}/Messages/${message.sid}`;
  return {
    account_sid: accountSid,
    api_version: '2010-04-01',
    body: message.body,
    date_created: at,
    date_sent: null,
    date_updated: at,
    direction: 'outbound-api',
    error_code: null,
    error_message: null,
    from: message.from,
    messaging_service_sid: null,
    num_media: '0',
    num_segments: '1',
    price: null,
    price_unit: null,
    sid: message.sid,
    status: 'queued',
    subresource_uris: { media: `${uri}/Media.json` },
    to: message.to,
    uri: `${uri}.json`,
  };
}

function pageOf(accountSid: string, known: readonly Message[], query: URLSearchParams): object {
  const to = query.get('To');
  const size = Math.min(Math.max(Number(query.get('PageSize') ?? '50') || 50, 1), 1000);
  const found = known.filter((message) => to === null || message.to === to).toReversed();
  const messages = found.slice(0, size).map((message) => resourceOf(accountSid, message));
  return { messages, page: 0, page_size: size, start: 0, end: Math.max(0, messages.length - 1), next_page_uri: null };
}

// --- sending --------------------------------------------------------------------------------------------------------

async function send(
  memory: Memory,
  accountSid: string,
  request: VendorRequest,
  desk: Desk,
): Promise<VendorAnswer | { readonly fate: 'quiet' }> {
  const { workspaceId } = request;
  const form = new URLSearchParams(request.body.toString('utf8'));
  const problem = problemOf(form);
  if (problem !== undefined) return problem;
  const [to, from] = [form.get('To') ?? '', form.get('From') ?? `whatsapp:${ownNumber}`];
  const number = to.replace('whatsapp:', '');
  const fate = desk.fateOf(workspaceId, number, name);
  if (fate.kind === 'quiet') return { fate: 'quiet' };
  if (fate.kind === 'slow') await desk.clock.sleep(fate.ms);
  const answer = answerOf(fate, to);
  if (answer !== undefined) return answer;
  const sid = `SM${desk.hex(32)}`;
  const message: Message = { sid, to, from, body: textOf(form), createdAt: desk.clock.now() };
  const known = memory.messages.get(workspaceId) ?? [];
  memory.messages.set(workspaceId, [...known.slice(-mostRemembered + 1), message]);
  const statusCallback = form.get('StatusCallback') ?? undefined;
  const messageId = idIn(statusCallback);
  const pictures = form.getAll('MediaUrl');
  await desk.keep(workspaceId, {
    channel: 'whatsapp',
    vendor: name,
    to: number,
    from: from.replace('whatsapp:', ''),
    title: message.body.slice(0, 80),
    shown: { text: message.body, ...(pictures.length === 0 ? {} : { pictures }) },
    ref: sid,
    raw: request.body,
    ...(messageId === undefined ? {} : { messageId }),
    ...(statusCallback === undefined ? {} : { memo: { statusCallback } }),
  });
  if (statusCallback !== undefined) {
    const wroteAt = memory.wrote.get(`${workspaceId}:${number}`) ?? 0;
    const isOpen = desk.clock.now().epochMilliseconds < wroteAt + dayMs;
    const ends = { ref: sid, to: number, from: from.replace('whatsapp:', '') };
    for (const { status, code, ms } of storyOf(fate, form.has('ContentSid') || isOpen))
      desk.later(workspaceId, statusDraft(workspaceId, statusCallback, ends, status, ms, desk, code));
  }
  return { status: 201, body: resourceOf(accountSid, message) };
}

/** Our id in the address of a callback. */
function idIn(url: string | undefined): string | undefined {
  const id = URL.parse(url ?? '')?.searchParams.get('message') ?? '';
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) ? id : undefined;
}

function problemOf(form: URLSearchParams): VendorAnswer | undefined {
  const to = form.get('To') ?? '';
  const from = form.get('From');
  const content = form.get('ContentSid');
  if (to === '') return refusal(400, '21604', "A 'To' phone number is required.");
  if (!/^whatsapp:\+[1-9]\d{6,14}$/.test(to))
    return refusal(400, '21211', `The 'To' number ${to} is not a valid phone number.`);
  if (from === null && !form.has('MessagingServiceSid'))
    return refusal(400, '21603', "A 'From' phone number or a 'MessagingServiceSid' is required.");
  if (from !== null && from !== `whatsapp:${ownNumber}`)
    return refusal(400, '63007', 'Twilio could not find a Channel with the specified From address');
  if (content !== null && !/^HX[0-9a-fA-F]{32}$/.test(content))
    return refusal(400, '21655', 'The ContentSid is Invalid');
  if (form.has('ContentVariables') && variablesIn(form) === undefined)
    return refusal(400, '21656', 'The Content Variables Parameter is invalid');
  if (content === null && !form.has('Body') && !form.has('MediaUrl'))
    return refusal(400, '21602', 'Message body is required.');
  if ([...(form.get('Body') ?? '')].length > 1600)
    return refusal(400, '21617', 'The concatenated message body exceeds the 1600 character limit.');
  return undefined;
}

/** Texts by number or name; undefined: not that. */
function variablesIn(form: URLSearchParams): Readonly<Record<string, string>> | undefined {
  try {
    const parsed: unknown = JSON.parse(form.get('ContentVariables') ?? '{}');
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
    const isRight = Object.values(parsed).every((value) => typeof value === 'string' && !/[\n\r\t]/.test(value));
    return isRight ? (parsed as Record<string, string>) : undefined;
  } catch {
    return undefined;
  }
}

function textOf(form: URLSearchParams): string {
  const content = form.get('ContentSid');
  if (content === null) return form.get('Body') ?? '';
  return [`[${content}]`, ...Object.values(variablesIn(form) ?? {})].join('\n');
}

function answerOf(fate: Fate, to: string): VendorAnswer | undefined {
  switch (fate.kind) {
    case 'refuse':
      return refusal(400, fate.code ?? '21211', `The 'To' number ${to} cannot be written to.`);
    case 'throttle':
      return refusal(429, '20429', 'Too Many Requests', { 'retry-after': String(fate.afterSeconds) });
    case 'burst':
      return refusal(fate.status, fate.status === 503 ? '20503' : '20500', 'An internal server error has occurred');
    case 'malformed':
      return { status: 200, headers: { 'content-type': 'text/html' }, body: '<html><title>Error</title></html>' };
    case 'catch':
    case 'slow':
    case 'quiet':
    case 'bounce':
    case 'block':
    case 'complain':
      return undefined;
  }
}

interface Step {
  readonly status: string;
  readonly ms: number;
  readonly code?: string;
}

/** What Twilio tells of a message in the end; `mayGo`: it is a template, or the person wrote within 24 hours. */
function storyOf(fate: Fate, mayGo: boolean): readonly Step[] {
  if (fate.kind === 'bounce') return [{ status: 'undelivered', ms: afterMs.failed, code: fate.code ?? '63024' }];
  if (fate.kind === 'block') return [{ status: 'undelivered', ms: afterMs.failed, code: fate.code ?? '63049' }];
  if (!mayGo) return [{ status: 'failed', ms: afterMs.failed, code: '63016' }];
  return (['sent', 'delivered', 'read'] as const).map((status) => ({ status, ms: afterMs[status] }));
}

// --- callbacks ------------------------------------------------------------------------------------------------------

type Ends = Pick<KeptMail, 'ref' | 'to' | 'from'>;

function fieldsOf(
  workspaceId: string,
  sid: string,
  ends: { to: string; from: string },
  desk: Desk,
): Record<string, string> {
  return {
    AccountSid: loginOf(workspaceId, desk).accountSid,
    ApiVersion: '2010-04-01',
    MessageSid: sid,
    SmsSid: sid,
    From: `whatsapp:${ends.from}`,
    To: `whatsapp:${ends.to}`,
  };
}

function statusDraft(
  workspaceId: string,
  url: string,
  { ref, to, from = ownNumber }: Ends,
  status: string,
  ms: number,
  desk: Desk,
  code?: string,
): CallbackDraft {
  const event = { sent: undefined, delivered: 'DELIVERED', read: 'READ' }[status];
  const fields = {
    ...fieldsOf(workspaceId, ref, { to, from }, desk),
    ChannelPrefix: 'whatsapp',
    MessageStatus: status,
    SmsStatus: status,
    ...(event === undefined ? {} : { EventType: event }),
    ...(code === undefined ? {} : { ErrorCode: code }),
  };
  return signed(workspaceId, url, fields, ms, desk);
}

function inboundDraft(mail: KeptMail, text: string, desk: Desk): CallbackDraft | undefined {
  if (mail.callbackUrl === undefined) return undefined;
  const sid = `SM${desk.hex(32)}`;
  const fields = {
    ...fieldsOf(mail.workspaceId, sid, { from: mail.to, to: mail.from ?? ownNumber }, desk),
    SmsMessageSid: sid,
    SmsStatus: 'received',
    MessageType: 'text',
    NumMedia: '0',
    NumSegments: '1',
    Body: text,
    ProfileName: 'Sandbox',
    WaId: mail.to.replace('+', ''),
    OriginalRepliedMessageSid: mail.ref,
  };
  return signed(mail.workspaceId, mail.callbackUrl, fields, 0, desk);
}

/** HMAC-SHA1 over the address and the fields by name. */
function signed(
  workspaceId: string,
  url: string,
  fields: Readonly<Record<string, string>>,
  ms: number,
  desk: Desk,
): CallbackDraft {
  const sorted = Object.keys(fields).toSorted();
  const text = url + sorted.map((field) => `${field}${fields[field] ?? ''}`).join('');
  const signature = createHmac('sha1', loginOf(workspaceId, desk).authToken).update(text, 'utf8').digest('base64');
  const headers = {
    'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
    'user-agent': 'TwilioProxy/1.1',
    'x-twilio-signature': signature,
  };
  return { afterMs: ms, method: 'POST', url, headers, body: new URLSearchParams(fields).toString() };
}
