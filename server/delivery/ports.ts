import type { Activity } from '../activity/index.ts';
import type { Outgoing, Sender } from '../channels/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { Vault } from '../platform/sealing.ts';
import type { CandidateRow } from './ledger.store.ts';
import type { Limits } from './pace.rules.ts';
import type { PlanRow } from './plan.store.ts';
import type { UnknownPolicy } from './settle.rules.ts';

/** An account as a lane sees it. */
export interface LaneAccount {
  readonly id: string;
  readonly name: string;
  readonly channel: string;
  readonly paused: boolean;
  readonly limits: Limits;
  readonly sender: Sender;
}

/** What makes a ledger row a message on the wire; one per batch, shared by its messages. */
export interface Composer {
  /** Whether it makes use of the contact's first phone; it is read and opened only then. */
  readonly needsPhone?: boolean;
  /** `address` and `phone` in the clear. A refusal names what is missing or wrong; it never throws. */
  compose(
    row: CandidateRow,
    address: string,
    phone: string | null,
  ): { ok: true; outgoing: Outgoing } | { ok: false; reason: string; detail: string };
}

/** What delivery asks of the slices below it, filled by `compose.ts`. */
export interface DeliveryDeps {
  readonly db: Db;
  /** The pool of the hot loop: pinned plans. */
  readonly hot: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly vault: Vault;
  readonly events: Pick<Activity, 'append' | 'messageTimeline'>;
  readonly random: () => number;
  /** Names this process in leases. */
  readonly worker: string;
  /** In the order of the channel's route; the first open one is used. */
  accountsFor(tx: Tx, channel: string, accountId: string | undefined): Promise<readonly LaneAccount[]>;
  composerFor(tx: Tx, plan: PlanRow, account: LaneAccount): Promise<Composer>;
  /** Opens sealed addresses with their contact's salt; throws on one that was tampered with. */
  addressOpener(tx: Tx): Promise<(row: { salt: Buffer; sealed: Buffer }) => string>;
  markAddresses(tx: Tx, addressIds: readonly string[], state: 'bounced' | 'complained'): Promise<void>;
  unknownPolicy(tx: Tx): Promise<UnknownPolicy>;
  /** Live news for open screens, after the commit. */
  tell(workspaceId: string, planId: string): void;
}

/** Who a caller of the API means. */
export type To = { readonly contactId: string } | { readonly email: string };

/** What the API side asks for, beyond the dispatcher. */
export interface MessageDeps extends DeliveryDeps {
  /** The contact and the address to use; an e-mail nobody has yet becomes a contact. Throws `invalid-input` at `pointer`. */
  recipientOf(
    tx: Tx,
    to: To,
    channel: string,
    topicId: string | null,
    pointer: string,
  ): Promise<{ contactId: string; addressId: string | null }>;
  topicIdOf(tx: Tx, key: string, pointer: string): Promise<string>;
  /** The template's current version, or a refusal. */
  templateFor(
    tx: Tx,
    templateId: string,
    pointer: string,
  ): Promise<{ version: number; category: string; channel: string; name: string }>;
  /** Renders to see whether it can be; never sends. */
  tryRender(
    tx: Tx,
    message: {
      templateId: string;
      version: number;
      contactId: string;
      addressId: string | null;
      variables: Readonly<Record<string, unknown>>;
    },
  ): Promise<{ ok: true } | { ok: false; reason: string; detail: string; missing: readonly string[] }>;
  maskAddress(kind: string, value: string, country: string | null): string;
  accountNames(tx: Tx): Promise<ReadonlyMap<string, string>>;
  campaignNames(tx: Tx, ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  laneAccounts(
    tx: Tx,
  ): Promise<
    readonly { id: string; name: string; channel: string; pausedAt: Temporal.Instant | null; limits: Limits }[]
  >;
  setAccountPaused(tx: Tx, accountId: string, paused: boolean): Promise<void>;
  /** Who acts is known to whoever binds this for one call. */
  record(tx: Tx, entry: AuditDraft): Promise<void>;
}

export interface AuditDraft {
  readonly action: string;
  readonly target: { readonly kind: string; readonly id: string };
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
}
