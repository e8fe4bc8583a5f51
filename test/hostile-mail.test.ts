import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../bench/rig.ts';
import { openWorld } from './world.ts';
import type { Answer, World } from './world.ts';

/** What people are called, and what authors write, on its way into a mail: it stays text, in its place. */
let world: World;
const api = (method: string, path: string, body?: unknown): Promise<Answer> =>
  world.ask(method, `/api/v1${path}`, { key: world.key, body });

async function made(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await api(method, path, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return answer.json ?? {};
}

const name = `<script>alert("1")</script>'; DROP TABLE contact; -- {{ workspace.name }} & Co`;
const injected = 'Eve\r\nBcc: victim@example.com\r\nContent-Type: text/html\r\n\r\n<b>mine</b>';
const topicName = '<img src=x onerror=alert(2)> & "News"';

beforeAll(async () => {
  world = await openWorld();
  await made('POST', '/topics', { key: 'news', name: topicName });
  await made('PATCH', '/settings/workspace', {
    name: 'Acme <b>& Sons</b>',
    postalAddress: '1 Main St\n<script>alert(3)</script>',
  });
}, 120_000);
afterAll(() => world.close(), 60_000);

interface Caught {
  readonly to: string;
  readonly subject: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly html: string;
  readonly text: string;
  readonly links: readonly string[];
}

/** Sends one mail to a new contact with these attributes; answers it as the sandbox caught it. */
async function mailTo(attributes: Record<string, unknown>, template: Record<string, unknown>): Promise<Caught> {
  const email = `p${crypto.randomUUID()}@example.com`;
  const contact = await made('POST', '/contacts', { addresses: [{ kind: 'email', value: email }], attributes });
  await made('POST', '/compliance/consent', {
    address: { kind: 'email', value: email },
    channel: 'email',
    topic: 'news',
    action: 'grant',
    basis: 'consent',
    evidence: { source: 'form' },
  });
  const { id: templateId } = await made('POST', '/templates', {
    name: 'Hello',
    channel: 'email',
    category: 'marketing',
    locale: 'en',
    ...template,
  });
  await made('POST', '/messages/send_with_consent', {
    channel: 'email',
    topic: 'news',
    to: { contactId: contact['id'] },
    templateId,
  });
  const caught = await until(
    async () => {
      const { data } = (await made('GET', `/sandbox/messages?to=${email}`)) as { data: { id: string }[] };
      return data[0];
    },
    100,
    60_000,
  );
  return (await made('GET', `/sandbox/messages/${caught.id}`)) as unknown as Caught;
}

describe('a name', () => {
  test('that is markup, SQL and Liquid is text in the mail, and on the pages it leads to', async () => {
    const mail = await mailTo(
      { first_name: name },
      {
        subject: 'Hello {{ contact.first_name }}',
        html: '<p title="{{ contact.first_name }}">{{ contact.first_name }}</p>',
      },
    );
    expect(mail.subject).toBe(`Hello ${name}`);
    expect(mail.html).not.toMatch(/<script|<b>&|<img src=x/i);
    expect(mail.html).toContain('&lt;script&gt;');
    expect(mail.html).toContain('{{ workspace.name }} &amp; Co');
    // The attribute ends where the author ended it.
    expect(mail.html).toMatch(/<p title="[^"<>]*alert\([^"<>]*&amp; Co">/);
    expect(mail.text).toContain(name);
    const leave = /<(https?:[^>]+)>/.exec(mail.headers['list-unsubscribe'] ?? '')?.[1] ?? '';
    for (const path of [new URL(leave).pathname, new URL(leave).pathname.replace('/u/', '/p/')]) {
      const page = await world.ask('GET', path);
      expect(page.status).toBe(200);
      expect(page.text).not.toMatch(/<img|<script|<b>/i);
      expect(page.text).toContain('&#60;img');
      expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
    }
    expect((await api('GET', '/contacts')).status).toBe(200);
  });

  test('with line breaks adds no header and no recipient', async () => {
    const before = await made('GET', '/sandbox/messages');
    const mail = await mailTo(
      { first_name: injected },
      { subject: 'Hello {{ contact.first_name }}', html: '<p>{{ contact.first_name }}</p>' },
    );
    expect(mail.headers['bcc']).toBeUndefined();
    expect(mail.headers['content-type']).toMatch(/^multipart\/alternative/);
    expect(mail.subject).not.toMatch(/[\r\n]/);
    expect(mail.html).not.toContain('<b>mine</b>');
    const after = await made('GET', '/sandbox/messages');
    expect((after['data'] as unknown[]).length - (before['data'] as unknown[]).length).toBe(1);
    expect(await made('GET', '/sandbox/messages?to=victim@example.com')).toMatchObject({ data: [] });
  });

  test('that is an address of a script leads nowhere', async () => {
    const mail = await mailTo(
      { website: 'javascript:alert(1)' },
      { subject: 'Look', html: '<p><a href="{{ contact.website }}">Your page</a></p>' },
    );
    expect(mail.html).not.toMatch(/javascript:/i);
    const [link] = mail.links.filter((one) => one.includes('/t/c/'));
    const answer = await world.ask('GET', new URL(link ?? '').pathname);
    expect(answer.status).toBe(410);
    expect(answer.type).toMatch(/^text\/html/);
    expect(answer.headers.get('location')).toBeNull();
  });
});

describe('a template', () => {
  const base = { name: 'Hello', channel: 'email', category: 'marketing', locale: 'en', subject: 'Hello' };

  test('that loops without end is refused when saved, and told in the preview; others are served meanwhile', async () => {
    const html = '{% for i in (1..9000) %}{% for j in (1..9000) %}{{ j }}{% endfor %}{% endfor %}';
    const saving = api('POST', '/templates', { ...base, html });
    const preview = api('POST', '/templates/preview', { category: 'marketing', subject: 'x', html });
    expect((await world.ask('GET', '/livez')).status).toBe(200);
    expect((await saving).status).toBe(422);
    expect((await saving).json?.['errors']).toContainEqual({
      pointer: '/html',
      message: expect.stringMatching(/loop/),
    });
    expect((await preview).json).toMatchObject({
      html: null,
      problems: expect.arrayContaining([expect.objectContaining({ severity: 'error', where: 'html' })]),
    });
  });

  test('of 10 MB, or longer than a mail may be, is refused', async () => {
    expect((await api('POST', '/templates', { ...base, html: 'x'.repeat(10_000_000) })).status).toBe(413);
    const long = await api('POST', '/templates', { ...base, html: 'x'.repeat(600_000) });
    expect(long.status).toBe(422);
    expect(long.json?.['errors']).toMatchObject([{ pointer: '/html' }]);
  });

  test.each([
    '{% include "/etc/passwd" %}',
    '{% render "../../secret" %}',
    '{% layout "/etc/passwd" %}',
    '{{ "x" | constructor }}',
    '{% for',
  ])('with %s is refused with the place', async (html) => {
    const answer = await api('POST', '/templates', { ...base, html });
    expect(answer.status, answer.text).toBe(422);
    expect(answer.text).not.toContain('root:');
  });

  test('sees nothing of what objects are made of', async () => {
    const html =
      '<p>[{{ contact.__proto__ | default: "-" }}][{{ contact.constructor | default: "-" }}][{{ contact.first_name.constructor | default: "-" }}]</p>';
    const { json } = await api('POST', '/templates/preview', {
      category: 'transactional',
      subject: 'x',
      html,
      sample: { first_name: 'Ada' },
    });
    expect(JSON.stringify(json)).not.toMatch(/native code|\[object|function Object/);
  });
});

describe('a header', () => {
  const broken = 'Eve\r\nBcc: victim@example.com';
  const attempts: [string, string, string, () => unknown][] = [
    [
      'a subject',
      'POST',
      '/templates',
      () => ({ name: 'x', channel: 'email', category: 'marketing', locale: 'en', subject: broken, html: '<p>x</p>' }),
    ],
    [
      'a preheader',
      'POST',
      '/templates',
      () => ({
        name: 'x',
        channel: 'email',
        category: 'marketing',
        locale: 'en',
        subject: 'x',
        preheader: broken,
        html: '<p>x</p>',
      }),
    ],
    [
      'an address of a contact',
      'POST',
      '/contacts',
      () => ({ addresses: [{ kind: 'email', value: 'eve@example.com\r\nBcc: victim@example.com' }] }),
    ],
    [
      'an address with a line break at its end',
      'POST',
      '/contacts',
      () => ({ addresses: [{ kind: 'email', value: 'eve@example.com\n' }] }),
    ],
    [
      'a quoted local part',
      'POST',
      '/contacts',
      () => ({ addresses: [{ kind: 'email', value: '"eve\r\n bcc: a"@example.com' }] }),
    ],
    [
      'the name of a sender',
      'POST',
      '/providers',
      () => ({
        kind: 'sandbox',
        channel: 'email',
        name: 'x',
        settings: {},
        sender: { from: { email: 'a@example.com', name: broken } },
      }),
    ],
    [
      'a sender written as text',
      'POST',
      '/providers',
      () => ({
        kind: 'sandbox',
        channel: 'email',
        name: 'x',
        settings: {},
        sender: { from: `${broken} <a@example.com>` },
      }),
    ],
    [
      'an address to answer to',
      'POST',
      '/providers',
      () => ({
        kind: 'sandbox',
        channel: 'email',
        name: 'x',
        settings: {},
        sender: { from: 'a@example.com', replyTo: 'a@example.com\r\nBcc: b@example.com' },
      }),
    ],
    [
      'an invitation',
      'POST',
      '/invitations',
      () => ({ email: 'a@example.com\r\nBcc: b@example.com', grant: { role: 'analyst' } }),
    ],
    [
      'a host',
      'POST',
      '/providers',
      () => ({ kind: 'smtp', channel: 'email', name: 'x', settings: { host: 'mail.example.com\r\nMAIL FROM:<x>' } }),
    ],
  ];

  test.each(attempts)('does not end early by %s', async (_what, method, path, body) => {
    const answer = await api(method, path, body());
    expect(answer.status, answer.text).toBe(422);
    expect(answer.json?.['code']).toBe('invalid-input');
  });
});
