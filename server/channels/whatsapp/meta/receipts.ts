import { timingSafeEqual } from 'node:crypto';
import { hmacSha256 } from '../../../platform/hmac.ts';
import type { Callback, Receipts, Verdict } from '../../port.ts';
import { readCallback } from './receipts.rules.ts';
import type { MetaSecrets, MetaSettings } from './settings.ts';

/** Meta's webhooks: a challenge when the address is entered, then everything signed with the app's secret. */
export const metaReceipts: Receipts<MetaSettings, MetaSecrets> = {
  verify: (account, callback) => Promise.resolve(judge(account.secrets, callback)),
  read: readCallback,
  byRef: true,
  setUp:
    'In the Meta app under WhatsApp → Configuration, enter the callback address and the verify token of this account, and subscribe to the fields messages, message_template_status_update, message_template_quality_update, template_category_update, phone_number_quality_update, business_capability_update, account_update and user_preferences.',
};

/**
 * Pure. Meta signs no time, and repeats a request it got no 200 for during days: so there is no replay window, and whoever
 * repeats one only repeats facts whose keys are known.
 */
export function judge(secrets: MetaSecrets, callback: Callback): Verdict {
  return callback.method === 'GET' ? challenge(secrets, callback) : signed(secrets, callback);
}

function challenge({ verifyToken }: MetaSecrets, callback: Callback): Verdict {
  const query = URL.parse(callback.url)?.searchParams;
  const body = query?.get('hub.challenge') ?? '';
  if (query?.get('hub.mode') !== 'subscribe' || body === '') return { kind: 'forged', reason: 'no challenge' };
  if (verifyToken === undefined) return { kind: 'forged', reason: 'the account has no verify token' };
  if (!isSame(query.get('hub.verify_token') ?? '', verifyToken))
    return { kind: 'forged', reason: 'wrong verify token' };
  // Repeated to whoever knows the token, and as plain text: nothing in it is ever taken for a page.
  if (!/^[\w-]{1,200}$/.test(body)) return { kind: 'forged', reason: 'not a challenge of Meta' };
  return { kind: 'answer', status: 200, contentType: 'text/plain; charset=utf-8', body };
}

function signed({ appSecret }: MetaSecrets, callback: Callback): Verdict {
  if (appSecret === undefined) return { kind: 'forged', reason: 'the account has no app secret' };
  const said = callback.headers['x-hub-signature-256'];
  if (said === undefined) return { kind: 'forged', reason: 'no signature' };
  const isGenuine = isSame(said, `sha256=${hmacSha256(Buffer.from(appSecret), callback.body).toString('hex')}`);
  return isGenuine ? { kind: 'genuine' } : { kind: 'forged', reason: 'wrong signature' };
}

/** In constant time, whatever the lengths: both are hashed first. */
function isSame(one: string, other: string): boolean {
  const key = Buffer.from(other);
  return timingSafeEqual(hmacSha256(key, one), hmacSha256(key, other));
}
