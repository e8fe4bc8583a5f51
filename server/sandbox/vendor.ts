import type { Clock } from '../platform/clock.ts';

/**
 * What a vendor that the sandbox plays looks like from inside: its paths, bodies, ids, error bodies and limits are the
 * vendor's own, so that the real adapter runs against it unchanged. One file a vendor in `vendors/`, one line each in
 * `vendors/index.ts`. What each was checked against stands in the head of its file.
 */

export interface VendorRequest {
  readonly method: string;
  /** Below the vendor's base URL, decoded, without the query: `/v3/mail/send`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly workspaceId: string;
  /** Where this vendor was called, without a slash at its end: signatures are made over it, and some name it in what they tell. */
  readonly baseUrl: string;
  /**
   * What the account that asks has entered at the vendor's as its webhook, as far as this Parley has an address: for vendors
   * that are not told it in each request.
   */
  readonly callbackUrl?: string;
}

export interface VendorAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: string | Buffer | object;
}

/** What is done with one recipient: by the scenario, else by the address (see `behaviour.rules.ts`). */
export type Fate =
  | { readonly kind: 'catch' }
  /** Taken, and reported undelivered later with the vendor's own code. */
  | { readonly kind: 'bounce' | 'complain' | 'block'; readonly code?: string }
  /** Refused at once with the vendor's own code. */
  | { readonly kind: 'refuse'; readonly code?: string }
  | { readonly kind: 'throttle'; readonly afterSeconds: number }
  | { readonly kind: 'burst'; readonly status: number }
  /** Takes the whole request and never answers. */
  | { readonly kind: 'quiet' }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'malformed' };

export interface CallbackDraft {
  readonly afterMs: number;
  readonly method: 'POST' | 'GET';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

export interface Shown {
  readonly heading?: string;
  readonly text: string;
  readonly footer?: string;
  readonly pictures?: readonly string[];
  readonly buttons?: readonly string[];
  /** Where a tap leads. */
  readonly url?: string;
}

/** One message as the sandbox inbox shows it. */
export interface VendorMail {
  readonly channel: 'email' | 'sms' | 'whatsapp' | 'push' | 'inapp';
  readonly vendor: string;
  readonly to: string;
  readonly from?: string;
  /** A line for the list. */
  readonly title: string;
  /** As the recipient's device would show it; of e-mail it follows from `raw`. Absent: the title alone is shown. */
  readonly shown?: Shown;
  /** Parley's id, where the request carries it. */
  readonly messageId?: string;
  /** The vendor's id that was answered. */
  readonly ref: string;
  /** Of e-mail: the whole message (RFC 5322); else the request's body as it came. */
  readonly raw: Buffer;
  /** What `act` will need besides, such as a callback address of the request; sealed with the rest. */
  readonly memo?: Readonly<Record<string, string>>;
}

/** A message that was kept, and what happens to it now because somebody looking at the inbox says so. */
export interface KeptMail extends VendorMail {
  readonly workspaceId: string;
  readonly callbackUrl?: string;
}

export type VendorAct =
  | { readonly kind: 'bounce' }
  | { readonly kind: 'complain' }
  | { readonly kind: 'read' }
  /** The recipient writes back. */
  | { readonly kind: 'reply'; readonly text: string };

/** An account of the sandbox that an operator makes in one click. */
export interface VendorAccount {
  /** Kind of the provider: `twilio`, `twilio-whatsapp`. */
  readonly kind: string;
  readonly channel: VendorMail['channel'];
  /** As a person would call it: `Twilio`. */
  readonly title: string;
  /** What would be typed into the provider's form, settings and secrets alike; `baseUrl` is added. Secrets come from `desk.secret`. */
  fields(workspaceId: string, desk: Desk): Readonly<Record<string, unknown>>;
}

/** What the sandbox lends a vendor. */
export interface Desk {
  readonly clock: Clock;
  /** Random hexadecimal digits, for ids in the vendor's form. */
  hex(digits: number): string;
  fateOf(workspaceId: string, recipient: string, vendor: string): Fate;
  /** Resolves when committed. */
  keep(workspaceId: string, mail: VendorMail): Promise<void>;
  /** Calls back later; only addresses of this Parley are called. The scenario may double, delay or reorder it. */
  later(workspaceId: string, callback: CallbackDraft): void;
  /** A secret of this workspace for one use (signing key, auth token), always the same; an account of the sandbox is set up with it. */
  secret(workspaceId: string, use: string): Buffer;
}

export interface Vendor {
  /** As in the base URL: `http://127.0.0.1:<port>/<workspace>/<name>`. */
  readonly name: string;
  readonly accounts: readonly VendorAccount[];
  handle(request: VendorRequest, desk: Desk): Promise<VendorAnswer | { readonly fate: 'quiet' }>;
  /** The genuine, signed callback that tells of it; undefined: this vendor tells nothing of the kind. Absent: never any. */
  act?(mail: KeptMail, act: VendorAct, desk: Desk): CallbackDraft | undefined | Promise<CallbackDraft | undefined>;
}
