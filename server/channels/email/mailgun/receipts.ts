import { timingSafeEqual } from 'node:crypto';
import { hmacSha256 } from '../../../platform/hmac.ts';
import { reasonText } from '../../outcome.rules.ts';
import type { Callback, ProviderAccount, ProviderDeps, Receipt, Receipts, Told, Verdict } from '../../port.ts';
import {
  digestOf,
  instantOf,
  jsonOf,
  ledgerIdOf,
  ledgerIdOfHeader,
  parseJson,
  textOf,
  toldOf,
  wordOf,
} from '../event.rules.ts';
import type { Json, Reading } from '../event.rules.ts';
import { errorOf, failureCode } from './errors.rules.ts';
import { idVariable } from './request.rules.ts';
import type { MailgunSecrets, MailgunSettings } from './settings.ts';

/** Webhooks: hexadecimal HMAC-SHA-256 of timestamp and token under the account's signing key, inside the JSON itself. */

/** Mailgun repeats what was not taken for some eight hours. */
const oldestMs = 9 * 3_600_000;
const aheadMs = 300_000;

export const mailgunReceipts: Receipts<MailgunSettings, MailgunSecrets> = {
  verify: (account, callback, deps) => Promise.resolve(judge(account, callback, deps)),
  read: readEvent,
  setUp:
    'In Mailgun under Sending, Webhooks, of this domain: enter the address below for all event types, and copy the signing key (Settings, API Security) into this account.',
};

function judge(
  account: ProviderAccount<MailgunSettings, MailgunSecrets>,
  callback: Callback,
  deps: ProviderDeps,
): Verdict {
  const key = account.secrets.webhookSigningKey;
  if (key === undefined) return { kind: 'forged', reason: 'the account has no webhook signing key' };
  const signed = jsonOf(jsonOf(parseJson(callback.body))['signature']);
  const timestamp = wordOf(signed['timestamp']) ?? '';
  const token = textOf(signed['token']) ?? '';
  if (token === '' || !isSignedBy(key, timestamp, token, textOf(signed['signature']) ?? ''))
    return { kind: 'forged', reason: 'the signature does not fit' };
  const ageMs = deps.clock.now().epochMilliseconds - Number(timestamp) * 1000;
  if (!(ageMs <= oldestMs && ageMs >= -aheadMs)) return { kind: 'forged', reason: 'signed too long ago' };
  // The signature is over the token, not over the event: a token that was seen proves nothing any more.
  return { kind: 'genuine', once: token };
}

/** Pure, in constant time. */
export function isSignedBy(key: string, timestamp: string, token: string, signature: string): boolean {
  const wanted = Buffer.from(hmacSha256(Buffer.from(key), `${timestamp}${token}`).toString('hex'));
  const given = Buffer.from(signature);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function readEvent(callback: Callback): Told {
  return toldOf(callback, [readData(jsonOf(jsonOf(parseJson(callback.body))['event-data']))]);
}

const unreadable: Reading = { isUnreadable: true };

/** Pure: one event, as webhooks and the events API both have it. */
export function readData(event: Json): Reading {
  const name = textOf(event['event']);
  const at = instantOf(event['timestamp']);
  const headers = jsonOf(jsonOf(event['message'])['headers']);
  const header = textOf(headers['message-id']);
  const messageId = ledgerIdOf(jsonOf(event['user-variables'])[idVariable]) ?? ledgerIdOfHeader(header);
  const ref = header?.replace(/^<|>$/g, '');
  const told = name === undefined ? undefined : detailsOf(name, event);
  if (told === undefined || at === undefined || (messageId === undefined && ref === undefined)) return unreadable;
  const receipt: Receipt = {
    ...told,
    key: `${name}:${textOf(event['id']) ?? digestOf(header, textOf(event['recipient']), at, textOf(event['url']))}`,
    ...(messageId === undefined ? {} : { messageId }),
    ...(ref === undefined ? {} : { ref }),
    at,
  };
  return { receipts: [receipt] };
}

type Details = Pick<Receipt, 'kind'> & Partial<Receipt>;

function detailsOf(name: string, event: Json): Details | undefined {
  switch (name) {
    case 'accepted':
    case 'delivered':
    case 'complained':
    case 'unsubscribed':
      return { kind: name };
    case 'failed':
      return failure(event);
    case 'rejected': {
      const reason = textOf(jsonOf(event['reject'])['reason']);
      return {
        kind: 'failed',
        category: 'content',
        code: 'rejected',
        ...(reason === undefined ? {} : { reason: masked(reason, event) }),
      };
    }
    case 'opened':
    case 'clicked': {
      const url = textOf(event['url']);
      const isMachine = textOf(jsonOf(event['client-info'])['bot']) !== undefined;
      return {
        kind: name,
        ...(isMachine ? { isMachine } : {}),
        ...(name === 'clicked' && url !== undefined ? { url } : {}),
      };
    }
    default:
      return undefined;
  }
}

/** Mailgun tries again by itself after what is temporary, so that is no failure yet. */
function failure(event: Json): Details {
  const status = jsonOf(event['delivery-status']);
  const severity = textOf(event['severity']) === 'temporary' ? 'temporary' : 'permanent';
  const said = {
    code: wordOf(status['code']),
    enhanced: textOf(status['enhanced-code']) ?? /\b(5\.\d{1,3}\.\d{1,3})\b/.exec(textOf(status['message']) ?? '')?.[1],
    bounceType: textOf(status['bounce-type']),
  };
  const found = failureCode(severity, textOf(event['reason']) ?? '', definedOf(said));
  const words = textOf(status['message']) ?? textOf(status['description']) ?? errorOf(found)?.meaning;
  const code = said.enhanced ?? (said.code === undefined || said.code === '0' ? found : said.code);
  const reason = words === undefined ? {} : { reason: masked(words, event) };
  if (severity === 'temporary') return { kind: 'deferred', code, ...reason };
  const category = errorOf(found)?.category ?? 'unknown';
  // What is on a list of Mailgun's was never tried.
  const isSuppressed = /suppress-|^60[567]$/.test(found);
  return { kind: isSuppressed ? 'failed' : 'bounced', category, code, ...reason };
}

function definedOf<T extends Record<string, string | undefined>>(values: T): { [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: string;
  };
}

function masked(words: string, event: Json): string {
  return reasonText(words, [textOf(event['recipient']) ?? '']);
}
