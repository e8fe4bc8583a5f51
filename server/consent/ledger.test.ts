import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createActivity } from '../activity/index.ts';
import { sealHead } from '../platform/chain.ts';
import type { Tx } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { silentLog } from '../platform/log.ts';
import { createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { createLedger } from './ledger.ts';
import type { ConsentDraft, Ledger } from './ledger.ts';
import { apply } from './consent.rules.ts';
import type { Standing } from './consent.rules.ts';
import { verifyLedger } from './verify.ts';

let lab: TestDb;
let ledger: Ledger;
let workspaceId: string;
const topicId = '01890000-0000-7000-8000-000000000001';

beforeAll(async () => {
  lab = await createTestDb();
  const events = createActivity({ db: lab.db, clock: lab.clock, log: silentLog });
  ledger = createLedger({ clock: lab.clock, vault: lab.vault, events });
});
afterAll(() => lab.close());
beforeEach(async () => {
  workspaceId = await lab.newWorkspace();
});

async function person(tx: Tx): Promise<{ contactId: string; addressId: string }> {
  const [contactId, addressId] = [newId(lab.clock), newId(lab.clock)];
  await tx.query('insert into contact (workspace_id, id, salt, created_at, updated_at) values ($1, $2, $3, $4, $4)', [
    tx.workspaceId,
    contactId,
    Buffer.alloc(16, 1),
    lab.clock.now(),
  ]);
  return { contactId, addressId };
}

const write = <T>(work: (tx: Tx) => Promise<T>) => lab.db.transaction(workspaceId, work);
const people = (count: number) =>
  write((tx) =>
    (async () => {
      const made = [];
      for (let n = 0; n < count; n++) made.push(await person(tx));
      return made;
    })(),
  );
const draft = (who: { contactId: string; addressId: string }, change: Partial<ConsentDraft> = {}): ConsentDraft => ({
  ...who,
  channel: 'email',
  topicId,
  action: 'grant',
  basis: 'consent',
  source: 'api',
  evidence: { source: 'form', ip: '192.0.2.1' },
  actor: 'key:1',
  at: lab.clock.now(),
  ...change,
});
const verify = () => verifyLedger(lab.db, lab.vault, workspaceId);
const tamper = (text: string, ...values: unknown[]) => lab.owner.query(text, [workspaceId, ...values]);
const states = () =>
  lab.db.read(workspaceId, (tx) =>
    tx.query<{ address: string; state: string }>(
      'select address_id as address, state from consent where workspace_id = $1',
      [workspaceId],
    ),
  );

/** Ten entries for five people. */
async function tenEntries(): Promise<void> {
  const five = await people(5);
  await write((tx) =>
    ledger.record(
      tx,
      five.map((one) => draft(one)),
    ),
  );
  lab.clock.advance(1000);
  await write((tx) =>
    ledger.record(
      tx,
      five.map((one) => draft(one, { action: 'withdraw' })),
    ),
  );
}

describe('recording', () => {
  test('a batch is chained in order and moves what counts', async () => {
    const [one, two] = await people(2);
    if (one === undefined || two === undefined) throw new Error('no people');
    const results = await write((tx) =>
      ledger.record(tx, [
        draft(one),
        draft(two),
        draft(one, { action: 'withdraw', at: lab.clock.now().add({ seconds: 1 }) }),
      ]),
    );
    expect(results.map((result) => [result.effect, result.state])).toEqual([
      ['change', 'granted'],
      ['change', 'granted'],
      ['change', 'withdrawn'],
    ]);
    expect(new Map((await states()).map((row) => [row.address, row.state]))).toEqual(
      new Map([
        [one.addressId, 'withdrawn'],
        [two.addressId, 'granted'],
      ]),
    );
    expect(await verify()).toMatchObject({ ok: true, checked: 3, broken: null, head: { seq: 3 } });
  });

  test('the same import twice changes nothing and writes nothing', async () => {
    const five = await people(5);
    const imported = five.map((one) => draft(one, { source: 'import' }));
    await write((tx) => ledger.record(tx, imported));
    const again = await write((tx) => ledger.record(tx, imported));
    expect(again.every((result) => result.effect === 'nothing' && result.state === 'granted')).toBe(true);
    expect((await verify()).checked).toBe(5);
  });

  test('each change is announced, with ids only', async () => {
    const [one] = await people(1);
    if (one === undefined) throw new Error('no people');
    await write((tx) =>
      ledger.record(tx, [draft(one), draft(one, { action: 'withdraw', at: lab.clock.now().subtract({ hours: 2 }) })]),
    );
    const events = await lab.db.read(workspaceId, (tx) =>
      tx.query('select kind, data from event where workspace_id = $1', [workspaceId]),
    );
    expect(events).toEqual([
      { kind: 'consent.granted', data: { addressId: one.addressId, channel: 'email', topicId, source: 'api' } },
    ]);
  });

  test('nothing is recorded about an erased contact', async () => {
    const [one] = await people(1);
    if (one === undefined) throw new Error('no people');
    await tamper('update contact set salt = null where workspace_id = $1');
    await expect(write((tx) => ledger.record(tx, [draft(one)]))).rejects.toMatchObject({
      code: 'consent/contact-erased',
    });
    expect((await verify()).checked).toBe(0);
  });

  test('writers in parallel keep the chain whole', async () => {
    const many = await people(40);
    await Promise.all(
      many.map((one, index) =>
        write((tx) =>
          ledger.record(tx, [
            draft(one),
            draft(one, { action: 'withdraw', channel: index % 2 === 0 ? 'email' : 'sms' }),
          ]),
        ),
      ),
    );
    expect(await verify()).toMatchObject({ ok: true, checked: 80 });
  });

  test('two first entries at once are both kept: who looks between them does not take the other for tampering', async () => {
    const [one, other] = await people(2);
    if (one === undefined || other === undefined) throw new Error('no people');
    let overtaken = false;
    await write((tx) => {
      const slow: Tx = {
        ...tx,
        hot: async <Row>(text: string, values?: readonly unknown[]) => {
          const rows = await tx.hot<Row>(text, values);
          if (!overtaken && text.includes('from consent_head')) {
            overtaken = true;
            await write((faster) => ledger.record(faster, [draft(other)]));
          }
          return rows;
        },
      };
      return ledger.record(slow, [draft(one)]);
    });
    expect(await verify()).toMatchObject({ ok: true, checked: 2 });
  });

  test('what is stored is what the rules say, in any order and any grouping into batches', async () => {
    const anyDraft = fc.record({
      who: fc.nat({ max: 3 }),
      action: fc.constantFrom('grant', 'withdraw', 'expire'),
      hours: fc.nat({ max: 20 }),
      imported: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(anyDraft, { minLength: 1, maxLength: 5 }), { maxLength: 4 }),
        async (batches) => {
          const four = await people(4);
          const expected = new Map<string, Standing>();
          const start = lab.clock.now().subtract({ hours: 100 });
          for (const batch of batches) {
            const drafts = batch.map(({ who, action, hours, imported }) => {
              const one = four[who];
              if (one === undefined) throw new Error('no person');
              return draft(one, {
                action: imported ? 'grant' : action,
                at: start.add({ hours }),
                source: imported ? 'import' : 'api',
              });
            });
            await write((tx) => ledger.record(tx, drafts));
            for (const one of drafts) {
              const standing = apply(expected.get(one.addressId), one).standing;
              if (standing !== undefined) expected.set(one.addressId, standing);
            }
          }
          const stored = new Map((await states()).map((row) => [row.address, row.state]));
          for (const one of four) expect(stored.get(one.addressId)).toBe(expected.get(one.addressId)?.state);
        },
      ),
      { numRuns: 25 },
    );
    expect((await verify()).ok).toBe(true);
  });
});

describe('verifying finds', () => {
  test('nothing wrong in an empty ledger', async () => {
    expect(await verify()).toEqual({ ok: true, checked: 0, head: null, broken: null });
  });

  test('a changed field, and names the entry', async () => {
    await tenEntries();
    await tamper("update consent_event set action = 'grant' where workspace_id = $1 and seq = 7");
    expect(await verify()).toMatchObject({ ok: false, checked: 6, broken: { seq: 7, id: expect.any(String) } });
  });

  test('a flipped byte of sealed evidence', async () => {
    await tenEntries();
    await tamper(
      'update consent_event set evidence = set_byte(evidence, 20, get_byte(evidence, 20) # 1) where workspace_id = $1 and seq = 3',
    );
    expect(await verify()).toMatchObject({ ok: false, broken: { seq: 3 } });
  });

  test('a gap', async () => {
    await tenEntries();
    await tamper('delete from consent_event where workspace_id = $1 and seq = 5');
    expect(await verify()).toMatchObject({ ok: false, checked: 4, broken: { seq: 5, id: null } });
  });

  test('a deleted newest entry', async () => {
    await tenEntries();
    await tamper('delete from consent_event where workspace_id = $1 and seq = 10');
    expect(await verify()).toMatchObject({ ok: false, checked: 9, broken: { seq: 10 } });
  });

  test('all entries deleted, and all entries deleted with the head', async () => {
    await tenEntries();
    await tamper('delete from consent_event where workspace_id = $1');
    expect(await verify()).toMatchObject({ ok: false, broken: { seq: 1 } });
    await tamper('delete from consent_head where workspace_id = $1');
    expect((await verify()).ok).toBe(false);
  });

  test('a chain recomputed without the key', async () => {
    await tenEntries();
    await tamper("update consent_event set actor = 'key:2', mac = sha256(mac) where workspace_id = $1 and seq >= 4");
    expect(await verify()).toMatchObject({ ok: false, broken: { seq: 4 } });
  });

  test('a head that was set back with a seal of its own making', async () => {
    await tenEntries();
    const { rows } = await tamper('select mac from consent_event where workspace_id = $1 and seq = 9');
    await tamper(
      'update consent_head set seq = 9, mac = $2, seal = $3 where workspace_id = $1',
      rows[0].mac,
      sealHead(Buffer.alloc(32), 9, rows[0].mac),
    );
    expect(await verify()).toMatchObject({ ok: false, broken: { seq: 9, reason: expect.stringContaining('head') } });
    const [one] = await people(1);
    if (one === undefined) throw new Error('no people');
    await expect(write((tx) => ledger.record(tx, [draft(one)]))).rejects.toMatchObject({
      code: 'consent/ledger-broken',
    });
  });

  test('a genuine old head put back', async () => {
    const five = await people(5);
    await write((tx) =>
      ledger.record(
        tx,
        five.map((one) => draft(one)),
      ),
    );
    const { rows } = await tamper('select seq, mac, seal from consent_head where workspace_id = $1');
    lab.clock.advance(1000);
    await write((tx) =>
      ledger.record(
        tx,
        five.map((one) => draft(one, { action: 'withdraw' })),
      ),
    );
    await tamper(
      'update consent_head set seq = $2, mac = $3, seal = $4 where workspace_id = $1',
      rows[0].seq,
      rows[0].mac,
      rows[0].seal,
    );
    expect(await verify()).toMatchObject({
      ok: false,
      broken: { seq: 6, reason: expect.stringContaining('beyond the head') },
    });
    await tamper('delete from consent_event where workspace_id = $1 and seq > 5');
    expect(await verify()).toMatchObject({ ok: false, broken: { seq: 6 } });
  });

  test('a consent granted by hand, past the ledger', async () => {
    await tenEntries();
    await tamper("update consent set state = 'granted' where workspace_id = $1 and event_seq = 8");
    expect(await verify()).toMatchObject({ ok: false, broken: { seq: 8 } });
  });

  test('nothing wrong after a contact was erased', async () => {
    await tenEntries();
    await tamper('update contact set salt = null, erased_at = now() where workspace_id = $1');
    expect((await verify()).ok).toBe(true);
  });
});

test('the server itself can neither change nor remove an entry', async () => {
  await tenEntries();
  for (const text of [
    "update consent_event set action = 'grant' where workspace_id = $1",
    'delete from consent_event where workspace_id = $1',
  ])
    await expect(write((tx) => tx.query(text, [workspaceId]))).rejects.toMatchObject({ code: '42501' });
});
