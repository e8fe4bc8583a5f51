import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AccountReceipts, Receipt, Told } from '../channels/index.ts';
import { newId } from '../platform/ids.ts';
import { silentLog } from '../platform/log.ts';
import { createTestApp } from '../platform/testing.ts';
import { createCallbackDesk } from './callback-desk.ts';
import type { CallbackDesk } from './callback-desk.ts';
import { createInboundLab } from './testing.ts';

type Lab = Awaited<ReturnType<typeof createInboundLab>>;

let lab: Lab;
let desk: CallbackDesk;
let app: Awaited<ReturnType<typeof createTestApp>>;
let accountId: string;
/** What delivery was told, in order. */
let applied: Receipt[][] = [];
let unknownUntilTold = 0;
let failing = new Set<string>();

const sign = (body: string) => createHmac('sha256', 'vendor secret').update(body).digest('hex');

/** A vendor that signs its bodies, whose bodies are what they mean. */
const vendor: AccountReceipts = {
  verify: ({ headers, body, method, url }) => {
    if (method === 'GET')
      return Promise.resolve({
        kind: 'answer',
        status: 200,
        contentType: 'text/plain',
        body: new URL(url).searchParams.get('challenge') ?? '',
      });
    if (headers['x-signature'] !== sign(body.toString()))
      return Promise.resolve({ kind: 'forged', reason: 'signature' });
    const once = headers['x-nonce'];
    return Promise.resolve({ kind: 'genuine', ...(once === undefined ? {} : { once }) });
  },
  read: ({ body }) => {
    const told = JSON.parse(body.toString()) as Partial<Told> & { poison?: string };
    if (told.poison !== undefined && failing.has(told.poison)) throw new Error('cannot be read');
    return { receipts: told.receipts ?? [], inbound: told.inbound ?? [], news: told.news ?? [] };
  },
};

beforeAll(async () => {
  lab = await createInboundLab();
  const { db, below } = lab;
  accountId = newId(db.clock);
  await db.write((tx) =>
    tx.query(
      `insert into provider_account (workspace_id, id, channel, kind, name, settings, created_at, updated_at)
       values ($1, $2, 'sms', 'acme', 'Acme', '{}', now(), now())`,
      [tx.workspaceId, accountId],
    ),
  );
  desk = createCallbackDesk({
    hot: db.pinned,
    clock: db.clock,
    vault: db.vault,
    log: silentLog,
    events: below.activity,
    channels: { receiptsFor: async (_tx, id) => (id === accountId ? vendor : undefined) },
    delivery: {
      applyReceipts: async (_tx, _account, receipts) => {
        if (unknownUntilTold > 0) {
          unknownUntilTold -= 1;
          return { unmatched: receipts };
        }
        if (receipts.length > 0) applied.push([...receipts]);
        return { unmatched: [] };
      },
      messageOfRef: async () => undefined,
    },
    consent: below.consent,
    choices: lab.choices,
    findAddress: below.audience.people.findAddress,
  });
  app = await createTestApp(db, desk.routes);
});
afterAll(async () => {
  await app.close();
  await lab.close();
});
beforeEach(async () => {
  await desk.reader.drain();
  applied = [];
  failing = new Set();
});

const fact = (key: string, more: Partial<Receipt> = {}): Receipt => ({
  kind: 'delivered',
  key,
  messageId: '00000000-0000-7000-8000-000000000001',
  at: '2026-02-01T10:00:00Z',
  ...more,
});

async function call(told: Partial<Told> & { poison?: string }, headers: Record<string, string> = {}, path?: string) {
  const payload = JSON.stringify(told);
  return app.inject({
    method: 'POST',
    url: path ?? `/api/v1/callbacks/acme/${accountId}`,
    headers: { 'content-type': 'application/json', 'x-signature': sign(payload), ...headers },
    payload,
  });
}
const kept = async () => {
  const { rows } = await lab.db.owner.query<{ n: number }>('select count(*)::int as n from callback');
  return rows[0]?.n ?? 0;
};

describe('a callback of a provider', () => {
  it('is kept, whole and sealed, before it is answered, and read afterwards', async () => {
    const answer = await call({ receipts: [fact('a')] }, { authorization: 'Basic c2VjcmV0' });
    expect(answer.statusCode).toBe(200);
    expect(applied).toEqual([]);
    const { rows } = await lab.db.owner.query<{ sealed: Buffer }>('select sealed from callback');
    expect(rows).toHaveLength(1);
    expect(rows[0]?.sealed.toString('latin1')).not.toContain('receipts');
    await desk.reader.drain();
    expect(applied).toEqual([[fact('a')]]);
    expect(await kept()).toBe(0);
  });

  it('that is not signed by the vendor is refused, and nothing of it is kept', async () => {
    const answer = await call({ receipts: [fact('forged')] }, { 'x-signature': '00' });
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toMatchObject({ code: 'callback/forged' });
    expect(answer.body).not.toContain('x-signature');
    expect(await kept()).toBe(0);
  });

  it('is judged on its bytes as they came, whatever their type', async () => {
    const payload = '{ "receipts" : [ ] }\r\n';
    const ask = (type: string) =>
      app.inject({
        method: 'POST',
        url: `/api/v1/callbacks/acme/${accountId}?m=1&m=2`,
        headers: { 'content-type': type, 'x-signature': sign(payload) },
        payload,
      });
    for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text/plain; charset=UTF-8'])
      expect((await ask(type)).statusCode).toBe(200);
  });

  it.each([
    ['of an account there is not', () => `/api/v1/callbacks/acme/${newId(lab.db.clock)}`],
    ['of another provider', () => `/api/v1/callbacks/other/${accountId}`],
    ['of what is no id', () => '/api/v1/callbacks/acme/../../etc'],
  ])('%s is not found', async (_what, path) => {
    expect((await call({ receipts: [fact('x')] }, {}, path())).statusCode).toBe(404);
  });

  it('with a nonce that was used before is answered, and not read again', async () => {
    const told = { receipts: [fact('n1')] };
    expect((await call(told, { 'x-nonce': 'one' })).statusCode).toBe(200);
    expect((await call({ receipts: [fact('n2')] }, { 'x-nonce': 'one' })).statusCode).toBe(200);
    await desk.reader.drain();
    expect(applied.flat().map((one) => one.key)).toEqual(['n1']);
  });

  it('told twice counts once, in one callback or in several', async () => {
    await call({ receipts: [fact('twice'), fact('twice'), fact('other')] });
    await desk.reader.drain();
    await call({ receipts: [fact('twice')] });
    await desk.reader.drain();
    expect(applied.flat().map((one) => one.key)).toEqual(['twice', 'other']);
  });

  it('about a message that is not known yet is read again later', async () => {
    unknownUntilTold = 2;
    await call({ receipts: [fact('early')] });
    await desk.reader.drain();
    expect(applied).toEqual([]);
    expect(await kept()).toBe(1);
    lab.db.clock.advance(600);
    await desk.reader.drain();
    lab.db.clock.advance(6_000);
    await desk.reader.drain();
    expect(applied.flat().map((one) => one.key)).toEqual(['early']);
    expect(await kept()).toBe(0);
  });

  it('about a message nobody ever knew is let go after some tries', async () => {
    unknownUntilTold = 100;
    await call({ receipts: [fact('never')] });
    for (let round = 0; round < 6; round++) {
      await desk.reader.drain();
      lab.db.clock.advance(700_000);
    }
    unknownUntilTold = 0;
    expect(await kept()).toBe(0);
  });

  it('that cannot be read stops no other, and is kept for a person to look at', async () => {
    failing.add('p');
    await call({ poison: 'p', receipts: [fact('poisoned')] });
    await call({ receipts: [fact('sound')] });
    for (let round = 0; round < 7; round++) {
      await desk.reader.drain();
      lab.db.clock.advance(20_000_000);
    }
    expect(applied.flat().map((one) => one.key)).toEqual(['sound']);
    const { rows } = await lab.db.owner.query<{ due: string }>('select due_at::text as due from callback');
    expect(rows).toEqual([{ due: 'infinity' }]);
    await lab.db.owner.query('delete from callback');
  });

  it('answers a vendor that asks whether the address is ours', async () => {
    const answer = await app.inject({ method: 'GET', url: `/api/v1/callbacks/acme/${accountId}?challenge=1234` });
    expect([answer.statusCode, answer.body, answer.headers['content-type']]).toEqual([
      200,
      '1234',
      expect.stringContaining('text/plain'),
    ]);
  });
});

describe('what people write', () => {
  it('is kept sealed, told to the event log, and a word that means stop is obeyed', async () => {
    const { db } = lab;
    const sent = await lab.send();
    expect(await lab.stateOf(sent)).toBe('granted');
    const reply = {
      channel: 'email',
      key: 'in-1',
      from: sent.email,
      to: 'us@example.com',
      text: 'STOP',
      at: '2026-02-01T11:00:00Z',
      keyword: 'stop',
    } as const;
    await call({ inbound: [reply, reply] });
    await desk.reader.drain();
    const { rows } = await db.owner.query<{ contact_id: string; sealed: Buffer; keyword: string }>(
      'select contact_id, sealed, keyword from inbound_message',
    );
    expect(rows).toMatchObject([{ contact_id: sent.contactId, keyword: 'stop' }]);
    expect(rows[0]?.sealed.toString('latin1')).not.toContain(sent.email);
    expect(await lab.stateOf(sent)).toBe('withdrawn');
    const events = await db.owner.query('select 1 from event where kind = $1 and contact_id = $2', [
      'message.received',
      sent.contactId,
    ]);
    expect(events.rowCount).toBe(1);
  });

  it('is kept when a stranger wrote it, or a sender that is no address', async () => {
    const base = { channel: 'sms', to: '+4915112345678', text: 'hello', at: '2026-02-01T11:00:00Z' } as const;
    await call({
      inbound: [
        { ...base, key: 'in-2', from: '+4915112345679' },
        { ...base, key: 'in-3', from: '32665' },
      ],
    });
    await desk.reader.drain();
    const { rows } = await lab.db.owner.query<{ contact_id: string | null }>(
      "select contact_id from inbound_message where channel = 'sms'",
    );
    expect(rows).toEqual([{ contact_id: null }, { contact_id: null }]);
  });

  it('by the vendor’s own way of leaving ends the topic', async () => {
    const sent = await lab.send();
    await call({ receipts: [fact('left', { kind: 'unsubscribed', messageId: sent.messageId })] });
    await desk.reader.drain();
    expect(await lab.stateOf(sent)).toBe('withdrawn');
  });
});

describe('who stops advertising with WhatsApp’s own control', () => {
  const phone = '+4915112345670';
  const news = (key: string, about: string, wish: string) => ({
    key,
    kind: 'marketing-preference',
    at: '2026-02-01T11:00:00Z',
    about,
    data: { wish },
  });

  it('gets none on WhatsApp any more, and is named by contact in the event log', async () => {
    const { db, below, topicId } = lab;
    const { contactId, addressId } = await db.write((tx) =>
      below.audience.people.obtainAddress(tx, { kind: 'phone', value: phone }, '/to'),
    );
    const granted = (channel: 'whatsapp' | 'sms') => ({
      contactId,
      addressId,
      channel,
      topicId,
      action: 'grant' as const,
      basis: 'consent' as const,
      source: 'test',
      actor: 'contact',
      evidence: { source: 'form' },
      at: db.clock.now(),
    });
    await db.write((tx) => below.consent.record(tx, [granted('whatsapp'), granted('sms')]));
    const states = async () => {
      const standing = await db.read((tx) => below.consent.consentsOf(tx, [addressId]));
      return Object.fromEntries(standing.map((one) => [one.channel, one.state]));
    };
    await call({ news: [news('n-1', phone, 'resume'), news('n-2', '+4915112345671', 'stop')] });
    await desk.reader.drain();
    expect(await states()).toEqual({ whatsapp: 'granted', sms: 'granted' });
    await call({ news: [news('n-3', phone, 'stop'), news('n-3', phone, 'stop')] });
    await desk.reader.drain();
    expect(await states()).toEqual({ whatsapp: 'withdrawn', sms: 'granted' });
    const { rows } = await db.owner.query<{ contact_id: string | null; data: object }>(
      "select contact_id, data from event where kind = 'account.marketing-preference' order by id",
    );
    expect(rows.map((row) => row.contact_id)).toEqual([contactId, null, contactId]);
    expect(JSON.stringify(rows)).not.toContain('4915112345');
  });
});
