import { createHmac, timingSafeEqual } from 'node:crypto';
import { endOf, messageIdIn, partsOf, smsTellsAfterMs, uuidOf } from '../sms.rules.ts';
import type { CallbackDraft, Desk, Fate, KeptMail, Vendor, VendorAnswer, VendorRequest } from '../vendor.ts';

/**
 * Plivo's Messages API: `POST /v1/Account/{auth_id}/Message/`, `GET` of the account, delivery reports and the message URL,
 * signed as X-Plivo-Signature-V3. Checked against plivo-go's fixtures (payloads/plivo), errors/plivo.json, and the vectors
 * of plivo-go's utils_test.go. Its answers have no codes, only a status and a text.
 */

const ownNumber = '+14155550100';
const most = { pictures: 10, length: 1600 };

export const plivo: Vendor = {
  name: 'plivo',
  accounts: [
    {
      kind: 'plivo',
      channel: 'sms',
      title: 'Plivo',
      fields: (workspaceId, desk) => ({
        ...loginOf(workspaceId, desk),
        senders: [{ country: null, from: ownNumber }],
      }),
    },
  ],
  handle,
  act: (mail, act, desk) => {
    const url = mail.memo?.['url'];
    switch (act.kind) {
      case 'bounce':
        return url === undefined ? undefined : reportDraft(mail, url, 'undelivered', 0, desk, '70');
      case 'complain':
        return inboundDraft(mail, 'STOP', 0, desk);
      case 'reply':
        return inboundDraft(mail, act.text, 0, desk);
      case 'read':
        return undefined;
    }
  },
};

function loginOf(workspaceId: string, desk: Desk) {
  const secret = (use: string) => desk.secret(workspaceId, `plivo-${use}`);
  return {
    authId: `MA${secret('account').toString('hex').toUpperCase().slice(0, 18)}`,
    authToken: secret('token').toString('base64url').slice(0, 40),
  };
}

// --- calls ----------------------------------------------------------------------------------------------------------

type Answer = VendorAnswer | { readonly fate: 'quiet' };

async function handle(request: VendorRequest, desk: Desk): Promise<Answer> {
  const { authId, authToken } = loginOf(request.workspaceId, desk);
  const login = `Basic ${Buffer.from(`${authId}:${authToken}`).toString('base64')}`;
  if (!isSame(request.headers['authorization'] ?? '', login))
    return {
      status: 401,
      headers: { 'content-type': 'text/plain', 'www-authenticate': 'Basic realm="Login Required"' },
      body: 'Could not verify your access level for that URL.\nYou have to login with proper credentials',
    };
  const route = `${request.method} ${request.path}`;
  if (route === `GET /v1/Account/${authId}/`)
    return {
      status: 200,
      body: { api_id: apiId(desk), auth_id: authId, account_type: 'standard', cash_credits: '100.00000', state: null },
    };
  if (route === `POST /v1/Account/${authId}/Message/`) return send(request, desk);
  return failure(404, 'not found', desk);
}

function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHmac('sha256', 'plivo').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

const apiId = (desk: Desk) => uuidOf(desk.hex(32));

function failure(
  status: number,
  error: string,
  desk: Desk,
  headers: Readonly<Record<string, string>> = {},
): VendorAnswer {
  return { status, headers, body: { api_id: apiId(desk), error } };
}

interface Message {
  readonly src?: unknown;
  readonly powerpack_uuid?: unknown;
  readonly dst?: unknown;
  readonly text?: unknown;
  readonly type?: unknown;
  readonly media_urls?: unknown;
  readonly message_expiry?: unknown;
  readonly url?: unknown;
}

async function send(request: VendorRequest, desk: Desk): Promise<Answer> {
  const { workspaceId } = request;
  const message = parse(request.body);
  const problem = message === undefined ? 'invalid JSON body' : problemOf(message);
  if (message === undefined || problem !== undefined) return failure(400, problem ?? '', desk);
  const to = `+${String(message.dst).replace('+', '')}`;
  const fate = desk.fateOf(workspaceId, to, 'plivo');
  if (fate.kind === 'quiet') return { fate: 'quiet' };
  if (fate.kind === 'slow') await desk.clock.sleep(fate.ms);
  const refused = refusedBy(fate, to, desk);
  if (refused !== undefined) return refused;
  const uuid = uuidOf(desk.hex(32));
  const url = typeof message.url === 'string' ? message.url : undefined;
  const text = typeof message.text === 'string' ? message.text : '';
  const pictures = Array.isArray(message.media_urls) ? message.media_urls.map(String) : [];
  const messageId = messageIdIn(url);
  const mail = {
    channel: 'sms',
    vendor: 'plivo',
    to,
    from: typeof message.src === 'string' ? message.src : ownNumber,
    title: text.slice(0, 80),
    shown: { text, ...(pictures.length === 0 ? {} : { pictures }) },
    ref: uuid,
    raw: request.body,
    ...(messageId === undefined ? {} : { messageId }),
    memo: { units: String(partsOf(text)), ...(url === undefined ? {} : { url }) },
  } as const;
  await desk.keep(workspaceId, mail);
  const kept: KeptMail = {
    ...mail,
    workspaceId,
    ...(request.callbackUrl === undefined ? {} : { callbackUrl: request.callbackUrl }),
  };
  for (const draft of storyOf(kept, fate, url, desk)) desk.later(workspaceId, draft);
  return { status: 202, body: { api_id: apiId(desk), message: 'message(s) queued', message_uuid: [uuid] } };
}

function parse(body: Buffer): Message | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function problemOf(message: Message): string | undefined {
  const {
    src,
    powerpack_uuid: pool,
    dst,
    text,
    type = 'sms',
    media_urls: media,
    message_expiry: expiry,
    url,
  } = message;
  if ((src === undefined) === (pool === undefined)) return 'one of src and powerpack_uuid must be given';
  if (src !== undefined && (typeof src !== 'string' || !/^(?:\+?\d{3,15}|[A-Za-z0-9 &_+-]{1,11})$/.test(src)))
    return 'src parameter not valid';
  if (typeof dst !== 'string' || dst === '') return 'dst parameter not present';
  if (!/^\+?[1-9]\d{6,14}$/.test(dst)) return `${dst} is not a valid dst number`;
  if (type !== 'sms' && type !== 'mms') return 'type parameter not valid';
  const pictures = Array.isArray(media) ? media.length : 0;
  if (type === 'sms' && (typeof text !== 'string' || text === '')) return 'text parameter not present';
  if (type === 'mms' && pictures === 0 && typeof text !== 'string') return 'media_urls parameter not present';
  if (pictures > most.pictures) return 'media_urls parameter has too many entries';
  if (typeof text === 'string' && text.length > most.length) return 'text parameter exceeds the maximum length';
  if (expiry !== undefined && !(typeof expiry === 'number' && expiry >= 5 && expiry <= 14_400))
    return 'message_expiry parameter not valid';
  if (url !== undefined && (typeof url !== 'string' || !URL.canParse(url))) return 'url parameter not valid';
  return undefined;
}

function refusedBy(fate: Fate, to: string, desk: Desk): VendorAnswer | undefined {
  switch (fate.kind) {
    case 'refuse':
      return failure(400, `${to} is not a valid dst number`, desk);
    case 'throttle':
      return failure(429, 'too many requests', desk, { 'retry-after': String(fate.afterSeconds) });
    case 'burst':
      return failure(fate.status, 'internal server error', desk);
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

/** What Plivo tells of a message as it goes. Who complains does it by a STOP. */
function storyOf(mail: KeptMail, fate: Fate, url: string | undefined, desk: Desk): readonly CallbackDraft[] {
  const after = smsTellsAfterMs;
  const told: CallbackDraft[] = [];
  if (url !== undefined) {
    const tell = (status: string, ms: number, code?: string) =>
      told.push(reportDraft(mail, url, status, ms, desk, code));
    tell('queued', after.queued);
    tell('sent', after.sent);
    const end = endOf(fate);
    const code = 'code' in fate ? fate.code : undefined;
    if (end === 'delivered') tell('delivered', after.delivered);
    else tell('undelivered', after.failed, code ?? (end === 'bounced' ? '70' : '30'));
  }
  const stop = fate.kind === 'complain' ? inboundDraft(mail, 'STOP', after.answered, desk) : undefined;
  return stop === undefined ? told : [...told, stop];
}

// --- callbacks ------------------------------------------------------------------------------------------------------

/** Numbers have no plus here. */
const bare = (number: string) => number.replace('+', '');

function reportDraft(
  mail: KeptMail,
  url: string,
  status: string,
  afterMs: number,
  desk: Desk,
  code?: string,
): CallbackDraft {
  const fields = {
    ErrorCode: code ?? '',
    From: bare(mail.from ?? ownNumber),
    MCC: '262',
    MNC: '01',
    MessageUUID: mail.ref,
    ParentMessageUUID: mail.ref,
    PartInfo: '1 of 1',
    Status: status,
    To: bare(mail.to),
    TotalAmount: '0.00350',
    TotalRate: '0.00350',
    Units: mail.memo?.['units'] ?? '1',
  };
  return signed(mail.workspaceId, url, fields, afterMs, desk);
}

function inboundDraft(mail: KeptMail, text: string, afterMs: number, desk: Desk): CallbackDraft | undefined {
  if (mail.callbackUrl === undefined) return undefined;
  const fields = {
    From: bare(mail.to),
    MessageUUID: uuidOf(desk.hex(32)),
    Text: text,
    To: bare(mail.from ?? ownNumber),
    TotalAmount: '0',
    TotalRate: '0',
    Type: 'sms',
    Units: String(partsOf(text)),
  };
  return signed(mail.workspaceId, mail.callbackUrl, fields, afterMs, desk);
}

/** HMAC-SHA256 over the address, its query by name, the fields by name, and a nonce. */
function signed(
  workspaceId: string,
  url: string,
  fields: Readonly<Record<string, string>>,
  afterMs: number,
  desk: Desk,
): CallbackDraft {
  const { origin, pathname, searchParams } = new URL(url);
  const query = [...searchParams].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${name}=${value}`);
  const names = Object.keys(fields).toSorted();
  const body = names.map((name) => `${name}${fields[name] ?? ''}`).join('');
  const canonical = `${origin}${pathname}?${query.join('&')}${query.length === 0 ? '' : '.'}${body}`;
  const nonce = BigInt(`0x${desk.hex(16)}`)
    .toString()
    .padStart(20, '0');
  const { authToken } = loginOf(workspaceId, desk);
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'user-agent': 'Plivo',
    'x-plivo-signature-v3': createHmac('sha256', authToken).update(`${canonical}.${nonce}`, 'utf8').digest('base64'),
    'x-plivo-signature-v3-nonce': nonce,
  };
  return { afterMs, method: 'POST', url, headers, body: new URLSearchParams(fields).toString() };
}
