import { createPublicKey, verify as verifySignature } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FastifyInstance } from 'fastify';
import { canonicalJson } from '../platform/chain.ts';
import { createTestApp, createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { createConsentLab } from './testing.ts';
import type { ConsentLab } from './testing.ts';

let db: TestDb;
let lab: ConsentLab;
let app: FastifyInstance;

beforeAll(async () => {
  db = await createTestDb();
  lab = createConsentLab(db);
  app = await createTestApp(db, lab.routes);
  for (const key of ['news', 'offers', 'old']) await post('/topics', { key, name: `The ${key}` });
});
afterAll(async () => {
  await app.close();
  await db.close();
});

const call = (
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
) =>
  app.inject({
    method,
    url: `/api/v1${path}`,
    headers: {
      authorization: 'test',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
const get = (path: string, headers?: Record<string, string>) => call('GET', path, undefined, headers);
const post = (path: string, body: unknown, headers?: Record<string, string>) => call('POST', path, body, headers);

const said = (value: string, change: object = {}) => ({
  address: { kind: 'email', value },
  channel: 'email',
  topic: 'news',
  action: 'grant',
  basis: 'consent',
  evidence: { source: 'signup form', textVersion: 'v3', ip: '192.0.2.7', locale: 'de' },
  ...change,
});

/** A moment later. */
const record = (value: string, change: object = {}) => {
  db.clock.advance(1000);
  return post('/compliance/consent', said(value, change));
};

describe('topics', () => {
  test('are made once per key, and listed by it page by page', async () => {
    const again = await post('/topics', { key: 'news', name: 'Other' });
    expect(again.statusCode).toBe(409);
    expect(again.json()).toMatchObject({ code: 'topic/key-taken', errors: [{ pointer: '/key' }] });
    const first = (await get('/topics?limit=2')).json();
    expect(first.data.map((one: { key: string }) => one.key)).toEqual(['news', 'offers']);
    const second = (await get(`/topics?limit=2&cursor=${first.nextCursor}`)).json();
    expect(second.data.map((one: { key: string }) => one.key)).toEqual(['old']);
    expect(second.nextCursor).toBeNull();
  });

  test('a change made from an older state is refused; archived ones are listed apart and take no new consent', async () => {
    const old = (await get('/topics')).json().data.find((one: { key: string }) => one.key === 'old');
    const shown = await get(`/topics/${old.id}`);
    expect(shown.json()).toMatchObject({ key: 'old', granted: 0, withdrawn: 0, revision: 1 });
    const changed = await call(
      'PATCH',
      `/topics/${old.id}`,
      { name: 'Gone', archived: true },
      { 'if-match': shown.headers.etag ?? '' },
    );
    expect(changed.json()).toMatchObject({ name: 'Gone', revision: 2, archivedAt: expect.any(String) });
    expect(
      (await call('PATCH', `/topics/${old.id}`, { name: 'X' }, { 'if-match': shown.headers.etag ?? '' })).statusCode,
    ).toBe(412);
    expect((await get('/topics?archived=true')).json().data).toHaveLength(1);
    expect((await record('late@example.com', { topic: 'old' })).json().code).toBe('topic/archived');
    expect((await record('late@example.com', { topic: 'old', action: 'withdraw' })).statusCode).toBe(201);
  });
});

describe('recording consent', () => {
  test('an address that nobody has becomes a contact', async () => {
    const answer = await record('Ann@Example.com');
    expect(answer.statusCode).toBe(201);
    expect(answer.json()).toMatchObject({ state: 'granted' });
    const shown = (await get('/compliance/consent/ann@example.com')).json();
    expect(shown.address).toBe('A•••@example.com');
    expect(shown.consents).toEqual([
      expect.objectContaining({ channel: 'email', topic: 'news', state: 'granted', eventId: answer.json().eventId }),
    ]);
    expect(shown.history).toEqual([
      expect.objectContaining({
        action: 'grant',
        source: 'api',
        actor: 'key:test-key',
        evidence: expect.objectContaining({ source: 'signup form', ip: '192.0.2.7' }),
      }),
    ]);
  });

  test('with the same Idempotency-Key it is recorded once', async () => {
    const [first, second] = [
      await post('/compliance/consent', said('once@example.com'), { 'idempotency-key': 'k1' }),
      await post('/compliance/consent', said('once@example.com'), { 'idempotency-key': 'k1' }),
    ];
    expect(second.json()).toEqual(first.json());
    expect((await get('/compliance/consent/once@example.com')).json().history).toHaveLength(1);
  });

  test('withdrawn, it stays withdrawn for older evidence, and is granted again by newer', async () => {
    await record('bob@example.com');
    const before = db.clock.now().subtract({ hours: 5 }).toString();
    expect((await record('bob@example.com', { action: 'withdraw' })).json().state).toBe('withdrawn');
    expect((await record('bob@example.com', { evidence: { source: 'paper', at: before } })).json().state).toBe(
      'withdrawn',
    );
    expect((await record('bob@example.com')).json().state).toBe('granted');
    expect((await get('/compliance/consent/bob@example.com')).json().history).toHaveLength(4);
  });

  test.each([
    ['an unknown topic', { topic: 'nothing' }, 422, '/topic'],
    ['a channel that does not fit the address', { channel: 'sms' }, 422, '/channel'],
    ['a time in the future', { evidence: { source: 'x', at: '2030-01-01T00:00:00Z' } }, 422, '/evidence/at'],
    ['an address that is none', { address: { kind: 'email', value: 'nobody' } }, 422, '/address/value'],
  ])('%s is refused, naming the field', async (_what, change, status, pointer) => {
    const answer = await record('x@example.com', change);
    expect(answer.statusCode).toBe(status);
    expect(answer.json().errors[0].pointer).toBe(pointer);
  });

  test('unsubscribing withdraws one topic, opting out all of them and what comes later', async () => {
    await record('carl@example.com');
    await record('carl@example.com', { topic: 'offers' });
    db.clock.advance(1000);
    const address = { kind: 'email', value: 'carl@example.com' };
    expect(
      (await post('/compliance/unsubscribe', { address, channel: 'email', topic: 'news', reason: 'called us' })).json()
        .state,
    ).toBe('withdrawn');
    expect((await post('/compliance/opt-out', { address })).json()).toEqual({ withdrawn: 1, suppressed: true });
    const shown = (await get('/compliance/consent/carl@example.com')).json();
    expect(shown.consents.map((one: { state: string }) => one.state)).toEqual(['withdrawn', 'withdrawn']);
    expect((await get('/suppressions?address=carl@example.com')).json().data).toEqual([
      expect.objectContaining({ reason: 'opt-out' }),
    ]);
  });

  test('an address that nobody has can opt out ahead', async () => {
    expect(
      (await post('/compliance/opt-out', { address: { kind: 'email', value: 'never@example.com' } })).json(),
    ).toEqual({ withdrawn: 0, suppressed: true });
    expect((await get('/suppressions?address=never@example.com')).json().data).toHaveLength(1);
    expect((await get('/compliance/consent/never@example.com')).statusCode).toBe(404);
  });

  test('each change is in the audit log', async () => {
    await record('audited@example.com');
    const rows = await db.read((tx) =>
      tx.query<{ action: string }>('select action from audit_entry where workspace_id = $1', [db.workspaceId]),
    );
    expect(rows.map((row) => row.action)).toEqual(
      expect.arrayContaining(['topic.created', 'consent.granted', 'consent.opted-out']),
    );
  });

  test('a contact shows what its addresses agreed to', async () => {
    const shown = (await get('/compliance/consent/ann@example.com')).json();
    const consents = (await get(`/contacts/${shown.contactId}/consents`)).json().data;
    expect(consents).toEqual([
      expect.objectContaining({
        channel: 'email',
        state: 'granted',
        topic: expect.objectContaining({ key: 'news' }),
        address: expect.objectContaining({ masked: 'A•••@example.com' }),
      }),
    ]);
  });
});

describe('the import', () => {
  test('grants where nobody has said anything, and never over a withdrawal', async () => {
    await record('gone@example.com', { action: 'withdraw' });
    await db.write(async (tx) => {
      const { topicId, at } = await lab.consent.audiencePorts.checkImport(
        tx,
        { channel: 'email', topic: 'news', basis: 'consent', evidence: { source: 'fair' } },
        '/consent',
      );
      const people = [];
      for (const value of ['gone@example.com', 'fresh@example.com'])
        people.push(await lab.audience.people.obtainAddress(tx, { kind: 'email', value }, ''));
      const addresses = people.map((one) => ({
        ...one,
        key: () => {
          throw new Error('the salt is read');
        },
      }));
      const keys = await db.vault.keys(tx);
      const salts = await tx.query<{ id: string; salt: Buffer }>(
        'select id, salt from contact where workspace_id = $1',
        [tx.workspaceId],
      );
      const page = addresses.map((one) => ({
        ...one,
        key: () => keys.contactKey(salts.find((row) => row.id === one.contactId)?.salt ?? Buffer.alloc(0)),
      }));
      for (let round = 0; round < 2; round++)
        await lab.consent.audiencePorts.afterImportPage(tx, {
          importId: '019c476d-0000-7000-8000-000000000000',
          channel: 'email',
          topicId,
          basis: 'consent',
          evidence: { source: 'fair' },
          at,
          addresses: page,
        });
    });
    expect((await get('/compliance/consent/gone@example.com')).json()).toMatchObject({
      consents: [{ state: 'withdrawn' }],
      history: [{ action: 'withdraw' }],
    });
    expect((await get('/compliance/consent/fresh@example.com')).json()).toMatchObject({
      consents: [{ state: 'granted' }],
      history: [{ source: 'import', evidence: { source: 'fair' } }],
    });
  });

  test('is refused before it starts when its topic or its time cannot be', async () => {
    const check = (change: object) =>
      db.read((tx) =>
        lab.consent.audiencePorts.checkImport(
          tx,
          { channel: 'email', topic: 'news', basis: 'consent', evidence: { source: 'fair' }, ...change },
          '/options/consent',
        ),
      );
    await expect(check({ topic: 'nothing' })).rejects.toMatchObject({
      code: 'topic/unknown',
      errors: [{ pointer: '/options/consent/topic' }],
    });
    await expect(check({ evidence: { source: 'x', at: '2031-01-01T00:00:00Z' } })).rejects.toMatchObject({
      errors: [{ pointer: '/options/consent/evidence/at' }],
    });
  });
});

describe('proof', () => {
  test('verifies with its public key, and not when a word of it is changed', async () => {
    await record('proof@example.com');
    const proof = (await get('/compliance/consent/proof@example.com/proof')).json();
    const { signature, ...document } = proof;
    const holds = (content: object) =>
      verifySignature(
        null,
        Buffer.from(canonicalJson(content)),
        createPublicKey(signature.publicKey),
        Buffer.from(signature.value, 'base64'),
      );
    expect(proof.entries).toHaveLength(1);
    expect(holds(document)).toBe(true);
    expect(holds({ ...document, address: 'x' })).toBe(false);
  });

  test('is not given on a ledger that was tampered with', async () => {
    await record('forged@example.com');
    const shown = (await get('/compliance/consent/forged@example.com')).json();
    expect((await get('/compliance/verify')).json()).toMatchObject({ ok: true, broken: null });
    const { seq } = shown.history[0];
    await db.owner.query("update consent_event set source = 'form' where workspace_id = $1 and seq = $2", [
      db.workspaceId,
      seq,
    ]);
    expect((await get('/compliance/consent/forged@example.com/proof')).json().code).toBe('consent/ledger-broken');
    expect((await get('/compliance/verify')).json()).toMatchObject({ ok: false, broken: { seq } });
    await db.owner.query("update consent_event set source = 'api' where workspace_id = $1 and seq = $2", [
      db.workspaceId,
      seq,
    ]);
    expect((await get('/compliance/verify')).json().ok).toBe(true);
  });
});

describe('suppressions', () => {
  test('are added for any address, found by it, and removed', async () => {
    const made = await post('/suppressions', { address: { kind: 'email', value: 'no@example.com' } });
    expect(made.statusCode).toBe(201);
    expect(made.json()).toMatchObject({ kind: 'email', reason: 'manual' });
    expect(JSON.stringify(made.json())).not.toContain('no@');
    expect((await post('/suppressions', { address: { kind: 'email', value: 'NO@EXAMPLE.com' } })).json().id).toBe(
      made.json().id,
    );
    expect((await call('DELETE', `/suppressions/${made.json().id}`)).statusCode).toBe(204);
    expect((await get('/suppressions?address=no@example.com')).json().data).toEqual([]);
    expect((await call('DELETE', `/suppressions/${made.json().id}`)).statusCode).toBe(404);
  });

  test('are listed newest first, page by page, by reason', async () => {
    for (const name of ['p1', 'p2', 'p3']) {
      db.clock.advance(1000);
      await post('/suppressions', { address: { kind: 'email', value: `${name}@example.com` } });
    }
    const first = (await get('/suppressions?reason=manual&limit=2')).json();
    expect(first.data).toHaveLength(2);
    const second = (await get(`/suppressions?reason=manual&limit=2&cursor=${first.nextCursor}`)).json();
    const times = [...first.data, ...second.data].map((one: { createdAt: string }) => one.createdAt);
    expect(times).toEqual(times.toSorted().toReversed());
    expect(new Set([...first.data, ...second.data].map((one: { id: string }) => one.id)).size).toBe(3);
  });

  test('bounces of known addresses go on the list once', async () => {
    const person = await db.write((tx) =>
      lab.audience.people.obtainAddress(tx, { kind: 'email', value: 'hard@example.com' }, ''),
    );
    for (let round = 0; round < 2; round++)
      await db.write((tx) => lab.consent.suppress(tx, [{ addressId: person.addressId, reason: 'bounce' }]));
    expect((await get('/suppressions?address=hard@example.com')).json().data).toEqual([
      expect.objectContaining({ reason: 'bounce' }),
    ]);
  });

  test('an erased address stays on the list, the ledger stays whole, and its consents are gone', async () => {
    await record('erase@example.com');
    const person = await db.write((tx) =>
      lab.audience.people.obtainAddress(tx, { kind: 'email', value: 'erase@example.com' }, ''),
    );
    await db.write((tx) => lab.consent.audiencePorts.erase(tx, { addresses: [person] }));
    const [entry] = (await get('/suppressions?address=erase@example.com')).json().data;
    expect(entry).toMatchObject({ reason: 'erased' });
    expect((await call('DELETE', `/suppressions/${entry.id}`)).json().code).toBe('suppression/erased-stays');
    expect((await get('/compliance/verify')).json().ok).toBe(true);
  });
});

test('another workspace sees none of it', async () => {
  const stranger = { 'x-workspace': await db.newWorkspace() };
  expect((await get('/compliance/consent/ann@example.com', stranger)).statusCode).toBe(404);
  expect((await get('/topics', stranger)).json().data).toEqual([]);
  expect((await get('/suppressions', stranger)).json().data).toEqual([]);
  expect((await get('/compliance/verify', stranger)).json()).toMatchObject({ ok: true, checked: 0 });
});
