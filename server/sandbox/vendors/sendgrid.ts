import { createECDH, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { composeMail, mailboxOf } from '../compose.rules.ts';
import { delayOf, fateOfRequest, looksLikeAddress, tellsAfterMs } from '../mail-fate.rules.ts';
import type { CallbackDraft, Desk, Fate, Vendor, VendorAnswer, VendorRequest } from '../vendor.ts';

/**
 * Twilio SendGrid: `POST /v3/mail/send`, `GET /v3/scopes`, `GET /v3/messages` (Email Activity) and the signed Event Webhook.
 * Checked against sendgrid-oai tsg_mail_v3.json and tsg_webhooks_v3.json, the error bodies of the mail/send reference, the
 * signature vectors of sendgrid-nodejs eventwebhook.spec.js, and the payloads of the Event Webhook reference.
 */

interface Personalization {
  readonly to?: readonly { readonly email?: unknown }[];
  readonly subject?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly substitutions?: Readonly<Record<string, string>>;
  readonly custom_args?: Readonly<Record<string, string>>;
}

interface MailSend {
  readonly personalizations?: readonly Personalization[];
  readonly from?: { readonly email?: unknown; readonly name?: string };
  readonly reply_to?: { readonly email: string; readonly name?: string };
  readonly subject?: string;
  readonly content?: readonly { readonly type: string; readonly value: string }[];
  readonly headers?: Readonly<Record<string, string>>;
}

export interface SentBySendGrid {
  readonly to: string;
  readonly messageId: string;
  readonly smtpId: string;
  readonly args: Readonly<Record<string, string>>;
  readonly fate: Fate;
}

interface Activity {
  readonly args: Readonly<Record<string, string>>;
  readonly row: Readonly<Record<string, unknown>>;
}

const mostRemembered = 5_000;
const maxBytes = 30 * 1024 * 1024;

export function createSendGridVendor(): Vendor {
  const activity = new Map<string, Activity[]>();
  return {
    name: 'sendgrid',
    accounts: [
      {
        kind: 'sendgrid',
        channel: 'email',
        title: 'SendGrid',
        fields: (workspaceId, desk) => ({
          region: 'global',
          apiKey: apiKey(workspaceId, desk),
          webhookPublicKey: publicKey(signingKey(workspaceId, desk)),
          emailActivity: true,
        }),
      },
    ],
    handle: async (request, desk) => {
      if (request.headers['authorization'] !== `Bearer ${apiKey(request.workspaceId, desk)}`)
        return refusal(401, 'The provided authorization grant is invalid, expired, or revoked');
      const route = `${request.method} ${request.path}`;
      if (route === 'GET /v3/scopes') return { status: 200, body: { scopes: ['mail.send', 'messages.read'] } };
      if (route === 'GET /v3/messages') return list(activity.get(request.workspaceId) ?? [], request);
      if (request.path !== '/v3/mail/send') return refusal(404, 'not found');
      if (request.method !== 'POST') return refusal(405, 'method not allowed');
      return mailSend(request, desk, activity);
    },
    act: (mail, act, desk) => {
      if (mail.callbackUrl === undefined || (act.kind !== 'bounce' && act.kind !== 'complain')) return undefined;
      const sent: SentBySendGrid = {
        to: mail.to,
        messageId: mail.ref,
        smtpId: mail.memo?.['smtpId'] ?? '',
        args: mail.messageId === undefined ? {} : { parley_id: mail.messageId },
        fate: { kind: act.kind },
      };
      const key = signingKey(mail.workspaceId, desk);
      return draft(mail.callbackUrl, key, desk, 0, [
        event(desk, sent, act.kind === 'bounce' ? 'bounce' : 'spamreport', 0),
      ]);
    },
  };
}

/** One event about one message, signed as of now. */
export function sendGridCallback(
  workspaceId: string,
  url: string,
  sent: SentBySendGrid,
  name: string,
  desk: Desk,
): CallbackDraft {
  return draft(url, signingKey(workspaceId, desk), desk, 0, [event(desk, sent, name, 0)]);
}

function apiKey(workspaceId: string, desk: Desk): string {
  const secret = desk.secret(workspaceId, 'sendgrid-key').toString('base64url');
  return `SG.${secret.slice(0, 22)}.${secret.padEnd(43, '0').slice(0, 43)}`;
}

/** A key pair made of the workspace's secret, so that it is the same after a restart. */
function signingKey(workspaceId: string, desk: Desk): KeyObject {
  const secret = Buffer.from(desk.secret(workspaceId, 'sendgrid-webhook'));
  // Below the order of the group, which begins with FFFFFFFF00000000.
  secret[0] = 1;
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(secret.subarray(0, 32));
  const point = pair.getPublicKey();
  const part = (from: number) => point.subarray(from, from + 32).toString('base64url');
  const d = pair.getPrivateKey().toString('base64url');
  return createPrivateKey({ key: { kty: 'EC', crv: 'P-256', x: part(1), y: part(33), d }, format: 'jwk' });
}

function publicKey(key: KeyObject): string {
  return createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64');
}

function refusal(status: number, message: string, field: string | null = null): VendorAnswer {
  return { status, body: { errors: [{ message, field, help: null }] } };
}

async function mailSend(
  request: VendorRequest,
  desk: Desk,
  activity: Map<string, Activity[]>,
): Promise<VendorAnswer | { readonly fate: 'quiet' }> {
  if (request.body.length > maxBytes)
    return refusal(413, 'The JSON payload you have included in your request is too large.');
  const mail = parse(request.body);
  if (mail === undefined) return refusal(400, 'Bad Request');
  const wrong = firstProblem(mail);
  if (wrong !== undefined) return wrong;
  const people = mail.personalizations ?? [];
  const fates = people.map((one) => desk.fateOf(request.workspaceId, recipientOf(one), 'sendgrid'));
  const refused = fates.findIndex((fate) => fate.kind === 'refuse');
  if (refused >= 0) return refusal(400, 'Does not contain a valid address.', `personalizations.${refused}.to.0.email`);
  const befallen = fateOfRequest(fates);
  if (befallen !== undefined) return answerOf(befallen, desk);
  const waitMs = delayOf(fates);
  if (waitMs > 0) await desk.clock.sleep(waitMs);

  const messageId = `${desk.hex(22)}`;
  const sent: SentBySendGrid[] = [];
  for (const [place, one] of people.entries()) {
    const headers = { ...mail.headers, ...one.headers };
    const smtpId = headers['Message-ID'] ?? `<${messageId}.${place}@geopod-ismtpd-1>`;
    const taken: SentBySendGrid = {
      to: recipientOf(one),
      messageId: `${messageId}.recvd-${desk.hex(10)}-${place}`,
      smtpId,
      args: one.custom_args ?? {},
      fate: fates[place] ?? { kind: 'catch' },
    };
    await keep(request.workspaceId, desk, mail, one, taken);
    sent.push(taken);
  }
  remember(activity, request.workspaceId, desk, sent);
  if (request.callbackUrl !== undefined) tell(request.workspaceId, request.callbackUrl, desk, sent);
  return { status: 202, headers: { 'x-message-id': messageId } };
}

function answerOf(fate: NonNullable<ReturnType<typeof fateOfRequest>>, desk: Desk): VendorAnswer | { fate: 'quiet' } {
  switch (fate.kind) {
    case 'quiet':
      return { fate: 'quiet' };
    case 'malformed':
      return { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>It works!</html>' };
    case 'throttle': {
      const reset = Math.ceil(desk.clock.now().epochMilliseconds / 1000) + fate.afterSeconds;
      const headers = { 'x-ratelimit-limit': '600', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(reset) };
      return { ...refusal(429, 'too many requests'), headers };
    }
    case 'burst':
      return refusal(fate.status, 'Internal Server Error');
  }
}

function parse(body: Buffer): MailSend | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function recipientOf(one: Personalization): string {
  return String(one.to?.[0]?.email);
}

/** The words are SendGrid's. */
function firstProblem(mail: MailSend): VendorAnswer | undefined {
  const people = mail.personalizations ?? [];
  if (!looksLikeAddress(mail.from?.email))
    return refusal(400, 'The from email does not contain a valid address.', 'from.email');
  if (people.length === 0)
    return refusal(
      400,
      'The personalizations field is required and must have at least one personalization.',
      'personalizations',
    );
  if (people.length > 1000)
    return refusal(
      400,
      'The personalization block is limited to 1000 personalizations per API request.',
      'personalizations',
    );
  for (const [place, one] of people.entries()) {
    if (!looksLikeAddress(one.to?.[0]?.email))
      return refusal(400, 'Does not contain a valid address.', `personalizations.${place}.to.0.email`);
    if (JSON.stringify(one.substitutions ?? {}).length > 10_000)
      return refusal(
        400,
        'The substitutions are limited to 10000 bytes per personalization.',
        `personalizations.${place}.substitutions`,
      );
    if ((one.subject ?? mail.subject ?? '') === '')
      return refusal(
        400,
        'The subject is required. You can get around this requirement if you use a template with a subject defined or if every personalization has a subject defined.',
        'subject',
      );
  }
  const { content = [] } = mail;
  if (content.length === 0 || content.some(({ value }) => value === ''))
    return refusal(400, 'The content value must be a string at least one character in length.', 'content.0.value');
  const plainAt = content.findIndex(({ type }) => type === 'text/plain');
  return plainAt > 0 ? refusal(400, 'If present, text/plain must be first.', 'content') : undefined;
}

async function keep(
  workspaceId: string,
  desk: Desk,
  mail: MailSend,
  one: Personalization,
  sent: SentBySendGrid,
): Promise<void> {
  const fill = (text: string) =>
    Object.entries(one.substitutions ?? {}).reduce((whole, [tag, value]) => whole.replaceAll(tag, () => value), text);
  const part = (type: string) => mail.content?.find((content) => content.type === type)?.value;
  const [text, html] = [part('text/plain'), part('text/html')];
  const subject = fill(one.subject ?? mail.subject ?? '');
  const from = mailboxOf(String(mail.from?.email), mail.from?.name);
  const replyTo = mail.reply_to === undefined ? {} : { 'Reply-To': mailboxOf(mail.reply_to.email, mail.reply_to.name) };
  const messageId = sent.args['parley_id'];
  await desk.keep(workspaceId, {
    channel: 'email',
    vendor: 'sendgrid',
    to: sent.to,
    from,
    title: subject,
    ...(messageId === undefined ? {} : { messageId }),
    ref: sent.messageId,
    memo: { smtpId: sent.smtpId },
    raw: composeMail({
      from,
      to: sent.to,
      subject,
      ...(text === undefined ? {} : { text: fill(text) }),
      ...(html === undefined ? {} : { html: fill(html) }),
      headers: { 'Message-ID': sent.smtpId, ...replyTo, ...mail.headers, ...one.headers },
      date: desk.clock.now(),
      boundary: `sg-${desk.hex(24)}`,
    }),
  });
}

function remember(
  activity: Map<string, Activity[]>,
  workspaceId: string,
  desk: Desk,
  sent: readonly SentBySendGrid[],
): void {
  const rows = activity.get(workspaceId) ?? [];
  const at = desk.clock.now().round('second').toString();
  for (const { args, messageId, to, fate } of sent) {
    const status = fate.kind === 'bounce' || fate.kind === 'block' ? 'not_delivered' : 'delivered';
    rows.push({
      args,
      row: { msg_id: messageId, to_email: to, status, opens_count: 0, clicks_count: 0, last_event_time: at },
    });
  }
  activity.set(workspaceId, rows.slice(-mostRemembered));
}

/** Only the query Parley asks: `unique_args['name']="value"`. */
function list(rows: readonly Activity[], request: VendorRequest): VendorAnswer {
  const asked = /^unique_args\['([^']+)'\]="([^"]*)"$/.exec(request.query.get('query') ?? '');
  if (asked === null) return refusal(400, 'invalid query', 'query');
  const [, name = '', value = ''] = asked;
  return { status: 200, body: { messages: rows.filter(({ args }) => args[name] === value).map(({ row }) => row) } };
}

/** Events of one moment come in one request, as SendGrid gathers them. */
function tell(workspaceId: string, url: string, desk: Desk, sent: readonly SentBySendGrid[]): void {
  const key = signingKey(workspaceId, desk);
  const post = (afterMs: number, people: readonly SentBySendGrid[], name: (one: SentBySendGrid) => string) => {
    if (people.length === 0) return;
    const events = people.map((one) => event(desk, one, name(one), afterMs));
    desk.later(workspaceId, draft(url, key, desk, afterMs, events));
  };
  post(tellsAfterMs.taken, sent, () => 'processed');
  post(tellsAfterMs.delivered, sent, ({ fate }) =>
    fate.kind === 'bounce' || fate.kind === 'block' ? 'bounce' : 'delivered',
  );
  post(
    tellsAfterMs.complained,
    sent.filter(({ fate }) => fate.kind === 'complain'),
    () => 'spamreport',
  );
}

function event(desk: Desk, sent: SentBySendGrid, name: string, afterMs: number): object {
  const isBlock = sent.fate.kind === 'block';
  const bounce = isBlock
    ? {
        reason: '550 5.7.1 The message was refused as spam',
        status: '5.7.1',
        type: 'blocked',
        bounce_classification: 'Content',
      }
    : {
        reason: '550 5.1.1 The email account does not exist',
        status: '5.1.1',
        type: 'bounce',
        bounce_classification: 'Invalid Address',
      };
  return {
    email: sent.to,
    timestamp: Math.floor((desk.clock.now().epochMilliseconds + afterMs) / 1000),
    'smtp-id': sent.smtpId,
    event: name,
    sg_event_id: Buffer.from(desk.hex(32), 'hex').toString('base64url'),
    sg_message_id: sent.messageId,
    ...(name === 'delivered' ? { response: '250 2.0.0 OK' } : {}),
    ...(name === 'bounce' ? bounce : {}),
    ...sent.args,
  };
}

function draft(url: string, key: KeyObject, desk: Desk, afterMs: number, events: readonly object[]): CallbackDraft {
  const timestamp = String(Math.floor((desk.clock.now().epochMilliseconds + afterMs) / 1000));
  // Line breaks between the events and at the end, as SendGrid writes them; they are signed too.
  const body = `[${events.map((one) => JSON.stringify(one)).join(',\r\n')}]\r\n`;
  const signature = sign('sha256', Buffer.from(timestamp + body), { key, dsaEncoding: 'der' }).toString('base64');
  return {
    afterMs,
    method: 'POST',
    url,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'SendGrid Event API',
      'x-twilio-email-event-webhook-signature': signature,
      'x-twilio-email-event-webhook-timestamp': timestamp,
    },
    body,
  };
}
