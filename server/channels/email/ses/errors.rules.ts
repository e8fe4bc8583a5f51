import type { VendorRefusal } from '../../outcome.rules.ts';
import type { ErrorTable, VendorError } from '../../port.ts';
import { jsonOf, parseJson, textOf } from '../event.rules.ts';

const daily = {
  category: 'throttled',
  meaning: 'the sending quota of the day is used up',
  afterMs: 3_600_000,
} as const;

/**
 * Names of exceptions of the SES v2 API and of AWS in front of it, states of the entries of `SendBulkEmail`, and bounces
 * as `type/subtype`. Sources: botocore sesv2 model, SES developer guide ("notification contents", "sending quota errors"),
 * AWS "Common errors".
 */
export const sesErrors: ErrorTable = {
  TooManyRequestsException: { category: 'throttled', meaning: 'too many requests' },
  ThrottlingException: { category: 'throttled', meaning: 'faster than the account may send' },
  Throttling: { category: 'throttled', meaning: 'faster than the account may send' },
  LimitExceededException: { category: 'throttled', meaning: 'a limit of the account is reached' },
  'quota/daily': daily,
  AccountSuspendedException: { category: 'account', meaning: 'the account may not send any more' },
  SendingPausedException: { category: 'account', meaning: 'sending is paused for the account or configuration set' },
  MessageRejected: { category: 'content', meaning: 'SES objects to the message' },
  'MessageRejected/not-verified': {
    category: 'account',
    meaning: 'the sender is not verified, or the account is in the SES sandbox',
  },
  MailFromDomainNotVerifiedException: { category: 'account', meaning: 'the MAIL FROM domain is not verified' },
  NotFoundException: {
    category: 'account',
    meaning: 'the configuration set or template does not exist in this region',
  },
  BadRequestException: { category: 'content', meaning: 'SES objects to the request' },
  'BadRequestException/address': { category: 'address', meaning: 'the recipient’s address is none' },
  AccessDeniedException: {
    category: 'account',
    meaning: 'the key may not send (ses:SendEmail, ses:SendRawEmail, ses:SendBulkEmail)',
  },
  UnrecognizedClientException: { category: 'account', meaning: 'AWS does not know the access key' },
  InvalidClientTokenId: { category: 'account', meaning: 'AWS does not know the access key' },
  InvalidSignatureException: {
    category: 'account',
    meaning: 'the secret key does not fit, or this machine’s clock is wrong',
  },
  SignatureDoesNotMatch: {
    category: 'account',
    meaning: 'the secret key does not fit, or this machine’s clock is wrong',
  },
  IncompleteSignatureException: { category: 'account', meaning: 'the signature is not complete' },
  MissingAuthenticationTokenException: { category: 'account', meaning: 'no credentials' },
  ExpiredTokenException: { category: 'account', meaning: 'the temporary credentials are over' },
  OptInRequired: { category: 'account', meaning: 'the AWS account has not signed up for SES' },
  InternalFailure: { category: 'provider-down', meaning: 'an error at AWS' },
  InternalServiceErrorException: { category: 'provider-down', meaning: 'an error at AWS' },
  ServiceUnavailable: { category: 'provider-down', meaning: 'SES is not available' },

  MESSAGE_REJECTED: { category: 'content', meaning: 'SES objects to the message' },
  MAIL_FROM_DOMAIN_NOT_VERIFIED: { category: 'account', meaning: 'the MAIL FROM domain is not verified' },
  CONFIGURATION_SET_NOT_FOUND: { category: 'account', meaning: 'the configuration set does not exist in this region' },
  TEMPLATE_NOT_FOUND: { category: 'account', meaning: 'the template does not exist in this region' },
  ACCOUNT_SUSPENDED: { category: 'account', meaning: 'the account may not send any more' },
  ACCOUNT_THROTTLED: { category: 'throttled', meaning: 'faster than the account may send' },
  ACCOUNT_DAILY_QUOTA_EXCEEDED: daily,
  INVALID_SENDING_POOL_NAME: { category: 'account', meaning: 'the IP pool of the configuration set does not exist' },
  ACCOUNT_SENDING_PAUSED: { category: 'account', meaning: 'sending is paused for the account' },
  CONFIGURATION_SET_SENDING_PAUSED: { category: 'account', meaning: 'sending is paused for the configuration set' },
  INVALID_PARAMETER: { category: 'content', meaning: 'SES objects to the request' },
  TRANSIENT_FAILURE: { category: 'transient', meaning: 'a temporary problem at SES' },
  FAILED: { category: 'content', meaning: 'SES could not send it' },

  'Undetermined/Undetermined': { category: 'transient', meaning: 'bounced for a reason that could not be read' },
  'Permanent/General': { category: 'address', meaning: 'the mailbox refused for good' },
  'Permanent/NoEmail': { category: 'address', meaning: 'the bounce named no mailbox that exists' },
  'Permanent/Suppressed': { category: 'address', meaning: 'on Amazon’s list of addresses that bounced lately' },
  'Permanent/OnAccountSuppressionList': { category: 'address', meaning: 'on the account’s suppression list at SES' },
  'Transient/General': { category: 'transient', meaning: 'refused for now' },
  'Transient/MailboxFull': { category: 'transient', meaning: 'the mailbox is full' },
  'Transient/MessageTooLarge': { category: 'content', meaning: 'larger than the mailbox takes' },
  'Transient/ContentRejected': { category: 'content', meaning: 'the mailbox provider objects to the content' },
  'Transient/AttachmentRejected': { category: 'content', meaning: 'the mailbox provider objects to an attachment' },
  reject: { category: 'content', meaning: 'SES took it, found a virus and did not send it' },
  'rendering-failure': { category: 'content', meaning: 'SES could not fill in the template' },
};

export function errorOf(code: string): VendorError | undefined {
  return Object.hasOwn(sesErrors, code) ? sesErrors[code] : undefined;
}

/**
 * Pure: the name stands in `x-amzn-errortype` (`MessageRejected:http://…`) or in the body (`com.amazonaws…#Name`), the
 * words in `message` or `Message`; undefined: not AWS's.
 */
export function readRefusal(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): VendorRefusal | undefined {
  const parsed = jsonOf(parseJson(body));
  const named = headers['x-amzn-errortype'] ?? textOf(parsed['__type']) ?? textOf(parsed['code']);
  const name = named?.split(':')[0]?.split('#').at(-1)?.trim();
  if (name === undefined || !/^[A-Za-z]{3,80}$/.test(name)) return undefined;
  const reason = textOf(parsed['message']) ?? textOf(parsed['Message']) ?? '';
  return { code: narrowed(name, reason), reason, status };
}

const addressWords =
  /missing final '@domain'|missing start of domain|domain (?:starts|ends|contains)|local address contains|illegal address|invalid domain name/i;

/** Pure: one name stands for several things, which only the words tell apart. */
export function narrowed(name: string, words: string): string {
  if (/daily message quota exceeded/i.test(words)) return 'quota/daily';
  if (name === 'MessageRejected' && /not verified/i.test(words)) return 'MessageRejected/not-verified';
  return name === 'BadRequestException' && addressWords.test(words) ? 'BadRequestException/address' : name;
}

/** Pure: subtypes that Amazon has added since are judged by their type. */
export function bounceCode(type: string, subtype: string): string {
  const code = `${type}/${subtype}`;
  if (errorOf(code) !== undefined) return code;
  if (type === 'Permanent') return 'Permanent/General';
  return type === 'Transient' ? 'Transient/General' : 'Undetermined/Undetermined';
}
