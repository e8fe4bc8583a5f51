import type { Endpoint } from '../contract/endpoint.ts';
import { until } from '../bench/rig.ts';
import type { Ask } from './world.ts';

/**
 * One thing of each kind in a workspace, by the place in a path where its id stands: `/contacts/:id` is the id of a
 * contact. Whoever adds a route with an id adds the thing here; a path without one fails the tests that try every route.
 */
export type Things = Readonly<Record<string, string>>;

/** What the workspace is known by, so that an answer to somebody else can be searched for it. */
export const marks = {
  email: 'ada.lovelace.3719@example.com',
  name: 'Mark3719',
  key: 'mark3719',
} as const;

interface Session {
  readonly ask: Ask;
  readonly key: string;
}

async function made({ ask, key }: Session, method: string, path: string, body?: unknown, headers = {}) {
  const answer = await ask(method, `/api/v1${path}`, { key, body, headers });
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return answer.json ?? {};
}

const idOf = (thing: Readonly<Record<string, unknown>>): string => String(thing['id']);
const firstOf = (list: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined =>
  Array.isArray(list['data']) ? (list['data'][0] as Record<string, unknown> | undefined) : undefined;

/** Fills a workspace through its API. The server must run in full: an import and a send are waited for. */
export async function furnish(ask: Ask, key: string): Promise<Things> {
  const session = { ask, key };
  const people = await makePeople(session);
  const content = await makeContent(session, people.contact);
  const team = await makeTeam(session);
  return {
    '/contacts/:id': people.contact,
    '/attributes/:key': marks.key,
    '/imports/:id': people.import_,
    '/topics/:id': people.topic,
    '/suppressions/:id': people.suppression,
    '/compliance/consent/:address': marks.email,
    '/templates/:id': content.template,
    '/templates/:id/versions/:version': '1',
    '/campaigns/:id': content.campaign,
    '/messages/:id': content.message,
    '/messages/retry/:messageId': content.message,
    '/messages/batches/:planId': content.plan,
    // Vendors make these; none is here to be read again.
    '/callbacks/:id': '0'.repeat(8) + '-0000-7000-8000-' + '0'.repeat(12),
    '/providers/:kind': 'smtp',
    '/callbacks/:provider': 'smtp',
    '/callbacks/:provider/:accountId': content.account,
    // Nobody but a contact's own page asks for one.
    '/inapp/messages/:id': content.message,
    '/sandbox/messages/:id': content.caught,
    '/providers/:id': content.account,
    '/rate-limits/:lane': content.account,
    '/routes/:channel': 'email',
    '/users/:id': team.user,
    '/permissions/:userId': team.user,
    '/audit/logs/:userId': team.user,
    '/invitations/:id': team.invitation,
    '/auth/invitations/:token': team.invitationToken,
    '/roles/:key': marks.key,
    '/api-keys/:id': team.apiKey,
    '/auth/sessions/:id': '0'.repeat(32),
    // Made up: nobody but its recipient holds a real one.
    '/u/:token': 'x'.repeat(60),
    '/p/:token': 'x'.repeat(60),
    '/t/o/:token': 'x'.repeat(60),
    '/t/c/:token': `${'x'.repeat(60)}.1`,
    address: people.address,
  };
}

async function makePeople(session: Session) {
  await made(session, 'POST', '/attributes', { key: marks.key, label: marks.name, type: 'text' });
  const contact = await made(session, 'POST', '/contacts', {
    externalId: marks.key,
    addresses: [
      { kind: 'email', value: marks.email },
      { kind: 'phone', value: '+14155552671' },
    ],
    attributes: { first_name: marks.name },
  });
  const topic = await made(session, 'POST', '/topics', { key: marks.key, name: marks.name });
  await made(session, 'POST', '/compliance/consent', {
    address: { kind: 'email', value: marks.email },
    channel: 'email',
    topic: marks.key,
    action: 'grant',
    basis: 'consent',
    evidence: { source: 'form' },
  });
  const suppression = await made(session, 'POST', '/suppressions', {
    address: { kind: 'email', value: 'never.3719@example.com' },
  });
  const file = 'email,first_name\nimported.3719@example.com,Ida\nnot an address,Bob\n';
  const started = await made(session, 'POST', '/contacts/import', file, { 'content-type': 'text/csv' });
  await until(
    async () => {
      const { state } = await made(session, 'GET', `/imports/${idOf(started)}`);
      return state === 'running' ? undefined : state;
    },
    100,
    60_000,
  );
  const [address] = contact['addresses'] as { id: string }[];
  return {
    contact: idOf(contact),
    address: address?.id ?? '',
    topic: idOf(topic),
    suppression: idOf(suppression),
    import_: idOf(started),
  };
}

async function makeContent(session: Session, contactId: string) {
  const template = await made(session, 'POST', '/templates', {
    name: marks.name,
    channel: 'email',
    category: 'marketing',
    locale: 'en',
    subject: `Hello ${marks.name}`,
    html: '<html><body><p>Hello {{ contact.first_name }}, <a href="https://example.com/">look</a></p></body></html>',
  });
  const templateId = idOf(template);
  const campaign = await made(session, 'POST', '/campaigns', {
    name: marks.name,
    channels: ['email'],
    templateId,
    topic: marks.key,
    audience: { all: true },
  });
  const sent = await made(session, 'POST', '/messages/send_with_consent', {
    channel: 'email',
    topic: marks.key,
    to: { contactId },
    templateId,
  });
  const caught = await until(async () => firstOf(await made(session, 'GET', '/sandbox/messages')), 100, 60_000);
  const message = idOf(firstOf(sent) ?? {});
  const plan = await until(
    async () => {
      const { state, planId } = await made(session, 'GET', `/messages/${message}`);
      return state === 'accepted' ? String(planId) : undefined;
    },
    100,
    60_000,
  );
  const account = await made(session, 'POST', '/providers', {
    kind: 'smtp',
    channel: 'email',
    name: marks.name,
    settings: { host: 'mail.example.com', password: 'secret3719' },
  });
  return {
    template: templateId,
    campaign: idOf(campaign),
    message,
    plan,
    caught: idOf(caught),
    account: idOf(account),
  };
}

async function makeTeam(session: Session) {
  const role = { key: marks.key, name: marks.name, description: '', permissions: ['contacts:read'] };
  await made(session, 'POST', '/roles', role);
  const invitation = await made(session, 'POST', '/invitations', {
    email: 'newcomer.3719@example.com',
    grant: { role: marks.key },
  });
  const apiKey = await made(session, 'POST', '/api-keys', { name: marks.name, scopes: ['contacts:read'] });
  const user = firstOf(await made(session, 'GET', '/users'));
  return {
    invitation: idOf(invitation),
    invitationToken: String(invitation['url']).split('/').at(-1) ?? '',
    apiKey: idOf(apiKey),
    user: user === undefined ? '' : idOf(user),
  };
}

/** The whole path with the ids in it; throws for an id that nobody gave a sample of. */
export function pathOf(endpoint: Endpoint, things: Things): string {
  let place = '';
  let path = '';
  for (const part of endpoint.path.split('/').slice(1)) {
    place += `/${part}`;
    const thing = things[place];
    if (part.startsWith(':') && thing === undefined) throw new Error(`test/samples.ts has nothing at ${place}`);
    path += `/${part.startsWith(':') ? encodeURIComponent(thing ?? '') : part}`;
  }
  return endpoint.absolute === true ? path : `/api/v1${path}`;
}

const sender = { name: 'News', channels: ['email'], audience: { all: true } };
const grantOf = { role: 'analyst' };
const csv = 'email\nsomebody@example.com\n';

/** A body that each route takes, with the things of a workspace where it names them. Routes without a body have no entry. */
const bodies: Readonly<Record<string, (things: Things) => unknown>> = {
  'POST /auth/setup': () => ({
    workspaceName: 'Mine',
    name: 'Mallory',
    email: 'mallory@example.com',
    password: 'violet turnip archive',
  }),
  'POST /auth/sign-in': () => ({ email: 'mallory@example.com', password: 'violet turnip archive' }),
  'POST /auth/sign-in/two-factor': () => ({ code: '123456' }),
  'POST /auth/password/forgot': () => ({ email: 'mallory@example.com' }),
  'POST /auth/password/reset': () => ({ token: 'x'.repeat(40), password: 'violet turnip archive' }),
  'PUT /auth/password': () => ({ currentPassword: 'violet', newPassword: 'violet turnip archive' }),
  'POST /auth/two-factor/enable': () => ({ password: 'violet' }),
  'POST /auth/two-factor/confirm': () => ({ code: '123456' }),
  'POST /auth/two-factor/disable': () => ({ password: 'violet' }),
  'POST /auth/token': () => ({ scopes: ['contacts:read'] }),
  'PATCH /me': () => ({ name: 'Mallory' }),
  'POST /auth/invitations/:token/accept': () => ({ name: 'Mallory', password: 'violet turnip archive' }),
  'PATCH /users/:id': () => ({ disabled: true }),
  'POST /invitations': () => ({ email: 'mallory@example.com', grant: grantOf }),
  'POST /roles': () => ({ key: 'readers', name: 'Readers', permissions: ['contacts:read'] }),
  'PUT /roles/:key': () => ({ name: 'Readers', permissions: ['contacts:read'] }),
  'POST /permissions': (things) => ({ userId: things['/users/:id'], grant: grantOf }),
  'PUT /permissions/:userId': () => grantOf,
  'POST /api-keys': () => ({ name: 'Another', scopes: ['contacts:read'] }),
  'POST /audit/logs': () => ({ action: 'order.refunded', target: { kind: 'order', id: '7' } }),
  'PATCH /settings/workspace': () => ({ name: 'Renamed' }),
  'POST /contacts': () => ({ addresses: [{ kind: 'email', value: 'bob@example.com' }] }),
  'POST /contacts/batch': () => ({ contacts: [{ addresses: [{ kind: 'email', value: 'eve@example.com' }] }] }),
  'PATCH /contacts/:id': () => ({ attributes: { first_name: 'Changed' } }),
  'POST /contacts/:id/reveal': () => ({ reason: 'curiosity' }),
  'POST /attributes': () => ({ key: 'shoe_size', label: 'Shoe size', type: 'number' }),
  'PATCH /attributes/:key': () => ({ label: 'Renamed' }),
  'POST /contacts/import': () => csv,
  'POST /contacts/import/preview': () => csv,
  'POST /topics': () => ({ key: 'offers', name: 'Offers' }),
  'PATCH /topics/:id': () => ({ name: 'Renamed' }),
  'POST /compliance/consent': () => ({
    address: { kind: 'email', value: 'bob@example.com' },
    channel: 'email',
    topic: 'offers',
    action: 'grant',
    basis: 'consent',
    evidence: { source: 'form' },
  }),
  'POST /compliance/unsubscribe': (things) => ({
    address: { id: things['address'] },
    channel: 'email',
    topic: 'offers',
  }),
  'POST /compliance/opt-out': (things) => ({ address: { id: things['address'] } }),
  'POST /suppressions': () => ({ address: { kind: 'email', value: 'no@example.com' } }),
  'POST /templates': () => ({
    name: 'Hello',
    channel: 'email',
    category: 'marketing',
    locale: 'en',
    subject: 'Hello',
    html: '<p>Hello</p>',
  }),
  'PATCH /templates/:id': () => ({ name: 'Renamed', html: '<p>Changed</p>' }),
  'POST /templates/:id/preview': () => ({ sample: { first_name: 'Ada' } }),
  'POST /templates/preview': (things) => ({
    category: 'marketing',
    subject: 'Hello',
    html: '<p>{{ contact.first_name }}</p>',
    contactId: things['/contacts/:id'],
  }),
  'POST /templates/:id/test-send': () => ({ to: 'me@example.com', sample: { first_name: 'Ada' } }),
  'POST /campaigns': (things) => ({ ...sender, templateId: things['/templates/:id'], topic: 'offers' }),
  'PATCH /campaigns/:id': () => ({ name: 'Renamed' }),
  'POST /messages/send_with_consent': (things) => ({
    channel: 'email',
    topic: 'offers',
    to: { contactId: things['/contacts/:id'] },
    templateId: things['/templates/:id'],
  }),
  'POST /whatsapp/send': (things) => ({
    to: { contactId: things['/contacts/:id'] },
    topic: 'offers',
    templateId: things['/templates/:id'],
  }),
  'POST /whatsapp/bulk-send': (things) => ({
    topic: 'offers',
    templateId: things['/templates/:id'],
    recipients: [{ to: { contactId: things['/contacts/:id'] } }],
  }),
  'POST /contacts/check': () => ({ email: 'ada@example.com' }),
  'POST /contacts/:id/inapp-token': () => ({ expiresInSeconds: 600 }),
  'PUT /rate-limits/:lane': () => ({ perSecond: 10 }),
  'POST /messages/retry': (things) => ({ messageIds: [things['/messages/:id']] }),
  'POST /messages/:id/resolve': () => ({ as: 'failed' }),
  'POST /messages/resolve': (things) => ({ as: 'failed', messageIds: [things['/messages/:id']] }),
  'POST /messages/status': (things) => ({ messageIds: [things['/messages/:id']] }),
  'POST /dead-letters/redrive': (things) => ({ messageIds: [things['/messages/:id']] }),
  'POST /dead-letters/discard': (things) => ({ messageIds: [things['/messages/:id']] }),
  'POST /providers': () => ({ kind: 'sandbox', channel: 'email', name: 'Mine', settings: {} }),
  'PATCH /providers/:id': () => ({ name: 'Renamed', settings: { password: 'stolen' } }),
  'POST /providers/:id/test': () => ({}),
  'PUT /routes/:channel': (things) => ({ accountIds: [things['/providers/:id']] }),
  'POST /sandbox/messages/:id/act': () => ({ action: 'open' }),
  'PUT /sandbox/scenario': () => ({
    rules: [{ to: '*@example.org', vendor: 'smtp', share: 50, fate: { kind: 'slow', ms: 5 } }],
    callbacks: { delayMs: 0, duplicatePercent: 0, shufflePercent: 0, lostPercent: 0 },
  }),
  'POST /sandbox/accounts': () => ({ kind: 'twilio' }),
  'POST /callbacks/:provider/:accountId': () => '[]',
  'POST /u/:token': () => 'List-Unsubscribe=One-Click',
  'POST /p/:token': () => 'do=leave',
};

/** What a valid request of this route carries. Throws when the route takes a body and there is none of it here. */
export function bodyOf(endpoint: Endpoint, things: Things): { body?: unknown; headers: Record<string, string> } {
  const name = `${endpoint.method} ${endpoint.path}`;
  const make = bodies[name];
  if (endpoint.body === undefined && endpoint.consumes === undefined) return { headers: {} };
  if (make === undefined) throw new Error(`test/samples.ts has no body for ${name}`);
  const consumed = endpoint.consumes?.find((type) => type !== 'multipart/form-data')?.replace('*/*', 'text/plain');
  return { body: make(things), headers: consumed === undefined ? {} : { 'content-type': consumed } };
}

/** Routes there is a body for: none may be left over when a route goes. */
export const bodyNames: readonly string[] = Object.keys(bodies);
