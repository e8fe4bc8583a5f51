/**
 * Reads the beginning of a file in the browser, so that the columns are on screen before anything is uploaded.
 * The server detects again for itself when it reads the whole file; what is chosen here is sent along explicitly.
 */
export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';
export type Delimiter = ',' | ';' | '\t';

export interface Sniffed {
  readonly encoding: Encoding;
  readonly delimiter: Delimiter;
  readonly columns: readonly string[];
  /** The first rows after the header, as many cells each as they have. */
  readonly rows: readonly (readonly string[])[];
}

export type Refusal = 'empty' | 'binary' | 'too-many-columns' | 'no-rows';

export const refusalText: Readonly<Record<Refusal, string>> = {
  empty: 'The file is empty.',
  binary: 'This is not a text file. Save the sheet as CSV first (File, Save as, CSV UTF-8).',
  'too-many-columns': 'The file has more than 500 columns, which does not look like a list of contacts.',
  'no-rows': 'The file has a header but no rows below it.',
};

const mostColumns = 500;
const sampleRows = 5;

/** Byte order marks first; then UTF-8 if every byte fits (a cut-off last character is forgiven); else what Excel writes in the West. */
export function detectEncoding(bytes: Uint8Array): Encoding {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  if (zeroes(bytes, 1) > bytes.length / 4) return 'utf-16le';
  if (zeroes(bytes, 0) > bytes.length / 4) return 'utf-16be';
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return 'utf-8';
  } catch {
    return 'windows-1252';
  }
}

function zeroes(bytes: Uint8Array, offset: 0 | 1): number {
  let count = 0;
  for (let at = offset; at < bytes.length; at += 2) if (bytes[at] === 0) count += 1;
  return count;
}

/** The delimiter that cuts the first lines into the most columns, the same number on each line. */
export function detectDelimiter(text: string): Delimiter {
  let best: Delimiter = ',';
  let bestScore = 0;
  for (const delimiter of [',', ';', '\t'] as const) {
    const rows = parseRows(text, delimiter, 10);
    const width = rows[0]?.length ?? 0;
    const even = rows.filter((row) => row.length === width).length;
    const score = width > 1 ? width * (even / rows.length) : 0;
    if (score > bestScore) {
      best = delimiter;
      bestScore = score;
    }
  }
  return best;
}

/** RFC 4180 with its common extensions: LF, CRLF or CR; quoted delimiters, quotes and line breaks. Stops after `most` rows. */
export function parseRows(text: string, delimiter: Delimiter, most: number): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  const endRow = () => {
    row.push(cell);
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
    cell = '';
  };
  for (let at = 0; at < text.length && rows.length < most; at += 1) {
    const char = text[at];
    if (quoted) {
      if (char !== '"') cell += char;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (char === '"' && cell === '') quoted = true;
    else if (char === delimiter) {
      row.push(cell);
      cell = '';
    } else if (char === '\n' || char === '\r') {
      if (char === '\r' && text[at + 1] === '\n') at += 1;
      endRow();
    } else cell += char;
  }
  // The last line may have no line break, or be cut off where the sample ends; either way it shows what a row looks like.
  if (rows.length < most && (cell !== '' || row.length > 0)) endRow();
  return rows;
}

/** `bytes` is the start of the file (a quarter of a megabyte is plenty). */
export function sniff(bytes: Uint8Array, chosen: { encoding?: Encoding; delimiter?: Delimiter } = {}): Sniffed | Refusal {
  if (bytes.length === 0) return 'empty';
  if (looksBinary(bytes)) return 'binary';
  const encoding = chosen.encoding ?? detectEncoding(bytes);
  const text = new TextDecoder(encoding).decode(bytes).replace(/^\uFEFF/, '');
  if (text.trim() === '') return 'empty';
  if (encoding === 'utf-8' && text.includes('\u0000')) return 'binary';
  const delimiter = chosen.delimiter ?? detectDelimiter(text);
  const [header, ...rows] = parseRows(text, delimiter, sampleRows + 1);
  if (!header) return 'empty';
  if (header.length > mostColumns) return 'too-many-columns';
  if (rows.length === 0) return 'no-rows';
  return { encoding, delimiter, columns: header.map((name) => name.trim()), rows };
}

/** Zip (xlsx, ods), old Excel, PDF and gzip open with these bytes. */
const signatures: readonly (readonly number[])[] = [
  [0x50, 0x4b, 0x03, 0x04],
  [0xd0, 0xcf, 0x11, 0xe0],
  [0x25, 0x50, 0x44, 0x46],
  [0x1f, 0x8b],
];

function looksBinary(bytes: Uint8Array): boolean {
  return signatures.some((signature) => signature.every((byte, at) => bytes[at] === byte));
}
