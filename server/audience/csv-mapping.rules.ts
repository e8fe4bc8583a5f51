import { attributeLimits, inferType, keyProblem } from './attribute.rules.ts';
import type { AttributeType } from './attribute.rules.ts';
import { inferNotation } from './notation.rules.ts';
import type { Notation } from './notation.rules.ts';
import { parseAddress } from './address.rules.ts';
import { readCountry, readLocale, readTimeZone } from './place.rules.ts';

/** `attributes.<key>` or one of the names below. */
export type ImportField = string;

export interface Column {
  /** As in the header; a repeated or empty name gets its number. */
  readonly name: string;
  readonly field: ImportField;
  /** Of an attribute that is not defined yet. */
  readonly type: AttributeType | null;
  /** How the column writes dates or numbers, when its cells prove it. */
  readonly notation: Notation | null;
}

export interface MappingGiven {
  readonly mapping?: Readonly<Record<string, ImportField>> | undefined;
  readonly attributeTypes?: Readonly<Record<string, AttributeType>> | undefined;
}

export interface ColumnProblem {
  readonly column: string;
  readonly message: string;
}

/** `E-Mail Adresse` -> `e_mail_adresse`, in any script. */
export function plainName(header: string): string {
  return header
    .replace(/([a-z])([A-Z])/gu, '$1_$2')
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .normalize('NFKD')
    .replace(/\p{Mn}/gu, '')
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}]+/gu, '_')
    .replace(/^_+|_+$/gu, '');
}

const words = (text: string) => new Set(text.trim().split(/\s+/u).map(plainName));

const emailNames = words(`
  email e_mail mail email_address e_mail_address mail_address emailaddress email_adresse emailadresse e_mail_adresse
  mailadresse correo correo_electronico courriel adresse_mail adresse_email adresse_e_mail adresse_electronique
  posta_elettronica indirizzo_email indirizzo_e_mail endereco_de_email eposta e_posta epost e_post e_postadress e_postadresse
  sahkoposti sahkopostiosoite emailadres e_mailadres adres_email adres_e_mail email_id primary_email email_primary
  work_email business_email user_email contact_email customer_email subscriber_email email1 email_1
  почта электронная_почта эл_почта メール メールアドレス 邮箱 电子邮件 电子邮箱 電子郵件 이메일 البريد_الإلكتروني`);
const phoneNames = words(`
  phone phone_number phonenumber telephone telephone_number tel telefon telefono telefone telefonnummer telefoonnummer
  numero_de_telephone numero_de_telefono mobile mobile_number mobile_phone mobilephone mobil mobilnummer mobiltelefon
  mobiel cell cell_phone cellphone cellulare celular movil portable handy handynummer gsm msisdn sms whatsapp
  home_phone work_phone office_phone business_phone phone_home phone_work phone_mobile primary_phone contact_phone
  puhelin puhelinnumero matkapuhelin telefon_komorkowy cep_telefonu телефон мобильный 電話 電話番号 手机 手机号 电话 전화 전화번호`);
const externalNames = words(`
  external_id externalid id customer_id customerid client_id user_id userid contact_id subscriber_id member_id
  account_id crm_id uuid guid customer_number client_number kundennummer kunden_nr numero_client numero_cliente codice_cliente`);
const localeNames = words(
  'locale language lang language_code sprache langue idioma lingua taal jezyk sprak kieli dil язык 言語 语言',
);
const zoneNames = words('time_zone timezone tz zeitzone fuseau_horaire zona_horaria fuso_orario fuso_horario tijdzone');
const countryNames = words(
  'country country_code countrycode country_name land landcode laendercode pays pais paese nazione kraj maa ulke страна 国 国家',
);

/** Names of the two attributes that every greeting needs, so that one template fits files in all these languages. */
const sameAttribute: ReadonlyMap<string, string> = new Map([
  ...[
    ...words(
      'firstname first_name fname given_name givenname forename vorname prenom nombre nome voornaam imie fornamn fornavn etunimi ad имя 名 名字',
    ),
  ].map((name) => [name, 'first_name'] as const),
  ...[
    ...words(
      'lastname last_name lname surname family_name familyname nachname familienname nom nom_de_famille apellido apellidos cognome sobrenome achternaam nazwisko efternamn etternavn sukunimi soyad фамилия 姓 姓氏',
    ),
  ].map((name) => [name, 'last_name'] as const),
]);

/** The key of an attribute for a column: its name in ASCII, or its number when nothing of that is left. */
function attributeKey(header: string, at: number, taken: ReadonlySet<string>): string {
  const plain = plainName(header);
  const ascii = (sameAttribute.get(plain) ?? plain).replace(/[^a-z0-9_]+/gu, '_').replace(/^_+|_+$/gu, '');
  let key = ascii === '' ? `column_${at + 1}` : ascii;
  if (!/^[a-z]/u.test(key)) key = `c_${key}`;
  key = key.slice(0, 58);
  if (keyProblem(key) !== undefined) key = `${key}_value`;
  for (let count = 2, base = key; taken.has(key); count++) key = `${base}_${count}`;
  return key;
}

type Fits = (cell: string) => boolean;
const fitsEmail: Fits = (cell) => parseAddress('email', cell).ok;
/** Not whether it is a valid number: the country may be missing, and a bad number is to be refused, not ignored. */
const fitsPhone: Fits = (cell) => (cell.match(/\d/gu)?.length ?? 0) >= 5 && /^[\d\s()+./\-–x]{5,40}$/iu.test(cell);

/** A name alone proves little: `language` may hold `German`, `mobile` may hold yes and no. Most cells have to fit. */
function mostFit(samples: readonly string[], fits: Fits): boolean {
  const cells = samples.filter((cell) => cell !== '').slice(0, 50);
  return cells.filter(fits).length >= cells.length / 2;
}

function suggestField(header: string, samples: readonly string[], used: ReadonlySet<string>): ImportField | undefined {
  const name = plainName(header);
  const numbered = name.replace(/_?\d$/u, '');
  if ((emailNames.has(name) || emailNames.has(numbered)) && mostFit(samples, fitsEmail)) return 'email';
  if ((phoneNames.has(name) || phoneNames.has(numbered)) && mostFit(samples, fitsPhone)) return 'phone';
  if (externalNames.has(name) && !used.has('externalId') && mostFit(samples, (cell) => cell.length <= 200))
    return 'externalId';
  if (localeNames.has(name) && !used.has('locale') && mostFit(samples, (cell) => readLocale(cell).ok)) return 'locale';
  if (zoneNames.has(name) && !used.has('timeZone') && mostFit(samples, (cell) => readTimeZone(cell).ok))
    return 'timeZone';
  if (countryNames.has(name) && !used.has('country') && mostFit(samples, (cell) => readCountry(cell).ok))
    return 'country';
  return undefined;
}

/** Pure: names for columns, each once: what a mapping refers to. */
export function columnNames(header: readonly string[]): string[] {
  const taken = new Set<string>();
  return header.map((raw, at) => {
    const given = raw.trim() === '' ? `column ${at + 1}` : raw.trim().slice(0, 200);
    let name = given;
    for (let count = 2; taken.has(name); count++) name = `${given} (${count})`;
    taken.add(name);
    return name;
  });
}

const dangerous = new Set(['__proto__', 'constructor', 'prototype']);

function problemsOf(names: readonly string[], fields: readonly string[], given: MappingGiven): ColumnProblem[] {
  const problems: ColumnProblem[] = [];
  for (const column of Object.keys(given.mapping ?? {}))
    if (!names.includes(column)) problems.push({ column, message: 'is not a column of the file' });
  const seen = new Set<string>();
  names.forEach((column, at) => {
    const field = fields[at] ?? 'ignore';
    if (dangerous.has(column.toLowerCase()) && !Object.hasOwn(given.mapping ?? {}, column))
      problems.push({
        column,
        message: 'is a name that no attribute may have; map the column to something else, or to "ignore"',
      });
    const key = field.startsWith('attributes.') ? field.slice('attributes.'.length) : undefined;
    const reason = key === undefined ? undefined : keyProblem(key);
    if (reason !== undefined) problems.push({ column, message: `cannot become the attribute "${key}": it ${reason}` });
    const single = key !== undefined || ['externalId', 'locale', 'timeZone', 'country'].includes(field);
    if (single && seen.has(field)) problems.push({ column, message: `is the second column for ${field}` });
    seen.add(field);
  });
  const attributes = fields.filter((field) => field.startsWith('attributes.')).length;
  if (attributes > attributeLimits.perContact)
    problems.push({
      column: names.at(-1) ?? '',
      message: `makes ${attributes} attributes; at most ${attributeLimits.perContact} are taken, so map some to "ignore"`,
    });
  if (!['externalId', 'email', 'phone', 'push'].some((field) => seen.has(field)))
    problems.push({ column: '', message: 'no column holds e-mail addresses, telephone numbers or external ids' });
  return problems;
}

export interface Mapped {
  readonly columns: readonly Column[];
  /** What keeps the file from being imported like this. */
  readonly problems: readonly ColumnProblem[];
}

/**
 * Pure: what each column becomes. What the caller says holds; the rest is suggested from the names (in the
 * languages files come in) and believed only when most sample cells fit.
 */
export function mapColumns(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  given: MappingGiven = {},
): Mapped {
  const names = columnNames(header);
  const own = given.mapping ?? {};
  const used = new Set<string>(Object.values(own));
  const samplesOf = (at: number) => rows.map((row) => (row[at] ?? '').trim());
  const fields: ImportField[] = names.map((name, at) => {
    if (Object.hasOwn(own, name)) return own[name] ?? 'ignore';
    const raw = header[at] ?? '';
    const samples = samplesOf(at);
    if (raw.trim() === '' && samples.every((cell) => cell === '')) return 'ignore';
    const attributes = new Set([...used].filter((one) => one.startsWith('attributes.')).map((one) => one.slice(11)));
    const field = suggestField(raw, samples, used) ?? `attributes.${attributeKey(raw, at, attributes)}`;
    used.add(field);
    return field;
  });
  const columns = names.map((name, at): Column => {
    const field = fields[at] ?? 'ignore';
    if (!field.startsWith('attributes.')) return { name, field, type: null, notation: null };
    const key = field.slice('attributes.'.length);
    const samples = samplesOf(at);
    const notation = inferNotation(samples);
    // Found whatever the type: an attribute that exists already has one of its own, and is written in some way, too.
    const type = given.attributeTypes?.[key] ?? inferType(key, samples, notation);
    return { name, field, type, notation: notation ?? null };
  });
  return { columns, problems: problemsOf(names, fields, given) };
}

const states = new Set(
  `AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY
  NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC PR`.split(/\s+/u),
);

/**
 * Pure: the country whose way of writing numbers a file most likely follows, when nobody said: the United States
 * when a column of its states stands beside one of its ZIP codes. Any other guess would be a coin toss.
 */
export function inferCountry(header: readonly string[], rows: readonly (readonly string[])[]): string | undefined {
  const cells = (names: ReadonlySet<string>) => {
    const at = header.findIndex((name) => names.has(plainName(name)));
    return at < 0
      ? []
      : rows
          .map((row) => (row[at] ?? '').trim())
          .filter((cell) => cell !== '')
          .slice(0, 200);
  };
  const most = (list: readonly string[], fits: Fits) =>
    list.length > 0 && list.filter(fits).length >= list.length * 0.8;
  const isState = most(cells(words('state state_code province_state')), (cell) => states.has(cell.toUpperCase()));
  const isZip = most(cells(words('zip zipcode zip_code postal_code postcode postal')), (cell) =>
    /^\d{3,5}(?:-\d{4})?$/u.test(cell),
  );
  return isState && isZip ? 'US' : undefined;
}
