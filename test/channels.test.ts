import { createECDH, createHmac, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../bench/rig.ts';
import { openWorld } from './world.ts';
import type { Answer, World } from './world.ts';

/**
 * A message of every channel goes the whole way, through the real adapter of every vendor, against the vendor that the
 * sandbox plays: account, template, person, consent, call of the API, the vendor's inbox, and its callback back to us.
 */
let world: World;
beforeAll(async () => {
  world = await openWorld();
  await made('POST', '/topics', { key: 'news', name: 'News' });
}, 120_000);
afterAll(() => world.close());

type Json = Record<string, unknown>;

const api = (method: string, path: string, body?: unknown): Promise<Answer> =>
  world.ask(method, `/api/v1${path}`, { key: world.key, ...(body === undefined ? {} : { body }) });

async function made(method: string, path: string, body?: unknown): Promise<Json> {
  const answer = await api(method, path, body);
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.json ?? {};
}

const idOf = (json: Json): string => String(json['id']);

interface Address {
  readonly kind: 'email' | 'phone' | 'push';
  readonly value: string;
}

interface Way {
  readonly kind: string;
  readonly channel: 'email' | 'sms' | 'whatsapp' | 'push' | 'inapp';
  /** Of the template. */
  readonly fields: Json;
  readonly address: () => Address | undefined;
  /** In the caught message, where there is one. */
  readonly says?: string;
  /** The vendor tells nothing of a delivery, or has nobody who would: it stays accepted. */
  readonly ends: 'delivered' | 'accepted';
}

const hex = (bytes: number) => randomBytes(bytes).toString('hex');
let numbers = 0;
/** German mobile numbers: a landline would get no SMS, an American no advertising on WhatsApp. */
const phone = () => ({ kind: 'phone' as const, value: `+49151234567${String((numbers += 1)).padStart(2, '0')}` });
const email = () => ({ kind: 'email' as const, value: `${hex(6)}@example.com` });

/** As the sandbox's browsers have their keys: derived from their names. */
function subscription(name: string): string {
  const secret = (use: string) =>
    createHmac('sha256', world.test.vault.derive('sandbox'))
      .update(`sandbox-secret:${world.workspaceId}:${use}`)
      .digest();
  const browser = createECDH('prime256v1');
  browser.setPrivateKey(secret(`webpush-key:${name}`));
  const keys = {
    p256dh: browser.getPublicKey('base64url'),
    auth: secret(`webpush-auth:${name}`).subarray(0, 16).toString('base64url'),
  };
  return JSON.stringify({ endpoint: `http://sandbox.localhost/webpush/push/${name}`, keys });
}

const mail = {
  subject: 'Hello {{ contact.first_name }}',
  html: '<p>Look <a href="https://shop.example/">here</a></p>',
};
const text = { text: 'Hello {{ contact.first_name }}, look: https://shop.example/?q={{ contact.first_name }}.' };
const notice = { title: 'Hello {{ contact.first_name }}', body: 'Something came', url: 'https://shop.example/' };
const approved = {
  content: { kind: 'template', name: 'order_update', language: 'en_US', body: ['{{ contact.first_name }}', '42'] },
};

const ways: readonly Way[] = [
  { kind: 'sandbox', channel: 'email', fields: mail, address: email, says: 'Hello Ada', ends: 'accepted' },
  { kind: 'inapp', channel: 'inapp', fields: notice, address: email, ends: 'accepted' },
  { kind: 'sendgrid', channel: 'email', fields: mail, address: email, says: 'Hello Ada', ends: 'delivered' },
  { kind: 'ses', channel: 'email', fields: mail, address: email, says: 'Hello Ada', ends: 'delivered' },
  { kind: 'mailgun', channel: 'email', fields: mail, address: email, says: 'Hello Ada', ends: 'delivered' },
  { kind: 'twilio', channel: 'sms', fields: text, address: phone, says: 'Hello Ada', ends: 'delivered' },
  { kind: 'sns', channel: 'sms', fields: text, address: phone, says: 'Hello Ada', ends: 'delivered' },
  { kind: 'plivo', channel: 'sms', fields: text, address: phone, says: 'Hello Ada', ends: 'delivered' },
  { kind: 'meta', channel: 'whatsapp', fields: approved, address: phone, ends: 'delivered' },
  { kind: 'twilio-whatsapp', channel: 'whatsapp', fields: approved, address: phone, ends: 'delivered' },
  {
    kind: 'fcm',
    channel: 'push',
    fields: notice,
    address: () => ({ kind: 'push', value: `fcm:${hex(40)}` }),
    ends: 'accepted',
  },
  {
    kind: 'apns',
    channel: 'push',
    fields: notice,
    address: () => ({ kind: 'push', value: `apns:${hex(32)}` }),
    ends: 'accepted',
  },
  {
    kind: 'webpush',
    channel: 'push',
    fields: notice,
    address: () => ({ kind: 'push', value: `webpush:${subscription('ada')}` }),
    ends: 'accepted',
  },
];

describe.each(ways)('$kind', ({ kind, channel, fields, address: addressOf, says, ends }) => {
  test(`carries a message of ${channel} to its person and tells what became of it`, async () => {
    const address = addressOf();
    const account = await sandboxAccount(kind);
    await made('PUT', `/routes/${channel}`, { accountIds: [account] });
    const given = { name: kind, channel, category: 'marketing', locale: 'en', ...fields };
    const templateId = idOf(await made('POST', '/templates', given));
    const contactId = await somebody(address);
    await agree(address, channel);
    const answer = await made('POST', '/messages/send_with_consent', {
      channel,
      topic: 'news',
      to: address === undefined || channel === 'inapp' ? { contactId } : { [address.kind]: address.value },
      templateId,
    });
    const [planned] = answer['data'] as [Json];
    expect(planned).toMatchObject({ state: 'planned', decision: { outcome: 'send' } });
    const message = await until(
      async () => {
        const now = await made('GET', `/messages/${idOf(planned)}`);
        if (now['state'] === ends) return now;
        expect(['planned', 'sending', 'accepted'], JSON.stringify(now)).toContain(now['state']);
        return undefined;
      },
      100,
      20_000,
    );
    expect(message).toMatchObject({ channel, contactId, templateId });
    if (kind === 'inapp') return;
    const caught = await caughtBy(kind, idOf(planned));
    if (says !== undefined) expect(JSON.stringify(caught)).toContain(says);
  }, 40_000);
});

/** SMTP and in-app need no vendor: the sandbox's own account, and ours. */
async function sandboxAccount(kind: string): Promise<string> {
  if (kind === 'inapp')
    return idOf(await made('POST', '/providers', { channel: 'inapp', kind, name: 'In-app', settings: {} }));
  if (kind === 'sandbox')
    return idOf(
      await made('POST', '/providers', {
        channel: 'email',
        kind,
        name: 'SMTP',
        settings: {},
        sender: { from: 'hello@example.com' },
      }),
    );
  return idOf(await made('POST', '/sandbox/accounts', { kind }));
}

async function somebody(address: Address | undefined): Promise<string> {
  const addresses = address === undefined ? [] : [address];
  return idOf(await made('POST', '/contacts', { addresses, attributes: { first_name: 'Ada' } }));
}

async function agree(address: Address | undefined, channel: string, action = 'grant'): Promise<void> {
  if (address === undefined) return;
  const evidence = { source: 'form' };
  await made('POST', '/compliance/consent', { address, channel, topic: 'news', action, basis: 'consent', evidence });
}

async function caughtBy(vendor: string, messageId: string): Promise<Json> {
  const { data } = await made('GET', `/sandbox/messages?vendor=${vendor}&limit=5`);
  const found = (data as Json[]).find((one) => one['messageId'] === messageId) ?? (data as Json[])[0];
  if (found === undefined) throw new Error(`${vendor} caught nothing`);
  return made('GET', `/sandbox/messages/${idOf(found)}`);
}
