import type { EventDraft } from '../activity/index.ts';
import type { Tx } from '../platform/db.ts';
import type { LaneTally, Tally } from './claim.store.ts';
import type { DeliveryDeps } from './ports.ts';
import { asksForFallback } from './fallback.rules.ts';
import { insertChecks } from './fallback.store.ts';
import { settleMessages } from './ledger.store.ts';
import { insertDeferrals, moveReasons } from './plan.store.ts';
import type { PlanRow, ReasonDelta } from './plan.store.ts';
import { categoryOf, nextAskMs } from './resolve.rules.ts';
import { countDeltas, hasReason } from './settle.rules.ts';
import type { LedgerState, Outcome } from './settle.rules.ts';
import { writeLetters } from './trouble.store.ts';
import type { NewLetter } from './trouble.store.ts';

/** A message with what became of it; all of one plan and one account. */
export interface Result {
  readonly id: string;
  readonly contactId: string;
  readonly addressId: string | null;
  readonly attempt: number;
  readonly outcome: Outcome;
}

/** What the event of an outcome is called: a retry is news too, it explains the waiting. */
function kindOf(outcome: Outcome): string {
  return outcome.state === 'planned' ? 'message.deferred' : `message.${outcome.state}`;
}

function eventOf(plan: PlanRow, accountId: string | null, result: Result, now: Temporal.Instant): EventDraft {
  const { outcome } = result;
  const data: Record<string, unknown> = { channel: plan.channel };
  if (outcome.tried) data['attempt'] = result.attempt + 1;
  if (accountId !== null && outcome.tried) data['account'] = accountId;
  if (outcome.reason !== null) data['reason'] = outcome.reason;
  if (outcome.code !== undefined) data['code'] = outcome.code;
  if (outcome.detail !== undefined) data['detail'] = outcome.detail.slice(0, 500);
  if (outcome.dueAt !== undefined) data['until'] = outcome.dueAt.toString();
  return {
    kind: kindOf(outcome),
    occurredAt: now,
    contactId: result.contactId,
    messageId: result.id,
    campaignId: plan.source === 'campaign' ? (plan.sourceId ?? undefined) : undefined,
    data,
  };
}

/** Noted as unknown first, whatever the policy made of it: whoever finds a person written to twice finds out why. */
function eventsOf(plan: PlanRow, accountId: string | null, result: Result, now: Temporal.Instant): EventDraft[] {
  const event = eventOf(plan, accountId, result, now);
  if (result.outcome.wasUnknown !== true) return [event];
  return [{ ...event, kind: 'message.unknown', data: { channel: plan.channel, reason: result.outcome.code } }, event];
}

/** Counts by state and reason, as deltas. */
export function reasonDeltas(
  moves: readonly { state: LedgerState; reason: string | null; delta: number }[],
): ReasonDelta[] {
  const sums = new Map<string, ReasonDelta>();
  for (const { state, reason, delta } of moves) {
    if (reason === null || !hasReason(state)) continue;
    const key = `${state} ${reason}`;
    sums.set(key, { state, reason, delta: (sums.get(key)?.delta ?? 0) + delta });
  }
  return [...sums.values()].filter((one) => one.delta !== 0);
}

function laneTally(accountId: string, settled: readonly Result[], at: Temporal.Instant): LaneTally | undefined {
  const asked = settled.filter(({ outcome }) => outcome.tried || outcome.code !== undefined);
  if (asked.length === 0) return undefined;
  const count = (test: (outcome: Outcome) => boolean) => asked.filter(({ outcome }) => test(outcome)).length;
  const accepted = count((outcome) => outcome.state === 'accepted');
  const unknown = count((outcome) => outcome.state === 'unknown');
  const last = asked.findLast(({ outcome }) => outcome.state !== 'accepted')?.outcome;
  const lastFailure =
    last === undefined ? null : `${last.code ?? ''} ${last.detail ?? last.reason ?? ''}`.trim().slice(0, 500);
  return { accountId, at, accepted, unknown, failed: asked.length - accepted - unknown, lastFailure };
}

/** Of what came to grief; of everything else nothing is written. */
function lettersOf(
  plan: PlanRow,
  accountId: string | null,
  settled: readonly Result[],
  now: Temporal.Instant,
): NewLetter[] {
  const askMs = nextAskMs(0) ?? 0;
  return settled.flatMap(({ id, addressId, attempt, outcome }) => {
    const { state, reason } = outcome;
    if (state !== 'failed' && state !== 'unknown') return [];
    return {
      messageId: id,
      planId: plan.id,
      campaignId: plan.source === 'campaign' ? plan.sourceId : null,
      state,
      channel: plan.channel,
      category: categoryOf(state, reason),
      reason,
      code: outcome.code ?? null,
      accountId,
      addressId,
      tries: attempt + (outcome.tried ? 1 : 0),
      askAt: state === 'unknown' ? now.add({ milliseconds: askMs }) : null,
    };
  });
}

/** Messages of a plan with a fallback: whether they reached their person is seen to later. */
async function lookAfter(tx: Tx, plan: PlanRow, settled: readonly Result[], now: Temporal.Instant): Promise<void> {
  const minutes = plan.fallback[0]?.afterMinutes ?? 0;
  const ids = settled.filter(({ outcome }) => asksForFallback(outcome.state, outcome.reason)).map(({ id }) => id);
  await insertChecks(tx, plan, ids, now.add({ minutes }));
}

const nothing: Tally = { counts: new Map(), lane: undefined };

type SettleDeps = Pick<DeliveryDeps, 'clock' | 'events' | 'markAddresses' | 'metrics'>;

/**
 * Writes what became of some planned messages: ledger rows, waiting list and events, each in one statement. Answers
 * what the counts move by: for the caller to write in the same transaction, last, since those rows are shared. The
 * caller has made sure, by the fence, that it still may.
 */
export async function writeResults(
  tx: Tx,
  deps: SettleDeps,
  plan: PlanRow,
  accountId: string | null,
  results: readonly Result[],
  shard: number,
): Promise<Tally> {
  const settled = await settleResults(tx, deps, plan, accountId, results);
  return noteSettled(tx, deps, plan, accountId, settled, shard);
}

/** The first half: the ledger rows. Answers those that were settled by this, not by somebody else before. */
export async function settleResults(
  tx: Tx,
  deps: SettleDeps,
  plan: PlanRow,
  accountId: string | null,
  results: readonly Result[],
): Promise<readonly Result[]> {
  if (results.length === 0) return results;
  const written = await settleMessages(tx, plan.month, accountId, results, deps.clock.now());
  return written.size === results.length ? results : results.filter((one) => written.has(one.id));
}

/** The second half: everything that follows from it, in statements that only the commit waits for. */
export function noteSettled(
  tx: Tx,
  deps: SettleDeps,
  plan: PlanRow,
  accountId: string | null,
  settled: readonly Result[],
  shard: number,
): Tally {
  if (settled.length === 0) return nothing;
  const now = deps.clock.now();
  const moves = settled.map(({ outcome }) => ({ state: outcome.state, reason: outcome.reason, delta: 1 }));
  const waiting = settled.flatMap(({ id, outcome }) =>
    outcome.dueAt === undefined ? [] : [{ messageId: id, dueAt: outcome.dueAt }],
  );
  const bad = settled.flatMap(({ addressId, outcome }) =>
    outcome.badAddress === true && addressId !== null ? [addressId] : [],
  );
  const letters = lettersOf(plan, accountId, settled, now);
  tx.unawaited(
    ...(letters.length > 0 ? [writeLetters(tx, letters, now)] : []),
    deps.events.append(
      tx,
      settled.flatMap((one) => eventsOf(plan, accountId, one, now)),
    ),
    moveReasons(tx, plan.id, shard, reasonDeltas(moves)),
    insertDeferrals(tx, plan, waiting),
    ...(plan.fallback.length > 0 ? [lookAfter(tx, plan, settled, now)] : []),
    ...(bad.length > 0 ? [deps.markAddresses(tx, bad, 'bounced', plan.channel)] : []),
  );
  tx.afterCommit(() => {
    for (const { outcome } of settled) deps.metrics.messages(plan.channel, outcome.state, 1);
  });
  return {
    counts: countDeltas(settled.map(({ outcome }) => ({ from: 'planned', to: outcome.state }))),
    lane: accountId === null ? undefined : laneTally(accountId, settled, now),
  };
}
