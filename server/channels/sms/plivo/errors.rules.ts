import type { ErrorTable } from '../../port.ts';

/**
 * What Plivo means, by the code of a delivery report ("SMS error codes") or the status of an answer ("API response"): its
 * answers have no codes of their own. The two never meet.
 */
export const plivoErrors: ErrorTable = {
  10: { category: 'content', meaning: 'the message is not valid' },
  20: { category: 'transient', meaning: 'the network had an error' },
  30: { category: 'content', meaning: 'taken for spam' },
  40: { category: 'content', meaning: 'the sender is not valid' },
  50: { category: 'address', meaning: 'the number is not valid' },
  60: { category: 'content', meaning: 'the message goes round in circles' },
  70: { category: 'address', meaning: 'the number is gone for good' },
  80: { category: 'transient', meaning: 'the phone cannot be reached just now' },
  90: { category: 'transient', meaning: 'there is no route just now' },
  100: { category: 'content', meaning: 'forbidden by the carrier' },
  110: { category: 'content', meaning: 'the message is too long' },
  200: { category: 'address', meaning: 'the person answered STOP to this sender' },
  201: { category: 'content', meaning: 'a toll-free number of the US does not reach Canada' },
  400: { category: 'content', meaning: 'a parameter is missing or not valid' },
  401: { category: 'account', meaning: 'wrong credentials' },
  402: { category: 'account', meaning: 'not enough credit' },
  404: { category: 'account', meaning: 'there is no such account or resource' },
  405: { category: 'account', meaning: 'the base URL is not Plivo’s' },
  429: { category: 'throttled', meaning: 'too many requests' },
  450: { category: 'content', meaning: 'sending to this country is not switched on' },
  500: { category: 'provider-down', meaning: 'an error of Plivo’s own' },
  900: { category: 'account', meaning: 'not enough credit' },
  1000: { category: 'transient', meaning: 'the carrier gave no reason' },
};
