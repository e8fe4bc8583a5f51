import type { Clock } from '../platform/clock.ts';
import { newId } from '../platform/ids.ts';
import type { ObjectStore } from '../platform/objects.ts';
import type { WorkspaceKeys } from '../platform/sealing.ts';
import { isRecord, readRecords } from './import-reader.ts';
import type { CsvItem } from './import-reader.ts';
import { rowReader } from './import-row.rules.ts';
import type { RowRead } from './import-row.rules.ts';
import type { Cursor, ImportRow, ImportSettings, Rejection } from './import.store.ts';
import { prepare } from './upsert.ts';
import type { Prepared } from './upsert.ts';

/** An import that a worker has taken up: its row, its settings with the types that count, the keys. */
export interface Started {
  readonly row: ImportRow;
  readonly settings: ImportSettings;
  readonly keys: WorkspaceKeys;
}

/** The rows of one transaction, with everything done that needs no database. */
export interface Page {
  readonly prepared: readonly Prepared[];
  readonly rejections: readonly Rejection[];
  readonly refusedRows: number;
  readonly end: Cursor;
}

interface Draft {
  readonly prepared: Prepared[];
  readonly rejections: Rejection[];
  refusedRows: number;
}

const emptyDraft = (): Draft => ({ prepared: [], rejections: [], refusedRows: 0 });
const sizeOf = (draft: Draft) => draft.prepared.length + draft.refusedRows;
const openQuote: RowRead = {
  kind: 'refused',
  problems: [{ field: 'row', reason: 'opens a quote that is never closed' }],
};

export interface PageReading {
  readonly clock: Clock;
  readonly objects: Pick<ObjectStore, 'read'>;
  readonly pageRows: number;
}

/** `mostlyNew` says of the page before whether most of its people were new: then the next ones are sealed at once. */
export async function* readPages(
  deps: PageReading,
  {
    row,
    settings,
    keys,
  }: Pick<Started, 'settings' | 'keys'> & { readonly row: Pick<ImportRow, 'objectKey' | 'cursor'> },
  mostlyNew: () => boolean,
): AsyncGenerator<Page> {
  const { clock, objects, pageRows } = deps;
  const from = row.cursor ?? settings.start;
  const read = rowReader({ columns: settings.columns, defaultCountry: settings.defaultCountry ?? undefined });
  let draft = emptyDraft();
  let end = from;
  let isHeader = row.cursor === null;
  const take = (item: CsvItem) => {
    const result = isRecord(item) ? read(item.cells, item.line) : openQuote;
    if (result.kind === 'contact')
      draft.prepared.push(prepare(keys, clock, result.contact, newId(clock), !settings.dryRun && mostlyNew()));
    if (result.kind !== 'refused') return;
    draft.refusedRows += 1;
    draft.rejections.push(...result.problems.map((problem) => ({ line: item.line, ...problem })));
  };
  for await (const item of readRecords(objects.read(row.objectKey, from.offset), settings, from)) {
    end = item.end;
    if (isHeader) isHeader = false;
    else take(item);
    if (sizeOf(draft) < pageRows) continue;
    yield { ...draft, end };
    draft = emptyDraft();
  }
  if (sizeOf(draft) > 0) yield { ...draft, end };
}
