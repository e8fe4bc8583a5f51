import { isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';
export type Delimiter = ',' | ';' | '\t' | '|';

/** How much of a file is looked at before it is believed to be what it says. */
export const sampleBytes = 1024 * 1024;
export const csvLimits = { columns: 1000, fieldLength: 65_536, recordBytes: 1024 * 1024 };

/** What a file is made of. `byteOrderMark` and `preamble` (Excel's `sep=;` line) come before the header. */
export interface CsvShape {
  readonly encoding: Encoding;
  readonly byteOrderMark: number;
  readonly delimiter: Delimiter;
  /** CR alone ends lines in files of old Macs only; elsewhere a lone CR is part of a cell. */
  readonly lineEnds: readonly string[];
  /** Characters before the header. */
  readonly preamble: number;
  readonly header: readonly string[];
  /** The first rows, as they stand. */
  readonly rows: readonly (readonly string[])[];
}

export type Detected =
  { readonly ok: true; readonly shape: CsvShape } | { readonly ok: false; readonly reason: string };

const refuse = (reason: string): { readonly ok: false; readonly reason: string } => ({ ok: false, reason });

/** First bytes of what people upload instead of CSV, as the formats define them. */
const magics: readonly (readonly [string, string])[] = [
  ['d0cf11e0a1b11ae1', 'an old Excel or Office document; save it as CSV first'],
  ['25504446', 'a PDF document'],
  ['1f8b', 'a gzip archive; unpack it first'],
  ['377abcaf271c', 'a 7z archive; unpack it first'],
  ['52617221', 'a RAR archive; unpack it first'],
  ['fd377a585a00', 'an xz archive; unpack it first'],
  ['28b52ffd', 'a zstd archive; unpack it first'],
  ['89504e47', 'a PNG picture'],
  ['ffd8ff', 'a JPEG picture'],
  ['47494638', 'a GIF picture'],
  ['7f454c46', 'a program'],
  ['53514c69746520666f726d6174', 'an SQLite database'],
  ['fffe0000', 'text in UTF-32, which is not taken; save it as UTF-8'],
  ['0000feff', 'text in UTF-32, which is not taken; save it as UTF-8'],
];

/** What the first bytes give away, or undefined. */
export function foreignFormat(sample: Buffer): string | undefined {
  if (sample.length >= 4 && sample.readUInt32BE(0) === 0x504b0304) {
    const names = sample.toString('latin1');
    if (names.includes('xl/') || names.includes('[Content_Types].xml'))
      return 'an Excel workbook; save it as CSV first';
    return names.includes('mimetypeapplication/vnd.oasis')
      ? 'an OpenDocument file; save it as CSV first'
      : 'a zip archive; unpack it first';
  }
  const start = sample.subarray(0, 16).toString('hex');
  for (const [magic, name] of magics) if (start.startsWith(magic)) return name;
  const text = sample.subarray(0, 512).toString('latin1').trimStart().toLowerCase();
  if (text.startsWith('<!doctype html') || text.startsWith('<html')) return 'a web page';
  if (text.startsWith('<?xml')) return 'an XML document';
  if (text.startsWith('{\\rtf')) return 'an RTF document';
  return /^\{\s*"|^\[\s*[{[]/u.test(text) ? 'JSON' : undefined;
}

/** UTF-16 without a mark: every separator and line end has a zero byte, always on the same side. */
function wideEncoding(sample: Buffer): Encoding | undefined {
  let even = 0;
  let odd = 0;
  for (let at = 0; at < sample.length; at++) {
    if (sample[at] !== 0) continue;
    if (at % 2 === 0) even++;
    else odd++;
  }
  if (even + odd < sample.length / 40) return undefined;
  if (odd > even * 10) return 'utf-16le';
  return even > odd * 10 ? 'utf-16be' : undefined;
}

/** A sample may end inside a character. */
function isUtf8Start(sample: Buffer): boolean {
  for (let cut = 0; cut <= 3; cut++) if (isUtf8(sample.subarray(0, sample.length - cut))) return true;
  return false;
}

export interface EncodingFound {
  readonly encoding: Encoding;
  readonly byteOrderMark: number;
}

/** Pure: the encoding of a text from its first bytes; a byte-order mark decides, and beats what was asked for. */
export function detectEncoding(sample: Buffer, asked?: Encoding): EncodingFound | undefined {
  if (sample[0] === 0xef && sample[1] === 0xbb && sample[2] === 0xbf) return { encoding: 'utf-8', byteOrderMark: 3 };
  if (sample[0] === 0xff && sample[1] === 0xfe) return { encoding: 'utf-16le', byteOrderMark: 2 };
  if (sample[0] === 0xfe && sample[1] === 0xff) return { encoding: 'utf-16be', byteOrderMark: 2 };
  if (asked !== undefined) return { encoding: asked, byteOrderMark: 0 };
  if (sample.includes(0)) {
    const wide = wideEncoding(sample);
    return wide === undefined ? undefined : { encoding: wide, byteOrderMark: 0 };
  }
  return { encoding: isUtf8Start(sample) ? 'utf-8' : 'windows-1252', byteOrderMark: 0 };
}

interface Scan {
  /** Fields of the records that ended inside the sample. */
  readonly records: string[][];
  readonly longestField: number;
}

/** Splits the sample by one delimiter; lenient, since it only has to tell which delimiter is the right one. */
function scan(text: string, delimiter: string, carriageReturns: boolean, limit: number): Scan {
  const records: string[][] = [];
  let record: string[] = [];
  let field = '';
  let longestField = 0;
  let quoted = false;
  const endField = () => {
    longestField = Math.max(longestField, field.length);
    record.push(field);
    field = '';
  };
  const endRecord = () => {
    endField();
    if (record.length > 1 || record[0] !== '') records.push(record);
    record = [];
  };
  for (let at = 0; at < text.length && records.length < limit; at++) {
    const one = text[at] ?? '';
    if (quoted) {
      if (one !== '"') field += one;
      else if (text[at + 1] === '"') field += text[++at] ?? '';
      else quoted = false;
    } else if (one === '"' && field === '') quoted = true;
    else if (one === delimiter) endField();
    else if (one === '\n' || (carriageReturns && one === '\r')) endRecord();
    else if (one !== '\r') field += one;
  }
  longestField = Math.max(longestField, field.length);
  if (records.length < limit && (field !== '' || record.length > 0)) endRecord();
  return { records, longestField };
}

const candidates: readonly Delimiter[] = [',', ';', '\t', '|'];
const judgedRecords = 100;

/** Records that agree with the header count; then more columns win. */
function score(records: readonly (readonly string[])[]): number {
  const columns = records[0]?.length ?? 0;
  if (columns < 2) return 0;
  const agreeing = records.filter((record) => record.length === columns).length / records.length;
  return agreeing + Math.min(columns, 100) / 1000;
}

function chooseDelimiter(text: string, carriageReturns: boolean): Delimiter {
  let best: Delimiter = ',';
  let bestScore = 0;
  for (const delimiter of candidates) {
    const found = score(scan(text, delimiter, carriageReturns, judgedRecords).records);
    if (found > bestScore) [best, bestScore] = [delimiter, found];
  }
  return best;
}

// oxlint-disable-next-line no-control-regex -- looks for what no text file has
const binary = /[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/u;

function refusal(text: string, isWhole: boolean, header: readonly string[], longestField: number): string | undefined {
  if (header.length === 0) return 'is empty';
  if (header.length > csvLimits.columns) return `has ${header.length} columns; at most ${csvLimits.columns} are taken`;
  if (longestField > csvLimits.fieldLength)
    return `has a cell of more than ${csvLimits.fieldLength} characters; is a quote not closed?`;
  if (!isWhole && !/[\n\r]/u.test(text)) return 'has no line end in its first megabyte';
  if (header.every((name) => name.trim() === '')) return 'has an empty first line; it must name the columns';
  if (header.some((name) => /^[^@\s]+@[^@\s]+\.[^@\s]+$/u.test(name.trim())))
    return 'has data in its first line; that line must name the columns';
  return undefined;
}

/**
 * Pure: what a file is, from its first bytes. `isWhole` says that the sample is all of it. What was asked for
 * (delimiter, encoding) is believed. Anything but a table of text is refused by its name.
 */
export function detectCsv(
  sample: Buffer,
  isWhole: boolean,
  asked: { readonly delimiter?: Delimiter | undefined; readonly encoding?: Encoding | undefined } = {},
): Detected {
  if (sample.length === 0) return refuse('is empty');
  const foreign = foreignFormat(sample);
  if (foreign !== undefined) return refuse(`is not CSV but ${foreign}`);
  const found = detectEncoding(sample, asked.encoding);
  if (found === undefined) return refuse('is not CSV but binary data');
  const text = iconv.decode(sample.subarray(found.byteOrderMark), found.encoding, { stripBOM: false });
  if (binary.test(text)) return refuse('is not CSV but binary data');
  const preamble = /^sep=([,;\t|])\r?\n/iu.exec(text);
  const body = preamble === null ? text : text.slice(preamble[0].length);
  const carriageReturns = !body.includes('\n');
  const delimiter =
    asked.delimiter ?? (preamble?.[1] as Delimiter | undefined) ?? chooseDelimiter(body, carriageReturns);
  const { records, longestField } = scan(body, delimiter, carriageReturns, 1001);
  const header = records[0] ?? [];
  const problem = refusal(text, isWhole, header, longestField);
  if (problem !== undefined) return refuse(problem);
  const lineEnds = carriageReturns ? ['\r'] : ['\r\n', '\n'];
  return {
    ok: true,
    shape: { ...found, delimiter, lineEnds, preamble: preamble?.[0].length ?? 0, header, rows: records.slice(1) },
  };
}
