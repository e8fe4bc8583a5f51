import { createHash } from 'node:crypto';
import type { Tx } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import type { FallbackStep } from './fallback.rules.ts';
import * as store from './plan.store.ts';
import type { PlanRow, SenderOverride } from './plan.store.ts';
import type { DeliveryDeps } from './ports.ts';
import { countDeltas } from './settle.rules.ts';
import { reasonDeltas } from './settle.ts';

export interface NewPlan {
  readonly id: string;
  readonly source: PlanRow['source'];
  readonly sourceId: string | null;
  readonly channel: string;
  readonly category: string;
  readonly topicId: string | null;
  readonly templateId: string;
  readonly templateVersion: number;
  readonly sender?: SenderOverride;
  readonly expiresAt?: Temporal.Instant;
  /** The next channels, in order, for whom this one does not reach. */
  readonly fallback?: readonly FallbackStep[];
}

/** One intended message: who, at which address, and what makes it unique within the plan. */
export interface Recipient {
  readonly contactId: string;
  readonly addressId: string | null;
  /** Absent: the contact, so that nobody is planned twice. */
  readonly recipientKey?: string;
  /** Absent: made here. */
  readonly messageId?: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly notBefore?: Temporal.Instant;
  /** Decided already (an API call): written as suppressed, never handed over. */
  readonly suppressed?: string;
}

/** Messages of one batch; more make several. */
export const batchSize = 500;

const priorities: Readonly<Record<string, number>> = { otp: 1, transactional: 2, utility: 2 };

export function monthOf(now: Temporal.Instant): string {
  return now.toZonedDateTimeISO('UTC').toPlainDate().with({ day: 1 }).toString();
}

function toRow(plan: NewPlan, now: Temporal.Instant): PlanRow {
  return {
    id: plan.id,
    month: monthOf(now),
    source: plan.source,
    sourceId: plan.sourceId,
    channel: plan.channel,
    category: plan.category,
    topicId: plan.topicId,
    templateId: plan.templateId,
    templateVersion: plan.templateVersion,
    sender: plan.sender ?? {},
    priority: plan.source === 'campaign' ? 4 : (priorities[plan.category] ?? 3),
    state: 'open',
    complete: plan.source !== 'campaign',
    expiresAt: plan.expiresAt ?? null,
    fallback: plan.fallback ?? [],
  };
}

/** The month is fixed here: it is part of what makes a message unique. */
export async function createPlan(tx: Tx, deps: Pick<DeliveryDeps, 'clock'>, plan: NewPlan): Promise<PlanRow> {
  const now = deps.clock.now();
  const row = toRow(plan, now);
  await store.insertPlan(tx, row, null, now);
  return row;
}

/** A plan for the month that calls of the API share, as it is or, when it is new, as it would be. */
export interface SharedPlan {
  readonly row: PlanRow;
  readonly digest: Buffer;
  readonly isNew: boolean;
}

/**
 * Messages of the API with the same content, channel and topic share a plan for the month: a plan per call would double
 * the rows. In the order given, from one look-up; nothing is written.
 */
export async function findSharedPlans(
  tx: Tx,
  deps: Pick<DeliveryDeps, 'clock'>,
  plans: readonly Omit<NewPlan, 'id'>[],
): Promise<SharedPlan[]> {
  const now = deps.clock.now();
  const month = monthOf(now);
  const digests = plans.map((plan) => digestOf(plan));
  const known = await store.findPlansByDigest(tx, month, digests);
  return plans.map((plan, at) => {
    const digest = digests[at] ?? Buffer.alloc(0);
    const row = known.get(digest.toString('hex'));
    if (row !== undefined) return { row, digest, isNew: false };
    return { row: toRow({ ...plan, id: newId(deps.clock) }, now), digest, isNew: true };
  });
}

/** Somebody else may have made the same one meanwhile: then it is theirs. */
export async function keepSharedPlan(
  tx: Tx,
  deps: Pick<DeliveryDeps, 'clock'>,
  { row, digest, isNew }: SharedPlan,
): Promise<PlanRow> {
  if (!isNew || (await store.insertPlan(tx, row, digest, deps.clock.now()))) return row;
  const other = (await store.findPlansByDigest(tx, row.month, [digest])).get(digest.toString('hex'));
  if (other === undefined) throw new Error('a shared plan vanished');
  return other;
}

function digestOf(plan: Omit<NewPlan, 'id'>): Buffer {
  const { source, sourceId, channel, category, topicId, templateId, templateVersion, sender = {} } = plan;
  return createHash('sha256')
    .update(JSON.stringify([source, sourceId, channel, category, topicId, templateId, templateVersion, sender]))
    .digest();
}

export interface Planned {
  readonly messageId: string;
  readonly contactId: string;
}

/**
 * Writes a page of intended messages and the batches they will be handed over in. Whoever is in the plan already is
 * left out, so that a page can be written twice. Answers what is new.
 */
export async function planPage(
  tx: Tx,
  deps: Pick<DeliveryDeps, 'clock' | 'events'>,
  plan: PlanRow,
  recipients: readonly Recipient[],
  shard = 0,
): Promise<Planned[]> {
  const now = deps.clock.now();
  const messages = recipients.map((one) => toMessage(one, deps, now));
  const fresh = await store.insertMessages(tx, plan, messages, now);
  const added = messages.filter((one) => fresh.has(one.id));
  await Promise.all(around(tx, deps, plan, added, shard));
  return added.map((one) => ({ messageId: one.id, contactId: one.contactId }));
}

/** Messages that are in no plan yet, each with an id of its own as its key: nothing is waited for but the commit. */
export function planNew(
  tx: Tx,
  deps: Pick<DeliveryDeps, 'clock' | 'events'>,
  plan: PlanRow,
  recipients: readonly (Recipient & { readonly messageId: string; readonly recipientKey: string })[],
  shard: number,
): void {
  const now = deps.clock.now();
  const messages = recipients.map((one) => toMessage(one, deps, now));
  tx.unawaited(store.insertMessages(tx, plan, messages, now), ...around(tx, deps, plan, messages, shard));
}

/** What goes with new ledger rows: batches, waiting list, counts, events. Asked for in one go. */
function around(
  tx: Tx,
  deps: Pick<DeliveryDeps, 'clock' | 'events'>,
  plan: PlanRow,
  added: readonly store.NewMessage[],
  shard: number,
): Promise<void>[] {
  const now = deps.clock.now();
  const statements: Promise<void>[] = [];
  const ready = added.filter((one) => one.state === 'planned').map((one) => one.id);
  for (let from = 0; from < ready.length; from += batchSize)
    statements.push(
      store.insertBatch(
        tx,
        plan,
        newId(deps.clock),
        ready.slice(from, from + batchSize),
        plan.state === 'paused' ? 'infinity' : now,
      ),
    );
  const deferrals = added.flatMap((one) =>
    one.state === 'held' && one.notBefore !== null ? [{ messageId: one.id, dueAt: one.notBefore }] : [],
  );
  const counts = countDeltas(added.map((one) => ({ from: 'planned', to: one.state })));
  counts.set('planned', ready.length);
  const reasons = reasonDeltas(added.map((one) => ({ state: one.state, reason: one.reason, delta: 1 })));
  const events = added
    .filter((one) => one.state !== 'planned')
    .map((one) => ({
      kind: `message.${one.state}`,
      occurredAt: now,
      contactId: one.contactId,
      messageId: one.id,
      data: { channel: plan.channel, reason: one.reason },
    }));
  statements.push(
    store.insertDeferrals(tx, plan, deferrals),
    store.moveCounts(tx, plan.id, shard, counts),
    store.moveReasons(tx, plan.id, shard, reasons),
    deps.events.append(tx, events),
  );
  return statements;
}

function toMessage(one: Recipient, deps: Pick<DeliveryDeps, 'clock'>, now: Temporal.Instant): store.NewMessage {
  const held = one.notBefore !== undefined && Temporal.Instant.compare(one.notBefore, now) > 0;
  const decided =
    one.suppressed === undefined
      ? held
        ? { state: 'held' as const, reason: 'scheduled' }
        : { state: 'planned' as const, reason: null }
      : { state: 'suppressed' as const, reason: one.suppressed };
  return {
    id: one.messageId ?? newId(deps.clock),
    recipientKey: one.recipientKey ?? one.contactId,
    contactId: one.contactId,
    addressId: one.addressId,
    ...decided,
    notBefore: one.notBefore ?? null,
    variables: one.variables ?? null,
  };
}

/** No more pages come. Announces the end when everything is settled already. */
export async function completePlan(
  tx: Tx,
  deps: Pick<DeliveryDeps, 'clock' | 'events' | 'tell'>,
  planId: string,
): Promise<void> {
  await store.setPlanComplete(tx, planId);
  await finishPlan(tx, deps, planId);
}

/** Announces `plan.done` once nothing of a complete plan waits any more. Called whenever its last batch may have gone. */
export async function finishPlan(
  tx: Tx,
  deps: Pick<DeliveryDeps, 'clock' | 'events' | 'tell'>,
  planId: string,
): Promise<void> {
  const plan = await store.lockPlan(tx, planId);
  if (plan === undefined || plan.source !== 'campaign' || !plan.complete) return;
  if (await store.planHasWork(tx, planId)) return;
  await deps.events.append(tx, [
    {
      kind: 'plan.done',
      occurredAt: deps.clock.now(),
      campaignId: plan.sourceId ?? undefined,
      data: { planId, state: plan.state },
    },
  ]);
  tx.afterCommit(() => deps.tell(tx.workspaceId, planId));
}

// Everybody who needs both locks batches first and their plan after them, so that nobody waits in a circle.

/** Nothing more of the plan is begun; windows already begun end. */
export async function pausePlan(tx: Tx, planId: string): Promise<void> {
  await store.parkPlan(tx, planId);
  await store.setPlanState(tx, planId, 'paused');
}

export async function resumePlan(tx: Tx, deps: Pick<DeliveryDeps, 'clock'>, planId: string): Promise<void> {
  await store.setPlanDue(tx, planId, deps.clock.now());
  await store.setPlanState(tx, planId, 'open');
}

/** For good: the dispatcher settles what was not begun as cancelled, batch by batch; the counts add up all the while. */
export async function cancelPlan(
  tx: Tx,
  deps: Pick<DeliveryDeps, 'clock' | 'events' | 'tell'>,
  planId: string,
): Promise<void> {
  const now = deps.clock.now();
  await store.setPlanDue(tx, planId, now);
  await store.hastenDeferrals(tx, planId, now);
  await store.setPlanState(tx, planId, 'cancelled');
  await store.setPlanComplete(tx, planId);
  await finishPlan(tx, deps, planId);
}
