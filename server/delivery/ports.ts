import type { Activity } from '../activity/index.ts';
import type { AddressKind, HashedAddress } from '../audience/index.ts';
import type { Found, Outgoing, Sender } from '../channels/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { Vault } from '../platform/sealing.ts';
import type { CandidateRow } from './ledger.store.ts';
import type { Needs, Objects } from './needs.ts';
import type { Limits } from './limit.rules.ts';
import type { PlanRow } from './plan.store.ts';
import type { UnknownPolicy } from './settle.rules.ts';
import type { LetterFilter } from './trouble.store.ts';

/** An account as a lane sees it. */
export interface LaneAccount {
  readonly id: string;
  readonly name: string;
  readonly channel: string;
  /** Its provider: of push the platform. */
  readonly kind: string;
  /** The vendor tells of a message by its own id alone: it is kept beside ours. */
  readonly keepsRefs?: boolean;
  readonly paused: boolean;
  readonly limits: Limits;
  readonly sender: Sender;
  /** Its vendor can be asked what became of a message, or tells of each by itself. */
  readonly tellsLater?: boolean;
}

/** What makes a ledger row a message on the wire; one per batch, shared by its messages. */
export interface Composer {
  /** What is read, and opened, only because it makes use of it. */
  readonly needs?: Needs;
  /** Asked by the gate, where the channel may object. */
  readonly objects?: Objects;
  /** Addresses are in the clear; that of an in-app message is empty. A refusal names what is missing or wrong; it never throws. */
  compose(
    row: CandidateRow,
    address: string,
    phone: string | null,
    email: string | null,
  ): { ok: true; outgoing: Outgoing } | { ok: false; reason: string; detail: string };
}

/** Never rejects but for bugs; called outside of transactions. */
export type LookUp = (message: {
  readonly messageId: string;
  readonly to: string;
  readonly sentAfter: Temporal.Instant;
}) => Promise<Found>;

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
  /** What the wire said of addresses on a channel. A number may be dead on one and alive on another. */
  markAddresses(tx: Tx, addressIds: readonly string[], state: 'bounced' | 'complained', channel: string): Promise<void>;
  unknownPolicy(tx: Tx): Promise<UnknownPolicy>;
  /** There is new work: wakes the dispatchers of other processes. */
  announce?(): void;
  /** How to ask an account's vendor what became of a message; undefined where it cannot be asked. */
  lookUpFor?(tx: Tx, accountId: string): Promise<LookUp | undefined>;
  /** Live news for open screens, after the commit. */
  tell(workspaceId: string, planId: string): void;
}

/** What a trial rendering knows of its person: `address` and `phone` in the clear. */
export interface TrialContact {
  readonly contactId: string;
  readonly externalId: string | null;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly locale: string | null;
  readonly timeZone: string | null;
  readonly country: string | null;
  readonly address: string | null;
  readonly phone: string | null;
  readonly email: string | null;
}

export type Tried =
  { readonly ok: true } | { readonly ok: false; readonly detail: string; readonly missing: readonly string[] };

/** The current version of a template that may be sent. */
export interface SendableTemplate {
  readonly id: string;
  readonly version: number;
  readonly category: string;
  readonly channel: string;
  readonly needs: Needs;
  readonly objects?: Objects | undefined;
  /** Renders to see whether it can be; never sends. */
  tryRender(contact: TrialContact, variables: Readonly<Record<string, unknown>>): Tried;
}

/**
 * What sending by the API asks for, beyond the dispatcher. What a call of many messages needs is looked up for all of them at
 * once; the functions that come of it answer for one, or refuse it (`AppError`) at its pointer.
 */
export interface SendPorts {
  addressReader(
    tx: Tx,
    kinds: ReadonlySet<AddressKind>,
  ): Promise<(given: { kind: AddressKind; value: string }, pointer: string) => HashedAddress>;
  topicsOf(tx: Tx, keys: readonly string[]): Promise<(key: string, pointer: string) => string>;
  templatesOf(tx: Tx, ids: readonly string[]): Promise<(id: string, pointer: string) => SendableTemplate>;
  /** The contacts that addresses belong to, in their order; an address nobody has becomes one. */
  obtainContacts(
    tx: Tx,
    addresses: readonly HashedAddress[],
  ): Promise<readonly { contactId: string; addressId: string }[]>;
}

export type SendDeps = DeliveryDeps & SendPorts;

/** What is done with all dead letters that a filter finds; what is too many for one request goes on in the background. */
export interface LetterWork {
  readonly workspaceId: string;
  readonly act: 'redrive' | 'discard' | 'accepted' | 'failed' | 'resend';
  readonly filter: LetterFilter;
  /** RFC 3339: letters that came later, such as those of a second failure, are not meant. */
  readonly asOf: string;
  /** Where the last page ended. */
  readonly before?: string | undefined;
}

/** What answering about messages, and acting on them, asks for. */
export interface MessageDeps extends DeliveryDeps {
  maskAddress(kind: string, value: string, country: string | null): string;
  accountNames(tx: Tx): Promise<ReadonlyMap<string, string>>;
  campaignNames(tx: Tx, ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  laneAccounts(tx: Tx): Promise<
    readonly {
      id: string;
      name: string;
      channel: string;
      kind: string;
      pausedAt: Temporal.Instant | null;
      limits: Limits;
    }[]
  >;
  /** What a vendor's code means; null where nobody knows. */
  meaningOf(kind: string | null, code: string | null): string | null;
  /** Whose an address is, by its blind index. Throws for what is no address, at the pointer. */
  findAddress(
    tx: Tx,
    given: { readonly kind: 'email' | 'phone'; readonly value: string; readonly pointer: string },
  ): Promise<{ readonly contactId: string; readonly addressId: string } | undefined>;
  /** More than one request can do: the background does it, if this transaction commits. */
  goOn(tx: Tx, work: LetterWork): Promise<void>;
  setAccountPaused(tx: Tx, accountId: string, paused: boolean): Promise<void>;
  setAccountLimits(tx: Tx, accountId: string, limits: Limits): Promise<{ before: object; after: object }>;
  /** Who acts is known to whoever binds this for one call. */
  record(tx: Tx, entry: AuditDraft): Promise<void>;
}

export interface AuditDraft {
  readonly action: string;
  readonly target: { readonly kind: string; readonly id: string };
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
}
