import type { Tx } from '../platform/db.ts';
import { AppError, notFound } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import { deleteDeferral } from './claim.store.ts';
import { lockBatchOf, moveMessages } from './ledger.store.ts';
import type { MovedMessage } from './ledger.store.ts';
import { finishPlan } from './plan.ts';
import { findPlan, insertBatch, moveCounts, moveReasons } from './plan.store.ts';
import type { DeliveryDeps, MessageDeps } from './ports.ts';
import { findMessage } from './read.store.ts';
import { reasonDeltas } from './settle.ts';
import { countDeltas } from './settle.rules.ts';
import type { LedgerState } from './settle.rules.ts';
import { dropLetters, failLetters } from './trouble.store.ts';

/** What a person (or a key) does to messages by hand: take back, try again, decide about an unknown one. */

export interface Change {
  readonly to: LedgerState;
  readonly reason: string | null;
  readonly kind: string;
  /** More for the event: who knew, and what. */
  readonly data?: Readonly<Record<string, unknown>>;
}

export type ActDeps = Pick<DeliveryDeps, 'clock' | 'events' | 'tell'>;

const troubled: ReadonlySet<string> = new Set(['failed', 'bounced', 'unknown']);

/** Counts, events and dead letters of messages that somebody moved; one plan at a time. */
export async function note(tx: Tx, deps: ActDeps, moved: readonly MovedMessage[], change: Change): Promise<void> {
  const letters = moved.flatMap((one) => (troubled.has(one.from) ? [one.id] : []));
  if (change.to === 'failed') await failLetters(tx, letters, change.reason ?? 'failed');
  else await dropLetters(tx, letters);
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
        data: { channel: plan.channel, from: one.from, reason: change.reason, ...change.data },
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

/** Puts failed messages back in line. Anything else, an unknown one above all, is skipped. */
export async function redrive(tx: Tx, deps: ActDeps, ids: readonly string[]): Promise<number> {
  const moved = await moveMessages(tx, ids, ['failed'], 'planned', 'retry', deps.clock.now());
  await note(tx, deps, moved, { to: 'planned', reason: 'retry', kind: 'message.retried' });
  return moved.length;
}

export async function retryNamed(
  tx: Tx,
  deps: MessageDeps,
  given: readonly string[],
): Promise<{ retried: number; skipped: number; remaining: number }> {
  const ids = [...new Set(given)];
  const retried = await redrive(tx, deps, ids);
  const target = { kind: 'message', id: ids[0] ?? '' };
  if (retried > 0) await deps.record(tx, { action: 'message.retried', target, after: { count: retried } });
  return { retried, skipped: ids.length - retried, remaining: 0 };
}

export async function retryMessage(tx: Tx, deps: MessageDeps, id: string): Promise<void> {
  const message = await findMessage(tx, id);
  if (message === undefined) throw notFound('message');
  const { retried } = await retryNamed(tx, deps, [id]);
  if (retried === 0) throw new AppError('message/not-failed', `It is ${message.state}.`);
}

export type Resolution = 'accepted' | 'failed' | 'resend';

const resolutions: Readonly<Record<Resolution, { to: LedgerState; reason: string | null }>> = {
  accepted: { to: 'accepted', reason: null },
  failed: { to: 'failed', reason: 'resolved-failed' },
  resend: { to: 'planned', reason: 'resolved-resent' },
};

/** A person decides what became of messages in doubt; `resend` is the only way a person sends an unknown one again. */
export async function resolveAll(tx: Tx, deps: ActDeps, ids: readonly string[], as: Resolution): Promise<number> {
  const { to, reason } = resolutions[as];
  const moved = await moveMessages(tx, ids, ['unknown'], to, reason, deps.clock.now());
  await note(tx, deps, moved, { to, reason, kind: 'message.resolved', data: { as, by: 'person' } });
  return moved.length;
}

export async function resolveMessage(tx: Tx, deps: MessageDeps, id: string, as: Resolution): Promise<void> {
  const message = await findMessage(tx, id);
  if (message === undefined) throw notFound('message');
  if ((await resolveAll(tx, deps, [id], as)) === 0)
    throw new AppError('message/not-unknown', `It is ${message.state}.`);
  await deps.record(tx, {
    action: 'message.resolved',
    target: { kind: 'message', id },
    before: { state: 'unknown' },
    after: { state: resolutions[as].to },
  });
}
