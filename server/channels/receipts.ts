/** What comes back from a vendor about what it was handed: receipts and what people write. */

/** A request to `POST|GET /callbacks/:provider/:accountId`, as it came. */
export interface Callback {
  readonly method: 'GET' | 'POST';
  /** As the vendor called it: public origin, path and query. Some signatures are made over it. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes that were sent; signatures are verified over these and nothing parsed from them. */
  readonly body: Buffer;
  /** RFC 3339, when it came: vendors of telephone networks tell no time of their own. */
  readonly receivedAt?: string;
}

export type Verdict =
  /** Signed by the vendor, within its replay window. `once`: what must not be taken twice (a nonce, a signature), where the vendor gives one. */
  | { readonly kind: 'genuine'; readonly once?: string }
  /** Nothing to keep: the vendor wants this answer (Meta's challenge, a confirmed SNS subscription). */
  | { readonly kind: 'answer'; readonly status: number; readonly contentType: string; readonly body: string }
  /** 401 to the caller; the reason is for our log and the account's health, never for the answer. */
  | { readonly kind: 'forged'; readonly reason: string };

export type ReceiptKind =
  | 'accepted'
  | 'sent'
  | 'deferred'
  | 'delivered'
  | 'read'
  | 'bounced'
  | 'complained'
  | 'failed'
  | 'opened'
  | 'clicked'
  | 'unsubscribed';

/** One fact about one message. Facts come in any order, and more than once. */
export interface Receipt {
  readonly kind: ReceiptKind;
  /** The same fact told again has the same key; the vendor's event id where it has one. */
  readonly key: string;
  /** Our id, where the vendor carries it back; else `ref`, the vendor's own as `send` gave it. */
  readonly messageId?: string;
  readonly ref?: string;
  /** RFC 3339, when it happened at the vendor's. */
  readonly at: string;
  /** Of `bounced` and `failed`: whether the address is finished (`address`: suppress it), or which other kind of trouble it was. */
  readonly category?: ErrorCategory;
  readonly code?: string;
  /** For people; addresses in it are masked. */
  readonly reason?: string;
  /** Of `opened` and `clicked`: a machine did it, as far as the vendor knows. */
  readonly isMachine?: boolean;
  /** Of `clicked`. */
  readonly url?: string;
  /** In how many parts it went. */
  readonly segments?: number;
  /** How the vendor charges for it, where it says so (WhatsApp's category and conversation). */
  readonly pricing?: { readonly category: string; readonly isBillable?: boolean; readonly conversationId?: string };
}

/** What a person wrote to us. */
export interface InboundMessage {
  readonly channel: 'email' | 'sms' | 'whatsapp';
  /** The vendor's id of it. */
  readonly key: string;
  /** E.164, or an e-mail address. */
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly at: string;
  /** The vendor's id of the message it answers, where it says so. */
  readonly inReplyTo?: string;
  readonly media?: readonly { readonly url: string; readonly contentType?: string }[];
  /** A button that was pressed. */
  readonly payload?: string;
  /** A wish to stop, start or be helped: the vendor says so (and may act on it itself), or the whole text is such a word. */
  readonly keyword?: 'stop' | 'start' | 'help';
  /** An answer a machine gave (out of office). */
  readonly isAutomatic?: boolean;
  readonly name?: string;
}

/** News that concern the account or what is on file with the vendor, not one message. */
export interface AccountNews {
  readonly key: string;
  /** `template-status`, `quality`, `tier`, `account-restricted`, `marketing-preference`, … */
  readonly kind: string;
  readonly at: string;
  /** The person it is about, in E.164: looked up, and told to nobody. Never in `data`, which goes into the event log. */
  readonly about?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Told {
  readonly receipts: readonly Receipt[];
  readonly inbound: readonly InboundMessage[];
  readonly news: readonly AccountNews[];
}

/** Groups of what goes wrong; what is done about each is the same for every vendor. */
export type ErrorCategory = 'address' | 'content' | 'account' | 'throttled' | 'transient' | 'provider-down' | 'unknown';

export interface VendorError {
  readonly category: ErrorCategory;
  /** What it means, in a few words of ours, for a person. */
  readonly meaning: string;
  /** The least pause before the next attempt, where the vendor names one. */
  readonly afterMs?: number;
  /** Of `address`: only advertising is unwanted there; messages of other purposes may still go. */
  readonly scope?: 'marketing';
}

/** What a vendor's codes mean. */
export type ErrorTable = Readonly<Record<string, VendorError>>;
