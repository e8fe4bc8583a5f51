import { setImmediate as nextTurn } from 'node:timers/promises';
import { Transform } from 'node:stream';
import type { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { csvLimits } from './csv-detect.rules.ts';
import type { Cursor, ImportSettings } from './import.store.ts';

export interface CsvRecord {
  readonly cells: readonly string[];
  /** Line on which the record starts, from 1. */
  readonly line: number;
  /** Where the record ends: reading on from here gives the next one. */
  readonly end: Cursor;
}

/** The file cannot be read on from some line; what is before it stands. */
export class UnreadableFileError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'UnreadableFileError';
  }
}

/** Told apart from a broken file: only the last record is incomplete. */
export interface OpenQuote {
  readonly line: number;
  readonly end: Cursor;
}

export type CsvItem = CsvRecord | OpenQuote;
export const isRecord = (item: CsvItem): item is CsvRecord => 'cells' in item;

/**
 * Counts line ends by byte position, since the parser's own count takes a line break inside quotes for two.
 * Positions wait in a queue until the parser has passed them.
 */
function createLineCount(start: Cursor, lineEnd: number) {
  let waiting: number[] = [];
  let passed = 0;
  let lines = start.lines;
  let position = start.offset;
  return {
    see: (chunk: Buffer) => {
      for (let at = chunk.indexOf(lineEnd); at >= 0; at = chunk.indexOf(lineEnd, at + 1)) waiting.push(position + at);
      position += chunk.length;
    },
    /** Line ends before this byte; asked for in rising order. */
    before: (offset: number) => {
      for (; (waiting[passed] ?? offset) < offset; passed++) lines++;
      if (passed > 4096) {
        waiting = waiting.slice(passed);
        passed = 0;
      }
      return lines;
    },
  };
}

/** About a millisecond's work: answers of the database wait no longer than that. */
const everyRecords = 10;

function breaksIn(cells: readonly string[], lineEnd: string): number {
  let breaks = 0;
  for (const cell of cells) for (let at = cell.indexOf(lineEnd); at >= 0; at = cell.indexOf(lineEnd, at + 1)) breaks++;
  return breaks;
}

/**
 * The parser with what it stumbled over. It is made to skip and tell instead of to fail, since a stream that
 * fails throws away the records it has read and not yet handed on.
 */
function createParser(source: Readable, settings: ImportSettings, see: (chunk: Buffer) => void) {
  const stumbled: { openQuote: boolean; tooLarge: boolean } = { openQuote: false, tooLarge: false };
  const tap = new Transform({
    transform: (chunk: Buffer, _encoding, next) => {
      see(chunk);
      next(null, chunk);
    },
  });
  const parser = parse({
    delimiter: settings.delimiter,
    record_delimiter: [...settings.lineEnds],
    info: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: csvLimits.recordBytes,
    skip_records_with_error: true,
    on_skip: (error) => {
      if (error?.code === 'CSV_QUOTE_NOT_CLOSED') stumbled.openQuote = true;
      else if (!stumbled.tooLarge) {
        stumbled.tooLarge = true;
        // Nothing more is fed to it: what is behind an open quote would be held in memory to the end of the file.
        tap.unpipe(parser);
        source.destroy();
        process.nextTick(() => parser.end());
      }
    },
  });
  source.on('error', (error) => parser.destroy(error));
  source.pipe(tap).pipe(parser);
  return { stumbled, parser: parser as AsyncIterable<{ record: string[]; info: { bytes: number } }> };
}

/**
 * Reads records from a place of the kept file, in memory bounded by one record, giving way to others every few
 * records so that the answers of the database are taken up at once.
 */
export async function* readRecords(source: Readable, settings: ImportSettings, from: Cursor): AsyncGenerator<CsvItem> {
  const lineEnd = settings.lineEnds.includes('\n') ? '\n' : '\r';
  const count = createLineCount(from, lineEnd.charCodeAt(0));
  const { parser, stumbled } = createParser(source, settings, count.see);
  let end = from;
  let read = 0;
  try {
    for await (const { record, info } of parser) {
      const offset = from.offset + info.bytes;
      // The record's own line end, which is its last byte, does not come before it; breaks in its cells do not either.
      const line = count.before(offset - 1) + 1 - breaksIn(record, lineEnd);
      end = { offset, lines: count.before(offset) };
      yield { cells: record, line, end };
      if (++read % everyRecords === 0) await nextTurn();
    }
    const next = end.lines + 1;
    if (stumbled.tooLarge)
      throw new UnreadableFileError(
        `The row that starts on line ${next} is larger than ${csvLimits.recordBytes} bytes. Is a quote not closed?`,
      );
    if (stumbled.openQuote) yield { line: next, end };
  } finally {
    source.destroy();
  }
}
