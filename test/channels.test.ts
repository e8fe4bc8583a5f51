import { randomBytes, createECDH } from 'node:crypto';
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

interface Way {
  readonly kind: string;
  readonly channel: 'email' | 'sms' | 'whatsapp' | 'push' | 'inapp';
  /** Of the template. */
  readonly fields: Json;
  readonly address?: { readonly kind: 'email' | 'phone' | 'push'; readonly value: string };
  /** In the caught message, where there is one. */
  readonly says?: string;
  /** The vendor tells nothing of a delivery, or has nobody who would: it stays accepted. */
  readonly ends: 'delivered' | 'accepted';
}

const hex = (bytes: number) => randomBytes(bytes).toString('hex');
let numbers = 0;
/** Numbers of the range that is kept for fiction, so that nobody has them. */
const phone = () => ({
  kind: 'phone' as const,
  value: `+1202555${String(1000 + (numbers += 1))
    .padStart(4, '0')
    .replace(/^1/, '0')}`,
});
const email = () => ({ kind: 'email' as const, value: `${hex(6)}@example.com` });

function subscription(): string {
  const device = createECDH('prime256v1');
  device.generateKeys();
  const keys = { p256dh: device.getPublicKey('base64url'), auth: randomBytes(16).toString('base64url') };
  return JSON.stringify({ endpoint: `http://sandbox.localhost/webpush/push/${hex(20)}`, keys });
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
  { kind: 'sendgrid', channel: 'email', fields: mail, address: email(), says: 'Hello Ada', ends: 'delivered' },
  { kind: 'ses', channel: 'email', fields: mail, address: email(), says: 'Hello Ada', ends: 'delivered' },
  { kind: 'mailgun', channel: 'email', fields: mail, address: email(), says: 'Hello Ada', ends: 'delivered' },
  { kind: 'twilio', channel: 'sms', fields: text, address: phone(), says: 'Hello Ada', ends: 'delivered' },
  { kind: 'sns', channel: 'sms', fields: text, address: phone(), says: 'Hello Ada', ends: 'delivered' },
  { kind: 'plivo', channel: 'sms', fields: text, address: phone(), says: 'Hello Ada', ends: 'delivered' },
  { kind: 'meta', channel: 'whatsapp', fields: approved, address: phone(), ends: 'delivered' },
  { kind: 'twilio-whatsapp', channel: 'whatsapp', fields: approved, address: phone(), ends: 'delivered' },
  {
    kind: 'fcm',
    channel: 'push',
    fields: notice,
    address: { kind: 'push', value: `fcm:${hex(40)}` },
    ends: 'accepted',
  },
  {
    kind: 'apns',
    channel: 'push',
    fields: notice,
    address: { kind: 'push', value: `apns:${hex(32)}` },
    ends: 'accepted',
  },
  {
    kind: 'webpush',
    channel: 'push',
    fields: notice,
    address: { kind: 'push', value: `webpush:${subscription()}` },
    ends: 'accepted',
  },
];

describe.each(ways)('$kind', ({ kind, channel, fields, address, says, ends }) => {
  test(`carries a message of ${channel} to its person and tells what became of it`, async () => {
    const account = idOf(await made('POST', '/sandbox/accounts', { kind }));
    await made('PUT', `/routes/${channel}`, { accountIds: [account] });
    const given = { name: kind, channel, category: 'marketing', locale: 'en', ...fields };
    const templateId = idOf(await made('POST', '/templates', given));
    const contactId = await somebody(address);
    await agree(address, channel);
    const answer = await made('POST', '/messages/send_with_consent', {
      channel,
      topic: 'news',
      to: address === undefined ? { contactId } : { [address.kind]: address.value },
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
    const caught = await caughtBy(kind, idOf(planned));
    if (says !== undefined) expect(JSON.stringify(caught)).toContain(says);
  }, 40_000);
});

async function somebody(address: Way['address']): Promise<string> {
  const addresses = address === undefined ? [] : [address];
  return idOf(await made('POST', '/contacts', { addresses, attributes: { first_name: 'Ada' } }));
}

async function agree(address: Way['address'], channel: string, action = 'grant'): Promise<void> {
  const evidence = { source: 'form' };
  await made('POST', '/compliance/consent', { address, channel, topic: 'news', action, basis: 'consent', evidence });
}

async function caughtBy(vendor: string, messageId: string): Promise<Json> {
  const { data } = await made('GET', `/sandbox/messages?vendor=${vendor}&limit=5`);
  const found = (data as Json[]).find((one) => one['messageId'] === messageId) ?? (data as Json[])[0];
  if (found === undefined) throw new Error(`${vendor} caught nothing`);
  return made('GET', `/sandbox/messages/${idOf(found)}`);
}
