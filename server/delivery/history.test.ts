import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Tx } from '../platform/db.ts';
import { createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { findPage, idAt, window } from './history.store.ts';
import type { MessageFilter, Place } from './history.store.ts';
import type { PlanRow } from './plan.store.ts';
import { createDeliveryBench } from './testing.ts';
import { findLetters } from './trouble.store.ts';

/** More than ten windows, so that going through all of it shows. */
const rows = 220_000;
const letterRows = 60_000;

let db: TestDb;
/** Its messages are the newest. */
let large: PlanRow;
/** Has 100 messages, the oldest of all. */
let small: PlanRow;
let contactId = '';

beforeAll(async () => {
  db = await createTestDb();
  const bench = await createDeliveryBench(db);
  small = await bench.plan([]);
  large = await bench.plan([]);
  const [who] = await bench.people(1);
  contactId = who?.contactId ?? '';
  const firstMs = db.clock.now().epochMilliseconds - rows;
  const nth = `(lpad(to_hex(${firstMs} + g), 12, '0') || '70008000' || lpad(to_hex(g), 12, '0'))::uuid`;
  await db.owner.query(
    `insert into message (workspace_id, plan_month, id, plan_id, recipient_key, contact_id, channel, state, reason, account_id, attempt, planned_at)
     select $1, $2, ${nth}, case when g <= 100 then $3::uuid else $4::uuid end, ${nth}, case when g % 50000 = 7 then $5::uuid else ${nth} end,
       case when g = 5 then 'sms' else 'email' end, case when g = 9 then 'complained' when g <= ${letterRows} then 'failed' else 'accepted' end,
       case when g <= ${letterRows} and g <> 9 then 'content-refused' end, $1, 1, to_timestamp((${firstMs} + g) / 1000.0)
     from generate_series(1, ${rows}) g`,
    [db.workspaceId, large.month, small.id, large.id, contactId],
  );
  await db.owner.query(
    `insert into dead_letter (workspace_id, message_id, plan_id, campaign_id, state, channel, category, reason, code, provider, domain, tries, at)
     select m.workspace_id, m.id, m.plan_id, case when m.plan_id = $2 then $3::uuid else $4::uuid end, m.state, m.channel, 'content', m.reason,
       case when substr(m.id::text, 25)::text = lpad(to_hex(11), 12, '0') then 'rare' else '554' end, 'smtp', 'example.com', 1, m.planned_at
     from message m where m.workspace_id = $1 and m.state = 'failed'`,
    [db.workspaceId, small.id, small.sourceId, large.sourceId],
  );
  await db.owner.query('analyze message');
  await db.owner.query('analyze dead_letter');
  await db.owner.query('analyze plan');
}, 120_000);
afterAll(() => db.close());

interface Node {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Node[];
}

/** Runs with every statement explained; answers the most rows that any scan of one of the large tables looked at. */
async function looked<Found>(work: (tx: Tx) => Promise<Found>): Promise<{ found: Found; most: number; plans: string }> {
  let most = 0;
  const seen: string[] = [];
  const walk = (node: Node): void => {
    if (/^(message|dead_letter|deferral)/.test(node['Relation Name'] ?? '')) {
      most = Math.max(most, (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']);
      seen.push(`${node['Node Type']} ${node['Relation Name']}`);
    }
    node.Plans?.forEach(walk);
  };
  const found = await db.read((tx) => {
    const explained = async <Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> => {
      const [row] = await tx.query<{ 'QUERY PLAN': [{ Plan: Node }] }>(
        `explain (analyze, timing off, format json) ${text}`,
        values,
      );
      if (row !== undefined) walk(row['QUERY PLAN'][0].Plan);
      return tx.query<Row>(text, values);
    };
    return work({ ...tx, workspaceId: tx.workspaceId, xid: 0, query: explained });
  });
  return { found, most, plans: seen.join(', ') };
}

const old = () => db.clock.now().subtract({ milliseconds: rows - 200 });

test.each<[string, () => MessageFilter]>([
  ['no filter', () => ({})],
  ['a state that is rare and old', () => ({ state: 'complained' })],
  ['a state that none is in', () => ({ state: 'planned' })],
  ['what is held', () => ({ state: 'held' })],
  ['what is on the wire', () => ({ state: 'sending' })],
  ['failed', () => ({ state: 'failed' })],
  ['failed, on a channel that is rare', () => ({ state: 'failed', channel: 'sms' })],
  ['a rare code', () => ({ code: 'rare' })],
  ['a code that nobody said', () => ({ code: 'never' })],
  ['a kind of trouble', () => ({ errorCategory: 'content' })],
  ['a reason that is only among the old ones', () => ({ reason: 'content-refused' })],
  ['a channel that is rare and old', () => ({ channel: 'sms' })],
  ['a category of purposes', () => ({ category: 'otp' })],
  ['an account', () => ({ accountId: large.id })],
  ['a provider', () => ({ provider: 'twilio' })],
  ['a contact', () => ({ contactId })],
  ['a contact and an address of another', () => ({ contactId, addressId: large.id })],
  ['a large campaign', () => ({ campaignId: large.sourceId ?? '' })],
  ['a large campaign, of it what complained', () => ({ campaignId: large.sourceId ?? '', state: 'complained' })],
  ['a small old campaign', () => ({ campaignId: small.sourceId ?? '' })],
  ['a small old campaign, of it what failed', () => ({ campaignId: small.sourceId ?? '', state: 'failed' })],
  ['a template', () => ({ templateId: small.templateId })],
  ['a time long ago', () => ({ to: old().toString() })],
  ['a time that never was', () => ({ from: '2020-01-01T00:00:00Z', to: '2020-01-02T00:00:00Z' })],
])('a page with %s looks at no more than a window', async (_what, filter) => {
  const { most, plans } = await looked((tx) => findPage(tx, filter(), undefined, 50));
  expect(most, plans).toBeLessThanOrEqual(window);
  // Of partitions that are empty nothing else is worth its while.
  expect(plans).not.toContain(`Seq Scan message_${large.month.slice(0, 7).replace('-', '_')}`);
});

test.each<[string, MessageFilter]>([
  ['the one that complained', { state: 'complained' }],
  ['the one on a rare channel', { channel: 'sms' }],
  ['the one with a rare code', { code: 'rare' }],
])('going on from page to page finds %s, however long ago', async (_what, filter) => {
  const ids: string[] = [];
  let pages = 0;
  let place: Place | undefined;
  do {
    const page = await db.read((tx) => findPage(tx, filter, place, 50));
    ids.push(...page.ids);
    place = page.next;
    pages += 1;
  } while (place !== undefined && pages < 50);
  expect(ids).toHaveLength(1);
  expect(pages).toBeLessThanOrEqual(Math.ceil(rows / window) + 1);
});

test('the pages of a campaign follow each other without gap or overlap', async () => {
  const ids: string[] = [];
  let place: Place | undefined;
  do {
    const page = await db.read((tx) => findPage(tx, { campaignId: small.sourceId ?? '' }, place, 33));
    ids.push(...page.ids);
    place = page.next;
  } while (place !== undefined);
  expect(ids).toHaveLength(100);
  expect(new Set(ids).size).toBe(100);
  expect(ids).toEqual(ids.toSorted().toReversed());
});

test.each([
  { domain: 'example.com' },
  { code: 'rare' },
  { domain: 'nowhere.example' },
  { provider: 'twilio' },
  { reason: 'never' },
  { state: 'unknown' as const },
  { channel: 'sms', category: 'content' },
])('a page of dead letters with %o looks at no more than a window', async (filter) => {
  const { most, plans } = await looked((tx) => findLetters(tx, filter, undefined, 50));
  expect(most, plans).toBeLessThanOrEqual(window);
});

test('ids begin with their time', () => {
  expect(idAt('2026-02-10T12:00:00Z', 0)).toBe('019c476c-3600-0000-0000-000000000000');
});
