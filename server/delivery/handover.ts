import { admit, unmark } from './admit.ts';
import type { Ready } from './admit.ts';
import type { Outgoing, SendResult } from '../channels/index.ts';
import type { Tx } from '../platform/db.ts';
import type { Budget } from './budget.ts';
import type { Claim } from './claim.ts';
import { closeWindow, deleteBatch, hastenOthers, lockWindow, releaseBatch, renewLease } from './claim.store.ts';
import { decide } from './gate.rules.ts';
import type { Decision } from './gate.rules.ts';
import { coolLane, endLease, returnSlots, setProbe, warmLane } from './lane.store.ts';
import { createLease, leaseFrom, leaseSeconds } from './lease.ts';
import type { Lease } from './lease.ts';
import { readCandidates } from './ledger.store.ts';
import type { CandidateRow } from './ledger.store.ts';
import { finishPlan } from './plan.ts';
import { findPlan } from './plan.store.ts';
import type { PlanRow } from './plan.store.ts';
import type { DeliveryDeps } from './ports.ts';
import { settle, stayed } from './settle.rules.ts';
import type { LaneNews, Outcome, UnknownPolicy } from './settle.rules.ts';
import { noteSettled, settleResults } from './settle.ts';
import { insertRefs } from './receipt.store.ts';
import { transmit } from './transmit.ts';
import type { Result } from './settle.ts';

/** Messages whose hand-over is begun by one commit. */
const windowSize = 32;
const renewEveryMs = 8_000;

/** The hand-over of one claim. Its state is what a crash would lose; what a crash must not lose is in the batch row. */
interface Run {
  readonly claim: Claim;
  readonly policy: UnknownPolicy;
  begun: number;
  /** On the wire, no outcome yet. */
  readonly open: Map<string, CandidateRow>;
  /** Outcomes not committed yet. */
  results: Result[];
  /** How many have been given to the provider. */
  sent: number;
  /** After its end nothing may leave, since somebody else may have taken over. */
  readonly lease: Lease;
  lane: LaneNews | undefined;
  laneWorks: boolean;
  /** Nothing more is begun: the plan was paused or cancelled, the lane is in trouble, the process stops. */
  halted: boolean;
  wake: () => void;
}

class LeaseLost extends Error {}

/**
 * Hands a claim over, window by window: the window is moved ahead and committed before the first byte of it leaves;
 * outcomes are written in bulk with the next move. Two windows overlap, so that the wire does not wait for the disk.
 */
export async function handOver(
  claim: Claim,
  deps: DeliveryDeps,
  budget: Budget,
  shard: number,
  stop: AbortSignal,
): Promise<void> {
  const policy = await deps.hot.read(claim.workspaceId, (tx) => deps.unknownPolicy(tx));
  const run: Run = {
    claim,
    policy,
    begun: claim.batch.begun,
    open: new Map(),
    results: [],
    sent: 0,
    lease: createLease(deps.clock),
    lane: undefined,
    laneWorks: false,
    halted: false,
    wake: () => undefined,
  };
  const leave = budget.enter();
  const heartbeat = setInterval(() => void renew(run, deps), renewEveryMs);
  const onStop = () => run.wake();
  stop.addEventListener('abort', onStop);
  try {
    while (await step(run, deps, budget, shard, stop));
    await insist(run, deps, () => finish(run, deps));
  } catch (error) {
    // Whoever took the batch over has already put what was in doubt in order.
    if (!(error instanceof LeaseLost)) throw error;
    deps.log.warn({ batch: claim.batch.id }, 'the lease of a batch was lost');
  } finally {
    stop.removeEventListener('abort', onStop);
    clearInterval(heartbeat);
    budget.give(run.open.size + run.results.length);
    leave();
  }
}

/** One move, or one wait. False when nothing is left to begin and everything begun is settled. */
async function step(run: Run, deps: DeliveryDeps, budget: Budget, shard: number, stop: AbortSignal): Promise<boolean> {
  if (run.lease.isLost()) throw new LeaseLost();
  if (stop.aborted) run.halted = true;
  const left = run.halted ? 0 : Math.min(run.claim.end - run.begun, run.claim.slots.left(deps.clock.now()));
  const window = Math.min(windowOf(run.claim), left);
  // A whole window or none: trickling outcomes would else make transactions of one message each.
  const wanted = run.open.size + window <= budget.share() ? window : 0;
  // Outcomes about to be written leave the window in the same commit, so their permits serve the next messages.
  const extra = Math.min(budget.free(), Math.max(0, wanted - run.results.length));
  const room = Math.min(wanted, run.results.length + extra);
  const worthIt = room > 0 && (room === wanted || (run.open.size === 0 && room * 2 >= wanted));
  const written = run.results.length >= windowSize || (run.results.length > 0 && run.open.size === 0);
  if (worthIt || written) {
    // Only now: taking and giving back would wake the other hand-overs for nothing, and they this one.
    const taken = worthIt ? extra : 0;
    budget.take(taken);
    try {
      await insist(run, deps, () => moveOn(run, deps, budget, shard, worthIt ? room : 0, taken));
    } catch (error) {
      budget.give(taken);
      throw error;
    }
    return true;
  }
  if (run.open.size === 0 && left === 0) return false;
  await Promise.race([
    new Promise<void>((resolve) => (run.wake = resolve)),
    ...(left > 0 && wanted > 0 ? [budget.freed()] : []),
  ]);
  return true;
}

/** On a paced lane no more is begun than goes out within a second: what waits for its slot is not on the wire. */
function windowOf(claim: Claim): number {
  const { intervalMs } = claim.opening.pace;
  return intervalMs === 0 ? windowSize : Math.max(1, Math.min(windowSize, Math.floor(1_000 / intervalMs)));
}

/**
 * Writing outcomes is worth insisting on: what is not written by the end of the lease becomes unknown. Repeating is
 * safe, even when a lost answer hid a commit: only planned messages settle, and the window is set, not added to.
 */
async function insist(run: Run, deps: DeliveryDeps, work: () => Promise<void>): Promise<void> {
  const giveUpAt = deps.clock.now().add({ seconds: leaseSeconds - 5 });
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof LeaseLost || run.lease.isLost() || Temporal.Instant.compare(deps.clock.now(), giveUpAt) >= 0)
        throw error;
      deps.log.warn(
        { batch: run.claim.batch.id, reason: error instanceof Error ? error.message : String(error) },
        'outcomes could not be written; trying again',
      );
      await deps.clock.sleep(500);
    }
  }
}

/** Writes the outcomes that came in, begins the next `room` messages, and gives those that may go to the provider. */
async function moveOn(
  run: Run,
  deps: DeliveryDeps,
  budget: Budget,
  shard: number,
  room: number,
  extra: number,
): Promise<void> {
  const { claim } = run;
  // Both at once, before the first wait: an answer that comes while the window moves stays in it until the next move
  // writes its outcome. Left out here, a crash would find it neither in doubt nor waiting.
  const writing = [...run.results];
  const unanswered = [...run.open.keys()];
  const news = run.lane;
  const leaseUntil = leaseFrom(deps.clock);
  const { ready, begun } = await deps.hot.eager(claim.workspaceId, async (tx) => {
    const { window, settled } = await openWindow(tx, run, deps, room, writing);
    // Those decided without the wire are settled at once and leave the window in the same transaction.
    const decided = await settleResults(tx, deps, claim.plan, claim.account.id, window.decided);
    const tally = noteSettled(tx, deps, claim.plan, claim.account.id, [...settled, ...decided], shard);
    await unmark(tx, claim.account, settled);
    if (claim.account.keepsRefs === true)
      tx.unawaited(insertRefs(tx, claim.account.id, refsOf(settled), deps.clock.now()));
    await writeLane(tx, run, deps, news);
    const inFlight = [...unanswered, ...window.ready.map((one) => one.row.id)];
    const move = { batchId: claim.batch.id, fence: claim.fence, begun: window.begun, inFlight, leaseUntil };
    tx.unawaited(closeWindow(tx, move, claim.plan.id, shard, tally));
    tx.afterCommit(() => deps.tell(claim.workspaceId, claim.plan.id));
    return window;
  });
  run.results = run.results.slice(writing.length);
  run.begun = begun;
  run.lease.extend(leaseUntil);
  if (run.lane === news) run.lane = undefined;
  budget.give(writing.length + extra - ready.length);
  sendAll(run, deps, ready);
}

/** What the vendor will name messages by. */
function refsOf(settled: readonly Result[]) {
  return settled.flatMap(({ id, outcome: { ref } }) => (ref === undefined ? [] : [{ ref, messageId: id }]));
}

interface Window {
  readonly ready: Ready[];
  readonly decided: Result[];
  readonly begun: number;
}

/**
 * The batch row is locked first and the facts are read after it: a withdrawal answered before this moment is seen.
 * A plan that was paused meanwhile begins nothing more. All of it, and the outcomes that came in, travel together; what
 * was done for a batch that is no longer ours is undone with the transaction.
 */
async function openWindow(
  tx: Tx,
  run: Run,
  deps: DeliveryDeps,
  room: number,
  writing: readonly Result[],
): Promise<{ window: Window; settled: readonly Result[] }> {
  const { claim } = run;
  const ids = claim.batch.messageIds.slice(run.begun, run.begun + room);
  const { month, channel, topicId } = claim.plan;
  const [isOurs, rows, settled] = await Promise.all([
    lockWindow(tx, claim.batch.id, claim.fence),
    room === 0 ? [] : readCandidates(tx, month, channel, topicId, ids, claim.composer.needs),
    settleResults(tx, deps, claim.plan, claim.account.id, writing),
  ]);
  if (!isOurs) throw new LeaseLost();
  return { window: await decideWindow(tx, run, deps, ids, rows), settled };
}

async function decideWindow(
  tx: Tx,
  run: Run,
  deps: DeliveryDeps,
  ids: readonly string[],
  rows: readonly CandidateRow[],
): Promise<Window> {
  const { claim } = run;
  const [first] = rows;
  if (first?.planState === 'paused') run.halted = true;
  if (first === undefined || first.planState === 'paused')
    return { ready: [], decided: [], begun: run.begun + (first === undefined ? ids.length : 0) };
  const plan = { ...claim.plan, state: first.planState, expiresAt: first.planExpiresAt };
  const open = await deps.addressOpener(tx);
  const now = deps.clock.now();
  const ready: Ready[] = [];
  const decided: Result[] = [];
  for (const row of rows) {
    if (row.state !== 'planned') continue;
    const decision = decide({ ...factsOf(plan, row), objection: claim.composer.objects?.(row, now) }, now);
    const answer = decision.outcome === 'send' ? compose(run, open, row) : outcomeOf(decision);
    if ('outgoing' in answer) ready.push({ row, outgoing: answer.outgoing });
    else
      decided.push({
        id: row.id,
        contactId: row.contactId,
        addressId: row.addressId,
        attempt: row.attempt,
        outcome: answer,
      });
  }
  const admitted = await admit(tx, deps, claim.account, claim.plan, ready);
  return { ready: admitted.ready, decided: [...decided, ...admitted.held], begun: run.begun + ids.length };
}

function factsOf(plan: PlanRow, row: CandidateRow) {
  return {
    plan,
    notBefore: row.notBefore,
    contactErased: row.erasedAt !== null,
    addressState: row.addressState,
    suppression: row.suppression,
    consent: row.consent,
  };
}

function outcomeOf(decision: Exclude<Decision, { outcome: 'send' }>): Outcome {
  switch (decision.outcome) {
    case 'suppress':
      return { state: 'suppressed', reason: decision.reason, tried: false };
    case 'hold':
      return { state: 'held', reason: decision.reason, dueAt: decision.until, tried: false };
    case 'cancel':
      return { state: 'cancelled', reason: null, tried: false };
    case 'expire':
      return { state: 'expired', reason: null, tried: false };
  }
}

type Opener = (row: { salt: Buffer; sealed: Buffer }) => string;

function compose(run: Run, open: Opener, row: CandidateRow): { outgoing: Outgoing } | Outcome {
  const { salt } = row;
  const isAddressed = run.claim.plan.channel !== 'inapp';
  if (salt === null || (isAddressed && row.sealed === null))
    return { state: 'suppressed', reason: 'address-missing', tried: false };
  const inTheClear = (sealed: Buffer | null) => (sealed === null ? null : open({ salt, sealed }));
  let known: [address: string, phone: string | null, email: string | null];
  try {
    known = [(isAddressed ? inTheClear(row.sealed) : null) ?? '', inTheClear(row.phone), inTheClear(row.email)];
  } catch {
    return { state: 'failed', reason: 'address-unreadable', tried: false };
  }
  const composed = run.claim.composer.compose(row, ...known);
  if (composed.ok) return { outgoing: composed.outgoing };
  return { state: 'suppressed', reason: composed.reason, detail: composed.detail, tried: false };
}

function sendAll(run: Run, deps: DeliveryDeps, ready: readonly Ready[]): void {
  for (const { row } of ready) run.open.set(row.id, row);
  transmit(deps, run.claim, ready, run.lease, ({ row }, result) => note(run, deps, row, result));
}

/** What became of one message; written with the next move. */
function note(run: Run, deps: DeliveryDeps, row: CandidateRow, result: SendResult | 'stayed'): void {
  const { opening, hasElsewhere } = run.claim;
  const attempted = {
    attempt: row.attempt,
    plannedAt: row.plannedAt,
    laneFailures: opening.failures,
    hasElsewhere,
    isProbe: opening.probe,
    tellsLater: run.claim.account.tellsLater === true,
  };
  const now = deps.clock.now();
  const { outcome, lane } =
    result === 'stayed' ? { outcome: stayed(now) } : settle(result, attempted, run.policy, now, deps.random());
  if (result !== 'stayed') run.sent += 1;
  run.open.delete(row.id);
  run.results.push({ id: row.id, contactId: row.contactId, addressId: row.addressId, attempt: row.attempt, outcome });
  if (lane !== undefined) {
    run.lane = lane;
    run.halted = true;
  } else if (result !== 'stayed' && result.kind !== 'unknown') run.laneWorks = true;
  run.wake();
}

async function writeLane(tx: Tx, run: Run, deps: DeliveryDeps, news: LaneNews | undefined): Promise<void> {
  const { account, opening } = run.claim;
  if (news !== undefined) {
    await coolLane(tx, account.id, news.coolUntil, news.reason);
  } else if (run.laneWorks && opening.failures > 0) {
    await warmLane(tx, account.id);
    await hastenOthers(tx, account.channel, deps.clock.now());
  }
  run.laneWorks = false;
}

async function finish(run: Run, deps: DeliveryDeps): Promise<void> {
  const { claim } = run;
  await deps.hot.transaction(claim.workspaceId, async (tx) => {
    if (!(await lockWindow(tx, claim.batch.id, claim.fence))) throw new LeaseLost();
    await leaveLane(tx, run, deps);
    if (run.begun >= claim.batch.size) {
      await deleteBatch(tx, claim.batch.id, claim.fence);
      await finishPlan(tx, deps, claim.plan.id);
      return;
    }
    const plan = await findPlan(tx, claim.plan.id);
    await releaseBatch(tx, claim.batch.id, claim.fence, plan?.state === 'paused' ? 'infinity' : deps.clock.now());
  });
}

/** What was reserved on the lane and not used goes back. */
async function leaveLane(tx: Tx, { claim, sent }: Run, deps: DeliveryDeps): Promise<void> {
  const { opening, slots, account, batch } = claim;
  if (opening.pace.intervalMs > 0) await returnSlots(tx, account.id, opening.reservation.nextAt, slots.next());
  if (opening.leased) await endLease(tx, batch.id, { used: sent }, deps.clock.now());
  if (opening.probe && sent === 0) await setProbe(tx, account.id, null);
}

async function renew(run: Run, deps: DeliveryDeps): Promise<void> {
  const { claim } = run;
  const until = leaseFrom(deps.clock);
  try {
    const held = await deps.hot.transaction(claim.workspaceId, (tx) =>
      renewLease(tx, claim.batch.id, claim.fence, until),
    );
    if (held) return run.lease.extend(until);
    run.lease.lose();
    run.wake();
  } catch (error) {
    deps.log.warn(
      { batch: claim.batch.id, reason: error instanceof Error ? error.message : String(error) },
      'a lease could not be renewed',
    );
    run.lease.look();
  }
}
