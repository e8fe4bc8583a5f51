import type { Tx } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import {
  absorbBatches,
  deleteBatch,
  leaseBatch,
  lockDueBatch,
  postponeChannel,
  releaseBatch,
  takeDeferrals,
} from './claim.store.ts';
import type { BatchRow } from './claim.store.ts';
import { moveMessages, readCandidates } from './ledger.store.ts';
import { onePlatform, onPlatform } from './platform.ts';
import type { Platformed } from './platform.ts';
import { followUp } from './fallback.ts';
import { openLane } from './lane-open.ts';
import type { Opening } from './lane-open.ts';
import { endLease } from './lane.store.ts';
import { leaseFrom } from './lease.ts';
import { createSlots } from './pace.rules.ts';
import type { Slots } from './pace.rules.ts';
import { batchSize, finishPlan } from './plan.ts';
import { findPlan, insertBatch, moveCounts, moveReasons } from './plan.store.ts';
import type { PlanRow } from './plan.store.ts';
import type { Turn } from './fairness.rules.ts';
import { leastUrgent } from './fairness.rules.ts';
import type { Composer, DeliveryDeps, LaneAccount } from './ports.ts';
import { reasonDeltas, writeResults } from './settle.ts';
import { countDeltas, unknown } from './settle.rules.ts';
import type { LedgerState } from './settle.rules.ts';

const deferralPage = 500;
/** Where nothing can be sent with (no account, all paused), look again after this time; a resume hastens it. */
const noLaneSeconds = 60;

/** The right to hand over a stretch of one batch on one lane. */
export interface Claim {
  readonly workspaceId: string;
  readonly batch: BatchRow;
  readonly fence: number;
  readonly plan: PlanRow;
  readonly account: LaneAccount;
  readonly composer: Composer;
  /** Positions from `batch.begun` up to here. */
  readonly end: number;
  /** What the lane let this claim have. */
  readonly opening: Opening;
  readonly slots: Slots;
  /** Another account could take what this one refuses for now. */
  readonly hasElsewhere: boolean;
}

/** 'again': something was put in order, ask once more; undefined: nothing to claim here now. */
export type ClaimAnswer = Claim | 'again' | undefined;

export async function claimNext(tx: Tx, deps: DeliveryDeps, shard: number, turn: Turn): Promise<ClaimAnswer> {
  const now = deps.clock.now();
  const gathered = turn.deferrals && (await gatherDeferrals(tx, deps, now, shard, turn.priority));
  const followed = turn.fallbacks && (await followUp(tx, deps, turn.priority, shard));
  const found = await lockDueBatch(tx, now, turn.priority);
  if (found === undefined) return gathered || followed ? 'again' : undefined;
  const [batch, plan] = await Promise.all([fill(tx, found, now), findPlan(tx, found.planId)]);
  if (plan === undefined) throw new Error('a batch without a plan');
  if (batch.leaseUntil !== null) {
    // What of an hour's or a day's allowance can have been used, was; the rest is free again.
    await endLease(tx, batch.id, { begun: batch.begun }, now);
    if (batch.inFlight.length > 0) await rescue(tx, deps, plan, batch, shard);
  }
  const fence = await leaseBatch(tx, batch.id, deps.worker, leaseFrom(deps.clock));
  if (batch.begun >= batch.size) {
    await deleteBatch(tx, batch.id, fence);
    await finishPlan(tx, deps, plan.id);
    return 'again';
  }
  if (plan.state === 'paused') {
    await releaseBatch(tx, batch.id, fence, 'infinity');
    return 'again';
  }
  if (plan.state === 'cancelled') {
    await cancelRest(tx, deps, plan, batch, fence, shard);
    return 'again';
  }
  return takeLane(tx, deps, plan, await onePlatform(tx, deps, plan, batch), fence);
}

/** Calls of the API make many small batches: as many of the same plan as make a whole one are claimed as one. */
async function fill(tx: Tx, batch: BatchRow, now: Temporal.Instant): Promise<BatchRow> {
  if (batch.begun > 0 || batch.leaseUntil !== null || batch.size > batchSize / 2) return batch;
  const added = await absorbBatches(tx, batch, batchSize - batch.size, now);
  if (added.length === 0) return batch;
  const messageIds = [...batch.messageIds, ...added];
  return { ...batch, messageIds, size: messageIds.length };
}

/** A worker died, or lost touch, with messages in its window: they may have left. */
async function rescue(tx: Tx, deps: DeliveryDeps, plan: PlanRow, batch: BatchRow, shard: number): Promise<void> {
  const accounts = await deps.accountsFor(tx, plan.channel, plan.sender.accountId);
  // Where somebody can say what became of them, he is asked before any policy.
  const policy = accounts.some((account) => account.tellsLater === true) ? 'hold' : await deps.unknownPolicy(tx);
  const now = deps.clock.now();
  const rows = await readCandidates(tx, plan.month, plan.channel, plan.topicId, batch.inFlight);
  const results = rows
    .filter((row) => row.state === 'planned')
    .map((row) => ({
      id: row.id,
      contactId: row.contactId,
      addressId: row.addressId,
      attempt: row.attempt,
      outcome: unknown(
        'worker-lost',
        'the worker stopped while this message was on the wire',
        row.attempt + 1,
        policy,
        now,
        deps.random(),
      ),
    }));
  const { counts } = await writeResults(tx, deps, plan, null, results, shard);
  await moveCounts(tx, plan.id, shard, counts);
  deps.log.warn(
    { batch: batch.id, inDoubt: results.length, policy },
    'a lease ran out; what was on the wire is in doubt',
  );
}

async function cancelRest(
  tx: Tx,
  deps: DeliveryDeps,
  plan: PlanRow,
  batch: BatchRow,
  fence: number,
  shard: number,
): Promise<void> {
  const rows = await readCandidates(tx, plan.month, plan.channel, plan.topicId, batch.messageIds.slice(batch.begun));
  const results = rows
    .filter((row) => row.state === 'planned')
    .map((row) => ({
      id: row.id,
      contactId: row.contactId,
      addressId: row.addressId,
      attempt: row.attempt,
      outcome: { state: 'cancelled' as const, reason: null, tried: false },
    }));
  const { counts } = await writeResults(tx, deps, plan, null, results, shard);
  await moveCounts(tx, plan.id, shard, counts);
  await deleteBatch(tx, batch.id, fence);
  await finishPlan(tx, deps, plan.id);
  tx.afterCommit(() => deps.tell(tx.workspaceId, plan.id));
}

/** Chooses the first lane of the route that opens: where one is closed, the next takes over at once. */
async function takeLane(
  tx: Tx,
  deps: DeliveryDeps,
  plan: PlanRow,
  { batch, platform }: Platformed,
  fence: number,
): Promise<ClaimAnswer> {
  const now = deps.clock.now();
  const route = await deps.accountsFor(tx, plan.channel, plan.sender.accountId);
  const accounts = onPlatform(route, platform).filter((one) => !one.paused);
  const wanted = {
    batchId: batch.id,
    position: batch.begun,
    count: batch.size - batch.begun,
    urgent: plan.priority <= leastUrgent,
  };
  let soonest = now.add({ seconds: noLaneSeconds });
  for (const account of accounts) {
    const opening = await openLane(tx, deps, account, wanted);
    if (opening instanceof Temporal.Instant) {
      soonest = earlier(soonest, opening);
      continue;
    }
    return {
      workspaceId: tx.workspaceId,
      batch,
      fence,
      plan,
      account,
      composer: await deps.composerFor(tx, plan, account),
      end: batch.begun + opening.count,
      opening,
      slots: createSlots(opening.reservation, opening.pace),
      hasElsewhere: accounts.length > 1,
    };
  }
  await releaseBatch(tx, batch.id, fence, soonest);
  // A plan with an account of its own says nothing about the others, nor a platform about the other ones.
  if (plan.sender.accountId === undefined && platform === undefined)
    await postponeChannel(tx, plan.channel, plan.priority, soonest);
  return undefined;
}

function earlier(a: Temporal.Instant, b: Temporal.Instant): Temporal.Instant {
  return Temporal.Instant.compare(a, b) <= 0 ? a : b;
}

/** Messages whose waiting is over go into new batches, one per plan. */
async function gatherDeferrals(
  tx: Tx,
  deps: DeliveryDeps,
  now: Temporal.Instant,
  shard: number,
  priority: number,
): Promise<boolean> {
  const due = await takeDeferrals(tx, now, priority, deferralPage);
  const byPlan = new Map<string, string[]>();
  for (const { planId, messageId } of due) byPlan.set(planId, [...(byPlan.get(planId) ?? []), messageId]);
  for (const [planId, ids] of [...byPlan].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const plan = await findPlan(tx, planId);
    if (plan === undefined) continue;
    const sorted = ids.sort();
    const freed = await moveMessages(tx, sorted, ['held'], 'planned', null, now);
    await moveCounts(tx, planId, shard, countDeltas(freed.map(() => ({ from: 'held', to: 'planned' }))));
    await moveReasons(
      tx,
      planId,
      shard,
      reasonDeltas(freed.map((one) => ({ state: one.from as LedgerState, reason: one.fromReason, delta: -1 }))),
    );
    await insertBatch(tx, plan, newId(deps.clock), sorted, plan.state === 'paused' ? 'infinity' : now);
  }
  return due.length > 0;
}
