import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../platform/ids.ts';
import { createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import type { Tx } from '../platform/db.ts';
import * as claims from './claim.store.ts';
import { applyEngagement } from './engagement.store.ts';
import * as lanes from './lane.store.ts';
import * as ledger from './ledger.store.ts';
import * as plans from './plan.store.ts';
import * as recipients from './recipients.store.ts';
import { createDeliveryBench } from './testing.ts';
import type { DeliveryBench } from './testing.ts';

/**
 * The hot statements go along indexes whatever the tables hold: under row-level security, as the server's role, with
 * the settings of the hot pool. A table just filled and never analysed is where planners flip.
 */
let db: TestDb;
let bench: DeliveryBench;
const needs = { phone: true, email: true, lastInbound: true };

beforeAll(async () => {
  db = await createTestDb();
  bench = await createDeliveryBench(db);
});
afterAll(() => db.close());

/** Runs a store function with EXPLAIN before each of its statements; answers the plans. */
async function explain(work: (tx: Tx) => Promise<unknown>): Promise<string> {
  const seen: string[] = [];
  await db.pinned
    .transaction(db.workspaceId, async (tx) => {
      const asked = async <Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> => {
        const rows = await tx.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values);
        seen.push(`${text.trim().slice(0, 80)}\n${rows.map((row) => row['QUERY PLAN']).join('\n')}`);
        return tx.query<Row>(text, values);
      };
      await work({ ...tx, query: asked, hot: asked });
      throw new Error('only looking');
    })
    .catch((error: unknown) => {
      if (!(error instanceof Error && error.message === 'only looking')) throw error;
    });
  return seen.join('\n\n');
}

/** Small tables of a moment (a list of ids, a function's rows) are read whole; ours never are. */
function expectAlongIndexes(plan: string): void {
  expect(plan.split('\n').filter((line) => /Seq Scan on (?!pg_)/.test(line))).toEqual([]);
  expect(plan.split('\n').filter((line) => /Hash Join|Merge Join|Disabled: true/.test(line))).toEqual([]);
}

const sizes = [0, 40, 4_000];

describe.each(sizes)('with %d messages more, never analysed', (size) => {
  let ids: string[] = [];
  let planId = newId({ now: () => Temporal.Now.instant(), sleep: () => Promise.resolve() });
  let contactIds: string[] = [];
  beforeAll(async () => {
    if (size === 0) return;
    const people = await bench.people(size);
    const plan = await bench.plan(people);
    planId = plan.id;
    contactIds = people.slice(0, 32).map((one) => one.contactId);
    const { rows } = await db.owner.query<{ id: string }>('select id from message where plan_id = $1 limit 32', [
      plan.id,
    ]);
    ids = rows.map((row) => row.id);
  });

  test('reading candidates, settling, moving a window, counting', async () => {
    const month = '2026-02-01';
    const now = db.clock.now();
    const plan = await explain(async (tx) => {
      await ledger.platformsOf(tx, month, ids);
      await ledger.readCandidates(tx, month, 'email', bench.topicId, ids);
      await ledger.readCandidates(tx, month, 'email', bench.topicId, ids, needs);
      await ledger.settleMessages(
        tx,
        month,
        db.workspaceId,
        ids.map((id) => ({ id, outcome: { state: 'accepted', reason: null, ref: 'x', tried: true } })),
        now,
      );
      await lanes.readRecent(tx, db.workspaceId, contactIds, now);
      await lanes.readUsed(tx, db.workspaceId, now);
      await lanes.endLease(tx, db.workspaceId, { used: 1 }, now);
      await lanes.readKeys(tx, db.workspaceId, ['domain example.com']);
      await ledger.moveMessages(tx, ids, ['planned'], 'cancelled', null, now);
      await claims.lockDueBatch(tx, now, 4);
      await claims.lockWindow(tx, db.workspaceId, 1);
      const move = { batchId: db.workspaceId, fence: 1, begun: 32, inFlight: ids, leaseUntil: now };
      await claims
        .closeWindow(tx, move, planId, 1, { counts: new Map([['planned', -1]]), lane: undefined })
        .catch(() => undefined);
      await claims.takeDeferrals(tx, now, 4, 500);
      await plans.findPlan(tx, planId);
      await plans.planHasWork(tx, planId);
    });
    expectAlongIndexes(plan);
  });

  test('whom a call of the API means, its plan, and many small batches made one', async () => {
    const { rows } = await db.owner.query<{ hash: Buffer }>('select hash from address limit 32');
    const about = { kind: 'email', channel: 'email', topicId: bench.topicId };
    expectAlongIndexes(
      await explain(async (tx) => {
        const addresses = rows.map(({ hash }) => ({ ...about, hash, version: 1 }));
        await recipients.readByAddress(tx, [...addresses, { ...about, hash: Buffer.alloc(16), version: 1 }], needs);
        const contacts = contactIds.map((contactId) => ({ ...about, contactId, externalId: null }));
        await recipients.readByContact(tx, [...contacts, { ...about, contactId: null, externalId: 'x' }], needs);
        await plans.findPlansByDigest(tx, '2026-02-01', [Buffer.alloc(32)]);
        await claims.absorbBatches(tx, { id: db.workspaceId, planId }, 400, db.clock.now());
        await ledger.lockBatchOf(tx, planId, db.workspaceId);
      }),
    );
  });

  test('folding in opens and clicks', async () => {
    expectAlongIndexes(
      await explain((tx) =>
        applyEngagement(
          tx,
          ids.map((messageId) => ({ messageId, kind: 'opened', at: db.clock.now() })),
        ),
      ),
    );
  });
});
