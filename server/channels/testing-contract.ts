import type { Callback, Outgoing, ProviderAccount, ProviderDeps, ReceiptKind } from './port.ts';

/**
 * What `contract.test.ts` needs of a provider to hold it to the promises of `port.ts`; each provider's folder has one in
 * its `testing.ts`. The vendor it plays may be a scripted server of its own or the sandbox's.
 */

/** What the played vendor does with the next message. */
export type Play =
  | 'accept'
  /** The address is finished: refused, category `address`. */
  | 'refuse-address'
  /** This message is objected to: refused, category `content`. */
  | 'refuse-content'
  /** Wrong key, suspended: refused, category `account`. */
  | 'refuse-account'
  /** Too fast; with Retry-After (or the vendor's word for it) of 7 seconds where the vendor has one. */
  | 'throttle'
  /** A failure of the vendor's own: 500, 503. */
  | 'down'
  /** Reads the whole request and never answers. */
  | 'quiet'
  /** Answers something that is not the vendor's. */
  | 'malformed'
  /** Closes the connection after the whole request was read. */
  | 'hang-up';

export type ContractPromise =
  | Play
  /** Nobody listens where the account points. */
  | 'unreachable'
  /** How long to wait is told in the answer to `throttle`. */
  | 'retry-after'
  | 'bad-signature'
  | 'stale-callback'
  | 'replayed-callback'
  | 'out-of-order-callbacks'
  | 'look-up';

export interface PlayedVendor {
  /** The account as it would be stored, aimed at this vendor. */
  account(): ProviderAccount;
  deps(deps: ProviderDeps): ProviderDeps;
  /** From now on. */
  plays(play: Play): void;
  /** Bodies (or envelopes) that arrived, in order. */
  readonly heard: readonly string[];
  close(): Promise<void>;
}

export interface ProviderContract {
  readonly kind: string;
  start(): Promise<PlayedVendor>;
  message(messageId: string): Outgoing;
  /** A reference as the vendor gives them, for callbacks; any word when left out. */
  readonly ref?: string;
  /**
   * Genuine callbacks about one message that was accepted with `ref`, in the order in which they happened, signed for `at`;
   * each with the receipt it must be read as. Absent: the vendor has none (said in `without`).
   */
  readonly callbacks?: (
    account: ProviderAccount,
    about: { readonly messageId: string; readonly ref: string; readonly at: Temporal.Instant },
  ) => readonly { readonly callback: Callback; readonly receipt: ReceiptKind }[];
  /** Promises this vendor cannot have, each with the reason. */
  readonly without: Partial<Record<ContractPromise, string>>;
}
