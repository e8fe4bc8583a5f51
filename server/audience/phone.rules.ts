import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { CountryCode, NumberType } from 'libphonenumber-js/max';

/** A telephone number that exists in its country's numbering plan. */
export interface PhoneNumber {
  readonly e164: string;
  /** ISO 3166 alpha-2; absent for numbers that belong to no country (satellite, international freephone). */
  readonly country?: string;
  readonly lineType: string;
}

export type PhoneResult =
  { readonly ok: true; readonly phone: PhoneNumber } | { readonly ok: false; readonly reason: string };

const lineTypes: Readonly<Record<Exclude<NumberType, undefined>, string>> = {
  FIXED_LINE: 'fixed-line',
  MOBILE: 'mobile',
  FIXED_LINE_OR_MOBILE: 'fixed-line-or-mobile',
  PREMIUM_RATE: 'premium-rate',
  TOLL_FREE: 'toll-free',
  SHARED_COST: 'shared-cost',
  VOIP: 'voip',
  PERSONAL_NUMBER: 'personal-number',
  PAGER: 'pager',
  UAN: 'uan',
  VOICEMAIL: 'voicemail',
};

const refuse = (reason: string): PhoneResult => ({ ok: false, reason });

/** Countries whose numbering plan is known. */
export function isPhoneCountry(code: string): code is CountryCode {
  return isSupportedCountry(code);
}

/**
 * Pure: reads a number as people write it ("Tel. 030 / 123456" included), in the country given when it is
 * national. Only numbers valid in their plan pass; one with an extension does not, since no message can reach it.
 */
export function parsePhone(input: string, defaultCountry?: string): PhoneResult {
  if (input.length > 60) return refuse('is too long for a telephone number');
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(input)) return refuse('has line breaks or other control characters');
  const country = defaultCountry !== undefined && isPhoneCountry(defaultCountry) ? defaultCountry : undefined;
  const number = parsePhoneNumberFromString(input, country);
  if (number === undefined) {
    const national = country === undefined && !/^\s*(?:\+|00)/u.test(input);
    return refuse(
      national ? 'is not in international form, and no country is given to read it in' : 'is not a telephone number',
    );
  }
  // With the whole metadata a number is valid exactly when it has a type; asking for both would work it out twice.
  const type = number.getType();
  if (type === undefined) return refuse('is not a valid number in its country');
  if (number.ext !== undefined) return refuse('has an extension, which no message can reach');
  return {
    ok: true,
    phone: {
      e164: number.number,
      ...(number.country === undefined ? {} : { country: number.country }),
      lineType: lineTypes[type],
    },
  };
}
