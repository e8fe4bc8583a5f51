import { parseAddress, trimSpaces } from './address.rules.ts';
import type { AddressKind, ParsedAddress } from './address.rules.ts';
import { readCell } from './attribute.rules.ts';
import type { AttributeType, AttributeValue } from './attribute.rules.ts';
import type { ImportField } from './csv-mapping.rules.ts';
import type { Notation } from './notation.rules.ts';
import { readCountry, readLocale, readTimeZone } from './place.rules.ts';

/** What the columns of one file become; made once, kept with the import. */
export interface RowReading {
  readonly columns: readonly {
    readonly name: string;
    readonly field: ImportField;
    readonly type: AttributeType | null;
    readonly notation?: Notation | null;
  }[];
  readonly defaultCountry: string | undefined;
}

/** An address with where it stood, so that a refusal can name it. */
export interface GivenAddress {
  readonly address: ParsedAddress;
  /** Column of the file, or JSON pointer. */
  readonly field: string;
}

/** One person as a file or a caller gives him; undefined means nothing was said. */
export interface GivenContact {
  /** Line of the file, or index of the batch. */
  readonly line: number;
  readonly externalId: string | undefined;
  readonly externalIdField: string;
  readonly addresses: readonly GivenAddress[];
  readonly attributes: readonly (readonly [string, AttributeValue | undefined])[];
  readonly locale: string | undefined;
  readonly timeZone: string | undefined;
  readonly country: string | undefined;
}

export interface Problem {
  readonly field: string;
  readonly reason: string;
}

export type RowRead =
  | { readonly kind: 'contact'; readonly contact: GivenContact }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }
  /** Nothing but empty cells: spreadsheets leave such rows at the end. */
  | { readonly kind: 'blank' };

/** Of text that was not UTF-8, after decoding. */
const undecodable = '\ufffd';
const maxExternalId = 200;

interface Draft {
  externalId: string | undefined;
  externalIdField: string;
  readonly addresses: GivenAddress[];
  readonly attributes: [string, AttributeValue][];
  locale: string | undefined;
  timeZone: string | undefined;
  country: string | undefined;
}

type Reader = (cell: string, draft: Draft) => string | undefined;

const kept = (read: { ok: true; value: string } | { ok: false; reason: string }, keep: (value: string) => void) => {
  if (!read.ok) return read.reason;
  keep(read.value);
  return undefined;
};

function addressReader(kind: AddressKind, field: string, defaultCountry: string | undefined): Reader {
  return (cell, draft) => {
    const read = parseAddress(kind, cell, draft.country ?? defaultCountry);
    if (!read.ok) return read.reason;
    const { matchKey } = read.address;
    if (!draft.addresses.some((one) => one.address.kind === kind && one.address.matchKey === matchKey))
      draft.addresses.push({ address: read.address, field });
    return undefined;
  };
}

function readExternalId(cell: string, draft: Draft, field: string): string | undefined {
  if (cell.length > maxExternalId) return `is longer than ${maxExternalId} characters`;
  if (/\p{Cc}/u.test(cell)) return 'has control characters';
  draft.externalId = cell;
  draft.externalIdField = field;
  return undefined;
}

function readerOf(column: RowReading['columns'][number], defaultCountry: string | undefined): Reader | undefined {
  const { field, name } = column;
  if (field === 'ignore') return undefined;
  if (field === 'email' || field === 'phone' || field === 'push') return addressReader(field, name, defaultCountry);
  if (field === 'externalId') return (cell, draft) => readExternalId(cell, draft, name);
  if (field === 'locale') return (cell, draft) => kept(readLocale(cell), (value) => (draft.locale = value));
  if (field === 'timeZone') return (cell, draft) => kept(readTimeZone(cell), (value) => (draft.timeZone = value));
  if (field === 'country') return (cell, draft) => kept(readCountry(cell), (value) => (draft.country = value));
  const key = field.slice('attributes.'.length);
  const type = column.type ?? 'text';
  const notation = column.notation ?? undefined;
  return (cell, draft) => {
    const read = readCell(type, cell, notation);
    if (!read.ok) return read.reason;
    draft.attributes.push([key, read.value]);
    return undefined;
  };
}

/** A person is known by the e-mail address first, wherever its column stands. */
const rank: Readonly<Record<AddressKind, number>> = { email: 0, phone: 1, push: 2 };

/** As it can be kept: the reason is stored, and NUL or half a character cannot be. */
const shown = (cell: string) =>
  (cell.length > 80 ? `${cell.slice(0, 80)}…` : cell).replaceAll('\0', undecodable).toWellFormed();

/**
 * Pure: makes the reader of one file's rows. An empty cell says nothing about the person (it does not erase what
 * is known). Whatever cannot be read is refused with its column named; a row is taken whole or not at all.
 */
export function rowReader(reading: RowReading): (cells: readonly string[], line: number) => RowRead {
  const { columns, defaultCountry } = reading;
  // The country decides how national telephone numbers read, so it comes before them, wherever it stands.
  const order = columns
    .map((column, at) => ({
      at,
      name: column.name,
      isCountry: column.field === 'country',
      read: readerOf(column, defaultCountry),
    }))
    .filter((one): one is typeof one & { read: Reader } => one.read !== undefined)
    .sort((a, b) => Number(b.isCountry) - Number(a.isCountry) || a.at - b.at);

  return (cells, line) => {
    if (cells.every((cell) => cell === '')) return { kind: 'blank' };
    if (cells.length > columns.length && cells.slice(columns.length).some((cell) => cell !== ''))
      return {
        kind: 'refused',
        problems: [{ field: 'row', reason: `has ${cells.length} columns where the header has ${columns.length}` }],
      };
    const draft: Draft = {
      externalId: undefined,
      externalIdField: '',
      addresses: [],
      attributes: [],
      locale: undefined,
      timeZone: undefined,
      country: undefined,
    };
    const problems: Problem[] = [];
    for (const { at, name, read } of order) {
      const raw = cells[at];
      const cell = raw === undefined ? '' : trimSpaces(raw);
      if (cell === '') continue;
      const reason = cell.includes(undecodable)
        ? 'has bytes that are not in the encoding of the file'
        : read(cell, draft);
      if (reason !== undefined) problems.push({ field: name, reason: `"${shown(cell)}" ${reason}` });
    }
    if (problems.length > 0) return { kind: 'refused', problems };
    if (draft.addresses.length === 0 && draft.externalId === undefined)
      return { kind: 'refused', problems: [{ field: 'row', reason: 'has neither an address nor an external id' }] };
    draft.addresses.sort((a, b) => rank[a.address.kind] - rank[b.address.kind]);
    return { kind: 'contact', contact: { line, ...draft } };
  };
}
