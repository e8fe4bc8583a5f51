import './errors.ts';
import type { Tx } from '../platform/db.ts';
import { definePlanning, sweep } from './planning.ts';
import type { CampaignsDeps } from './ports.ts';
import { present } from './results.ts';
import { campaignNames, listCampaigns } from './store.ts';
import type { Campaign } from '../../contract/campaigns.ts';

/**
 * When, for many: a message to an audience, from draft to done.
 *
 * Owns: `campaign`. Promises: a start pins what is said and to whom (who joins later is not written to); the audience
 * is planned page by page, and a crash neither skips nor repeats anybody; what is shown before the start is decided by
 * the gate that decides at hand-over; everybody of the audience gets a message row or is counted with the reason why not.
 * Never does: decide about one person (the gate does), render, hand anything over.
 */
export interface Campaigns {
  readonly deps: CampaignsDeps;
  /** Goes on with what a crash or a stop interrupted; once when the worker starts. */
  resume(): Promise<number>;
  /** Newest first. */
  recent(tx: Tx, most: number): Promise<Campaign[]>;
  names(tx: Tx, ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
}

/** Before `jobs.start` and the start of the event log's consumers: it defines its queues and its consumer. */
export function createCampaigns(deps: CampaignsDeps): Campaigns {
  definePlanning(deps);
  return {
    deps,
    resume: () => sweep(deps),
    recent: async (tx, most) => present(tx, deps, await listCampaigns(tx, { before: undefined, limit: most })),
    names: campaignNames,
  };
}

export { campaignRoutes } from './routes.ts';
export type { CampaignRoutesDeps } from './routes.ts';
export type { CampaignsDeps, SenderQuestion } from './ports.ts';
