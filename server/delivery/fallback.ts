import type { Tx } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { hasReached } from './fallback.rules.ts';
import type { FallbackStep } from './fallback.rules.ts';
import { findFollower, readLate, takeChecks } from './fallback.store.ts';
import type { LateRow } from './fallback.store.ts';
import { needsConsent } from './gate.rules.ts';
import { monthOf, planPage } from './plan.ts';
import { findPlan, insertPlan } from './plan.store.ts';
import type { PlanRow } from './plan.store.ts';
import type { DeliveryDeps } from './ports.ts';
import { kindOf } from './send.rules.ts';

const checkPage = 500;

type Deps = Pick<DeliveryDeps, 'clock' | 'events'>;

/**
 * Messages that had their time to arrive: whom they did not reach is written to on the next channel. The checks go, and
 * the follow-up messages come, in one transaction, and a message is followed by one at most; so each is followed exactly
 * once, whatever dies in between.
 */
export async function followUp(tx: Tx, deps: Deps, priority: number, shard: number): Promise<boolean> {
  const due = await takeChecks(tx, deps.clock.now(), priority, checkPage);
  const byPlan = Map.groupBy(due, (one) => one.planId);
  for (const [planId, checks] of [...byPlan].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const plan = await findPlan(tx, planId);
    const [step, ...rest] = plan?.fallback ?? [];
    if (plan === undefined || plan.state === 'cancelled' || step === undefined) continue;
    await follow(tx, deps, plan, step, rest, checks.map((one) => one.messageId).sort(), shard);
  }
  return due.length > 0;
}

async function follow(
  tx: Tx,
  deps: Deps,
  plan: PlanRow,
  step: FallbackStep,
  rest: readonly FallbackStep[],
  ids: readonly string[],
  shard: number,
): Promise<void> {
  const kind = kindOf(step.channel);
  const topicId = step.topicId ?? plan.topicId;
  const rows = await readLate(tx, plan.month, ids, {
    channel: step.channel,
    kind: kind === 'any' ? null : kind,
    topicId,
    needsConsent: needsConsent(plan.category),
  });
  const late = rows.filter((row) => !hasReached(row, step.until));
  const next = late.filter((row) => row.addressId !== null);
  await tell(tx, deps, plan, step, late);
  if (next.length === 0) return;
  const follower = await obtainFollower(tx, deps, plan, step, rest, topicId);
  const recipients = next.map(({ contactId, addressId, messageId, variables }) => ({
    contactId,
    addressId,
    recipientKey: messageId,
    ...(variables === null ? {} : { variables }),
  }));
  await planPage(tx, deps, follower, recipients, shard);
}

/** So that the history of a message says why its person was written to again, or was not. */
async function tell(tx: Tx, deps: Deps, plan: PlanRow, step: FallbackStep, late: readonly LateRow[]): Promise<void> {
  const now = deps.clock.now();
  await deps.events.append(
    tx,
    late.map(({ contactId, messageId, addressId }) => ({
      kind: addressId === null ? 'message.fallback-impossible' : 'message.fallback',
      occurredAt: now,
      contactId,
      messageId,
      campaignId: plan.source === 'campaign' ? (plan.sourceId ?? undefined) : undefined,
      data: { channel: step.channel, until: step.until, afterMinutes: step.afterMinutes },
    })),
  );
}

async function obtainFollower(
  tx: Tx,
  deps: Deps,
  plan: PlanRow,
  step: FallbackStep,
  rest: readonly FallbackStep[],
  topicId: string | null,
): Promise<PlanRow> {
  const known = await findFollower(tx, plan.id);
  if (known === undefined) {
    const now = deps.clock.now();
    const row: PlanRow = {
      id: newId(deps.clock),
      month: monthOf(now),
      source: 'fallback',
      sourceId: plan.sourceId,
      channel: step.channel,
      category: plan.category,
      topicId,
      templateId: step.templateId,
      templateVersion: step.templateVersion,
      sender: {},
      priority: plan.priority,
      state: plan.state,
      complete: true,
      expiresAt: plan.expiresAt,
      fallback: rest,
    };
    // Somebody else may be making the same one: then it is theirs.
    if (await insertPlan(tx, row, null, now, plan.id)) return row;
  }
  const id = known ?? (await findFollower(tx, plan.id));
  const follower = id === undefined ? undefined : await findPlan(tx, id);
  if (follower === undefined) throw new Error('a follow-up plan vanished');
  return follower;
}
