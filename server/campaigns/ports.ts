import type { Activity } from '../activity/index.ts';
import type { ReadinessItem } from '../channels/index.ts';
import type { Consent } from '../consent/index.ts';
import type { Delivery, Limits, Objects } from '../delivery/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import type { Jobs } from '../platform/jobs.ts';
import type { Log } from '../platform/log.ts';
import type { Templates } from '../templates/index.ts';

/** Which mailbox a campaign would send from, as far as it says so itself. */
export interface SenderQuestion {
  readonly channel: string;
  readonly from: { readonly address: string; readonly name?: string | undefined } | undefined;
}

/** What campaigns ask of the slices below; filled by `compose.ts`. */
export interface CampaignsDeps {
  readonly db: Db;
  /** The pool with pinned plans: pages of the audience are read and written through it. */
  readonly hot: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly delivery: Pick<
    Delivery,
    | 'createPlan'
    | 'findPlan'
    | 'planPage'
    | 'completePlan'
    | 'pausePlan'
    | 'resumePlan'
    | 'cancelPlan'
    | 'planStats'
    | 'planReasons'
    | 'planEta'
    | 'decide'
  >;
  readonly templates: Pick<Templates, 'find' | 'variables'>;
  readonly topics: Pick<Consent['topics'], 'require' | 'find' | 'findByKey'>;
  readonly events: Pick<Activity, 'append' | 'defineConsumer'>;
  readonly jobs: Pick<Jobs, 'define' | 'enqueue' | 'every'>;
  /** Why the channel may object to a version for some addresses: landlines, closed windows. */
  objections(tx: Tx, templateId: string, version: number, category: string): Promise<Objects | undefined>;
  /** Limits of the account that the channel's route begins with; undefined when there is no account. */
  laneLimits(tx: Tx, channel: string): Promise<Limits | undefined>;
  /** What stands in the way at the account itself, without asking the network: it runs inside of the start's transaction. */
  accountProblems(tx: Tx, sender: SenderQuestion): Promise<readonly ReadinessItem[]>;
  /** The whole list, DNS included; opens its own transaction, if it needs one, before it looks anything up. */
  accountReadiness(workspaceId: string, sender: SenderQuestion): Promise<readonly ReadinessItem[]>;
  /** Live news for open screens; called after the commit. */
  tell(workspaceId: string, campaignId: string): void;
}
