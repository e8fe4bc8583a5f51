import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csvCell, csvLine } from './csv-write.rules.ts';

test('a cell that a spreadsheet would run is made harmless, a number is left alone', () => {
  expect(csvCell('=HYPERLINK("http://x")')).toBe(`"'=HYPERLINK(""http://x"")"`);
  expect(csvCell('@SUM(A1)')).toBe("'@SUM(A1)");
  expect(csvCell('-1+1|cmd')).toBe("'-1+1|cmd");
  expect(csvCell('+15046218927')).toBe('+15046218927');
  expect(csvCell('-12.5')).toBe('-12.5');
  expect(csvCell('plain')).toBe('plain');
});

test('what is written reads the same, apart from the apostrophe, and no cell starts a formula', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 2, maxLength: 6 }), (cells) => {
      const [read] = parse(csvLine(cells), { relax_column_count: true, record_delimiter: '\r\n' });
      expect(read?.map((cell, at) => (cell === `'${cells[at]}` ? cells[at] : cell))).toEqual(cells);
      for (const cell of read ?? []) expect(/^[=@]/u.test(cell)).toBe(false);
    }),
  );
});
