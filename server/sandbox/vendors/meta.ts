import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Desk, Fate, Vendor, VendorAnswer, VendorMail, VendorRequest } from '../vendor.ts';
import { categoryOf, isFields, lookOf, messageProblem, sampleTemplates, waIdOf, wamidOf } from './meta.rules.ts';
import type { Fields, GraphProblem } from './meta.rules.ts';
import { displayNumber, failures, identityOf, metaWebhooks } from './meta-webhooks.ts';
import type { MetaWebhooks, SentByMeta } from './meta-webhooks.ts';

/**
 * Meta's WhatsApp Cloud API: `POST /v23.0/{phone-number-id}/messages` and `/marketing_messages`, `GET /v23.0/{phone-number-id}`,
 * `GET /v23.0/{waba-id}/message_templates`, and the webhooks of statuses, messages and user_preferences, signed as
 * X-Hub-Signature-256. Checked against facebook/openapi business-messaging-api_v23.0.yaml (send_message_requests and
 * _responses, webhooks_inbound), the status webhooks of pywa's samples, errors/meta_whatsapp.json, and the scheme of
 * x_hub_signature_256.json.
 *
 * It keeps the 24 hours: what is no template fails (131047) unless the person wrote, which `reply` in the inbox does. It keeps
 * the pair rate (131056). Not the throughput of a number, which a scenario can play, and not the tiers. What it remembers of
 * windows and pairs is gone with the process.
 */

interface Memory {
  /** By workspace and number, in milliseconds: when the person last wrote, and when the pair is even again. */
  readonly wrote: Map<string, number>;
  readonly pairs: Map<string, number>;
}

const mostRemembered = 100_000;
const dayMs = 86_400_000;
const pairEveryMs = 6_000;
const pairBurst = 45;
/** The time it takes to reach a phone, and a person to look at it. */
const afterMs = { sent: 250, delivered: 1_200, read: 6_000, failed: 700, stopped: 8_000 } as const;

export function createMetaVendor(): Vendor {
  const memory: Memory = { wrote: new Map(), pairs: new Map() };
  return {
    name: 'meta',
    accounts: [
      {
        kind: 'meta',
        channel: 'whatsapp',
        title: 'WhatsApp (Meta)',
        fields: (workspaceId, desk) => ({ ...identityOf(workspaceId, desk) }),
      },
    ],
    handle: (request, desk) => handle(memory, request, desk),
    act: (mail, act, desk) => {
      if (mail.callbackUrl === undefined) return undefined;
      const waId = mail.to.replace(/\D/g, '');
      const messageId = mail.messageId === undefined ? {} : { messageId: mail.messageId };
      const sent = { wamid: mail.ref, waId, category: mail.memo?.['category'] ?? 'utility', ...messageId };
      const webhooks = metaWebhooks(mail.workspaceId, mail.callbackUrl, desk);
      switch (act.kind) {
        case 'read':
          return webhooks.status(sent, 0, 'read');
        case 'bounce':
          return webhooks.status(sent, 0, { failed: '131026' });
        case 'complain':
          return webhooks.stopped(waId, 0);
        case 'reply':
          remember(memory.wrote, key(mail.workspaceId, waId), desk.clock.now().epochMilliseconds);
          return webhooks.reply(sent, act.text);
      }
    },
  };
}

// --- who is who -----------------------------------------------------------------------------------------------------

const key = (workspaceId: string, waId: string) => `${workspaceId}:${waId}`;

function remember(map: Map<string, number>, name: string, value: number): void {
  map.delete(name);
  map.set(name, value);
  if (map.size > mostRemembered) map.delete(map.keys().next().value ?? '');
}

// --- calls ----------------------------------------------------------------------------------------------------------

async function handle(
  memory: Memory,
  request: VendorRequest,
  desk: Desk,
): Promise<VendorAnswer | { readonly fate: 'quiet' }> {
  const identity = identityOf(request.workspaceId, desk);
  if (!isSame(request.headers['authorization'] ?? '', `Bearer ${identity.accessToken}`))
    return refusal({ status: 401, code: 190, message: 'Invalid OAuth access token - Cannot parse access token' }, desk);
  const [, version = '', id = '', edge = ''] = request.path.split('/');
  const { phoneNumberId: phone, businessAccountId: waba } = identity;
  const route = `${request.method} ${edge}`;
  if (!/^v\d{1,2}\.\d$/.test(version)) return unknownObject(id, desk);
  if (id === phone && (route === 'POST messages' || route === 'POST marketing_messages'))
    return send(memory, request, desk);
  if (id === phone && route === 'GET ') return { status: 200, body: numberBody(phone) };
  if (id === waba && route === 'GET message_templates') return templatePage(request.query);
  if (id === waba && route === 'GET ') return { status: 200, body: { id: waba, name: 'Parley sandbox' } };
  return unknownObject(id, desk);
}

function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHmac('sha256', 'meta').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

function refusal(problem: GraphProblem, desk: Desk, headers: Readonly<Record<string, string>> = {}): VendorAnswer {
  const { status, code, message, details, subcode } = problem;
  const error = {
    message: `(#${code}) ${message}`,
    type: 'OAuthException',
    code,
    ...(subcode === undefined ? {} : { error_subcode: subcode }),
    ...(details === undefined ? {} : { error_data: { messaging_product: 'whatsapp', details } }),
    fbtrace_id: `A${desk.hex(22)}`,
  };
  return { status, headers, body: { error } };
}

function unknownObject(id: string, desk: Desk): VendorAnswer {
  const message = `Unsupported request. Object with ID '${id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation.`;
  return refusal({ status: 400, code: 100, subcode: 33, message }, desk);
}

function numberBody(phone: string): object {
  return {
    verified_name: 'Parley sandbox',
    display_phone_number: '+1 555-000-1111',
    quality_rating: 'GREEN',
    throughput: { level: 'STANDARD' },
    whatsapp_business_manager_messaging_limit: 'TIER_UNLIMITED',
    id: phone,
  };
}

function templatePage(query: URLSearchParams): VendorAnswer {
  const name = query.get('name');
  const all = sampleTemplates.filter((one) => name === null || one['name'] === name);
  const limit = Math.min(Math.max(Number(query.get('limit') ?? '25') || 25, 1), 1000);
  const from = Number(Buffer.from(query.get('after') ?? '', 'base64url').toString()) || 0;
  const data = all.slice(from, from + limit);
  const cursor = (at: number) => Buffer.from(String(at)).toString('base64url');
  const cursors = { before: cursor(from), after: cursor(from + data.length) };
  const next = from + data.length < all.length ? { next: 'https://graph.facebook.com/' } : {};
  return { status: 200, body: { data, paging: { cursors, ...next } } };
}

// --- sending --------------------------------------------------------------------------------------------------------

async function send(
  memory: Memory,
  request: VendorRequest,
  desk: Desk,
): Promise<VendorAnswer | { readonly fate: 'quiet' }> {
  const body = parse(request.body);
  if (body === undefined) return refusal({ status: 400, code: 100, message: 'Invalid parameter' }, desk);
  const problem = messageProblem(body, sampleTemplates);
  if (problem !== undefined) return refusal(problem, desk);
  const waId = waIdOf(body['to']) ?? '';
  const fate = desk.fateOf(request.workspaceId, `+${waId}`, 'meta');
  if (fate.kind === 'quiet') return { fate: 'quiet' };
  if (fate.kind === 'slow') await desk.clock.sleep(fate.ms);
  const answer = answerOf(fate, desk);
  if (answer !== undefined) return answer;
  if (!takesPair(memory, key(request.workspaceId, waId), desk))
    return refusal(
      { status: 400, code: 131056, message: '(Business Account, Consumer Account) pair rate limit hit' },
      desk,
    );
  const carried = body['biz_opaque_callback_data'];
  const sent: SentByMeta = {
    wamid: wamidOf(waId, desk.hex(18)),
    waId,
    category: categoryOf(body, sampleTemplates),
    ...(typeof carried === 'string' && carried !== '' ? { messageId: carried } : {}),
  };
  await desk.keep(request.workspaceId, mailOf(request, body, sent));
  if (request.callbackUrl !== undefined) {
    const webhooks = metaWebhooks(request.workspaceId, request.callbackUrl, desk);
    const isFree = body['type'] !== 'template' && !isWindowOpen(memory, key(request.workspaceId, waId), desk);
    for (const draft of storyOf(sent, fate, isFree, webhooks)) desk.later(request.workspaceId, draft);
  }
  const messages = [{ id: sent.wamid, ...(body['type'] === 'template' ? { message_status: 'accepted' } : {}) }];
  const contacts = [{ input: body['to'], wa_id: waId }];
  return { status: 200, body: { messaging_product: 'whatsapp', contacts, messages } };
}

function parse(body: Buffer): Fields | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return isFields(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** Twilio's magic numbers, in Meta's codes. */
const metaCodes: Readonly<Record<string, string>> = {
  '21211': '131026',
  '21612': '131026',
  '21614': '131026',
  '21408': '130497',
  '21610': '131050',
};

function answerOf(fate: Fate, desk: Desk): VendorAnswer | undefined {
  switch (fate.kind) {
    case 'refuse': {
      const code = metaCodes[fate.code ?? '21211'] ?? fate.code ?? '131026';
      const { title, details } = failures[code] ?? { title: 'The sandbox refuses this message', details: undefined };
      const problem = { status: 400, code: Number(code) || 131000, message: title };
      return refusal(details === undefined ? problem : { ...problem, details }, desk);
    }
    case 'throttle': {
      const headers = { 'retry-after': String(fate.afterSeconds) };
      return refusal(
        {
          status: 429,
          code: 130429,
          message: 'Rate limit hit',
          details:
            'Message failed to send because there were too many messages sent from this phone number in a short period of time',
        },
        desk,
        headers,
      );
    }
    case 'burst': {
      const isDown = fate.status === 503;
      return refusal(
        {
          status: fate.status,
          code: isDown ? 131016 : 2,
          message: isDown
            ? 'Service unavailable'
            : 'An unexpected error has occurred. Please retry your request later.',
        },
        desk,
      );
    }
    case 'malformed':
      return { status: 200, headers: { 'content-type': 'text/html' }, body: '<!DOCTYPE html><title>Error</title>' };
    case 'catch':
    case 'slow':
    case 'quiet':
    case 'bounce':
    case 'block':
    case 'complain':
      return undefined;
  }
}

/** One message in six seconds, up to 45 of them ahead of their time. */
function takesPair(memory: Memory, pair: string, desk: Desk): boolean {
  const now = desk.clock.now().epochMilliseconds;
  const evenAt = Math.max(memory.pairs.get(pair) ?? now, now);
  if (evenAt - now > (pairBurst - 1) * pairEveryMs) return false;
  remember(memory.pairs, pair, evenAt + pairEveryMs);
  return true;
}

function mailOf(request: VendorRequest, body: Fields, sent: SentByMeta): VendorMail {
  const { title, ...shown } = lookOf(body, sampleTemplates);
  return {
    channel: 'whatsapp',
    vendor: 'meta',
    to: `+${sent.waId}`,
    from: `+${displayNumber}`,
    title,
    shown,
    ref: sent.wamid,
    raw: request.body,
    memo: { category: sent.category },
    ...(sent.messageId === undefined ? {} : { messageId: sent.messageId }),
  };
}

// --- what becomes of it ---------------------------------------------------------------------------------------------

function isWindowOpen(memory: Memory, pair: string, desk: Desk): boolean {
  const wroteAt = memory.wrote.get(pair);
  return wroteAt !== undefined && desk.clock.now().epochMilliseconds < wroteAt + dayMs;
}

/** What Meta tells of a message in the end; `isOutside`: it is no template, and the person has not written for 24 hours. */
function storyOf(sent: SentByMeta, fate: Fate, isOutside: boolean, webhooks: MetaWebhooks) {
  const failed = (code: string) => [webhooks.status(sent, afterMs.failed, { failed: code })];
  if (fate.kind === 'bounce') return failed(fate.code ?? '131026');
  if (fate.kind === 'block') return failed(fate.code ?? '131049');
  if (isOutside) return failed('131047');
  const last =
    fate.kind === 'complain'
      ? webhooks.stopped(sent.waId, afterMs.stopped)
      : webhooks.status(sent, afterMs.read, 'read');
  return [webhooks.status(sent, afterMs.sent, 'sent'), webhooks.status(sent, afterMs.delivered, 'delivered'), last];
}
