/**
 * One message to one person, rendered, as a provider is handed it. Ids, addresses and texts are whole: what is missing or
 * wrong was found before. Objects that many messages share (`from`, `shape`) are shared by identity, so that what a provider
 * makes of them is made once.
 */

export interface Mailbox {
  readonly address: string;
  readonly name?: string;
}

/**
 * The content of a template version that says the same to everybody but for some values: literal text, and numbers that
 * are places in `values` of each message. A provider that takes many recipients in one request sends the shape once.
 */
export interface MergeShape {
  readonly subject: readonly (string | number)[];
  readonly html?: readonly (string | number)[];
  readonly text: readonly (string | number)[];
}

/**
 * Not in here because it follows from the rest: `Message-ID` is `<messageId@domain of from>`, `Date` is the clock's,
 * `List-Unsubscribe-Post` comes with `unsubscribeUrl`. Templates whose lines end in CRLF are composed fastest.
 */
export interface OutgoingEmail {
  readonly channel: 'email';
  /** Id of the message in the ledger. */
  readonly messageId: string;
  readonly to: string;
  readonly from: Mailbox;
  readonly replyTo?: Mailbox;
  readonly subject: string;
  readonly html?: string;
  readonly text: string;
  /** The same content in two parts, where the template allows it (no logic that changes more than values). */
  readonly merge?: { readonly shape: MergeShape; readonly values: readonly string[] };
  /** One-click (RFC 8058): makes `List-Unsubscribe` and `List-Unsubscribe-Post`. Marketing mail must have it. */
  readonly unsubscribeUrl?: string;
  /** `Feedback-ID` as Gmail reads it: up to three parts and the sender's name, joined by colons. */
  readonly feedbackId?: string;
  /** Further headers; a name or value with a line break or another control character is refused (`content`). */
  readonly headers?: Readonly<Record<string, string>>;
  /** Return path; the address of `from` when absent. */
  readonly envelopeFrom?: string;
}

export interface OutgoingSms {
  readonly channel: 'sms';
  readonly messageId: string;
  /** E.164. */
  readonly to: string;
  /** ISO 3166 alpha-2 of the number, where known: chooses the sender of a country. */
  readonly country?: string;
  readonly text: string;
  /** Public HTTPS addresses of pictures and the like (MMS), where the provider takes them. */
  readonly mediaUrls?: readonly string[];
  /** Over the account's senders: a number in E.164, a short code, or an alphanumeric name. */
  readonly from?: string;
  /** One-time codes and transactional texts go on other routes than advertising. */
  readonly category: 'marketing' | 'transactional' | 'otp' | 'utility';
  /** Not delivered after this: the provider may let go of it. */
  readonly validForSeconds?: number;
}

/** A template that Meta has approved, with the values of its variables in order. */
export interface WhatsAppTemplate {
  readonly kind: 'template';
  readonly name: string;
  /** As Meta writes it: `en_US`, `de`. */
  readonly language: string;
  /** Twilio's id of the same template (`HX…`), for accounts there. */
  readonly contentSid?: string;
  readonly header?:
    | { readonly kind: 'text'; readonly values: readonly string[] }
    | { readonly kind: 'image' | 'video' | 'document'; readonly url: string; readonly fileName?: string };
  readonly body: readonly string[];
  /** By the button's place, from 0: the value of a URL's variable part, a quick reply's payload, a coupon code, an otp. */
  readonly buttons?: readonly {
    readonly index: number;
    readonly kind: 'url' | 'quick-reply' | 'copy-code';
    readonly value: string;
  }[];
}

export type WhatsAppContent =
  | WhatsAppTemplate
  | { readonly kind: 'text'; readonly body: string; readonly previewUrl?: boolean }
  | {
      readonly kind: 'image' | 'video' | 'audio' | 'document' | 'sticker';
      readonly url: string;
      readonly caption?: string;
      readonly fileName?: string;
    }
  | {
      readonly kind: 'buttons';
      readonly body: string;
      readonly header?: string;
      readonly footer?: string;
      /** One to three. */
      readonly buttons: readonly { readonly id: string; readonly title: string }[];
    }
  | {
      readonly kind: 'list';
      readonly body: string;
      readonly header?: string;
      readonly footer?: string;
      readonly label: string;
      readonly sections: readonly {
        readonly title: string;
        readonly rows: readonly { readonly id: string; readonly title: string; readonly description?: string }[];
      }[];
    };

export interface OutgoingWhatsApp {
  readonly channel: 'whatsapp';
  readonly messageId: string;
  /** E.164. */
  readonly to: string;
  readonly category: 'marketing' | 'utility' | 'authentication' | 'service';
  /** All but templates need an open window of 24 hours since the person last wrote; the gate has seen to it. */
  readonly content: WhatsAppContent;
}

/** What a device registered: a bare token for FCM and APNs, the browser's subscription (JSON) for Web Push. */
export interface OutgoingPush {
  readonly channel: 'push';
  readonly messageId: string;
  readonly token: string;
  readonly title: string;
  readonly body: string;
  /** Public HTTPS address of a picture. */
  readonly imageUrl?: string;
  /** Where a tap leads. */
  readonly url?: string;
  /** For the app; all values are strings, as FCM wants them. */
  readonly data?: Readonly<Record<string, string>>;
  /** Replaces an earlier notification with the same key. */
  readonly collapseKey?: string;
  /** Kept for devices that are off; 0: now or never. */
  readonly ttlSeconds?: number;
  readonly urgency: 'high' | 'normal';
  readonly badge?: number;
  readonly sound?: string;
}

export interface OutgoingInApp {
  readonly channel: 'inapp';
  readonly messageId: string;
  readonly contactId: string;
  readonly title: string;
  readonly body: string;
  readonly url?: string;
  readonly imageUrl?: string;
  readonly data?: Readonly<Record<string, string>>;
  /** RFC 3339; not shown after it. */
  readonly expiresAt?: string;
}

export type Outgoing = OutgoingEmail | OutgoingSms | OutgoingWhatsApp | OutgoingPush | OutgoingInApp;
export type Channel = Outgoing['channel'];
export type OutgoingOf<Kind extends Channel> = Extract<Outgoing, { channel: Kind }>;
