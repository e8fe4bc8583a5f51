import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import iconv from 'iconv-lite';
import { describe, expect, test } from 'vitest';
import { detectCsv } from './csv-detect.rules.ts';
import type { Encoding } from './csv-detect.rules.ts';

const shapeOf = (data: Buffer | string, asked = {}) => {
  const found = detectCsv(Buffer.from(data), true, asked);
  if (!found.ok) throw new Error(found.reason);
  return found.shape;
};
const reasonOf = (data: Buffer | string, isWhole = true) => {
  const found = detectCsv(Buffer.from(data), isWhole);
  return found.ok ? 'accepted' : found.reason;
};

const table = [
  ['e-mail', 'name', 'città', 'note'],
  ['a@example.com', 'Zoë', 'Köln', 'one, two; three'],
  ['b@example.com', 'Åse', 'Łódź', 'line\nbreak'],
  ['c@example.com', 'Émile', 'Orléans', 'a "quoted" word'],
];
const western = table.map((row) => row.map((cell) => cell.replaceAll('Łódź', 'Lodz')));
const write = (rows: readonly (readonly string[])[], delimiter: string, lineEnd: string) =>
  rows
    .map((row) =>
      row
        .map((cell) => (/[",;\t|\n]/u.test(cell) ? `"${cell.replaceAll('"', '""').replaceAll('\n', lineEnd)}"` : cell))
        .join(delimiter),
    )
    .join(lineEnd) + lineEnd;

describe('every delimiter, line end and encoding is found', () => {
  const encodings: [Encoding, boolean][] = [
    ['utf-8', false],
    ['utf-8', true],
    ['utf-16le', true],
    ['utf-16le', false],
    ['utf-16be', true],
    ['utf-16be', false],
    ['windows-1252', false],
  ];
  for (const [encoding, mark] of encodings)
    for (const delimiter of [',', ';', '\t', '|'])
      for (const lineEnd of ['\n', '\r\n', '\r'])
        test(`${encoding}${mark ? ' with mark' : ''} ${JSON.stringify(delimiter)} ${JSON.stringify(lineEnd)}`, () => {
          const rows = encoding === 'windows-1252' ? western : table;
          const data = iconv.encode(write(rows, delimiter, lineEnd), encoding, { addBOM: mark });
          const shape = shapeOf(data);
          expect(shape).toMatchObject({ encoding, delimiter, lineEnds: lineEnd === '\r' ? ['\r'] : ['\r\n', '\n'] });
          expect(shape.header).toEqual(rows[0]);
          expect(shape.rows[0]).toEqual(rows[1]);
        });
});

test('UTF-16 in another script is found without a mark', () => {
  const text = 'почта;имя\nа@example.com;Иван\nб@example.com;Мария\n';
  for (const encoding of ['utf-16le', 'utf-16be'] as const)
    expect(shapeOf(iconv.encode(text, encoding, { addBOM: false })).encoding).toBe(encoding);
});

test('the separator line that Excel writes is obeyed and skipped', () => {
  expect(shapeOf('sep=;\r\nemail;a,b\r\nx@example.com;1\r\n')).toMatchObject({
    delimiter: ';',
    preamble: 7,
    header: ['email', 'a,b'],
  });
});

test('a sample that ends inside a character is still UTF-8', () => {
  const data = Buffer.from('email,name\na@example.com,Zoë');
  const found = detectCsv(data.subarray(0, -1), false);
  expect(found.ok && found.shape.encoding).toBe('utf-8');
});

test('one column needs no delimiter', () => {
  expect(shapeOf('email\na@example.com\nb@example.com\n')).toMatchObject({ header: ['email'], delimiter: ',' });
});

test('what is no table of text is refused by its name', () => {
  expect(
    reasonOf(Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(100), Buffer.from('data.bin')])),
  ).toContain('zip archive');
  expect(
    reasonOf(Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(20), Buffer.from('[Content_Types].xml')])),
  ).toContain('Excel workbook');
  expect(reasonOf('%PDF-1.7 ...')).toContain('PDF');
  expect(reasonOf('<!DOCTYPE html><html></html>')).toContain('web page');
  expect(reasonOf('[{"email":"a@example.com"}]')).toContain('JSON');
  expect(reasonOf('')).toBe('is empty');
  expect(reasonOf(Buffer.from([1, 2, 3, 0, 0, 9, 200, 7, 0, 1]))).toContain('binary');
  expect(reasonOf('a@example.com,Anna\nb@example.com,Ben\n')).toContain('first line');
  expect(reasonOf(`${Array.from({ length: 5000 }, (_, at) => `c${at}`).join(',')}\n`)).toContain('5000 columns');
  expect(reasonOf(`email,note\na@example.com,"${'x'.repeat(70_000)}\n`)).toContain('quote not closed');
  expect(reasonOf('x'.repeat(5000), false)).toContain('no line end');
});

test('random bytes are refused or read, and never break it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const found = detectCsv(Buffer.from(bytes), true);
      expect(typeof found.ok).toBe('boolean');
    }),
  );
});

const sample = '../shared/inputs/us-500.csv';
test.skipIf(!existsSync(sample))('a real file is read as it is', () => {
  expect(shapeOf(readFileSync(sample))).toMatchObject({ encoding: 'utf-8', delimiter: ',' });
});
