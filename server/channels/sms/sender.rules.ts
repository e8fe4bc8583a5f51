import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { resultOf } from '../outcome.rules.ts';
import type { OutgoingSms, SendResult } from '../port.ts';
import { countSegments } from '../../../contract/sms-segments.ts';

/** Who a text comes from, and what no vendor would take anyway. */

/** A sender of the account, for one country or for all that have none of their own. */
export interface CountrySender {
  /** ISO 3166 alpha-2. */
  readonly country: string | null;
  readonly from: string;
}

const number = /^\+[1-9]\d{6,14}$/;
const shortCode = /^\d{3,8}$/;
/** Letters, digits and a few marks; digits alone would be a number. */
const name = /^(?=.*[A-Za-z])[A-Za-z0-9 &_+-]{1,11}$/;

export type SenderKind = 'number' | 'short-code' | 'name';

/** Pure: what kind of sender a text is; undefined: none that a phone could show. */
export function senderKind(from: string): SenderKind | undefined {
  if (number.test(from)) return 'number';
  if (shortCode.test(from)) return 'short-code';
  return name.test(from) && from.trim() === from ? 'name' : undefined;
}

/**
 * Countries where networks carry no names as senders: the message would be refused, or come from some number. Of AWS's
 * table (Amazon SNS Developer Guide, "Supported Regions and countries"), where several vendors agree; countries that
 * want names registered first are not in it, since registered ones work.
 */
const withoutNames = new Set(
  (
    'AR BE BR CA CL CN CO CR CU DO EC GF GT GU HN HR HU IR KG KR KY LA LK ML MM MX MY NA NI ' +
    'NR NZ PA PE PR SV SY TL TW US UY VE VI ZA'
  ).split(' '),
);

/** Pure: whether a name may be shown as the sender there. */
export function takesNames(country: string | undefined): boolean {
  return country === undefined || !withoutNames.has(country);
}

export type SenderChoice =
  | {
      readonly kind: 'sender';
      readonly from: string;
      /** The one of all messages: what is wrong with it is wrong with the account. */
      readonly isGeneral: boolean;
    }
  /** The account has none that is allowed there; a vendor that keeps a pool chooses by itself. */
  | { readonly kind: 'none'; readonly reason: string };

/**
 * Pure: the message's own sender, else the account's of that country, else its general one. A name is passed over where
 * names are not carried.
 */
export function chooseSender(
  message: Pick<OutgoingSms, 'from'>,
  country: string | undefined,
  senders: readonly CountrySender[],
): SenderChoice {
  const own = country === undefined ? [] : senders.filter((one) => one.country === country);
  const general = senders.filter((one) => one.country === null);
  const candidates = [
    ...(message.from === undefined ? [] : [message.from]),
    ...[...own, ...general].map((one) => one.from),
  ];
  const fit = candidates.find((from) => senderKind(from) !== 'name' || takesNames(country));
  if (fit !== undefined) {
    const isGeneral = general.some((one) => one.from === fit) && fit !== message.from;
    return { kind: 'sender', from: fit, isGeneral };
  }
  const where = country ?? 'this country';
  return {
    kind: 'none',
    reason: candidates.length === 0 ? `no sender for ${where}` : `no sender for ${where}: it does not take names`,
  };
}

/** What a vendor takes in one message. */
export interface SmsLimits {
  /** UTF-16 units, of all parts together. */
  readonly maxLength: number;
  readonly maxMedia: number;
}

export interface Prepared {
  readonly kind: 'prepared';
  /** ISO 3166 alpha-2, where the number belongs to one. */
  readonly country: string | undefined;
  readonly segments: number;
}

/** Pure: what is wrong with a message before anything of it is sent; else where it goes, and in how many parts. */
export function prepareSms(message: OutgoingSms, limits: SmsLimits): Prepared | SendResult {
  if (!number.test(message.to)) return resultOf('address', 'not-a-number', 'not a telephone number in E.164');
  const phone = parsePhoneNumberFromString(message.to);
  if (phone?.getType() === 'FIXED_LINE') return resultOf('address', 'landline', 'a landline takes no text messages');
  const media = message.mediaUrls?.length ?? 0;
  if (message.text.trim() === '' && media === 0) return resultOf('content', 'empty', 'the message has no text');
  if (message.text.length > limits.maxLength)
    return resultOf('content', 'too-long', `longer than ${limits.maxLength} characters`);
  if (media > limits.maxMedia) return resultOf('content', 'media', mediaReason(limits.maxMedia));
  if (message.from !== undefined && senderKind(message.from) === undefined)
    return resultOf(
      'content',
      'sender',
      'the sender is neither a number, nor a short code, nor a name of up to 11 characters',
    );
  return {
    kind: 'prepared',
    country: message.country ?? phone?.country,
    segments: countSegments(message.text).count,
  };
}

function mediaReason(most: number): string {
  return most === 0 ? 'this provider sends no pictures' : `more than ${most} pictures`;
}
