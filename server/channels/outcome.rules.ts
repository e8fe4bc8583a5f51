import type { HttpFailure } from '../platform/http-client.ts';
import type { ErrorCategory, ErrorTable, SendResult } from './port.ts';

/** What the answers of vendors that are called over HTTP mean for the ledger; shared by all of their providers. */

/** What a vendor answered when it did not simply accept. */
export interface VendorRefusal {
  /** The vendor's own code, as its error table has it; for an answer without one the status. */
  readonly code: string;
  /** The vendor's own words. Masked and bounded here. */
  readonly reason: string;
  /** Status of the answer: decides where the code is not in the table. */
  readonly status?: number;
  /** The vendor's wish, such as Retry-After. */
  readonly afterMs?: number;
  /** Addresses, numbers and tokens of the message, which must not show in the reason. */
  readonly addresses?: readonly string[];
}

/**
 * Pure: the table decides by the code; else the status does. A code that nobody knows and that comes without a status
 * is `unknown`: nothing is sent again on a guess.
 */
export function refusalResult(errors: ErrorTable, said: VendorRefusal): SendResult {
  const known = Object.hasOwn(errors, said.code) ? errors[said.code] : undefined;
  const reason = reasonText(said.reason === '' ? (known?.meaning ?? '') : said.reason, said.addresses);
  const category = known?.category ?? (said.status === undefined ? 'unknown' : categoryOfStatus(said.status));
  const waits = [said.afterMs, known?.afterMs].filter((wait) => wait !== undefined);
  return resultOf(category, said.code, reason, waits.length === 0 ? undefined : Math.max(...waits));
}

/** Pure: the result a category makes. `afterMs` is kept by retries only. */
export function resultOf(category: ErrorCategory, code: string, reason: string, afterMs?: number): SendResult {
  switch (category) {
    case 'address':
    case 'content':
    case 'account':
      return { kind: 'refused', category, code, reason, permanent: true };
    case 'throttled':
    case 'transient':
    case 'provider-down':
      return { kind: 'retry', category, code, reason, ...(afterMs === undefined ? {} : { afterMs }) };
    case 'unknown':
      return { kind: 'unknown', code, cause: reason };
  }
}

/**
 * Pure: what a status says by itself. A gateway's 502 and 504 (520 and 524 of Cloudflare) mean that it handed the request
 * on and knows nothing of what became of it: that is doubt, not failure.
 */
export function categoryOfStatus(status: number): ErrorCategory {
  if ([502, 504, 520, 524].includes(status)) return 'unknown';
  if (status >= 500) return 'provider-down';
  if (status === 429) return 'throttled';
  if ([408, 409, 423, 425].includes(status)) return 'transient';
  if ([401, 402, 403, 404, 405, 407].includes(status)) return 'account';
  if (status >= 400) return 'content';
  // Redirects are not followed, so nothing was done: the base URL is wrong.
  if (status >= 300) return 'account';
  return 'unknown';
}

/** Pure: a call without an answer. Only what cannot have arrived may be tried again. */
export function failureResult(failure: HttpFailure, addresses?: readonly string[]): SendResult {
  const reason = reasonText(failure.reason, addresses);
  if (failure.mayHaveArrived) return { kind: 'unknown', code: failure.code, cause: reason };
  // What cannot be put into a request: a line break in an address, say.
  if (failure.code === 'invalid-request') return resultOf('content', failure.code, reason);
  if (failure.code === 'refused-host') return resultOf('account', failure.code, reason);
  // Our own doing, no fault of the vendor's.
  if (failure.code === 'aborted' || failure.code === 'closed') return resultOf('transient', failure.code, reason);
  return resultOf('provider-down', failure.code, reason);
}

/** Pure: an answer that cannot be read as the vendor's. Refusing statuses speak for themselves; after a 2xx the message may be on its way. */
export function malformedResult(status: number, what: string): SendResult {
  if (status >= 300) return resultOf(categoryOfStatus(status), String(status), reasonText(`${status}: ${what}`));
  return { kind: 'unknown', code: 'malformed', cause: reasonText(`${status}: ${what}`) };
}

const maxWaitMs = 86_400_000;
// RFC 9110, 5.6.7: IMF-fixdate, the only form that may be sent.
const httpDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** Pure: Retry-After (RFC 9110, 10.2.3), in seconds or as a date; at most a day. Header names in lower case. */
export function retryAfterMs(headers: Readonly<Record<string, string>>, now: Temporal.Instant): number | undefined {
  const value = headers['retry-after']?.trim() ?? '';
  if (/^\d{1,9}(?:\.\d{1,6})?$/.test(value)) return Math.min(Math.round(Number(value) * 1000), maxWaitMs);
  if (!httpDate.test(value)) return undefined;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.min(Math.max(at - now.epochMilliseconds, 0), maxWaitMs);
}

const maxReason = 300;

/** Pure: a vendor's words for people: one line, bounded, addresses and telephone numbers masked, and whatever else is named. */
export function reasonText(text: string, addresses: readonly string[] = []): string {
  let masked = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
  for (const address of addresses) {
    if (address.length < 4) continue;
    masked = masked.replaceAll(address, maskAddress(address));
    // Vendors repeat numbers without their plus, too.
    if (address.startsWith('+')) masked = masked.replaceAll(address.slice(1), maskAddress(address));
  }
  masked = masked
    .slice(0, 4 * maxReason)
    .replace(mailbox, maskAddress)
    .replace(phone, maskAddress);
  return masked.slice(0, maxReason).trim();
}

const mailbox = /[^\s<>"'(),:;@•]+@[^\s<>"'(),:;@]+/g;
/** Seven digits or more, as numbers are written; not a part of a longer id, not a date, not a mail server's `550 5.1.10`. */
const phone = /(?<![\w•.+-])(?!\d{4}-\d{2}-\d{2})(?!\d{3}[ -]\d\.\d{1,3}\.\d)\+?\d(?:[ ().-]?\d){6,14}(?![\w-])/g;

/** Pure: `•••@example.com`, `•••••123`, `•••`: enough to know one's own by, not enough to write to. */
export function maskAddress(address: string): string {
  const at = address.lastIndexOf('@');
  if (at > 0) return `•••${address.slice(at)}`;
  if (/^\+?[\d ().-]+$/.test(address)) return `•••••${address.replace(/\D/g, '').slice(-3)}`;
  return '•••';
}

/** The name under which our id stands in the address of a callback: vendors that sign the address tell nothing else of ours back. */
const messageParameter = 'message';
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Pure: where the vendor reports on one message. */
export function callbackAbout(callbackUrl: string, messageId: string): string {
  const url = new URL(callbackUrl);
  url.searchParams.set(messageParameter, messageId);
  return url.href;
}

/** Pure: our id in the address of a callback. */
export function messageIdOf(callbackUrl: string): string | undefined {
  if (!URL.canParse(callbackUrl)) return undefined;
  const id = new URL(callbackUrl).searchParams.get(messageParameter);
  return id !== null && uuid.test(id) ? id : undefined;
}
