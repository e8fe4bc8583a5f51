import type { VendorRefusal } from '../../outcome.rules.ts';
import type { ErrorCategory, ErrorTable, VendorError } from '../../port.ts';

/**
 * SendGrid has no error codes but statuses, reasons in words and the replies of mail servers. Statuses stand here by their
 * number, with what narrows them after a slash; reasons of drops and classes of bounces by SendGrid's own words.
 * Sources: mail/send errors, Event Webhook reference, "SMTP errors and troubleshooting".
 */
export const sendGridErrors: ErrorTable = {
  '400': { category: 'content', meaning: 'SendGrid objects to the request' },
  '400/to': { category: 'address', meaning: 'the recipient’s address is none' },
  '400/from': { category: 'account', meaning: 'the sender is not one of the account' },
  '401': { category: 'account', meaning: 'no API key, a wrong one, or no credits left' },
  '403': { category: 'account', meaning: 'the sender is not verified, or the key may not send' },
  '404': { category: 'account', meaning: 'nothing at this address: is the base URL right?' },
  '405': { category: 'account', meaning: 'nothing at this address: is the base URL right?' },
  '413': { category: 'content', meaning: 'the message is too large' },
  '429': { category: 'throttled', meaning: 'too many requests' },
  '500': { category: 'provider-down', meaning: 'an error at SendGrid' },
  '503': { category: 'provider-down', meaning: 'SendGrid is not available' },

  'Invalid SMTPAPI header': { category: 'content', meaning: 'SendGrid could not read the message’s settings' },
  'Spam Content': { category: 'content', meaning: 'SendGrid’s spam checker objects' },
  'Unsubscribed Address': {
    category: 'address',
    meaning: 'on SendGrid’s list of unsubscribed addresses',
    scope: 'marketing',
  },
  'Bounced Address': { category: 'address', meaning: 'on SendGrid’s list of bounced addresses' },
  'Spam Reporting Address': { category: 'address', meaning: 'on SendGrid’s list of spam reports' },
  Invalid: { category: 'address', meaning: 'on SendGrid’s list of invalid addresses' },
  'Recipient List over Package Quota': { category: 'throttled', meaning: 'over the quota of the package' },

  bounce: { category: 'address', meaning: 'the mailbox refused for good' },
  blocked: { category: 'transient', meaning: 'the mailbox provider refused this message for now' },
  'blocked/Content': { category: 'content', meaning: 'the mailbox provider objects to the content' },
  'blocked/Invalid Address': { category: 'address', meaning: 'the mailbox does not exist' },

  '421': { category: 'throttled', meaning: 'the mailbox provider asks to slow down' },
  '450': { category: 'throttled', meaning: 'the mailbox provider asks to slow down' },
  '451': { category: 'transient', meaning: 'a temporary problem of the mailbox provider' },
  '451/credits': { category: 'account', meaning: 'the account has no credits left' },
  '452': { category: 'throttled', meaning: 'too many recipients for now' },
  '550': { category: 'address', meaning: 'the mailbox is not available' },
  '551': { category: 'address', meaning: 'the mailbox does not exist' },
  '552': { category: 'transient', meaning: 'the mailbox is full' },
  '553': { category: 'address', meaning: 'the mailbox does not exist or is not used' },
  '554': { category: 'content', meaning: 'the message was refused' },
};

export function errorOf(code: string): VendorError | undefined {
  return Object.hasOwn(sendGridErrors, code) ? sendGridErrors[code] : undefined;
}

/** Pure: of a `dropped` event. `Spam Content (if Spam Checker app is enabled)` stands by what comes before the bracket. */
export function dropCode(reason: string): string {
  const bare = reason.replace(/\s*\(.*$/s, '').trim();
  return errorOf(bare) === undefined ? 'dropped' : bare;
}

/** Pure: a reply of a mail server, as `deferred` tells it: by its first number. */
export function replyCode(reply: string): string | undefined {
  const code = /^\s*(\d{3})\b/.exec(reply)?.[1];
  return code === '451' && /credits/i.test(reply) ? '451/credits' : code;
}

/** Pure: what SendGrid says of a `bounce` event. Its own list decides: what it calls a bounce it will not try again. */
export function bounceCode(type: string | undefined, classification: string | undefined): string {
  if (type !== 'blocked') return 'bounce';
  const narrow = `blocked/${classification ?? ''}`;
  return errorOf(narrow) === undefined ? 'blocked' : narrow;
}

interface Complaint {
  readonly message: string;
  readonly field: string;
}

/** Pure: `{"errors":[{"message","field","help"}]}`; undefined: not SendGrid's. */
export function readComplaints(body: Buffer): readonly Complaint[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
  const { errors } = (typeof parsed === 'object' && parsed !== null ? parsed : {}) as { errors?: unknown };
  if (!Array.isArray(errors)) return undefined;
  return errors.map((error: unknown) => {
    const { message, field } = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
    return { message: typeof message === 'string' ? message : '', field: typeof field === 'string' ? field : '' };
  });
}

/** Pure: the refusal of a whole request, or of the one message in it. */
export function refusalOf(status: number, complaints: readonly Complaint[]): VendorRefusal {
  const [first] = complaints;
  return { code: narrowed(status, first), reason: complaints.map((one) => one.message).join(' '), status };
}

function narrowed(status: number, complaint: Complaint | undefined): string {
  if (status !== 400 || complaint === undefined) return String(status);
  if (/^personalizations\.\d+\.to(?:\.|$)/.test(complaint.field)) return '400/to';
  return /^from(?:\.|$)/.test(complaint.field) ? '400/from' : '400';
}

/**
 * Pure: which personalizations of a refused request were complained about. SendGrid refuses the request as a whole and
 * sends none of it; so those may be refused and the others go again.
 */
export function refusedPlaces(complaints: readonly Complaint[], count: number): ReadonlyMap<number, VendorRefusal> {
  const places = new Map<number, VendorRefusal>();
  for (const complaint of complaints) {
    const place = Number(/^personalizations\.(\d{1,4})\./.exec(complaint.field)?.[1] ?? -1);
    if (place < 0 || place >= count || places.has(place)) continue;
    places.set(place, { code: narrowed(400, complaint), reason: complaint.message, status: 400 });
  }
  return places;
}

/** Pure: the category an event's code stands for; what is unknown is not held against the address. */
export function categoryOf(code: string): ErrorCategory {
  return errorOf(code)?.category ?? 'unknown';
}
