import { expect, test } from 'vitest';
import { columnNames, inferCountry, mapColumns, plainName } from './csv-mapping.rules.ts';

const fieldsOf = (header: string[], rows: string[][] = [], given = {}) => {
  const mapped = mapColumns(header, rows, given);
  expect(mapped.problems).toEqual([]);
  return Object.fromEntries(mapped.columns.map((column) => [column.name, column.field]));
};
const problemsOf = (header: string[], given = {}) => mapColumns(header, [], given).problems;

test('columns are recognised in many languages', () => {
  expect(fieldsOf(['E-Mail', 'Vorname', 'Nachname', 'Telefon', 'Sprache', 'Land', 'Kundennummer'])).toEqual({
    'E-Mail': 'email',
    Vorname: 'attributes.first_name',
    Nachname: 'attributes.last_name',
    Telefon: 'phone',
    Sprache: 'locale',
    Land: 'country',
    Kundennummer: 'externalId',
  });
  for (const name of ['correo electrónico', 'Courriel', 'e_mail', 'EmailAddress', 'メールアドレス', 'Adresse e-mail'])
    expect(fieldsOf([name])).toEqual({ [name]: 'email' });
});

const american = ['first_name', 'last_name', 'company_name', 'state', 'zip', 'phone1', 'phone2', 'email', 'web'];
const americans = [
  [
    'James',
    'Butt',
    'Benton, John B Jr',
    'LA',
    '70116',
    '504-621-8927',
    '504-845-1427',
    'jbutt@gmail.com',
    'http://x.com',
  ],
];

test('an American address list is understood whole', () => {
  expect(fieldsOf(american, americans)).toEqual({
    first_name: 'attributes.first_name',
    last_name: 'attributes.last_name',
    company_name: 'attributes.company_name',
    state: 'attributes.state',
    zip: 'attributes.zip',
    phone1: 'phone',
    phone2: 'phone',
    email: 'email',
    web: 'attributes.web',
  });
  expect(inferCountry(american, americans)).toBe('US');
  expect(inferCountry(['state', 'zip'], [['Bayern', '80331']])).toBeUndefined();
  expect(inferCountry(['email'], [['a@example.com']])).toBeUndefined();
});

test('a name is not believed when the cells say otherwise', () => {
  expect(fieldsOf(['email', 'language', 'mobile'], [['a@example.com', 'German (formal)', 'yes']])).toEqual({
    email: 'email',
    language: 'attributes.language',
    mobile: 'attributes.mobile',
  });
});

test('what the caller says holds', () => {
  expect(fieldsOf(['a', 'b', 'c'], [], { mapping: { a: 'email', b: 'ignore', c: 'attributes.colour' } })).toEqual({
    a: 'email',
    b: 'ignore',
    c: 'attributes.colour',
  });
});

test('repeated and empty names become names of their own', () => {
  expect(columnNames(['a', 'a', '', ' a '])).toEqual(['a', 'a (2)', 'column 3', 'a (3)']);
  expect(fieldsOf(['email', 'note', 'Note!', '名称', '1st'], [['a@example.com', 'x', 'y', 'z', 'w']])).toMatchObject({
    note: 'attributes.note',
    'Note!': 'attributes.note_2',
    名称: 'attributes.column_4',
    '1st': 'attributes.c_1st',
  });
});

test('a column called __proto__ is refused by name, unless it is mapped away', () => {
  expect(problemsOf(['email', '__proto__'])).toEqual([expect.objectContaining({ column: '__proto__' })]);
  expect(problemsOf(['email', 'constructor'])).toHaveLength(1);
  const mapping: Record<string, string> = Object.create(null) as Record<string, string>;
  mapping['__proto__'] = 'ignore';
  expect(problemsOf(['email', '__proto__'], { mapping })).toEqual([]);
  expect(problemsOf(['email', 'x'], { mapping: { x: 'attributes.constructor' } })).toHaveLength(1);
});

test('a file without an address or external id is refused, and so is a mapping that fits no column', () => {
  expect(problemsOf(['name'])).toHaveLength(1);
  expect(problemsOf(['email'], { mapping: { mail: 'email' } })).toEqual([
    { column: 'mail', message: 'is not a column of the file' },
  ]);
  expect(problemsOf(['email', 'a', 'b'], { mapping: { a: 'country', b: 'country' } })).toHaveLength(1);
});

test('types are inferred or taken as told', () => {
  const mapped = mapColumns(['email', 'age', 'zip'], [['a@example.com', '30', '12345']], {
    attributeTypes: { zip: 'number' },
  });
  expect(mapped.columns.map((column) => column.type)).toEqual([null, 'number', 'number']);
});

test('names lose case, accents and punctuation', () => {
  expect(plainName('  E-Mail (privat) ')).toBe('e_mail_privat');
  expect(plainName('firstName')).toBe('first_name');
  expect(plainName('Größe')).toBe('grosse');
});
