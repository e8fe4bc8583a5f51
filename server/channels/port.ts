import type { z } from 'zod';
import type { Clock } from '../platform/clock.ts';
import type { FieldProblem } from '../platform/errors.ts';
import type { HttpClient } from '../platform/http-client.ts';
import type { Channel, Mailbox, Outgoing, OutgoingInApp } from './outgoing.ts';
import type { Callback, ErrorTable, Told, Verdict } from './receipts.ts';

export type * from './outgoing.ts';
export type * from './receipts.ts';

/**
 * What a provider promises to the rest of Parley. A provider knows this file and the platform, nothing of
 * ledgers, consent or campaigns; `contract.test.ts` holds every provider to it.
 */

/**
 * What became of one message. Values, never exceptions: `send` does not reject.
 *
 * - `accepted`: the provider took responsibility. `ref` is its own id where it gives one, else ours.
 * - `refused`: the provider said no and will say no again. `address`: this recipient does not work (suppress it);
 *   `content`: this message was objected to; `account`: nothing is wrong with the message, the account is
 *   (password, plan, suspension): stop the lane and put the message back rather than fail it.
 * - `retry`: nothing left, or the provider said later. `provider-down` and `throttled` speak of the lane (cool it
 *   down, fail over), `transient` of this one message. `afterMs` is the provider's own wish (Retry-After).
 * - `unknown`: the whole message may have left and no answer came. Never re-send it blindly.
 *
 * `code` is stable and machine-readable: the enhanced status code (RFC 3463) or else the reply code for SMTP
 * (`5.1.1`, `421`), a word for what never got an answer (`timeout`, `connection-lost`, `dns`, `tls`, `refused-host`).
 * `reason`, `detail` and `cause` are for people; addresses in them are masked.
 */
export type SendResult =
  | { kind: 'accepted'; ref: string; detail?: string }
  | { kind: 'refused'; category: 'address' | 'content' | 'account'; code: string; reason: string; permanent: true }
  | {
      kind: 'retry';
      category: 'throttled' | 'transient' | 'provider-down';
      code: string;
      reason: string;
      afterMs?: number;
    }
  | { kind: 'unknown'; code: string; cause: string };

/** One account's open line to its provider: connections, tokens. Made by `Provider.create`, kept by the delivery slice's lane. */
/**
 * Whether a message may still begin. Every `AbortSignal` is one. `aborted` may be computed whenever it is asked: a process
 * that was stopped for a while is given the answers that came meanwhile before any timer tells it how late it is.
 */
export interface BeginSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface Sender {
  /**
   * Hands one message over. Messages are taken in the order of the calls; up to `capacity` calls at a time keep every
   * connection busy, more are queued inside. Aborting gives up a message that has not begun (`retry`, code
   * `aborted`); one whose bytes may have left still runs to its end (bounded by time-outs) so that its outcome is exact.
   * A message that waited is looked at once more when its turn comes.
   */
  send(message: Outgoing, signal?: BeginSignal): Promise<SendResult>;
  /** Messages in flight that make sense. */
  readonly capacity: number;
  /**
   * For vendors that take many in one request: hands over up to `most` messages at once and gives an outcome for each, in
   * order. What cannot go together (another `shape`, no `merge` at all) the sender splits by itself.
   */
  readonly many?: {
    readonly most: number;
    send(messages: readonly Outgoing[], signal?: BeginSignal): Promise<readonly SendResult[]>;
  };
  /** Lets what has begun finish, gives up the rest (`retry`, code `closed`), closes the connections. */
  close(): Promise<void>;
}

export interface Logger {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
}

/** Where the built-in sandbox listens in this process and how an account signs in to it. */
export interface SandboxAddress {
  readonly host: string;
  readonly port: number;
  password(workspaceId: string): string;
  /**
   * Where the sandbox plays a vendor over HTTP, for a workspace; what `http://sandbox.localhost/<vendor>` as an account's
   * base URL stands for. Callbacks about an account that is named go to its address.
   */
  vendorUrl(workspaceId: string, vendor: string, account?: { readonly kind: string; readonly id: string }): string;
}

/** Addresses a host may be connected to; throws when it resolves to nothing or only to forbidden networks. */
export type ResolveHost = (host: string, signal?: AbortSignal) => Promise<readonly string[]>;

/** Where in-app messages are put: Parley's own. An outcome for each, in order; what is there already counts as kept. */
export interface InboxDesk {
  keep(
    workspaceId: string,
    accountId: string,
    messages: readonly OutgoingInApp[],
  ): Promise<readonly ('kept' | 'no-contact')[]>;
  isThere(workspaceId: string, messageId: string): Promise<boolean>;
}

export interface ProviderDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Guarded against server-side request forgery (platform/network.ts); the address it gives is the one to connect to. */
  readonly resolveHost: ResolveHost;
  /** Of vendors that are called over HTTP: bounded, guarded, and exact about whether bytes may have left. */
  readonly http: HttpClient;
  readonly sandbox?: () => SandboxAddress | undefined;
  readonly inbox?: InboxDesk;
  /** Address for the vendor's callbacks about an account, where Parley has a public one: `https://…/api/v1/callbacks/<kind>/<account>`. */
  readonly callbackUrl?: (kind: string, accountId: string) => string | undefined;
}

/** An account as a provider sees it: settings and secrets as its own schemas parsed them. */
export interface ProviderAccount<Settings = Record<string, unknown>, Secrets = Record<string, unknown>> {
  readonly workspaceId: string;
  readonly id: string;
  readonly revision: number;
  readonly settings: Settings;
  readonly secrets: Secrets;
}

export interface TestResult {
  readonly ok: boolean;
  /** What was tried, in order; the last one failed unless `ok`. */
  readonly steps: readonly { name: string; ok: boolean; detail: string }[];
}

/** As the API answers it (contract/actor.ts). Only a `problem` stops a start; `unknown`: could not be looked up just now. */
export interface ReadinessItem {
  readonly key: string;
  readonly title: string;
  readonly state: 'ok' | 'warning' | 'problem' | 'unknown';
  readonly detail: string;
  readonly fix: string | null;
}

/** Look-ups in the DNS, with time-outs; tests answer from a table. An empty list: no such record; throws: no answer. */
export interface Dns {
  txt(name: string): Promise<readonly string[]>;
}

/** What tells whether a domain takes mail at all (RFC 5321, 5.1). */
export interface MailDns {
  mx(name: string): Promise<readonly { readonly exchange: string; readonly priority: number }[]>;
  /** Of either family. */
  addresses(name: string): Promise<readonly string[]>;
}

export interface ReadinessFacts {
  readonly from: Mailbox | undefined;
  readonly publicOrigin: string;
  readonly postalAddress: string | undefined;
  readonly dns: Dns;
}

/** How a vendor calls back. */
export interface Receipts<Settings = Record<string, unknown>, Secrets = Record<string, unknown>> {
  /** Judges the raw request, in constant time, before anything of it is believed. May call the vendor (a certificate, a confirmation). */
  verify(account: ProviderAccount<Settings, Secrets>, callback: Callback, deps: ProviderDeps): Promise<Verdict>;
  /** What a genuine callback says. Pure: it is run later, perhaps again. Parts that cannot be read are left out, and named in `news` as `unreadable`. */
  read(callback: Callback): Told;
  /** What the operator has to enter at the vendor's, for the dashboard. */
  readonly setUp: string;
  /** Its facts, or the answers people give, name a message by the vendor's id alone: it is kept beside ours. */
  readonly byRef?: true;
}

/** What a vendor knows of a message whose answer never came. */
export type Found =
  | { readonly kind: 'accepted'; readonly ref: string }
  /** The vendor never took it: it may be sent again. */
  | { readonly kind: 'absent' }
  /** It cannot say. */
  | { readonly kind: 'unclear'; readonly reason: string };

/** One vendor on one channel. `settings` and `secrets` are strict objects; the dashboard's form is made from them. */
export interface Provider<Settings extends z.ZodObject = z.ZodObject, Secrets extends z.ZodObject = z.ZodObject> {
  readonly kind: string;
  readonly channel: Channel;
  readonly settings: Settings;
  /** Every field optional: which are needed depends on the settings. Never shown again once stored. */
  readonly secrets: Secrets;
  /** Fills in, before anything is judged, what follows from the rest or has to be made, such as a pair of keys. */
  complete?(
    settings: Readonly<Record<string, unknown>>,
    secrets: Readonly<Record<string, unknown>>,
  ): {
    readonly settings: Readonly<Record<string, unknown>>;
    readonly secrets: Readonly<Record<string, unknown>>;
  };
  /** What is wrong with settings and secrets together, such as a user name without a password; pointers below `/settings`. */
  problems(settings: z.output<Settings>, secrets: z.output<Secrets>): readonly FieldProblem[];
  create(account: ProviderAccount<z.output<Settings>, z.output<Secrets>>, deps: ProviderDeps): Sender;
  /** Connects and signs in, sends nothing. Never throws. */
  test(account: ProviderAccount<z.output<Settings>, z.output<Secrets>>, deps: ProviderDeps): Promise<TestResult>;
  /** Absent: the vendor never calls back. */
  readonly receipts?: Receipts<z.output<Settings>, z.output<Secrets>>;
  /** What its codes mean; the one place that decides refused, retry or unknown. */
  readonly errors: ErrorTable;
  /** Asks the vendor by our id or a query it has; absent where it has none. */
  lookUp?(
    account: ProviderAccount<z.output<Settings>, z.output<Secrets>>,
    message: { readonly messageId: string; readonly to: string; readonly sentAfter: Temporal.Instant },
    deps: ProviderDeps,
  ): Promise<Found>;
  readiness(
    account: ProviderAccount<z.output<Settings>, z.output<Secrets>>,
    facts: ReadinessFacts,
  ): Promise<readonly ReadinessItem[]>;
}
