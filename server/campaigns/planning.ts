import type { Recipient } from '../delivery/index.ts';
import type { Tx } from '../platform/db.ts';
import { scanContacts } from './audience.store.ts';
import type { CampaignsDeps } from './ports.ts';
import * as store from './store.ts';

export const planQueue = 'campaigns.plan';
export const sweepQueue = 'campaigns.sweep';

/** Contacts looked at in one transaction: some 50 ms, so that nobody waits long for a lock or for the event log. */
const pageContacts = 1_000;

export interface PlanJob {
  readonly workspaceId: string;
  readonly campaignId: string;
}

export type PageOutcome = 'more' | 'complete' | 'stopped';

/**
 * Writes the next page of a campaign's messages and moves its cursor, in one transaction: a crash neither skips nor
 * repeats a contact, and whoever runs this twice at once takes turns. A paused campaign is planned on; nothing of it
 * is handed over.
 */
export async function planNextPage(
  tx: Tx,
  deps: CampaignsDeps,
  campaignId: string,
  scan = pageContacts,
): Promise<PageOutcome> {
  const campaign = await store.lockPlanning(tx, campaignId);
  if (campaign === undefined || (campaign.status !== 'running' && campaign.status !== 'paused')) return 'stopped';
  const plan = await deps.delivery.findPlan(tx, campaign.planId);
  if (plan === undefined || plan.complete || plan.state === 'cancelled') return 'stopped';
  const { audienceEnd } = campaign;
  const scanned = audienceEnd === null ? [] : await scanContacts(tx, campaign, campaign.cursor, audienceEnd, scan);
  const recipients = scanned.flatMap((one): Recipient[] =>
    one.isMember ? [{ contactId: one.contactId, addressId: one.addressId }] : [],
  );
  if (recipients.length > 0) await deps.delivery.planPage(tx, plan, recipients);
  const last = scanned.at(-1);
  if (last !== undefined) await store.moveCursor(tx, campaignId, last.contactId);
  tx.afterCommit(() => deps.tell(tx.workspaceId, campaignId));
  if (last !== undefined && scanned.length === scan && last.contactId !== audienceEnd) return 'more';
  await deps.delivery.completePlan(tx, plan.id);
  return 'complete';
}

/** The background job. Its place is in the database, so it may be run again at any point, by anybody. */
export async function planCampaign(deps: CampaignsDeps, job: PlanJob, signal: AbortSignal): Promise<void> {
  for (;;) {
    if (signal.aborted) throw new Error('planning was interrupted; it goes on where it was');
    const outcome = await deps.hot.transaction(job.workspaceId, (tx) => planNextPage(tx, deps, job.campaignId));
    if (outcome !== 'more') return;
  }
}

/** Puts campaigns whose planning is not finished back to work: the server may have died, or its job been given up. */
export async function sweep(deps: Pick<CampaignsDeps, 'db' | 'jobs' | 'log'>): Promise<number> {
  let found = 0;
  for (const workspaceId of await deps.db.system(store.workspaceIds)) {
    const campaignIds = await deps.db.read(workspaceId, store.findUnplanned);
    for (const campaignId of campaignIds) await deps.jobs.enqueue(undefined, planQueue, { workspaceId, campaignId });
    found += campaignIds.length;
  }
  if (found > 0) deps.log.info({ campaigns: found }, 'planning goes on');
  return found;
}

export function definePlanning(deps: CampaignsDeps): void {
  deps.jobs.define<PlanJob>(planQueue, (job, signal) => planCampaign(deps, job, signal));
  deps.jobs.define(sweepQueue, async () => {
    await sweep(deps);
  });
  deps.jobs.every(sweepQueue, '*/10 * * * *');
  deps.events.defineConsumer('campaigns.end', ['plan.done'], async (tx, events) => {
    for (const event of events) {
      const planId = event.data['planId'];
      if (typeof planId === 'string') await endCampaign(tx, deps, planId, event.occurredAt);
    }
  });
}

/** Nothing of the plan waits any more. A retry of a failed message later ends the plan again, the campaign only once. */
async function endCampaign(tx: Tx, deps: CampaignsDeps, planId: string, at: Temporal.Instant): Promise<void> {
  const ended = await store.markEnded(tx, planId, at);
  if (ended === undefined) return;
  const kind = ended.status === 'cancelled' ? 'campaign.cancelled' : 'campaign.done';
  await deps.events.append(tx, [{ kind, occurredAt: at, campaignId: ended.id }]);
  tx.afterCommit(() => deps.tell(tx.workspaceId, ended.id));
}
