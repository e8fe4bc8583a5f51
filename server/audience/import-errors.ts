import type { Db } from '../platform/db.ts';
import type { ObjectStore } from '../platform/objects.ts';
import { csvLine } from './csv-write.rules.ts';
import { isRecord, readRecords } from './import-reader.ts';
import type { CsvItem } from './import-reader.ts';
import { listRejections } from './import.store.ts';
import type { ImportRow } from './import.store.ts';

const pageLines = 1000;

/** The cells of one line after the other, for lines asked for in rising order. */
function createCells(items: AsyncIterator<CsvItem>) {
  let held: CsvItem | undefined;
  return async (line: number): Promise<readonly string[]> => {
    while (held === undefined || held.line < line) {
      const { value, done } = await items.next();
      if (done === true) return [];
      held = value;
    }
    return held.line === line && isRecord(held) ? held.cells : [];
  };
}

/**
 * The refused rows as CSV: line, fields, reasons, and the cells as they came, read again from the kept file (a
 * copy in the database would be personal data in the clear). After a week only the first three remain.
 */
export async function* refusedRows(
  db: Db,
  objects: ObjectStore,
  workspaceId: string,
  row: ImportRow,
): AsyncGenerator<string> {
  const { settings } = row;
  const names = row.uploadKept ? settings.columns.map((column) => column.name) : [];
  yield csvLine(['line', 'field', 'reason', ...names]);
  const source = row.uploadKept ? objects.read(row.objectKey, settings.start.offset) : undefined;
  const items = source === undefined ? undefined : readRecords(source, settings, settings.start);
  const cellsOf = items === undefined ? undefined : createCells(items);
  try {
    for (let after = 0; ;) {
      const page = await db.read(workspaceId, (tx) => listRejections(tx, row.id, after, pageLines));
      for (const { line, field, reason } of page) {
        const cells = (await cellsOf?.(line)) ?? [];
        yield csvLine([String(line), field, reason, ...names.map((_, at) => cells[at] ?? '')]);
      }
      const last = page.at(-1);
      if (last === undefined || page.length < pageLines) return;
      after = last.line;
    }
  } finally {
    await items?.return(undefined);
  }
}
