import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AccountReceipts, Receipt } from '../channels/index.ts';
import { newId } from '../platform/ids.ts';
import { silentLog } from '../platform/log.ts';
import { createTestApp } from '../platform/testing.ts';
import { createCallbackDesk } from './callback-desk.ts';
import type { CallbackDesk } from './callback-desk.ts';
import { createInboundLab } from './testing.ts';

type Lab = Awaited<ReturnType<typeof createInboundLab>>;
type App = Awaited<ReturnType<typeof createTestApp>>;

let lab: Lab;
let accountId: string;
/** Two processes: each with a door and a reader of its own. */
const desks: CallbackDesk[] = [];
const apps: App[] = [];
/** How often work breaks, before or after it is done. */
let trouble = 0;
let seed = 7;

/** The same numbers each time (Lehmer). */
function random(): number {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed / 2_147_483_647;
}

const kindsOf = (body: Buffer): readonly Receipt[] => JSON.parse(body.toString()) as readonly Receipt[];
const vendor: AccountReceipts = {
  verify: ({ headers }) =>
    Promise.resolve({
      kind: 'genuine',
      ...(headers['x-nonce'] === undefined ? {} : { once: headers['x-nonce'] }),
    }),
  read: ({ body }) => ({ receipts: kindsOf(body), inbound: [], news: [] }),
};

function maybeBreak(): void {
  if (random() < trouble) throw new Error('broken by chance');
}

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
  for (let process = 0; process < 2; process++) {
    const desk = createCallbackDesk({
      hot: db.pinned,
      clock: db.clock,
      vault: db.vault,
      log: silentLog,
      events: below.activity,
      channels: { receiptsFor: async () => vendor },
      delivery: {
        // What it does is in the transaction, so that what is rolled back has not happened.
        applyReceipts: async (tx, _account, receipts) => {
          maybeBreak();
          const occurredAt = db.clock.now();
          await below.activity.append(
            tx,
            receipts.map((one) => ({ kind: 'test.fact', occurredAt, data: { key: one.key } })),
          );
          maybeBreak();
          return { unmatched: [] };
        },
        messageOfRef: async () => undefined,
      },
      consent: below.consent,
      choices: lab.choices,
      findAddress: below.audience.people.findAddress,
    });
    desks.push(desk);
    apps.push(await createTestApp(db, desk.routes));
  }
});
afterAll(async () => {
  for (const app of apps) await app.close();
  await lab.close();
});

const fact = (key: string): Receipt => ({
  kind: 'delivered',
  key,
  messageId: newId(lab.db.clock),
  at: '2026-02-01T10:00:00Z',
});
const post = (app: App | undefined, payload: string | Buffer, nonce?: string) =>
  app?.inject({
    method: 'POST',
    url: `/api/v1/callbacks/acme/${accountId}`,
    headers: { 'content-type': 'application/json', ...(nonce === undefined ? {} : { 'x-nonce': nonce }) },
    payload,
  });
const factsTold = async () => {
  const { rows } = await lab.db.owner.query<{ key: string }>(
    `select data->>'key' as key from event where kind = 'test.fact' order by 1`,
  );
  await lab.db.owner.query(`delete from event where kind = 'test.fact'`);
  return rows.map((row) => row.key);
};
const kept = async () => (await lab.db.owner.query('select 1 from callback')).rowCount;
const drainBoth = () => Promise.all(desks.map((desk) => desk.reader.drain()));

describe('facts told under fire', () => {
  it('count once each: the same from two connections, read by two processes, with breakdowns at random', async () => {
    trouble = 0.12;
    const keys = Array.from({ length: 600 }, (_, n) => `fire-${String(n).padStart(3, '0')}`);
    for (let wave = 0; wave < 3; wave++) {
      const bodies = Array.from({ length: 40 }, () =>
        JSON.stringify(Array.from({ length: 30 }, () => fact(keys[Math.floor(random() * keys.length)] ?? ''))),
      );
      const telling = bodies.map(async (body, n) => {
        const answers = await Promise.all(
          apps.map(async (app) => (await post(app, body, `n-${wave}-${n}`))?.statusCode),
        );
        expect(answers).toEqual([200, 200]);
      });
      await Promise.all([...telling, drainBoth()]);
    }
    for (let round = 0; (await kept()) !== 0 && round < 60; round++) {
      await drainBoth();
      lab.db.clock.advance(60_000);
    }
    trouble = 0;
    expect(await kept()).toBe(0);
    const told = await factsTold();
    expect(told).toEqual([...new Set(told)]);
    expect(told.length).toBeGreaterThan(590);
  });

  it('a hundred thousand in one callback count once each, and the next callback is read as ever', async () => {
    const many = Array.from({ length: 100_000 }, (_, n) => `{"key":"m${n}","kind":"opened"}`);
    const answer = await post(apps[0], `[${many.join(',')}]`);
    expect(answer?.statusCode).toBe(200);
    await post(apps[1], JSON.stringify([fact('after')]));
    await drainBoth();
    const told = await factsTold();
    expect(told).toHaveLength(100_001);
    expect(new Set(told).size).toBe(100_001);
    expect(await kept()).toBe(0);
  });

  it('larger than the limit is refused as a whole, and nothing of it is kept', async () => {
    const answer = await post(apps[0], `["${'x'.repeat(6 * 1024 * 1024)}"]`);
    expect(answer?.statusCode).toBe(413);
    expect(answer?.json()).toMatchObject({ status: 413 });
    expect(await kept()).toBe(0);
    expect((await post(apps[0], '[]'))?.statusCode).toBe(200);
    await drainBoth();
  });

  it.each([
    ['no JSON', Buffer.from('not json')],
    ['no UTF-8', Buffer.from([0x5b, 0xff, 0xfe, 0x5d])],
    ['cut off', Buffer.from('[{"key":"half"')],
  ])(
    'a genuine callback with %s is kept whole for a person, stops no other, and is half done nowhere',
    async (_what, body) => {
      expect((await post(apps[0], body))?.statusCode).toBe(200);
      await post(apps[0], JSON.stringify([fact('sound')]));
      await post(apps[1], JSON.stringify([fact('sound too')]));
      for (let round = 0; round < 7; round++) {
        await drainBoth();
        lab.db.clock.advance(20_000_000);
      }
      expect(await factsTold()).toEqual(['sound', 'sound too']);
      const { rows } = await lab.db.owner.query<{ due: string }>('select due_at::text as due from callback');
      expect(rows).toEqual([{ due: 'infinity' }]);
      await lab.db.owner.query('delete from callback');
      await lab.db.owner.query('delete from callback_mark');
    },
  );
});

describe('a reader with nothing to do', () => {
  it('asks less than once in two seconds, and reads at once when it is woken', async () => {
    const { db } = lab;
    let asked = 0;
    let rung = 0;
    const counting = {
      ...db.pinned,
      system: <T>(work: Parameters<typeof db.pinned.system<T>>[0]) => (asked++, db.pinned.system(work)),
    };
    const base = { hot: counting, clock: db.clock, vault: db.vault, log: silentLog, events: lab.below.activity };
    const told: string[] = [];
    const desk = createCallbackDesk({
      ...base,
      announce: () => void rung++,
      channels: { receiptsFor: async () => vendor },
      delivery: {
        applyReceipts: async (_tx, _account, receipts) => (
          told.push(...receipts.map((one) => one.key)),
          { unmatched: [] }
        ),
        messageOfRef: async () => undefined,
      },
      consent: lab.below.consent,
      choices: lab.choices,
      findAddress: lab.below.audience.people.findAddress,
    });
    desk.reader.wake();
    expect(rung).toBe(1);
    desk.reader.start();
    const settle = () => new Promise((resolve) => setTimeout(resolve, 50));
    await settle();
    const before = asked;
    for (let second = 0; second < 60; second++) {
      db.clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await settle();
    expect(asked - before).toBeGreaterThan(0);
    expect(asked - before).toBeLessThanOrEqual(3);
    await post(apps[0], JSON.stringify([fact('woken')]));
    desk.reader.wake();
    await expect.poll(() => told).toEqual(['woken']);
    expect(rung).toBe(1);
    await desk.reader.stop();
  });
});
