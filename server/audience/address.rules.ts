import { parsePushAddress, writePushAddress } from '../../contract/push-address.ts';
import { emailMatchKey, parseEmail } from './email.rules.ts';
import { parsePhone } from './phone.rules.ts';

export type AddressKind = 'email' | 'phone' | 'push';

/** An address in its one form, with what is kept beside it in the clear for targeting. */
export interface ParsedAddress {
  readonly kind: AddressKind;
  /** What is sealed and sent to. */
  readonly value: string;
  /** What the blind index is made of. */
  readonly matchKey: string;
  readonly domain: string | null;
  readonly country: string | null;
  /** Of a phone: mobile, landline, …; of a push address its platform. */
  readonly lineType: string | null;
}

export type AddressResult =
  { readonly ok: true; readonly address: ParsedAddress } | { readonly ok: false; readonly reason: string };

const mayBeSpace = (code: number) => code === 0x20 || code > 0x7e;

/** Spaces around a value and a byte-order mark come from files and forms; control characters never do by accident. */
export function trimSpaces(text: string): string {
  // Most cells have none; looking at the two ends is cheaper than the expression.
  if (!mayBeSpace(text.charCodeAt(0)) && !mayBeSpace(text.charCodeAt(text.length - 1))) return text;
  return text.replace(/^[\p{Zs}\ufeff]+|[\p{Zs}\ufeff]+$/gu, '');
}

/** Pure: reads an address of one kind as people write it. */
export function parseAddress(kind: AddressKind, input: string, defaultCountry?: string): AddressResult {
  const text = trimSpaces(input);
  if (text === '') return { ok: false, reason: 'is empty' };
  if (kind === 'email') {
    const result = parseEmail(text);
    if (!result.ok) return result;
    const { normalized, asciiDomain } = result.email;
    const matchKey = emailMatchKey(result.email);
    return {
      ok: true,
      address: { kind, value: normalized, matchKey, domain: asciiDomain, country: null, lineType: null },
    };
  }
  if (kind === 'phone') {
    const result = parsePhone(text, defaultCountry);
    if (!result.ok) return result;
    const { e164, country, lineType } = result.phone;
    const beside = { domain: null, country: country ?? null, lineType };
    return { ok: true, address: { kind, value: e164, matchKey: e164, ...beside } };
  }
  const push = parsePushAddress(text);
  if (!push.ok) return push;
  const { platform, identity } = push.address;
  const matchKey = `${platform}:${identity}`;
  // The platform stands in the clear: which account can send to it is decided without opening the address.
  const beside = { domain: null, country: null, lineType: platform };
  return { ok: true, address: { kind, value: writePushAddress(push.address), matchKey, ...beside } };
}
