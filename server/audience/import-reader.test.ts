import { Readable } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isRecord, readRecords } from './import-reader.ts';
import type { CsvItem } from './import-reader.ts';
import type { Cursor, ImportSettings } from './import.store.ts';

function settings(lineEnd: string): ImportSettings {
  return {
    delimiter: ',',
    encoding: 'utf-8',
    lineEnds: lineEnd === '\r' ? ['\r'] : ['\r\n', '\n'],
    start: { offset: 0, lines: 0 },
    columns: [],
    defaultCountry: null,
    dryRun: false,
    consent: null,
  };
}

async function readAll(data: Buffer, lineEnd: string, from: Cursor, chunk: number): Promise<CsvItem[]> {
  const chunks: Buffer[] = [];
  for (let at = from.offset; at < data.length; at += chunk) chunks.push(data.subarray(at, at + chunk));
  const items: CsvItem[] = [];
  for await (const item of readRecords(Readable.from(chunks), settings(lineEnd), from)) items.push(item);
  return items;
}

const cell = fc.oneof(
  fc.constantFrom('', 'plain', 'ü', '日本', 'a"b', 'x,y', 'one\ntwo', '"', '😀'),
  fc.stringMatching(/^[a-z]{1,6}$/),
);
const row = fc.array(cell, { minLength: 2, maxLength: 4 });
const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;

test('whatever the file and its chunks, reading on from any record gives the same rest, with the same lines', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 1, maxLength: 8 }),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.boolean(),
      fc.integer({ min: 1, max: 7 }),
      fc.nat(7),
      async (rows, lineEnd, ends, chunk, at) => {
        const texts = rows.map((cells) => cells.map((one) => quote(one.replaceAll('\n', lineEnd))).join(','));
        const data = Buffer.from(texts.join(lineEnd) + (ends ? lineEnd : ''));
        const all = await readAll(data, lineEnd, { offset: 0, lines: 0 }, chunk);
        expect(all.map((one) => isRecord(one) && one.cells)).toEqual(
          rows.map((cells) => cells.map((one) => one.replaceAll('\n', lineEnd))),
        );
        let line = 1;
        texts.forEach((text, place) => {
          expect(all[place]?.line).toBe(line);
          line += text.split(lineEnd).length;
        });
        const stop = all[at % all.length];
        if (stop === undefined) return;
        const rest = await readAll(data, lineEnd, stop.end, chunk);
        expect(rest).toEqual(all.slice((at % all.length) + 1));
      },
    ),
    { numRuns: 150 },
  );
});

test('empty lines are passed over and counted', async () => {
  const items = await readAll(Buffer.from('a,b\n\n\nc,d\n'), '\n', { offset: 0, lines: 0 }, 100);
  expect(items.map((one) => one.line)).toEqual([1, 4]);
});

test('a quote inside a cell that is not quoted is just a quote', async () => {
  const items = await readAll(Buffer.from('5" pipe,x\n"a"b,y\n'), '\n', { offset: 0, lines: 0 }, 100);
  expect(items.map((one) => isRecord(one) && one.cells[0])).toEqual(['5" pipe', '"a"b']);
});

test('a quote that stays open is reported with its line', async () => {
  const items = await readAll(Buffer.from('a,b\nc,"d\ne,f\n'), '\n', { offset: 0, lines: 0 }, 100);
  expect(items.map((one) => [one.line, isRecord(one)])).toEqual([
    [1, true],
    [2, false],
  ]);
});
