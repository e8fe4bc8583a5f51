import { createHmac, timingSafeEqual } from 'node:crypto';
import { endOf, messageIdIn, partsOf, smsTellsAfterMs } from '../sms.rules.ts';
import type { CallbackDraft, Desk, Fate, KeptMail, Vendor, VendorAnswer, VendorRequest } from '../vendor.ts';

/**
 * Twilio's Messages API for SMS and MMS: `POST` and `GET /2010-04-01/Accounts/{AccountSid}/Messages.json`, `GET` of one
 * message and of the account, status callbacks and the webhook of incoming messages, signed as X-Twilio-Signature. Checked
 * against twilio-oai twilio_api_v2010.json (requests, answers), errors/twilio.json, the magic numbers of Twilio's test
 * credentials, and the scheme of twilio-node's validation.spec.js. What it remembers is gone with the process.
 */

interface Message {
  readonly sid: string;
  readonly form: URLSearchParams;
  readonly createdAt: Temporal.Instant;
}

type Memory = Map<string, readonly Message[]>;

const mostRemembered = 2_000;
/** As a sender: what Twilio's test credentials answer to it. */
const magicSenders: Readonly<Record<string, readonly [code: string, message: string]>> = {
  '+15005550001': ['21212', 'is not a valid phone number'],
  '+15005550007': ['21606', 'is not a Twilio phone number or short code of your account'],
  '+15005550008': ['21611', 'has exceeded the maximum number of queued messages'],
};
/** The one that may send. */
const ownNumber = '+15005550006';

export function createTwilioVendor(): Vendor {
  const memory: Memory = new Map();
  return {
    name: 'twilio',
    accounts: [
      {
        kind: 'twilio',
        channel: 'sms',
        title: 'Twilio',
        fields: (workspaceId, desk) => ({
          ...loginOf(workspaceId, desk),
          senders: [{ country: null, from: ownNumber }],
        }),
      },
    ],
    handle: (request, desk) => handle(memory, request, desk),
    act: (mail, act, desk) => {
      const url = mail.memo?.['statusCallback'];
      switch (act.kind) {
        case 'bounce':
          return url === undefined ? undefined : statusDraft(mail, url, 'undelivered', 0, desk, '30005');
        case 'complain':
          return inboundDraft(mail, 'STOP', 0, desk);
        case 'reply':
          return inboundDraft(mail, act.text, 0, desk);
        case 'read':
          return undefined;
      }
    },
  };
}

function loginOf(workspaceId: string, desk: Desk) {
  const secret = (use: string) => desk.secret(workspaceId, `twilio-${use}`).toString('hex').slice(0, 32);
  return { accountSid: `AC${secret('account')}`, authToken: secret('token') };
}

// --- calls ----------------------------------------------------------------------------------------------------------

type Answer = VendorAnswer | { readonly fate: 'quiet' };

async function handle(memory: Memory, request: VendorRequest, desk: Desk): Promise<Answer> {
  const { accountSid, authToken } = loginOf(request.workspaceId, desk);
  const login = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`;
  if (!isSame(request.headers['authorization'] ?? '', login)) return refusal(401, '20003', 'Authenticate');
  const base = `/2010-04-01/Accounts/${accountSid}`;
  const known = memory.get(request.workspaceId) ?? [];
  const route = `${request.method} ${request.path.startsWith(base) ? request.path.slice(base.length) : request.path}`;
  if (route === 'GET .json')
    return { status: 200, body: { sid: accountSid, friendly_name: 'Parley sandbox', status: 'active', type: 'Full' } };
  if (route === 'POST /Messages.json') return send(memory, accountSid, request, desk);
  if (route === 'GET /Messages.json') return { status: 200, body: pageOf(accountSid, known, request.query) };
  const one = known.find(({ sid }) => route === `GET /Messages/${sid}.json`);
  if (one !== undefined) return { status: 200, body: resourceOf(accountSid, one) };
  return refusal(404, '20404', `The requested resource ${request.path} was not found`);
}

function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHmac('sha256', 'twilio').update(text).digest();
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

function resourceOf(accountSid: string, { sid, form, createdAt }: Message): object {
  // RFC 2822, as this API writes times.
  const at = new Date(createdAt.epochMilliseconds).toUTCString().replace('GMT', '+0000');
  const uri = `/2010-04-01/Accounts/${accountSid}/Messages/${sid}`;
  return {
    account_sid: accountSid,
    api_version: '2010-04-01',
    body: form.get('Body') ?? '',
    date_created: at,
    date_sent: null,
    date_updated: at,
    direction: 'outbound-api',
    error_code: null,
    error_message: null,
    from: form.get('From'),
    messaging_service_sid: form.get('MessagingServiceSid'),
    num_media: String(form.getAll('MediaUrl').length),
    num_segments: String(partsOf(form.get('Body') ?? '')),
    price: null,
    price_unit: 'USD',
    sid,
    status: form.has('MessagingServiceSid') ? 'accepted' : 'queued',
    subresource_uris: { media: `${uri}/Media.json` },
    to: form.get('To'),
    uri: `${uri}.json`,
  };
}

function pageOf(accountSid: string, known: readonly Message[], query: URLSearchParams): object {
  const to = query.get('To');
  const size = Math.min(Math.max(Number(query.get('PageSize') ?? '50') || 50, 1), 1000);
  const found = known.filter(({ form }) => to === null || form.get('To') === to).toReversed();
  const messages = found.slice(0, size).map((message) => resourceOf(accountSid, message));
  return { messages, page: 0, page_size: size, start: 0, end: Math.max(0, messages.length - 1), next_page_uri: null };
}

// --- sending --------------------------------------------------------------------------------------------------------

async function send(memory: Memory, accountSid: string, request: VendorRequest, desk: Desk): Promise<Answer> {
  const { workspaceId } = request;
  const form = new URLSearchParams(request.body.toString('utf8'));
  const problem = problemOf(form);
  if (problem !== undefined) return problem;
  const to = form.get('To') ?? '';
  const fate = desk.fateOf(workspaceId, to, 'twilio');
  if (fate.kind === 'quiet') return { fate: 'quiet' };
  if (fate.kind === 'slow') await desk.clock.sleep(fate.ms);
  const refused = refusedBy(fate, to);
  if (refused !== undefined) return refused;
  const pictures = form.getAll('MediaUrl');
  const sid = `${pictures.length === 0 ? 'SM' : 'MM'}${desk.hex(32)}`;
  const message: Message = { sid, form, createdAt: desk.clock.now() };
  memory.set(workspaceId, [...(memory.get(workspaceId) ?? []).slice(-mostRemembered + 1), message]);
  const statusCallback = form.get('StatusCallback') ?? undefined;
  const messageId = messageIdIn(statusCallback);
  const text = form.get('Body') ?? '';
  const mail = {
    channel: 'sms',
    vendor: 'twilio',
    to,
    from: form.get('From') ?? ownNumber,
    title: text.slice(0, 80),
    shown: { text, ...(pictures.length === 0 ? {} : { pictures }) },
    ref: sid,
    raw: request.body,
    ...(messageId === undefined ? {} : { messageId }),
    ...(statusCallback === undefined ? {} : { memo: { statusCallback } }),
  } as const;
  await desk.keep(workspaceId, mail);
  const kept: KeptMail = {
    ...mail,
    workspaceId,
    ...(request.callbackUrl === undefined ? {} : { callbackUrl: request.callbackUrl }),
  };
  for (const draft of storyOf(kept, fate, statusCallback, desk)) desk.later(workspaceId, draft);
  return { status: 201, body: resourceOf(accountSid, message) };
}

function problemOf(form: URLSearchParams): VendorAnswer | undefined {
  const [to, from] = [form.get('To') ?? '', form.get('From')];
  if (to === '') return refusal(400, '21604', "A 'To' phone number is required.");
  if (!/^\+[1-9]\d{6,14}$/.test(to)) return refusal(400, '21211', `Invalid 'To' Phone Number: ${to}`);
  if (from === null && !form.has('MessagingServiceSid'))
    return refusal(400, '21603', "A 'From' phone number or a 'MessagingServiceSid' is required.");
  const magic = from === null ? undefined : magicSenders[from];
  if (magic !== undefined) return refusal(400, magic[0], `The 'From' number ${from ?? ''} ${magic[1]}.`);
  if (from !== null && !/^(?:\+[1-9]\d{6,14}|\d{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 &_+-]{1,11})$/.test(from))
    return refusal(400, '21212', `Invalid 'From' Number: ${from}`);
  if (!form.has('Body') && !form.has('MediaUrl')) return refusal(400, '21602', 'Message body is required.');
  if ((form.get('Body') ?? '').length > 1600)
    return refusal(400, '21617', 'The concatenated message body exceeds the 1600 character limit.');
  if (form.getAll('MediaUrl').length > 10) return refusal(400, '21623', 'Number of media files exceeds allowed limit.');
  const period = form.get('ValidityPeriod');
  if (period !== null && !(Number(period) >= 1 && Number(period) <= 36_000))
    return refusal(400, '21624', 'The ValidityPeriod is not valid.');
  const callback = form.get('StatusCallback');
  if (callback !== null && !URL.canParse(callback))
    return refusal(400, '21609', "The 'StatusCallback' URL is not valid.");
  return undefined;
}

function refusedBy(fate: Fate, to: string): VendorAnswer | undefined {
  switch (fate.kind) {
    case 'refuse':
      return refusal(400, fate.code ?? '21211', `The 'To' number ${to} cannot be sent to.`);
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

/** What Twilio tells of a message as it goes: queued, sent, and how it ended. Who complains does it by a STOP. */
function storyOf(mail: KeptMail, fate: Fate, url: string | undefined, desk: Desk): readonly CallbackDraft[] {
  const after = smsTellsAfterMs;
  const told: CallbackDraft[] = [];
  if (url !== undefined) {
    const tell = (status: string, ms: number, code?: string) =>
      told.push(statusDraft(mail, url, status, ms, desk, code));
    tell('queued', after.queued);
    tell('sent', after.sent);
    const end = endOf(fate);
    const code = 'code' in fate ? fate.code : undefined;
    if (end === 'delivered') tell('delivered', after.delivered);
    else tell('undelivered', after.failed, code ?? (end === 'bounced' ? '30005' : '30007'));
  }
  const stop = fate.kind === 'complain' ? inboundDraft(mail, 'STOP', after.answered, desk) : undefined;
  return stop === undefined ? told : [...told, stop];
}

// --- callbacks ------------------------------------------------------------------------------------------------------

function statusDraft(
  { workspaceId, ref, to, from = ownNumber }: KeptMail,
  url: string,
  status: string,
  afterMs: number,
  desk: Desk,
  code?: string,
): CallbackDraft {
  const fields = {
    AccountSid: loginOf(workspaceId, desk).accountSid,
    ApiVersion: '2010-04-01',
    From: from,
    MessageSid: ref,
    MessageStatus: status,
    SmsSid: ref,
    SmsStatus: status,
    To: to,
    ...(code === undefined ? {} : { ErrorCode: code }),
  };
  return signed(workspaceId, url, fields, afterMs, desk);
}

/** The recipient writes back. A word that Twilio acts on is told with what it took it for. */
function inboundDraft(mail: KeptMail, text: string, afterMs: number, desk: Desk): CallbackDraft | undefined {
  if (mail.callbackUrl === undefined) return undefined;
  const sid = `SM${desk.hex(32)}`;
  const word = text.trim().toUpperCase();
  const fields = {
    AccountSid: loginOf(mail.workspaceId, desk).accountSid,
    ApiVersion: '2010-04-01',
    Body: text,
    From: mail.to,
    MessageSid: sid,
    NumMedia: '0',
    NumSegments: String(partsOf(text)),
    SmsMessageSid: sid,
    SmsSid: sid,
    SmsStatus: 'received',
    To: mail.from ?? ownNumber,
    ...(['STOP', 'START', 'HELP'].includes(word) ? { OptOutType: word } : {}),
  };
  return signed(mail.workspaceId, mail.callbackUrl, fields, afterMs, desk);
}

/** HMAC-SHA1 over the address and the fields by name. */
function signed(
  workspaceId: string,
  url: string,
  fields: Readonly<Record<string, string>>,
  afterMs: number,
  desk: Desk,
): CallbackDraft {
  const names = Object.keys(fields).toSorted();
  const text = url + names.map((name) => `${name}${fields[name] ?? ''}`).join('');
  const signature = createHmac('sha1', loginOf(workspaceId, desk).authToken).update(text, 'utf8').digest('base64');
  const headers = {
    'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
    'i-twilio-idempotency-token': desk.hex(32),
    'user-agent': 'TwilioProxy/1.1',
    'x-twilio-signature': signature,
  };
  return { afterMs, method: 'POST', url, headers, body: new URLSearchParams(fields).toString() };
}
