import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Endpoint } from '../contract/endpoint.ts';
import { endpoints } from '../contract/index.ts';
import { permissions } from '../contract/permissions.ts';
import type { Permission } from '../contract/permissions.ts';
import { bodyNames, bodyOf, furnish, marks, pathOf } from './samples.ts';
import type { Things } from './samples.ts';
import { openWorld, ownerEmail, ownerPassword } from './world.ts';
import type { Answer, World } from './world.ts';

/**
 * Every route there is, from the route table, as a stranger, with a key that may do everything else, and with a good key
 * of another workspace. The table and the contract must name the same routes; a new route without a sample id or body fails.
 */
const nameOf = (endpoint: Endpoint) => `${endpoint.method} ${endpoint.path}`;
const all: [string, Endpoint][] = endpoints.map((endpoint) => [nameOf(endpoint), endpoint]);
const inside = all.filter(([, endpoint]) => endpoint.permission !== 'public');
const outside = all.filter(([, endpoint]) => endpoint.permission === 'public');

let world: World;
/** Things of workspace A. */
let things: Things;
let stranger: { readonly id: string; readonly key: string };

beforeAll(async () => {
  world = await openWorld();
  things = await furnish(world.ask, world.key);
  stranger = await world.newWorkspace('Next door');
  await world.ask('POST', '/api/v1/topics', { key: stranger.key, body: { key: 'offers', name: 'Offers' } });
}, 180_000);
afterAll(() => world.close(), 60_000);

const request = (endpoint: Endpoint, key?: string): Promise<Answer> => {
  const path = pathOf(endpoint, things);
  return world.ask(endpoint.method, path, { ...(key === undefined ? {} : { key }), ...bodyOf(endpoint, things) });
};

function expectProblem(answer: Answer, status: number, code?: string): void {
  expect(answer.status, answer.text).toBe(status);
  expect(answer.type).toMatch(/^application\/problem\+json/);
  expect(answer.json?.['code']).toEqual(code ?? expect.stringMatching(/^[a-z0-9/-]+$/));
}

/** Nothing of workspace A stands in it. */
function expectNoLeak(answer: Answer): void {
  // The caller's own words and ids may come back to them; what only A knows may not.
  for (const secret of [marks.email, marks.name, 'secret3719', world.workspaceId])
    expect(answer.text).not.toContain(secret);
}

describe('the route table', () => {
  test('is the contract, no more and no less', () => {
    const served = world.parley.routes.map((route) => nameOf(route.endpoint));
    expect(served.toSorted()).toEqual(all.map(([name]) => name).toSorted());
    expect(new Set(world.parley.routes.map((route) => route.endpoint))).toEqual(new Set(endpoints));
  });

  test('has a sample for each id and a valid body for each route that takes one', () => {
    const taking = endpoints.filter((one) => one.body !== undefined || one.consumes !== undefined);
    expect(bodyNames.toSorted()).toEqual(taking.map(nameOf).toSorted());
    for (const endpoint of endpoints) {
      const { body } = bodyOf(endpoint, things);
      expect(() => pathOf(endpoint, things)).not.toThrow();
      if (endpoint.consumes === undefined && endpoint.body !== undefined)
        expect(endpoint.body.safeParse(body), nameOf(endpoint)).toMatchObject({ success: true });
    }
  });

  test.each(inside.filter(([, endpoint]) => endpoint.method === 'GET' && endpoint.produces !== 'text/event-stream'))(
    'answers the owner as the contract says: %s',
    async (_name, endpoint) => {
      const answer = await request(endpoint, world.key);
      // Sessions are of people, not of keys.
      expect(answer.status, answer.text).toBe(endpoint.path === '/auth/sessions' ? 403 : endpoint.status);
      if (answer.status !== endpoint.status) return;
      if (endpoint.response !== undefined)
        expect(endpoint.response.safeParse(answer.json).error?.issues ?? []).toEqual([]);
      else expect(answer.type.split(';')[0]).toBe(endpoint.produces);
    },
  );
});

describe('without a key', () => {
  test.each(inside)('%s asks to sign in', async (_name, endpoint) => {
    const answer = await request(endpoint);
    expectProblem(answer, 401, 'unauthenticated');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expectNoLeak(answer);
  });

  /** What a public route tells somebody who holds no proof (no token of a link, no password). */
  const told: Readonly<Record<string, [status: number, said: string]>> = {
    'GET /auth/setup': [200, '"needed":false'],
    'POST /auth/setup': [409, 'auth/setup-done'],
    'POST /auth/sign-in': [401, 'auth/wrong-credentials'],
    'POST /auth/sign-in/two-factor': [401, 'auth/sign-in-expired'],
    'POST /auth/password/forgot': [204, ''],
    'POST /auth/password/reset': [422, 'auth/link-worthless'],
    'GET /auth/invitations/:token': [422, 'auth/link-worthless'],
    'POST /auth/invitations/:token/accept': [422, 'auth/link-worthless'],
    'POST /callbacks/:provider/:accountId': [404, 'not-found'],
    'GET /callbacks/:provider/:accountId': [404, 'not-found'],
    'GET /inapp/messages': [401, 'inapp/'],
    'GET /inapp/unread': [401, 'inapp/'],
    'POST /inapp/messages/:id/read': [401, 'inapp/'],
    'POST /inapp/messages/:id/click': [401, 'inapp/'],
    'POST /inapp/messages/:id/archive': [401, 'inapp/'],
    'POST /inapp/read-all': [401, 'inapp/'],
    'GET /inapp/stream': [401, 'inapp/'],
    'GET /inapp/parley-inbox.js': [200, 'parley-inbox'],
    'GET /u/:token': [404, '<!doctype html>'],
    'POST /u/:token': [404, '<!doctype html>'],
    'GET /p/:token': [404, '<!doctype html>'],
    'POST /p/:token': [404, '<!doctype html>'],
    'GET /t/o/:token': [200, 'GIF89a'],
    'GET /t/c/:token': [404, '<!doctype html>'],
    'GET /livez': [200, '"ok":true'],
    'GET /readyz': [200, '"ok":true'],
    'GET /openapi.json': [200, '"openapi":"3.1'],
    'GET /docs': [200, 'Parley API'],
  };

  test('every public route is named here with what it tells', () => {
    expect(Object.keys(told).toSorted()).toEqual(outside.map(([name]) => name).toSorted());
  });

  test.each(outside)('%s gives nothing away', async (name, endpoint) => {
    const made = { ...things, '/auth/invitations/:token': 'x'.repeat(43) };
    const answer = await world.ask(endpoint.method, pathOf(endpoint, made), bodyOf(endpoint, made));
    const [status, said] = told[name] ?? [0, ''];
    expect(answer.status, answer.text).toBe(status);
    expect(answer.text).toContain(said);
    if (status >= 400 && !said.startsWith('<')) expectProblem(answer, status);
    expectNoLeak(answer);
  });
});

describe('with a key that may do everything else', () => {
  const keyWithout = new Map<Permission, string>();
  beforeAll(async () => {
    for (const permission of permissions) {
      const others = permissions.filter((one) => one !== permission);
      keyWithout.set(permission, await world.newKey(world.workspaceId, others));
    }
  });

  test.each(inside.filter(([, endpoint]) => endpoint.permission !== 'signed-in'))(
    '%s is refused',
    async (_name, endpoint) => {
      const before = await stateOf(world.workspaceId);
      const permission = permissions.find((one) => one === endpoint.permission);
      if (permission === undefined) throw new Error('the route names no permission');
      const answer = await request(endpoint, keyWithout.get(permission));
      expectProblem(answer, 403, 'forbidden');
      expect(answer.json?.['detail']).toContain(permission);
      expectNoLeak(answer);
      expect(await stateOf(world.workspaceId)).toEqual(before);
    },
  );
});

/** Tables whose rows say when somebody was last seen, not what a workspace holds. */
const restless: Readonly<Record<string, string>> = {
  api_key: "- 'last_used_at'",
  lane: "- '{}'::text[]",
  // Readers of the event log go on by themselves.
  event_cursor: "- '{epoch,xid,id,updated_at}'::text[]",
};

/** What workspace A holds, table by table, past row-level security: any change of any row shows. */
async function stateOf(workspaceId: string): Promise<Record<string, string>> {
  const { rows } = await world.test.owner.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'workspace_id'
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1`,
  );
  const parts = rows.map(
    ({ name }) =>
      `select '${name}' as name, count(*) || ' ' || coalesce(md5(string_agg((to_jsonb(t) ${restless[name] ?? ''})::text, ',' order by (to_jsonb(t) ${restless[name] ?? ''})::text)), '') as state from ${name} t where workspace_id = $1`,
  );
  const state = await world.test.owner.query<{ name: string; state: string }>(parts.join(' union all '), [workspaceId]);
  return Object.fromEntries(state.rows.map((row) => [row.name, row.state]));
}

describe('with a good key of another workspace', () => {
  /** Where the path names nothing of a workspace, and what the stranger gets instead. */
  const otherwise: Readonly<Record<string, number>> = {
    // Every workspace has its own; theirs is shown.
    'GET /routes/:channel': 200,
    // What a vendor's codes mean is everybody's to know.
    'GET /providers/:kind/errors': 200,
    // It is the body that names the account of A.
    'PUT /routes/:channel': 422,
    // Of the caller, and keys have none: tried as a person below.
    'DELETE /auth/sessions/:id': 403,
  };
  const naming = inside.filter(([, endpoint]) => endpoint.path.includes(':'));

  test.each(naming)('%s finds nothing, and changes nothing', async (name, endpoint) => {
    const before = await stateOf(world.workspaceId);
    const answer = await request(endpoint, stranger.key);
    expect(answer.status, answer.text).toBe(otherwise[name] ?? 404);
    if (answer.status >= 400) expectProblem(answer, answer.status);
    expectNoLeak(answer);
    expect(await stateOf(world.workspaceId)).toEqual(before);
  });

  test.each(
    inside.filter(
      ([, endpoint]) =>
        endpoint.method === 'GET' && !endpoint.path.includes(':') && endpoint.produces !== 'text/event-stream',
    ),
  )('%s shows nothing of it', async (_name, endpoint) => expectNoLeak(await request(endpoint, stranger.key)));
});

describe("another workspace's id in a query or body", () => {
  /** Things of the stranger's own, to be joined with those of A. */
  const mine = { contact: '', template: '', campaign: '' };
  const api = (method: string, path: string, body?: unknown) =>
    world.ask(method, `/api/v1${path}`, { key: stranger.key, body });
  const theirs = (place: string) => things[place] ?? '';

  beforeAll(async () => {
    const made = async (path: string, body: unknown) => String((await api('POST', path, body)).json?.['id']);
    mine.contact = await made('/contacts', { addresses: [{ kind: 'email', value: 'mallory@example.com' }] });
    mine.template = await made('/templates', {
      name: 'Mine',
      channel: 'email',
      category: 'marketing',
      locale: 'en',
      subject: 'Hello',
      html: '<p>Hello</p>',
    });
    mine.campaign = await made('/campaigns', campaign({}));
  });

  const campaign = (change: object) => ({
    name: 'Mine',
    channels: ['email'],
    templateId: mine.template,
    topic: 'offers',
    audience: { all: true },
    ...change,
  });
  const message = (change: object) => ({
    channel: 'email',
    topic: 'offers',
    to: { contactId: mine.contact },
    templateId: mine.template,
    ...change,
  });
  const contactOfA = () => ({ contactId: theirs('/contacts/:id') });

  type Attempt = [what: string, method: string, path: () => string, body: () => unknown];
  const attempts: Attempt[] = [
    [
      'a campaign with a template of A',
      'POST',
      () => '/campaigns',
      () => campaign({ templateId: theirs('/templates/:id') }),
    ],
    ['a campaign about a topic of A', 'POST', () => '/campaigns', () => campaign({ topic: marks.key })],
    [
      'a campaign changed to a template of A',
      'PATCH',
      () => `/campaigns/${mine.campaign}`,
      () => ({ templateId: theirs('/templates/:id') }),
    ],
    [
      'a campaign to a topic of A',
      'PATCH',
      () => `/campaigns/${mine.campaign}`,
      () => ({ audience: { topic: marks.key } }),
    ],
    ['a message to a contact of A', 'POST', () => '/messages/send_with_consent', () => message({ to: contactOfA() })],
    [
      'a message by a template of A',
      'POST',
      () => '/messages/send_with_consent',
      () => message({ templateId: theirs('/templates/:id') }),
    ],
    ['a message about a topic of A', 'POST', () => '/messages/send_with_consent', () => message({ topic: marks.key })],
    [
      'consent for an address of A',
      'POST',
      () => '/compliance/consent',
      () => ({
        address: { id: things['address'] },
        channel: 'email',
        topic: 'offers',
        action: 'withdraw',
        basis: 'consent',
        evidence: { source: 'form' },
      }),
    ],
    [
      'leaving with an address of A',
      'POST',
      () => '/compliance/unsubscribe',
      () => ({ address: { id: things['address'] }, channel: 'email', topic: 'offers' }),
    ],
    ['opting out an address of A', 'POST', () => '/compliance/opt-out', () => ({ address: { id: things['address'] } })],
    [
      'an address of A on an own contact',
      'PATCH',
      () => `/contacts/${mine.contact}`,
      () => ({ addresses: [{ id: things['address'] }] }),
    ],
    ['a preview for a contact of A', 'POST', () => `/templates/${mine.template}/preview`, contactOfA],
    [
      'a preview of new source for a contact of A',
      'POST',
      () => '/templates/preview',
      () => ({ category: 'marketing', subject: 'x', html: '{{ contact.first_name }}', ...contactOfA() }),
    ],
    [
      'a test mail for a contact of A',
      'POST',
      () => `/templates/${mine.template}/test-send`,
      () => ({ to: 'mallory@example.com', ...contactOfA() }),
    ],
    [
      'an account of A in the own route',
      'PUT',
      () => '/routes/email',
      () => ({ accountIds: [theirs('/providers/:id')] }),
    ],
    [
      'power for a person of A',
      'POST',
      () => '/permissions',
      () => ({ userId: theirs('/users/:id'), grant: { role: 'owner' } }),
    ],
    [
      'an invitation with a role of A',
      'POST',
      () => '/invitations',
      () => ({ email: 'm2@example.com', grant: { role: marks.key } }),
    ],
  ];

  test.each(attempts)('%s is refused', async (_what, method, path, body) => {
    const before = await stateOf(world.workspaceId);
    const answer = await api(method, path(), body());
    expect([404, 422], answer.text).toContain(answer.status);
    expectProblem(answer, answer.status);
    expectNoLeak(answer);
    expect(await stateOf(world.workspaceId)).toEqual(before);
  });

  test('a retry of messages of A tries none, and one of a campaign of A is told that there is no such campaign', async () => {
    const before = await stateOf(world.workspaceId);
    const named = await api('POST', '/messages/retry', { messageIds: [theirs('/messages/:id')] });
    expect(named.json).toEqual({ retried: 0, skipped: 1, remaining: 0 });
    const whole = await api('POST', '/messages/retry', { campaignId: theirs('/campaigns/:id') });
    expectProblem(whole, 422, 'invalid-input');
    expect(whole.json).toMatchObject({
      errors: [{ pointer: '/campaignId', message: 'there is no such campaign' }],
    });
    // In A itself there is nothing to try either, which is no mistake.
    const body = { campaignId: theirs('/campaigns/:id') };
    const own = await world.ask('POST', '/api/v1/messages/retry', { key: world.key, body });
    expect([own.status, own.json]).toEqual([202, { retried: 0, skipped: 0, remaining: 0 }]);
    expect(await stateOf(world.workspaceId)).toEqual(before);
  });

  const queries: [string, () => string][] = [
    ['/messages', () => `contactId=${theirs('/contacts/:id')}`],
    ['/messages', () => `campaignId=${theirs('/campaigns/:id')}`],
    ['/messages', () => `templateId=${theirs('/templates/:id')}`],
    ['/contacts', () => `q=${encodeURIComponent(marks.email)}`],
    ['/contacts', () => `q=${theirs('/contacts/:id')}`],
    ['/suppressions', () => 'address=never.3719@example.com'],
    ['/sandbox/messages', () => `to=${encodeURIComponent(marks.email)}`],
    ['/audit/logs', () => `actorId=${theirs('/users/:id')}`],
    ['/audit/logs', () => `targetId=${theirs('/contacts/:id')}`],
  ];
  test.each(queries)('%s with %s finds nothing', async (path, query) => {
    const answer = await api('GET', `${path}?${query()}`);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json?.['data']).toEqual([]);
  });
});

describe('a session', () => {
  test('is ended by its person alone, not by somebody next door, whose list does not show it either', async () => {
    const host = new URL(world.url).origin;
    const person = (cookie: string) => ({ cookie, origin: host, 'x-parley-csrf': '1' });
    const cookieOf = ({ headers }: Answer) =>
      headers
        .getSetCookie()
        .map((line) => line.split(';', 1)[0])
        .join('; ');
    const owner = cookieOf(
      await world.ask('POST', '/api/v1/auth/sign-in', { body: { email: ownerEmail, password: ownerPassword } }),
    );
    const invited = await world.ask('POST', '/api/v1/invitations', {
      key: stranger.key,
      body: { email: 'mallory@example.com', grant: { role: 'admin' } },
    });
    const token = String(invited.json?.['url']).split('/').at(-1);
    const joined = await world.ask('POST', `/api/v1/auth/invitations/${token}/accept`, {
      body: { name: 'Mallory', password: 'violet turnip archive' },
    });
    expect(joined.status, joined.text).toBe(201);
    const neighbour = cookieOf(joined);
    const sessionsOf = async (cookie: string) => {
      const answer = await world.ask('GET', '/api/v1/auth/sessions', { headers: person(cookie) });
      expect(answer.status, answer.text).toBe(200);
      const { data } = JSON.parse(answer.text) as { data: { id: string }[] };
      return data.map((one) => one.id);
    };
    const [session = ''] = await sessionsOf(owner);
    expect(session).not.toBe('');
    expect(await sessionsOf(neighbour)).not.toContain(session);
    const attempt = await world.ask('DELETE', `/api/v1/auth/sessions/${session}`, { headers: person(neighbour) });
    expectProblem(attempt, 404);
    expect(await sessionsOf(owner)).toContain(session);
  });
});
