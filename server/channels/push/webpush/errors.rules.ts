import type { ErrorTable } from '../../port.ts';

/** What the statuses of push services mean (RFC 8030, 5 and 8; RFC 8292, 4.2), and the few things they say in words. */
export const webpushErrors: ErrorTable = {
  400: { category: 'content', meaning: 'the request, or its encryption, cannot be read' },
  401: { category: 'account', meaning: 'the push service wants to know who sends' },
  403: { category: 'account', meaning: 'the signature of the account was not accepted' },
  404: { category: 'address', meaning: 'the subscription is unknown or has expired' },
  410: { category: 'address', meaning: 'the subscription has ended' },
  413: { category: 'content', meaning: 'the message is too long' },
  429: { category: 'throttled', meaning: 'too many messages' },
  500: { category: 'transient', meaning: 'an error inside the push service' },
  503: { category: 'provider-down', meaning: 'the push service is out of order' },
  'other-key': {
    category: 'address',
    meaning: 'the browser subscribed with another public key: it has to subscribe again',
  },
  'unknown-service': { category: 'address', meaning: 'the endpoint is not at a push service that this account calls' },
  'invalid-subscription': {
    category: 'address',
    meaning: 'this is no subscription, or its key is no point on the curve',
  },
};

/**
 * Pure: the code of an answer. That a browser subscribed with another key is said with 400 or 403, like a wrong signature;
 * only the words tell (Google: "do not correspond to the credentials"; Apple: "VapidPkHashMismatch").
 */
export function webpushCode(status: number, body: string): string {
  const isOther = /VapidPkHashMismatch|do not correspond to the credentials|UnauthorizedRegistration/i.test(body);
  return isOther && (status === 400 || status === 401 || status === 403) ? 'other-key' : String(status);
}
