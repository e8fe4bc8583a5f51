import { expect, test } from 'vitest';
import { rowReader } from './import-row.rules.ts';

const read = rowReader({
  defaultCountry: undefined,
  columns: [
    { name: 'e-mail', field: 'email', type: null },
    { name: 'second', field: 'email', type: null },
    { name: 'tel', field: 'phone', type: null },
    { name: 'land', field: 'country', type: null },
    { name: 'lang', field: 'locale', type: null },
    { name: 'zone', field: 'timeZone', type: null },
    { name: 'nr', field: 'externalId', type: null },
    { name: 'age', field: 'attributes.age', type: 'number' },
    { name: 'note', field: 'attributes.note', type: 'text' },
    { name: 'junk', field: 'ignore', type: null },
  ],
});

test('a whole row is read, the country before the telephone that needs it', () => {
  const row = read(
    ['\ufeff a@Example.com ', '', '030 123456', 'Deutschland', 'de', 'europe/berlin', 'K-1', '41', 'x\ny', 'zzz'],
    7,
  );
  expect(row).toMatchObject({
    kind: 'contact',
    contact: {
      line: 7,
      externalId: 'K-1',
      country: 'DE',
      locale: 'de',
      timeZone: 'Europe/Berlin',
      attributes: [
        ['age', 41],
        ['note', 'x\ny'],
      ],
    },
  });
  expect(row.kind === 'contact' && row.contact.addresses.map((one) => one.address.value)).toEqual([
    'a@example.com',
    '+4930123456',
  ]);
});

test('every cell that cannot be read is named with its column', () => {
  const row = read(['nonsense', '', '030 123456', '', 'German', '', '', 'old'], 3);
  expect(row.kind === 'refused' && row.problems.map((one) => one.field)).toEqual(['e-mail', 'tel', 'lang', 'age']);
});

test('the same address twice in a row is one', () => {
  const row = read(['a@example.com', 'A@EXAMPLE.com'], 2);
  expect(row.kind === 'contact' && row.contact.addresses).toHaveLength(1);
});

test('short rows are taken, long ones are refused, empty ones are not rows', () => {
  expect(read(['a@example.com'], 2).kind).toBe('contact');
  expect(read([...Array<string>(5000).fill('x')], 2)).toEqual({
    kind: 'refused',
    problems: [{ field: 'row', reason: 'has 5000 columns where the header has 10' }],
  });
  expect(read(['a@example.com', ...Array<string>(20).fill('')], 2).kind).toBe('contact');
  expect(read(['', '', ''], 2).kind).toBe('blank');
});

test('a row without an address or external id speaks of nobody', () => {
  expect(read(['', '', '', '', '', '', '', '41'], 2).kind).toBe('refused');
  expect(read(['', '', '', '', '', '', 'K-1'], 2).kind).toBe('contact');
});

test('bytes that could not be decoded are refused, markup and SQL are just text', () => {
  expect(read(['a@example.com', '', '', '', '', '', '', '', 'Z\ufffd'], 2).kind).toBe('refused');
  const row = read(
    ['a@example.com', '', '', '', '', '', "'; drop table contact; --", '', '<script>alert(1)</script>'],
    2,
  );
  expect(row).toMatchObject({
    kind: 'contact',
    contact: { externalId: "'; drop table contact; --", attributes: [['note', '<script>alert(1)</script>']] },
  });
});

test('what no database keeps is refused in words that one does', () => {
  const refused = read(['a@example.com', '', '', '', '', '', '', '', `a\0${'x'.repeat(77)}\u{1f600}`], 2);
  expect(refused).toMatchObject({ kind: 'refused', problems: [{ field: 'note' }] });
  const told = JSON.stringify(refused);
  expect(told).not.toContain('\\u0000');
  expect(told).not.toContain('\\ud83d');
});
