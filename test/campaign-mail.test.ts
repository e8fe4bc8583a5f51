import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../bench/rig.ts';
import { openWorld } from './world.ts';
import type { World } from './world.ts';

/** What a campaign's mail says of a contact is what its preview said. */
let world: World;

async function made(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await world.ask(method, `/api/v1${path}`, { key: world.key, body });
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return answer.json ?? {};
}

const ada = ['ada@example.com', '+4930123456', '+14155552671'];
const bob = ['bob@example.com'];

beforeAll(async () => {
  world = await openWorld();
  await made('POST', '/topics', { key: 'news', name: 'News' });
  for (const [email, ...phones] of [ada, bob]) {
    const addresses = [{ kind: 'email', value: email }, ...phones.map((value) => ({ kind: 'phone', value }))];
    await made('POST', '/contacts', { addresses });
    await made('POST', '/compliance/consent', {
      address: { kind: 'email', value: email },
      channel: 'email',
      topic: 'news',
      action: 'grant',
      basis: 'consent',
      evidence: { source: 'form' },
    });
  }
}, 120_000);
afterAll(() => world.close(), 60_000);

async function draft(text: string): Promise<string> {
  const kind = { channel: 'email', category: 'marketing', locale: 'en' };
  const template = await made('POST', '/templates', { name: 'Call', ...kind, subject: 'Call', html: `<p>${text}</p>` });
  const audience = { topic: 'news', audience: { all: true } };
  const campaign = { name: 'Call', channels: ['email'], templateId: template['id'], ...audience };
  return String((await made('POST', '/campaigns', campaign))['id']);
}

/** What the campaign said to this person. */
async function said(campaignId: string, to: string | undefined): Promise<string> {
  const entry = await until(
    async () => {
      const { data } = await made('GET', `/messages?campaignId=${campaignId}`);
      const done = (data as { state: string }[]).filter((one) => !['planned', 'sending'].includes(one.state));
      return done.length === 2 ? done : undefined;
    },
    100,
    60_000,
  );
  expect(entry.map((one) => one.state)).toEqual(['accepted', 'accepted']);
  const { data } = await made('GET', `/sandbox/messages?to=${to}`);
  const mail = await made('GET', `/sandbox/messages/${(data as { id: string }[])[0]?.id}`);
  return /<p>(.*?)<\/p>/.exec(String(mail['html']))?.[1] ?? '';
}

test.each([
  ['named', '{{ contact.phone | default: "no number" }}'],
  ['named while rendering', '{% assign which = "phone" %}{{ contact[which] | default: "no number" }}'],
])('a contact’s first phone stands in the mail of a campaign when it is %s', async (_how, text) => {
  const id = await draft(text);
  await made('POST', `/campaigns/${id}/start`);
  expect(await said(id, ada[0])).toBe('+4930123456');
  expect(await said(id, bob[0])).toBe('no number');
});

test('before the start it is said how many have no phone, and only they', async () => {
  const id = await draft('{{ contact.phone }}');
  const { items } = await made('GET', `/campaigns/${id}/readiness`);
  expect(JSON.stringify(items)).toContain('contact.phone is missing for 1 of 2 contacts looked at');
});
