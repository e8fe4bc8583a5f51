import type { Answer } from '../../api.ts';

export type Preview = Answer<'POST /contacts/import/preview'>;
type PreviewColumn = Preview['columns'][number];
export type FieldType = NonNullable<PreviewColumn['type']>;

/** One column of the file, and what the person decided it becomes. */
export interface MappedColumn {
  readonly name: string;
  readonly samples: readonly string[];
  /** `email`, `externalId`, `ignore`, `attributes.<key>`, or `new` (an attribute with the key below). */
  readonly field: string;
  readonly newKey: string;
  readonly newType: FieldType;
  /** How its cells write dates or numbers, as far as they prove it. */
  readonly notation: PreviewColumn['notation'];
}

export const standardFields = [
  { value: 'email', label: 'E-mail' },
  { value: 'phone', label: 'Phone' },
  { value: 'externalId', label: 'External id' },
  { value: 'locale', label: 'Language' },
  { value: 'timeZone', label: 'Time zone' },
  { value: 'country', label: 'Country' },
] as const;

const attributePrefix = 'attributes.';

/** Starts from what the server suggests; an attribute nobody has yet is shown as a new one, with its type to confirm. */
export function mappedFrom(preview: Preview, knownKeys: ReadonlySet<string>): readonly MappedColumn[] {
  return preview.columns.map((column) => {
    const key = column.field.startsWith(attributePrefix) ? column.field.slice(attributePrefix.length) : '';
    const isNew = key !== '' && !knownKeys.has(key);
    return {
      name: column.name,
      samples: column.samples,
      field: isNew ? 'new' : column.field,
      newKey: isNew ? key : fallbackKey(column.name),
      newType: column.type ?? 'text',
      notation: column.notation,
    };
  });
}

/** How the cells of a new attribute are going to be read, in words, where countries differ. */
export function notationText({ field, newType, notation }: MappedColumn): string | undefined {
  if (field !== 'new') return undefined;
  if (newType === 'date' && notation === 'day-first') return 'Read as day, month, year';
  if (newType === 'date' && notation === 'month-first') return 'Read as month, day, year';
  if (newType === 'number' && notation === 'decimal-comma') return 'Read with a decimal comma';
  return undefined;
}

function fallbackKey(name: string): string {
  const key = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^[_0-9]+|_+$/g, '')
    .slice(0, 63);
  return key || 'column';
}

const keyShape = /^[a-z][a-z0-9_]{0,62}$/;

/** What stands in the way of an import, by column; `''` holds what concerns all of them. */
export function mappingProblems(columns: readonly MappedColumn[]): ReadonlyMap<string, string> {
  const problems = new Map<string, string>();
  const takenBy = new Map<string, string>();
  for (const column of columns) {
    const target = targetOf(column);
    if (column.field === 'new' && !isKey(column.newKey)) {
      problems.set(column.name, 'Start with a letter and use only a-z, 0-9 and _');
    }
    if (target === 'ignore' || target === 'email' || target === 'phone') continue;
    const other = takenBy.get(target);
    if (other !== undefined) problems.set(column.name, `“${other}” already becomes this`);
    else takenBy.set(target, column.name);
  }
  if (!columns.some((column) => ['email', 'phone', 'externalId'].includes(column.field))) {
    problems.set(
      '',
      'Choose which column holds the e-mail address, the phone number or an external id: without one of them a row cannot be recognised.',
    );
  }
  return problems;
}

function isKey(key: string): boolean {
  return keyShape.test(key) && key !== 'constructor' && key !== 'prototype';
}

export function targetOf(column: MappedColumn): string {
  return column.field === 'new' ? attributePrefix + column.newKey : column.field;
}

/** As the import takes it. */
export function mappingOf(columns: readonly MappedColumn[]): {
  mapping: Record<string, string>;
  attributeTypes: Record<string, FieldType>;
} {
  return {
    mapping: Object.fromEntries(columns.map((column) => [column.name, targetOf(column)])),
    attributeTypes: Object.fromEntries(
      columns.filter((column) => column.field === 'new').map((column) => [column.newKey, column.newType]),
    ),
  };
}

/** Share of the file that is read, 0 to 100; a finished import is whole even when its size was a guess. */
export function percentRead(state: string, bytesDone: number, bytesTotal: number): number {
  if (state === 'done') return 100;
  if (bytesTotal <= 0) return 0;
  return Math.min(Math.floor((bytesDone / bytesTotal) * 100), 99);
}
