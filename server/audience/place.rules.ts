import { getCountries } from 'libphonenumber-js/max';

/** What could not be read, in words that follow the field's name. */
export type Read = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly reason: string };

/** Pure: a language tag in its canonical form (BCP 47): `de_at` and `DE-at` become `de-AT`. */
export function readLocale(input: string): Read {
  const text = input.trim().replaceAll('_', '-');
  const wrong: Read = { ok: false, reason: 'is not a language tag such as "de" or "pt-BR"' };
  if (text === '' || text.length > 35) return wrong;
  try {
    const locale = new Intl.Locale(text);
    return /^[a-z]{2,3}$/u.test(locale.language) && locale.language !== 'und'
      ? { ok: true, value: locale.toString() }
      : wrong;
  } catch {
    return wrong; // Intl says so by throwing.
  }
}

/** Pure: an IANA time zone in its usual spelling. Offsets are refused: they know no summer time. */
export function readTimeZone(input: string): Read {
  const text = input.trim();
  const wrong: Read = { ok: false, reason: 'is not an IANA time zone such as "Europe/Berlin"' };
  if (text === '' || text.length > 64 || !/^[A-Za-z]/u.test(text)) return wrong;
  try {
    return { ok: true, value: new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone };
  } catch {
    return wrong; // Intl says so by throwing.
  }
}

/** Countries and territories that take telephone calls, and the few that take none but have an ISO 3166 code. */
const unreachable = ['AQ', 'BV', 'GS', 'HM', 'PN', 'TF', 'UM'];
const codes = new Set<string>([...getCountries().filter((code) => code !== 'AC' && code !== 'TA'), ...unreachable]);

/** ISO 3166-1 alpha-3 of countries often exported that way. */
const alpha3: Readonly<Record<string, string>> = Object.fromEntries(
  (
    'ARG:AR AUS:AU AUT:AT BEL:BE BGR:BG BRA:BR CAN:CA CHE:CH CHL:CL CHN:CN COL:CO CZE:CZ DEU:DE DNK:DK EGY:EG ESP:ES EST:EE ' +
    'FIN:FI FRA:FR GBR:GB GRC:GR HKG:HK HRV:HR HUN:HU IDN:ID IND:IN IRL:IE ISL:IS ISR:IL ITA:IT JPN:JP KEN:KE KOR:KR LTU:LT ' +
    'LUX:LU LVA:LV MAR:MA MEX:MX MYS:MY NGA:NG NLD:NL NOR:NO NZL:NZ PAK:PK PER:PE PHL:PH POL:PL PRT:PT ROU:RO RUS:RU SAU:SA ' +
    'SGP:SG SRB:RS SVK:SK SVN:SI SWE:SE THA:TH TUR:TR TWN:TW UKR:UA ARE:AE URY:UY USA:US VNM:VN ZAF:ZA'
  )
    .split(' ')
    .map((pair) => pair.split(':')),
);
const everyday: Readonly<Record<string, string>> = {
  uk: 'GB',
  'great britain': 'GB',
  england: 'GB',
  scotland: 'GB',
  wales: 'GB',
  'u.s.': 'US',
  'u.s.a.': 'US',
  'united states of america': 'US',
  holland: 'NL',
  'czech republic': 'CZ',
  türkei: 'TR',
  turkey: 'TR',
  'south korea': 'KR',
  korea: 'KR',
  russia: 'RU',
  vietnam: 'VN',
  uae: 'AE',
};
const languages = [
  'en',
  'de',
  'fr',
  'es',
  'it',
  'pt',
  'nl',
  'pl',
  'sv',
  'da',
  'nb',
  'fi',
  'cs',
  'tr',
  'ru',
  'ja',
  'zh',
];

const plain = (text: string) =>
  text
    .trim()
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{Mn}/gu, '');

let names: ReadonlyMap<string, string> | undefined;

/** Country names as the running ICU knows them, in the languages files mostly come in; made on first use (20 ms). */
function countryNames(): ReadonlyMap<string, string> {
  if (names !== undefined) return names;
  const made = new Map<string, string>();
  for (const language of languages) {
    const display = new Intl.DisplayNames(language, { type: 'region' });
    for (const code of codes) made.set(plain(display.of(code) ?? code), code);
  }
  for (const [name, code] of Object.entries(everyday)) made.set(plain(name), code);
  names = made;
  return made;
}

/** Pure: an ISO 3166-1 alpha-2 code from a code or a country's name. */
export function readCountry(input: string): Read {
  const text = input.trim();
  const upper = text.toUpperCase();
  if (codes.has(upper)) return { ok: true, value: upper };
  const code = alpha3[upper] ?? (text.length > 60 ? undefined : countryNames().get(plain(text)));
  if (code !== undefined) return { ok: true, value: code };
  return { ok: false, reason: 'is not a country (two-letter ISO 3166 code or name)' };
}
