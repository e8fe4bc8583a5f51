import { createHmac } from 'node:crypto';
import { composeMail } from '../compose.rules.ts';
import { delayOf, fateOfRequest, looksLikeAddress, tellsAfterMs } from '../mail-fate.rules.ts';
import type { CallbackDraft, Desk, Fate, Vendor, VendorAnswer, VendorRequest } from '../vendor.ts';

/**
 * Mailgun: `POST /v3/<domain>/messages` with recipient variables, `GET /v4/domains/<domain>`, `GET /v3/<domain>/events` and
 * signed webhooks. Checked against Mailgun's OpenAPI document (mailgun-mcp-server), the texts of api-sending and api-events,
 * the payloads of api-events.rst, and the signature vectors of mailgun-php. One domain is as good as another.
 */

export interface SentByMailgun {
  readonly to: string;
  readonly domain: string;
  /** Without the brackets. */
  readonly messageId: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly subject: string;
  readonly fate: Fate;
}

type Event = Readonly<Record<string, unknown>>;

const domain = 'mg.sandbox.example';
const mostRemembered = 5_000;

export function createMailgunVendor(): Vendor {
  const events = new Map<string, Event[]>();
  return {
    name: 'mailgun',
    accounts: [
      {
        kind: 'mailgun',
        channel: 'email',
        title: 'Mailgun',
        fields: (workspaceId, desk) => ({
          domain,
          region: 'us',
          apiKey: apiKey(workspaceId, desk),
          webhookSigningKey: signingKey(workspaceId, desk),
        }),
      },
    ],
    handle: async (request, desk) => {
      const wanted = `Basic ${Buffer.from(`api:${apiKey(request.workspaceId, desk)}`).toString('base64')}`;
      if (request.headers['authorization'] !== wanted)
        return { status: 401, headers: { 'content-type': 'text/plain' }, body: 'Forbidden' };
      const [, version, first = '', second] = request.path.split('/');
      if (request.method === 'GET' && version === 'v4' && first === 'domains' && second !== undefined)
        return { status: 200, body: { domain: { name: second, state: 'active', type: 'custom' } } };
      if (request.method === 'GET' && version === 'v3' && second === 'events')
        return list(events.get(request.workspaceId) ?? [], request);
      if (request.method === 'POST' && version === 'v3' && second === 'messages')
        return send(request, first, desk, events);
      return problem(404, 'not found');
    },
    act: (mail, act, desk) => {
      if (mail.callbackUrl === undefined || (act.kind !== 'bounce' && act.kind !== 'complain')) return undefined;
      const sent: SentByMailgun = {
        to: mail.to,
        domain,
        messageId: mail.ref,
        variables: mail.messageId === undefined ? {} : { 'parley-id': mail.messageId },
        subject: mail.title,
        fate: { kind: act.kind },
      };
      const name = act.kind === 'bounce' ? 'failed' : 'complained';
      return mailgunCallback(mail.workspaceId, mail.callbackUrl, sent, name, desk);
    },
  };
}

/** One event about one message, signed as of now. */
export function mailgunCallback(
  workspaceId: string,
  url: string,
  sent: SentByMailgun,
  name: string,
  desk: Desk,
): CallbackDraft {
  return draft(workspaceId, url, desk, 0, eventOf(desk, sent, name, 0));
}

function apiKey(workspaceId: string, desk: Desk): string {
  return `key-${desk.secret(workspaceId, 'mailgun-key').toString('hex').slice(0, 32)}`;
}

function signingKey(workspaceId: string, desk: Desk): string {
  return desk.secret(workspaceId, 'mailgun-webhook').toString('hex').slice(0, 32);
}

function problem(status: number, message: string): VendorAnswer {
  return { status, body: { message } };
}

async function formOf(request: VendorRequest): Promise<URLSearchParams | undefined> {
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('multipart/form-data')) return undefined;
  try {
    const form = await new Response(new Uint8Array(request.body), { headers: { 'content-type': type } }).formData();
    return new URLSearchParams(
      [...form].map(([name, value]) => [name, typeof value === 'string' ? value : value.name]),
    );
  } catch {
    return undefined;
  }
}

/** The words are Mailgun's. */
function firstProblem(form: URLSearchParams, recipients: readonly string[]): VendorAnswer | undefined {
  if (!form.has('from')) return problem(400, 'from parameter is missing');
  if (recipients.length === 0) return problem(400, 'to parameter is missing');
  if (!form.has('text') && !form.has('html'))
    return problem(400, "Need at least one of 'text' or 'html' parameters specified");
  if (recipients.length > 1000) return problem(400, 'Too many recipients, max is 1000');
  if (!recipients.every(looksLikeAddress))
    return problem(400, 'to parameter is not a valid address. please check documentation');
  let options = 0;
  for (const [name, value] of form) if (/^[ohvt]:/.test(name)) options += name.length + value.length;
  return options > 16_384
    ? problem(400, 'Send options (parameters starting with o:, h:, or v:) are limited to 16 kB total')
    : undefined;
}

async function send(
  request: VendorRequest,
  sender: string,
  desk: Desk,
  events: Map<string, Event[]>,
): Promise<VendorAnswer | { readonly fate: 'quiet' }> {
  const form = await formOf(request);
  if (form === undefined) return problem(400, 'malformed multipart/form-data request');
  const recipients = form.getAll('to').flatMap((to) => to.split(',').map((one) => one.trim()));
  const wrong = firstProblem(form, recipients);
  if (wrong !== undefined) return wrong;
  const variables = variablesOf(form);
  if (variables === undefined) return problem(400, 'recipient-variables is not valid JSON');
  const fates = recipients.map((to) => desk.fateOf(request.workspaceId, to, 'mailgun'));
  if (fates.some((fate) => fate.kind === 'refuse'))
    return problem(400, 'to parameter is not a valid address. please check documentation');
  const befallen = fateOfRequest(fates);
  if (befallen !== undefined) return answerOf(befallen, sender);
  const waitMs = delayOf(fates);
  if (waitMs > 0) await desk.clock.sleep(waitMs);

  const given = form.get('h:Message-Id')?.replace(/^<|>$/g, '');
  const messageId = given ?? `${timeText(desk)}.${desk.hex(16)}@${sender}`;
  for (const [place, to] of recipients.entries()) {
    const fill = (text: string) =>
      text.replace(/%recipient\.([\w-]+)%/g, (whole, name: string) => variables[to]?.[name] ?? whole);
    const sent: SentByMailgun = {
      to,
      domain: sender,
      messageId,
      variables: optionsOf(form, 'v:', fill),
      subject: fill(form.get('subject') ?? ''),
      fate: fates[place] ?? { kind: 'catch' },
    };
    await keep(request.workspaceId, desk, form, sent, fill);
    tell(request, desk, events, sent);
  }
  return { status: 200, body: { id: `<${messageId}>`, message: 'Queued. Thank you.' } };
}

function answerOf(
  fate: NonNullable<ReturnType<typeof fateOfRequest>>,
  sender: string,
): VendorAnswer | { readonly fate: 'quiet' } {
  switch (fate.kind) {
    case 'quiet':
      return { fate: 'quiet' };
    case 'malformed':
      return { status: 200, headers: { 'content-type': 'text/plain' }, body: 'Mailgun Magnificent API' };
    case 'throttle': {
      const words = `account-requests-per-sec limit exceeded, try again after ${fate.afterSeconds} seconds`;
      return problem(429, `Domain ${sender} is not allowed to send: ${words}`);
    }
    case 'burst':
      return problem(fate.status, 'Internal Server Error');
  }
}

function variablesOf(form: URLSearchParams): Readonly<Record<string, Readonly<Record<string, string>>>> | undefined {
  try {
    const parsed: unknown = JSON.parse(form.get('recipient-variables') ?? '{}');
    return typeof parsed === 'object' && parsed !== null
      ? (parsed as Record<string, Record<string, string>>)
      : undefined;
  } catch {
    return undefined;
  }
}

function optionsOf(form: URLSearchParams, prefix: string, fill: (text: string) => string): Record<string, string> {
  const options: Record<string, string> = {};
  for (const [name, value] of form) if (name.startsWith(prefix)) options[name.slice(prefix.length)] = fill(value);
  return options;
}

async function keep(
  workspaceId: string,
  desk: Desk,
  form: URLSearchParams,
  sent: SentByMailgun,
  fill: (text: string) => string,
): Promise<void> {
  const [text, html] = [form.get('text'), form.get('html')];
  const from = form.get('from') ?? '';
  const messageId = sent.variables['parley-id'];
  await desk.keep(workspaceId, {
    channel: 'email',
    vendor: 'mailgun',
    to: sent.to,
    from,
    title: sent.subject,
    ...(messageId === undefined ? {} : { messageId }),
    ref: sent.messageId,
    raw: composeMail({
      from,
      to: sent.to,
      subject: sent.subject,
      ...(text === null ? {} : { text: fill(text) }),
      ...(html === null ? {} : { html: fill(html) }),
      headers: { 'Message-Id': `<${sent.messageId}>`, ...optionsOf(form, 'h:', fill) },
      date: desk.clock.now(),
      boundary: `mg-${desk.hex(24)}`,
    }),
  });
}

function timeText(desk: Desk): string {
  return desk.clock.now().toString().slice(0, 19).replace(/[-:T]/g, '');
}

/** What will be told, of all accounts; a webhook gets it where one is set up, and the events API has it at once. */
function tell(request: VendorRequest, desk: Desk, events: Map<string, Event[]>, sent: SentByMailgun): void {
  const { kind } = sent.fate;
  const isLost = kind === 'bounce' || kind === 'block';
  const told: (readonly [number, string])[] = [
    [tellsAfterMs.taken, 'accepted'],
    [tellsAfterMs.delivered, isLost ? 'failed' : 'delivered'],
    ...(kind === 'complain' ? [[tellsAfterMs.complained, 'complained'] as const] : []),
  ];
  const rows = events.get(request.workspaceId) ?? [];
  for (const [afterMs, name] of told) {
    const event = eventOf(desk, sent, name, afterMs);
    rows.push(event);
    if (request.callbackUrl !== undefined)
      desk.later(request.workspaceId, draft(request.workspaceId, request.callbackUrl, desk, afterMs, event));
  }
  events.set(request.workspaceId, rows.slice(-mostRemembered));
}

function eventOf(desk: Desk, sent: SentByMailgun, name: string, afterMs: number): Event {
  const seconds = (desk.clock.now().epochMilliseconds + afterMs) / 1000;
  return {
    event: name,
    id: Buffer.from(desk.hex(32), 'hex').toString('base64url'),
    timestamp: seconds,
    'log-level': name === 'failed' ? 'error' : 'info',
    ...(name === 'failed' ? failureOf(sent.fate) : {}),
    ...(name === 'delivered' ? { 'delivery-status': { code: 250, message: 'OK', 'attempt-no': 1 } } : {}),
    message: {
      headers: { to: sent.to, 'message-id': sent.messageId, subject: sent.subject },
      attachments: [],
      size: 1000,
    },
    recipient: sent.to,
    'recipient-domain': sent.to.slice(sent.to.lastIndexOf('@') + 1),
    campaigns: [],
    tags: [],
    'user-variables': sent.variables,
  };
}

function failureOf(fate: Fate): Event {
  const isBlock = fate.kind === 'block';
  const message = isBlock ? '5.7.1 The message was refused as spam' : '5.1.1 The email account does not exist';
  return {
    severity: 'permanent',
    reason: isBlock ? 'generic' : 'bounce',
    'delivery-status': {
      code: 550,
      'enhanced-code': isBlock ? '5.7.1' : '5.1.1',
      message,
      description: '',
      'attempt-no': 1,
      ...(isBlock ? {} : { 'bounce-type': 'hard' }),
    },
  };
}

function list(rows: readonly Event[], request: VendorRequest): VendorAnswer {
  const { query } = request;
  const begin = Number(query.get('begin') ?? 0);
  const recipient = query.get('recipient');
  const items = rows
    .filter((event) => Number(event['timestamp']) >= begin && (recipient === null || event['recipient'] === recipient))
    .slice(0, Number(query.get('limit') ?? 100));
  return { status: 200, body: { items, paging: {} } };
}

function draft(workspaceId: string, url: string, desk: Desk, afterMs: number, event: Event): CallbackDraft {
  const timestamp = String(Math.floor((desk.clock.now().epochMilliseconds + afterMs) / 1000));
  const token = desk.hex(50);
  const signature = createHmac('sha256', signingKey(workspaceId, desk))
    .update(timestamp + token)
    .digest('hex');
  return {
    afterMs,
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', 'user-agent': 'Go-http-client/2.0' },
    body: JSON.stringify({ signature: { timestamp, token, signature }, 'event-data': event }),
  };
}
