import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLog } from '../server/platform/log.ts';
import { openWorld, ownerEmail, ownerPassword } from './world.ts';
import type { Answer, World } from './world.ts';

/**
 * Reset links and invitations while the sandbox is the only account: they are caught where colleagues look, and must
 * not let anybody into an account that is not theirs.
 */
let world: World;
let logged = '';
/** Somebody signed in to the dashboard. */
type Person = (method: string, path: string, body?: unknown) => Promise<Answer>;
let owner: Person;
let secondOwner: Person;
let marketer: Person;
/** The invitation that brought the marketer in. */
let invitationUrl = '';
let resetToken = '';

beforeAll(async () => {
  const destination = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      logged += chunk.toString();
      done();
    },
  });
  world = await openWorld(createLog('debug', destination));
  const { headers } = await world.ask('POST', '/api/v1/auth/sign-in', {
    headers: fromDashboard(),
    body: { email: ownerEmail, password: ownerPassword },
  });
  owner = personWith(headers);
  secondOwner = await invited('second@example.com', 'owner');
  marketer = await invited('mia@example.com', 'marketer');
  await world.ask('POST', '/api/v1/auth/password/forgot', { headers: fromDashboard(), body: { email: ownerEmail } });
  await world.parley.workspaces.idle();
  const { opened } = await caught(owner, ownerEmail);
  resetToken = /\/reset-password\/(\S+)/.exec(String(opened.json?.['text']))?.[1] ?? '';
}, 60_000);
afterAll(() => world.close(), 60_000);

const fromDashboard = () => ({ origin: world.url, 'sec-fetch-site': 'same-origin', 'x-parley-csrf': '1' });

function personWith(headers: Headers): Person {
  const cookie = headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
  return (method, path, body) =>
    world.ask(method, `/api/v1${path}`, {
      headers: { ...fromDashboard(), cookie },
      ...(body === undefined ? {} : { body }),
    });
}

async function invited(email: string, role: string): Promise<Person> {
  const { json } = await owner('POST', '/invitations', { email, grant: { role } });
  expect(json).toMatchObject({ mailed: true });
  invitationUrl = String(json?.['url']);
  const token = invitationUrl.split('/').at(-1);
  const joined = await world.ask('POST', `/api/v1/auth/invitations/${token}/accept`, {
    headers: fromDashboard(),
    body: { name: email, password: ownerPassword },
  });
  return personWith(joined.headers);
}

/** The newest caught mail to `to`, in the list and opened, as `who` sees it. */
async function caught(who: Person, to: string): Promise<{ listed: Record<string, unknown>; opened: Answer }> {
  const list = await who('GET', `/sandbox/messages?to=${to}`);
  const [listed = {}] = (list.json?.['data'] ?? []) as Record<string, unknown>[];
  return { listed, opened: await who('GET', `/sandbox/messages/${String(listed['id'])}`) };
}

const byBearer =
  (key: string): Person =>
  (method, path, body) =>
    world.ask(method, `/api/v1${path}`, { key, ...(body === undefined ? {} : { body }) });

async function byToken(): Promise<Person> {
  const { json } = await byBearer(world.key)('POST', '/auth/token', {});
  return byBearer(String(json?.['token']));
}

describe('a password reset that the sandbox caught', () => {
  test('shows its link to the person it is for', async () => {
    expect(resetToken).toMatch(/^.{20,}$/);
    const { listed, opened } = await caught(owner, ownerEmail);
    expect(listed).toMatchObject({ hidden: false, to: ownerEmail });
    expect(opened.json).toMatchObject({ hidden: false, links: [expect.stringContaining('/reset-password/')] });
    // It is in no ledger, so there is nothing to look up by its id.
    expect(opened.json).not.toHaveProperty('messageId');
  });

  test.each<[string, () => Promise<Person>]>([
    ['a marketer', async () => marketer],
    ['another owner', async () => secondOwner],
    ['the API key with every permission', async () => byBearer(world.key)],
    ['a token of that key', byToken],
  ])('shows nothing of it to %s', async (_who, person) => {
    const { listed, opened } = await caught(await person(), ownerEmail);
    expect(listed).toMatchObject({ hidden: true, to: ownerEmail, subject: 'Set a new password for Parley' });
    expect(opened.status).toBe(200);
    expect(opened.json).toMatchObject({ hidden: true, headers: {}, links: [] });
    for (const part of ['text', 'html', 'raw']) expect(opened.json).not.toHaveProperty(part);
    expect(opened.text).not.toContain(resetToken);
  });

  test('is clicked for nobody else', async () => {
    const { listed } = await caught(owner, ownerEmail);
    const act = `/sandbox/messages/${String(listed['id'])}/act`;
    for (const person of [secondOwner, byBearer(world.key)])
      for (const action of ['open', 'click', 'unsubscribe'])
        expect((await person('POST', act, { action })).json).toMatchObject({ status: 403, code: 'sandbox/hidden' });
  });
});

describe('an invitation that the sandbox caught', () => {
  test('is shown to who sent it, and to nobody else', async () => {
    expect((await caught(owner, 'mia@example.com')).opened.json).toMatchObject({ links: [invitationUrl] });
    for (const person of [marketer, secondOwner, byBearer(world.key)])
      expect((await caught(person, 'mia@example.com')).opened.json).toMatchObject({ hidden: true, links: [] });
  });

  test('that a key sent is shown to nobody', async () => {
    const scoped = await world.newKey(world.workspaceId);
    const sent = await byBearer(scoped)('POST', '/invitations', {
      email: 'new@example.com',
      grant: { role: 'analyst' },
    });
    expect(sent.json).toMatchObject({ mailed: true });
    for (const person of [owner, marketer, byBearer(scoped)])
      expect((await caught(person, 'new@example.com')).opened.json).toMatchObject({ hidden: true, links: [] });
  });
});

test('neither the audit log nor the log holds a link', async () => {
  const secrets = [resetToken, invitationUrl.split('/').at(-1) ?? ''];
  // A worthless link is refused, a page of the dashboard served: both pass by the log.
  for (const secret of secrets) {
    await world.ask('GET', `/join/${secret}`);
    await world.ask('GET', `/api/v1/auth/invitations/${secret}`);
  }
  const audit = await owner('GET', '/audit/logs?limit=200');
  expect(audit.text).toContain('invitation.created');
  const { rows } = await world.test.owner.query<{ whole: string }>(
    `select string_agg(to_jsonb(a)::text, '') as whole from audit_entry a`,
  );
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThan(15);
    expect(logged).not.toContain(secret);
    expect(audit.text).not.toContain(secret);
    expect(rows[0]?.whole).not.toContain(secret);
  }
});
