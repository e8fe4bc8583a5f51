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
  content: {
    kind: 'template',
    name: 'order_update',
    language: 'en_US',
    contentSid: `HX${'1'.repeat(32)}`,
    body: ['{{ contact.first_name }}', '42'],
  },
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

async function agree(address: Address | undefined, channel: string, action = 'grant', topic = 'news'): Promise<void> {
  if (address === undefined) return;
  const evidence = { source: 'form' };
  await made('POST', '/compliance/consent', { address, channel, topic, action, basis: 'consent', evidence });
}

async function caughtBy(vendor: string, messageId: string): Promise<Json> {
  const played = vendor === 'sandbox' ? 'smtp' : vendor;
  const { data } = await made('GET', `/sandbox/messages?vendor=${played}&limit=5`);
  const found = (data as Json[]).find((one) => one['messageId'] === messageId) ?? (data as Json[])[0];
  if (found === undefined) throw new Error(`${vendor} caught nothing`);
  return made('GET', `/sandbox/messages/${idOf(found)}`);
}

describe('what a channel objects to', () => {
  const news = { category: 'marketing', locale: 'en', name: 'News' };
  const sent = async (body: Json): Promise<Json> => {
    const [one] = (await made('POST', '/messages/send_with_consent', { topic: 'news', ...body }))['data'] as Json[];
    return one ?? {};
  };
  const agreed = async (value: string, channel: string) => {
    await somebody({ kind: 'phone', value });
    await agree({ kind: 'phone', value }, channel);
    return value;
  };

  test('an SMS goes to no landline', async () => {
    const templateId = idOf(await made('POST', '/templates', { ...news, channel: 'sms', ...text }));
    const landline = await agreed('+49301234567', 'sms');
    expect(await sent({ channel: 'sms', to: { phone: landline }, templateId })).toMatchObject({
      state: 'suppressed',
      decision: { outcome: 'suppress', reason: 'landline' },
    });
  });

  test('free text on WhatsApp only reaches who wrote within 24 hours', async () => {
    const account = await sandboxAccount('meta');
    await made('PUT', '/routes/whatsapp', { accountIds: [account] });
    const number = await agreed('+4915123456790', 'whatsapp');
    const free = { channel: 'whatsapp', content: { kind: 'text', body: 'Hello {{ contact.first_name }}' } };
    const templateId = idOf(await made('POST', '/templates', { ...news, ...free, category: 'transactional' }));
    const closed = await made('POST', '/whatsapp/send', { to: { phone: number }, templateId });
    expect(closed).toMatchObject({ data: [{ decision: { reason: 'whatsapp-window-closed' } }] });

    const opening = idOf(await made('POST', '/templates', { ...news, channel: 'whatsapp', ...approved }));
    const bulk = { templateId: opening, topic: 'news', recipients: [{ to: { phone: number } }] };
    const [first] = (await made('POST', '/whatsapp/bulk-send', bulk))['data'] as [Json];
    const caught = await until(() => caughtMessage('meta', idOf(first)), 100, 20_000);
    await made('POST', `/sandbox/messages/${idOf(caught)}/act`, { action: 'reply', text: 'Yes?' });
    const open = await until(
      async () => {
        const { data } = await made('POST', '/whatsapp/send', { to: { phone: number }, templateId });
        const [one] = data as [Json];
        return one['state'] === 'planned' ? one : undefined;
      },
      200,
      20_000,
    );
    await until(() => caughtMessage('meta', idOf(open)), 100, 20_000);
    const { data } = await made('GET', '/whatsapp/delivery?state=suppressed');
    expect((data as Json[]).every((one) => one['channel'] === 'whatsapp')).toBe(true);
    expect((data as Json[]).length).toBeGreaterThan(0);
  }, 60_000);

  test('an address of another channel is refused where it stands', async () => {
    const templateId = idOf(await made('POST', '/templates', { ...news, channel: 'sms', ...text }));
    const answer = await api('POST', '/messages/send_with_consent', {
      channel: 'sms',
      topic: 'news',
      to: { email: 'ada@example.com' },
      templateId,
    });
    expect(answer.status, answer.text).toBe(422);
    expect(answer.json?.['errors']).toMatchObject([{ pointer: '/to/email' }]);
  });
});

async function caughtMessage(vendor: string, messageId: string): Promise<Json | undefined> {
  const { data } = await made('GET', `/sandbox/messages?vendor=${vendor}&limit=10`);
  return (data as Json[]).find((one) => one['messageId'] === messageId);
}

test('a push campaign reaches each device through the account of its platform, and says who has none', async () => {
  const accounts: string[] = [];
  for (const kind of ['fcm', 'apns']) accounts.push(await sandboxAccount(kind));
  await made('PUT', '/routes/push', { accountIds: accounts });
  await made('POST', '/topics', { key: 'devices', name: 'Devices' });
  const tokens = [
    ...[1, 2, 3].map(() => `fcm:${hex(40)}`),
    ...[1, 2].map(() => `apns:${hex(32)}`),
    `webpush:${subscription('bo')}`,
  ];
  for (const value of tokens) {
    await somebody({ kind: 'push', value });
    await agree({ kind: 'push', value }, 'push', 'grant', 'devices');
  }
  const given = { name: 'Push', channel: 'push', category: 'marketing', locale: 'en', ...notice };
  const templateId = idOf(await made('POST', '/templates', given));
  const audience = { topic: 'devices' };
  const campaign = idOf(
    await made('POST', '/campaigns', { name: 'Push', channels: ['push'], templateId, topic: 'devices', audience }),
  );
  await made('POST', `/campaigns/${campaign}/start`);
  const stats = await until(
    async () => {
      const now = await made('GET', `/campaigns/${campaign}/stats`);
      return now['status'] === 'done' ? now : undefined;
    },
    100,
    20_000,
  );
  expect(stats).toMatchObject({
    planned: 6,
    accepted: 5,
    suppressed: 1,
    reasons: { suppressed: { 'no-push-account': 1 } },
  });
}, 60_000);

test('a click on a link in an SMS is counted and leads on, with the value in it', async () => {
  await made('PUT', '/routes/sms', { accountIds: [await sandboxAccount('twilio')] });
  const address = phone();
  await somebody(address);
  const given = { name: 'Link', channel: 'sms', category: 'transactional', locale: 'en', ...text };
  const templateId = idOf(await made('POST', '/templates', given));
  const to = { phone: address.value };
  const [planned] = (await made('POST', '/messages/send_with_consent', { channel: 'sms', to, templateId }))['data'] as [
    Json,
  ];
  const caught = await until(() => caughtMessage('twilio', idOf(planned)), 100, 20_000);
  const shown = (await made('GET', `/sandbox/messages/${idOf(caught)}`))['shown'] as { text: string };
  const link = /https?:\S+\/t\/c\/[\w-]+\.0/.exec(shown.text)?.[0] ?? '';
  expect(shown.text.endsWith(`${link}.`)).toBe(true);
  const click = await fetch(link, { redirect: 'manual' });
  expect(click.headers.get('location')).toBe('https://shop.example/?q=Ada');
  await until(
    async () => ((await made('GET', `/messages/${idOf(planned)}`))['clicks'] === 1 ? true : undefined),
    200,
    20_000,
  );
}, 60_000);

test('a test of a template goes to an address of its channel', async () => {
  await made('PUT', '/routes/sms', { accountIds: [await sandboxAccount('plivo')] });
  const given = { name: 'Test', channel: 'sms', category: 'marketing', locale: 'en', ...text };
  const templateId = idOf(await made('POST', '/templates', given));
  const wrong = await api('POST', `/templates/${templateId}/test-send`, { to: 'ada@example.com' });
  expect(wrong.status, wrong.text).toBe(422);
  const number = phone().value;
  expect(await made('POST', `/templates/${templateId}/test-send`, { to: number })).toMatchObject({ state: 'accepted' });
  const { data } = await made('GET', `/sandbox/messages?to=${encodeURIComponent(number)}`);
  expect(data).toMatchObject([{ channel: 'sms', vendor: 'plivo' }]);
});
