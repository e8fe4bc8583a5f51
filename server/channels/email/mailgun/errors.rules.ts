import type { VendorRefusal } from '../../outcome.rules.ts';
import type { ErrorTable, VendorError } from '../../port.ts';
import { jsonOf, parseJson, textOf } from '../event.rules.ts';

/**
 * Mailgun answers with statuses and words; events carry a severity with a reason, and codes of Mailgun's own (605 to 607)
 * beside those of mail servers. Sources: api-intro, api-sending, api-events, mailgun-go events/enums.go.
 */
export const mailgunErrors: ErrorTable = {
  '400': { category: 'content', meaning: 'Mailgun objects to the request' },
  '400/to': { category: 'address', meaning: 'the recipient’s address is none' },
  '400/from': { category: 'account', meaning: 'the sender’s address is none' },
  '401': { category: 'account', meaning: 'no API key, or a wrong one' },
  '402': { category: 'account', meaning: 'the request was right and failed all the same: the plan or the payment' },
  '403': { category: 'account', meaning: 'the key may not do this, or the domain may not send' },
  '404': { category: 'account', meaning: 'the account has no such domain; is the region right?' },
  '413': { category: 'content', meaning: 'the message is too large' },
  '429': { category: 'throttled', meaning: 'too many requests' },
  '500': { category: 'provider-down', meaning: 'an error at Mailgun' },
  // A gateway's words: the request was handed on and nobody says what became of it, so it must not be sent again blindly.
  '502': { category: 'unknown', meaning: 'Mailgun’s gateway had no answer' },
  '503': { category: 'provider-down', meaning: 'Mailgun is not available' },
  '504': { category: 'unknown', meaning: 'Mailgun’s gateway had no answer in time' },

  'permanent/suppress-bounce': { category: 'address', meaning: 'on Mailgun’s list of bounced addresses' },
  'permanent/suppress-unsubscribe': {
    category: 'address',
    meaning: 'on Mailgun’s list of unsubscribed addresses',
    scope: 'marketing',
  },
  'permanent/suppress-complaint': { category: 'address', meaning: 'on Mailgun’s list of complaints' },
  'permanent/bounce': { category: 'address', meaning: 'the mailbox refused for good' },
  'permanent/generic': { category: 'content', meaning: 'refused for good' },
  'permanent/old': { category: 'content', meaning: 'tried for too long' },
  'permanent/hardfail': { category: 'content', meaning: 'refused for good' },
  'permanent/espblock': { category: 'content', meaning: 'the mailbox provider blocks the sender' },
  'permanent/blacklisted': { category: 'content', meaning: 'the sender is on a block list' },
  'permanent/unknown': { category: 'content', meaning: 'failed for a reason Mailgun does not know' },
  'temporary/generic': { category: 'transient', meaning: 'refused for now' },
  'temporary/greylisted': { category: 'transient', meaning: 'the mailbox provider wants it tried again later' },
  rejected: { category: 'content', meaning: 'Mailgun took it and then refused to send it' },

  '605': { category: 'address', meaning: 'not delivered to an address that bounced before' },
  '606': { category: 'address', meaning: 'not delivered to an unsubscribed address', scope: 'marketing' },
  '607': { category: 'address', meaning: 'not delivered to somebody who reported spam' },
};

export function errorOf(code: string): VendorError | undefined {
  return Object.hasOwn(mailgunErrors, code) ? mailgunErrors[code] : undefined;
}

/** Pure: `{"message":"…"}`, or the bare word of a 401; undefined: not Mailgun's. */
export function readRefusal(status: number, body: Buffer): VendorRefusal | undefined {
  const parsed = parseJson(body);
  const words =
    textOf(jsonOf(parsed)['message']) ??
    textOf(parsed) ??
    (status === 401 && /^\s*Forbidden\s*$/.test(body.toString('utf8')) ? 'Forbidden' : undefined);
  if (words === undefined) return undefined;
  const afterMs = status === 429 ? waitMs(words) : undefined;
  return { code: narrowed(status, words), reason: words, status, ...(afterMs === undefined ? {} : { afterMs }) };
}

function narrowed(status: number, words: string): string {
  if (status !== 400) return String(status);
  // "to parameter is not a valid address. please check documentation"
  if (/^'?to'? parameter is not a valid address/i.test(words)) return '400/to';
  return /^'?from'? parameter/i.test(words) ? '400/from' : '400';
}

/** "… limit exceeded, try again after 120 seconds": Mailgun's Retry-After. */
function waitMs(words: string): number | undefined {
  const seconds = /try again after (\d{1,6}) seconds?/i.exec(words)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

/**
 * Pure: the code of a `failed` event. Reasons are coarse ("generic" is most of them), so a mail server's word that the
 * mailbox does not exist (RFC 3463: 5.1.1, 5.1.2, 5.1.3, 5.1.6, 5.1.10), or Mailgun's that the bounce is hard, goes first.
 */
export function failureCode(
  severity: string,
  reason: string,
  said: { readonly code?: string; readonly enhanced?: string; readonly bounceType?: string },
): string {
  if (said.code !== undefined && /^60[567]$/.test(said.code)) return said.code;
  const isGone = /^5\.1\.(?:1|2|3|6|10)$/.test(said.enhanced ?? '') || said.bounceType === 'hard';
  if (severity === 'permanent' && isGone) return 'permanent/bounce';
  const code = `${severity}/${reason}`;
  if (errorOf(code) !== undefined) return code;
  return severity === 'permanent' ? 'permanent/unknown' : 'temporary/generic';
}
