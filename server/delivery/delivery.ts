import type { Tx } from '../platform/db.ts';
import { readLaneHealth } from './claim.store.ts';
import type { LaneHealth } from './claim.store.ts';
import { findFollower } from './fallback.store.ts';
import { decide } from './gate.rules.ts';
import { planEta } from './eta.ts';
import { applyEngagement } from './engagement.store.ts';
import type { Hit } from './engagement.store.ts';
import * as plans from './plan.ts';
import { findPlan, readCounts, readReasons } from './plan.store.ts';
import type { PlanCounts, PlanRow } from './plan.store.ts';
import type { DeliveryDeps, LetterWork } from './ports.ts';
import type { Receipt } from '../channels/index.ts';
import { findRefs } from './receipt.store.ts';
import { applyReceipts } from './receipts.ts';
import type { Applied } from './receipts.ts';
import { resolveDoubts } from './resolver.ts';
import { workPage } from './trouble.ts';
import { createWorker, mostClaims } from './worker.ts';
import type { Worker } from './worker.ts';

/** Counts of a plan that add up: planned is the sum of the first nine. */
export interface PlanStats {
  readonly planned: number;
  readonly waiting: number;
  readonly held: number;
  readonly sending: number;
  readonly suppressed: number;
  readonly accepted: number;
  readonly failed: number;
  readonly unknown: number;
  readonly cancelled: number;
  readonly expired: number;
  readonly delivered: number;
  readonly bounced: number;
  readonly complained: number;
  readonly opened: number;
  readonly clicked: number;
  readonly unsubscribed: number;
  readonly machineOpened: number;
}

export interface Delivery {
  createPlan(tx: Tx, plan: plans.NewPlan): Promise<PlanRow>;
  findPlan(tx: Tx, id: string): Promise<PlanRow | undefined>;
  planPage(tx: Tx, plan: PlanRow, recipients: readonly plans.Recipient[]): Promise<plans.Planned[]>;
  completePlan(tx: Tx, planId: string): Promise<void>;
  pausePlan(tx: Tx, planId: string): Promise<void>;
  resumePlan(tx: Tx, planId: string): Promise<void>;
  cancelPlan(tx: Tx, planId: string): Promise<void>;
  planStats(tx: Tx, planIds: readonly string[]): Promise<ReadonlyMap<string, PlanStats>>;
  /** State, reason and how many, for held, suppressed, failed and unknown ones. */
  planReasons(tx: Tx, planId: string): Promise<readonly { state: string; reason: string; count: number }[]>;
  /** Seconds until all that waits of a plan has gone; null when nothing is known of it. */
  planEta(tx: Tx, planId: string): Promise<number | null>;
  /** How an account did within the last one to two hours. */
  accountHealth(tx: Tx, accountId: string): Promise<LaneHealth>;
  applyEngagement(tx: Tx, hits: readonly Hit[]): Promise<void>;
  /** What a vendor told, each fact once, in any order; answers what is about no message that is known (yet). */
  applyReceipts(tx: Tx, accountId: string, receipts: readonly Receipt[]): Promise<Applied>;
  /** By the vendor's id of it. */
  messageOfRef(tx: Tx, accountId: string, ref: string): Promise<string | undefined>;
  /** Asks providers about messages in doubt, all that are due. */
  resolveDoubts(signal: AbortSignal): Promise<void>;
  /** The next page of what was asked of many dead letters; answers where to go on. */
  workLetters(work: LetterWork): Promise<LetterWork | undefined>;
  readonly decide: typeof decide;
  readonly worker: Worker;
  /** There is new work, for this process and the others. */
  wake(): void;
}

/** Rows of the counts that one process keeps for itself: one for claiming, one for each hand-over at a time. */
const shardsOfWorker = 1 + mostClaims;
const workers = 8;

/** The first of this process's rows in the counts, stable over its life. */
export function shardOf(worker: string): number {
  let hash = 0;
  for (const char of worker) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) >>> 0;
  return 1 + (hash % workers) * shardsOfWorker;
}

export function createDelivery(deps: DeliveryDeps): Delivery {
  const shard = shardOf(deps.worker);
  const worker = createWorker(deps, shard);
  const wake = () => {
    worker.wake();
    deps.announce?.();
  };
  const waking = <T>(tx: Tx, done: T): T => {
    tx.afterCommit(wake);
    return done;
  };
  return {
    createPlan: (tx, plan) => plans.createPlan(tx, deps, plan),
    findPlan,
    planPage: async (tx, plan, recipients) => waking(tx, await plans.planPage(tx, deps, plan, recipients)),
    completePlan: (tx, id) => plans.completePlan(tx, deps, id),
    pausePlan: (tx, id) => alongFallbacks(tx, id, (one) => plans.pausePlan(tx, one)),
    resumePlan: async (tx, id) => waking(tx, await alongFallbacks(tx, id, (one) => plans.resumePlan(tx, deps, one))),
    cancelPlan: async (tx, id) => waking(tx, await alongFallbacks(tx, id, (one) => plans.cancelPlan(tx, deps, one))),
    planStats: async (tx, ids) =>
      new Map([...(await readCounts(tx, ids))].map(([id, counts]) => [id, statsOf(counts)])),
    planReasons: readReasons,
    planEta: (tx, planId) => planEta(tx, deps, planId),
    accountHealth: (tx, accountId) => readLaneHealth(tx, accountId, deps.clock.now()),
    applyEngagement,
    applyReceipts: (tx, accountId, receipts) => applyReceipts(tx, deps, accountId, receipts),
    messageOfRef: async (tx, accountId, ref) => (await findRefs(tx, accountId, [ref])).get(ref),
    resolveDoubts: async (signal) => {
      if (await resolveDoubts(deps, signal)) wake();
    },
    workLetters: async (work) => {
      const { next } = await deps.db.transaction(work.workspaceId, (tx) => workPage(tx, deps, work));
      wake();
      return next === undefined ? undefined : { ...work, before: next };
    },
    decide,
    worker,
    wake,
  };
}

/** What is done to a plan is done to those that follow it on other channels. */
async function alongFallbacks(tx: Tx, planId: string, act: (id: string) => Promise<void>): Promise<void> {
  for (let id: string | undefined = planId; id !== undefined; id = await findFollower(tx, id)) await act(id);
}

/** What is in a window is planned in the ledger; here it shows as sending. */
function statsOf({ inFlight, planned: ledgerPlanned, ...counts }: PlanCounts): PlanStats {
  const { held, suppressed, accepted, failed, unknown, cancelled, expired } = counts;
  const planned = ledgerPlanned + held + suppressed + accepted + failed + unknown + cancelled + expired;
  return { ...counts, planned, waiting: ledgerPlanned - inFlight, sending: inFlight };
}
