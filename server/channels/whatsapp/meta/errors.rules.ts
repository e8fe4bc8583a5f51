import type { ErrorTable, VendorError } from '../../port.ts';

/**
 * Codes of Meta's Graph and WhatsApp Cloud API, in answers (`error.code`) and in status webhooks (`errors[].code`).
 * `code/subcode` stands for itself where the subcode changes the meaning.
 * Source: developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
 */

const account = (meaning: string): VendorError => ({ category: 'account', meaning });
const content = (meaning: string): VendorError => ({ category: 'content', meaning });
const address = (meaning: string): VendorError => ({ category: 'address', meaning });
const throttled = (meaning: string, afterMs?: number): VendorError => withWait('throttled', meaning, afterMs);
const transient = (meaning: string, afterMs?: number): VendorError => withWait('transient', meaning, afterMs);
const down = (meaning: string): VendorError => ({ category: 'provider-down', meaning });

function withWait(category: 'throttled' | 'transient', meaning: string, afterMs?: number): VendorError {
  return afterMs === undefined ? { category, meaning } : { category, meaning, afterMs };
}

const dayMs = 86_400_000;

export const metaErrors: ErrorTable = {
  // Graph: who calls.
  0: account('Meta could not authenticate the app'),
  3: account('the app lacks the capability for this call'),
  10: account('the permission was not granted, or was taken back'),
  190: account('the access token has expired or was revoked'),
  33: account('the business phone number was deleted or is not ours'),
  '100/33': account('the phone number id does not exist, or the token may not use it'),
  100: content('a parameter of the message is not valid'),
  ...permissions(),

  // The vendor's own trouble.
  1: transient('Meta knows of no reason'),
  2: down('Meta is not available for now'),
  131000: transient('Meta knows of no reason'),
  131016: down('a part of Meta is not available for now'),
  131057: down('the account is in maintenance, such as a change of its throughput'),

  // Too fast.
  4: throttled("the app's limit of calls is reached"),
  80007: throttled("the WhatsApp Business account's limit of calls is reached"),
  130429: throttled("the number's throughput is reached"),
  131048: throttled('too many messages of this number were blocked or reported as spam', 3_600_000),
  131064: throttled('the messaging limit was cut after templates were misclassified', 3_600_000),
  133016: throttled('the number was registered or removed too often', 3_600_000),
  // Of one recipient or one flow; the lane itself is fine.
  131056: transient('too many messages to this person in a short time', 6_000),
  132069: transient('the flow has reached its limit of messages', 3_600_000),
  // Never again within 24 hours: whoever tries sooner is only refused for longer.
  131049: transient('Meta holds back advertising to this person for now', dayMs),

  // The recipient.
  131021: address('the recipient is the sending number itself'),
  131026: address('cannot be delivered: not on WhatsApp, an old version, or the new terms were not accepted'),
  // Advertising only; service messages and one-time codes may still go to this person.
  131050: { category: 'address', meaning: 'the person has stopped advertising from this business', scope: 'marketing' },

  // The message.
  130472: content("the person's number is part of an experiment in which this message is not delivered"),
  130497: content('the business may not write to people in this country'),
  131008: content('a parameter of the message is missing'),
  131009: content('a value in the message is not valid'),
  131030: content('a test number may write only to the numbers on its list'),
  131047: content('the person last wrote more than 24 hours ago: only a template may be sent'),
  131051: content('this kind of message is not supported'),
  131052: content('the media of the person could not be downloaded'),
  131053: content('the media could not be fetched from its address, or is of a kind or size that is not taken'),
  131062: content('this message cannot be sent to a user id instead of a number'),
  131063: content('advertising templates are switched off for the Cloud API of this account'),
  132000: content('the number of values does not match the template'),
  132001: content('the template does not exist in this language, or is not approved'),
  132005: content('the template with its values is too long'),
  132007: content('the template violates a policy'),
  132008: content('a value of the template is not valid'),
  132012: content('a value of the template has the wrong form'),
  132015: content('the template is paused because people objected to it'),
  132016: content('the template was disabled for good because people objected to it'),
  132018: content('a value of the template has a form that is not taken'),
  132068: content('the flow is blocked'),
  135000: content('Meta could not make sense of the message'),
  137000: content("the person's identity key has changed"),

  // The account.
  368: account('blocked for now for violating a policy'),
  131005: account('the token lacks a permission'),
  131031: account('the account is locked for violating a policy, or its two-step PIN was wrong'),
  131037: account("the number's display name is not approved"),
  131042: account('there is a problem with the payment'),
  131045: account('the number could not be registered'),
  133010: account('the number is not registered for the Cloud API'),
};

/** The whole range is about permissions of the app or the token. */
function permissions(): ErrorTable {
  const missing = account('a permission is missing');
  const each = Array.from({ length: 100 }, (_, index) => [String(200 + index), missing] as const);
  return Object.fromEntries([...each, ['200-299', missing]]);
}

/** Pure: the key of an error in the table, the more exact one where there is one. */
export function metaCode(code: number | string, subcode?: number | string): string {
  const exact = `${code}/${subcode ?? ''}`;
  return Object.hasOwn(metaErrors, exact) ? exact : String(code);
}
