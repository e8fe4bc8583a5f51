import { getCountryCallingCode } from 'libphonenumber-js/max';
import type { AddressKind } from './address.rules.ts';
import { isPhoneCountry } from './phone.rules.ts';

const dots = '•••';

/** Pure: `j•••@example.com`: the domain is no secret, the mailbox is. */
function maskEmail(value: string): string {
  const at = value.lastIndexOf('@');
  const first = at > 1 ? ([...value][0] ?? '') : '';
  return `${first}${dots}${value.slice(at)}`;
}

/** Pure: `+49•••••123`: country and the last three digits, of which a person knows their own. */
function maskPhone(value: string, country: string | null): string {
  const calling =
    country !== null && isPhoneCountry(country) ? `+${getCountryCallingCode(country)}` : value.slice(0, 2);
  return `${calling}•••••${value.slice(-3)}`;
}

/** What answers, logs and the audit show of an address. */
export function maskAddress(kind: AddressKind, value: string, country: string | null = null): string {
  if (kind === 'email') return maskEmail(value);
  if (kind === 'phone') return maskPhone(value, country);
  return maskPush(value);
}

/** Pure: `fcm:•••x9Zk`, `webpush:•••push.example`: which platform, and enough to know one's own device by. */
function maskPush(value: string): string {
  const [, platform = '', token = ''] = /^(fcm|apns|webpush):(.*)$/s.exec(value) ?? ['', '', value];
  const front = platform === '' ? dots : `${platform}:${dots}`;
  if (platform === 'webpush') return `${front}${/^\{"endpoint":"https?:\/\/([^/"]*)/.exec(token)?.[1] ?? ''}`;
  return `${front}${token.length > 12 ? token.slice(-4) : ''}`;
}
