import type { Tx } from '../platform/db.ts';
import { AppError, invalidField, notFound } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import { deleteDeferral } from './claim.store.ts';
import { lockBatchOf, moveMessages } from './ledger.store.ts';
import type { MovedMessage } from './ledger.store.ts';
import { finishPlan } from './plan.ts';
import { findPlan, insertBatch, moveCounts, moveReasons } from './plan.store.ts';
import type { MessageDeps } from './ports.ts';
import { failedOfCampaign, findMessage } from './read.store.ts';
import { reasonDeltas } from './settle.ts';
import { countDeltas } from './settle.rules.ts';
import type { LedgerState } from './settle.rules.ts';

/** What a person (or a key) does to messages by hand: take back, try again, decide about an unknown one. */

interface Change {
  readonly to: LedgerState;
  readonly reason: string | null;
  readonly kind: string;
}

/** Counts and events of messages that somebody moved; one plan at a time. */
async function note(tx: Tx, deps: MessageDeps, moved: readonly MovedMessage[], change: Change): Promise<void> {
  const plans = new Map<string, MovedMessage[]>();
  for (const one of moved) plans.set(one.planId, [...(plans.get(one.planId) ?? []), one]);
  for (const [planId, list] of [...plans].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const plan = await findPlan(tx, planId);
    if (plan === undefined) continue;
    await moveCounts(tx, planId, 0, countDeltas(list.map((one) => ({ from: one.from as LedgerState, to: change.to }))));
    await moveReasons(
      tx,
      planId,
      0,
      reasonDeltas(
        list.flatMap((one) => [
          { state: one.from as LedgerState, reason: one.fromReason, delta: -1 },
          { state: change.to, reason: change.reason, delta: 1 },
        ]),
      ),
    );
    if (change.to === 'planned')
      await insertBatch(
        tx,
        plan,
        newId(deps.clock),
        list.map((one) => one.id).sort(),
        plan.state === 'paused' ? 'infinity' : deps.clock.now(),
      );
    await deps.events.append(
      tx,
      list.map((one) => ({
        kind: change.kind,
        occurredAt: deps.clock.now(),
        contactId: one.contactId,
        messageId: one.id,
        campaignId: plan.source === 'campaign' ? (plan.sourceId ?? undefined) : undefined,
        data: { channel: plan.channel, from: one.from, reason: change.reason },
      })),
    );
    if (change.to !== 'planned') await finishPlan(tx, deps, planId);
    tx.afterCommit(() => deps.tell(tx.workspaceId, planId));
  }
}

/** Takes a planned or held message back. What is on the wire cannot be. */
export async function cancelMessage(tx: Tx, deps: MessageDeps, id: string): Promise<void> {
  const message = await findMessage(tx, id);
  if (message === undefined) throw notFound('message');
  const { inFlight } = await lockBatchOf(tx, message.planId, id);
  const moved = inFlight ? [] : await moveMessages(tx, [id], ['planned', 'held'], 'cancelled', null, deps.clock.now());
  if (moved.length === 0)
    throw new AppError('message/not-cancellable', `It is ${inFlight ? 'being handed over' : message.state} already.`);
  await deleteDeferral(tx, id);
  await note(tx, deps, moved, { to: 'cancelled', reason: null, kind: 'message.cancelled' });
  await deps.record(tx, {
    action: 'message.cancelled',
    target: { kind: 'message', id },
    before: { state: message.state },
    after: { state: 'cancelled' },
  });
}

const retryPage = 5_000;

interface FailedIn {
  readonly campaignId: string;
  readonly reason?: string | undefined;
}

/** Nothing failed is an answer; no such campaign is a mistake, and a "0 of 0" would hide it. */
async function failedIn(tx: Tx, deps: MessageDeps, { campaignId, reason }: FailedIn): Promise<string[]> {
  const known = await deps.campaignNames(tx, [campaignId]);
  if (known.size === 0) throw invalidField('/campaignId', 'there is no such campaign');
  return failedOfCampaign(tx, campaignId, reason, retryPage);
}

/** Puts failed messages back in line. Anything else, an unknown one above all, is skipped. */
export async function retryMessages(
  tx: Tx,
  deps: MessageDeps,
  given: { messageIds: readonly string[] } | FailedIn,
): Promise<{ retried: number; skipped: number }> {
  const ids = 'messageIds' in given ? [...new Set(given.messageIds)] : await failedIn(tx, deps, given);
  const moved = await moveMessages(tx, ids, ['failed'], 'planned', 'retry', deps.clock.now());
  await note(tx, deps, moved, { to: 'planned', reason: 'retry', kind: 'message.retried' });
  const target =
    'campaignId' in given ? { kind: 'campaign', id: given.campaignId } : { kind: 'message', id: ids[0] ?? '' };
  if (moved.length > 0) await deps.record(tx, { action: 'message.retried', target, after: { count: moved.length } });
  return { retried: moved.length, skipped: ids.length - moved.length };
}

export async function retryMessage(tx: Tx, deps: MessageDeps, id: string): Promise<void> {
  const message = await findMessage(tx, id);
  if (message === undefined) throw notFound('message');
  const { retried } = await retryMessages(tx, deps, { messageIds: [id] });
  if (retried === 0) throw new AppError('message/not-failed', `It is ${message.state}.`);
}

/** A person decides what became of a message in doubt; `resend` is the only way an unknown one goes out again. */
export async function resolveMessage(
  tx: Tx,
  deps: MessageDeps,
  id: string,
  as: 'accepted' | 'failed' | 'resend',
): Promise<void> {
  const message = await findMessage(tx, id);
  if (message === undefined) throw notFound('message');
  const to = as === 'resend' ? 'planned' : as;
  const reason = as === 'accepted' ? null : as === 'failed' ? 'resolved-failed' : 'resolved-resent';
  const moved = await moveMessages(tx, [id], ['unknown'], to, reason, deps.clock.now());
  if (moved.length === 0) throw new AppError('message/not-unknown', `It is ${message.state}.`);
  await note(tx, deps, moved, { to, reason, kind: 'message.resolved' });
  await deps.record(tx, {
    action: 'message.resolved',
    target: { kind: 'message', id },
    before: { state: 'unknown' },
    after: { state: to },
  });
}
