import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { importOptions } from '../../contract/imports.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import { AppError, notFound } from '../platform/errors.ts';
import type { FieldProblem } from '../platform/errors.ts';
import type { Jobs } from '../platform/jobs.ts';
import type { ObjectStore } from '../platform/objects.ts';
import type { CsvShape } from './csv-detect.rules.ts';
import { detectCsv } from './csv-detect.rules.ts';
import { inferCountry, mapColumns } from './csv-mapping.rules.ts';
import type { Column } from './csv-mapping.rules.ts';
import * as store from './import.store.ts';
import type { ImportConsent, ImportRow, ImportSettings } from './import.store.ts';
import { notCsv, rawKeyOf, readSample, receiveUpload } from './import-upload.ts';
import type { FinishUpload, KeptFile } from './import-upload.ts';
import { isPhoneCountry } from './phone.rules.ts';
import type { AskedConsent, AudiencePorts } from './ports.ts';

export const importQueue = 'audience.import';

export type ImportOptions = z.output<typeof importOptions>;

export interface ImportsDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly objects: ObjectStore;
  readonly jobs: Pick<Jobs, 'enqueue'>;
  readonly ports: Pick<AudiencePorts, 'checkImport'>;
  readonly defaultCountry: (tx: Tx) => Promise<string | undefined>;
  readonly maxBytes: number;
}

export interface Upload {
  readonly id: string;
  readonly workspaceId: string;
  readonly requestedBy: string;
  readonly fileName: string;
}

/** The parts of a multipart form, in whatever order they come. */
export interface UploadParts {
  /** Called once, with what to do with the file; returns when the whole request was read. */
  read(onFile: (source: Readable) => Promise<void>): Promise<{ options: ImportOptions; fileName: string }>;
}

export interface Preview {
  readonly shape: CsvShape;
  readonly columns: readonly Column[];
  readonly warnings: readonly string[];
}

function columnProblems(problems: readonly { column: string; message: string }[]): AppError {
  const escape = (column: string) => (column === '' ? '' : `/${column.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  const errors: FieldProblem[] = problems.map(({ column, message }) => ({
    pointer: `/options/mapping${escape(column)}`,
    message,
  }));
  const named = problems
    .slice(0, 3)
    .map(({ column, message }) => (column === '' ? message : `column "${column}" ${message}`));
  return new AppError('invalid-input', `${named.join('; ')}.`, { errors });
}

function checkCountry(country: string | undefined): void {
  if (country === undefined || isPhoneCountry(country)) return;
  const message = 'is not a country with telephone numbers';
  throw new AppError('invalid-input', `defaultCountry ${message}.`, {
    errors: [{ pointer: '/options/defaultCountry', message }],
  });
}

const noFile = () =>
  new AppError('import/no-file', 'Send the file as the part "file" of a multipart form, or as a text/csv body.');

async function countryFor(deps: ImportsDeps, tx: Tx, options: ImportOptions, shape: CsvShape) {
  return options.defaultCountry ?? (await deps.defaultCountry(tx)) ?? inferCountry(shape.header, shape.rows);
}

async function consentFor(deps: ImportsDeps, tx: Tx, asked: AskedConsent | undefined): Promise<ImportConsent | null> {
  if (asked === undefined) return null;
  const { topicId, at } = await deps.ports.checkImport(tx, asked, '/options/consent');
  return { ...asked, topicId, at: at.toString() };
}

/** Everything that is decided about a file, once. */
async function settingsFor(deps: ImportsDeps, tx: Tx, file: KeptFile, options: ImportOptions): Promise<ImportSettings> {
  const { shape, start } = file;
  const { columns, problems } = mapColumns(shape.header, shape.rows, options);
  if (problems.length > 0) throw columnProblems(problems);
  return {
    delimiter: shape.delimiter,
    encoding: shape.encoding,
    lineEnds: shape.lineEnds,
    start,
    columns,
    defaultCountry: (await countryFor(deps, tx, options, shape)) ?? null,
    dryRun: options.dryRun ?? false,
    consent: await consentFor(deps, tx, options.consent),
  };
}

type OnStart = (tx: Tx, settings: ImportSettings) => Promise<void>;

async function startImport(deps: ImportsDeps, upload: Upload, parts: UploadParts, onStart: OnStart): Promise<void> {
  const { db, clock, objects, jobs, maxBytes } = deps;
  const { id, workspaceId, requestedBy } = upload;
  let finish: FinishUpload | undefined;
  let kept: KeptFile | undefined;
  try {
    const { options, fileName } = await parts.read(async (source) => {
      finish = await receiveUpload(objects, source, id, maxBytes);
    });
    if (finish === undefined) throw noFile();
    checkCountry(options.defaultCountry);
    const file = await finish({ delimiter: options.delimiter, encoding: options.encoding });
    kept = file;
    await db.transaction(workspaceId, async (tx) => {
      const settings = await settingsFor(deps, tx, file, options);
      const row = { id, requestedBy, fileName, objectKey: file.objectKey, bytesTotal: file.sizeBytes, settings };
      await store.insertImport(tx, row, clock.now());
      await onStart(tx, settings);
      await jobs.enqueue(tx, importQueue, { workspaceId, importId: id });
    });
  } catch (error) {
    if (kept !== undefined) await objects.remove(kept.objectKey);
    else if (finish !== undefined) await objects.remove(rawKeyOf(id));
    throw error;
  }
}

async function previewImport(deps: ImportsDeps, workspaceId: string, parts: UploadParts): Promise<Preview> {
  let taken: { sample: Buffer; isWhole: boolean } | undefined;
  const { options } = await parts.read(async (source) => {
    taken = await readSample(source);
  });
  if (taken === undefined) throw noFile();
  const found = detectCsv(taken.sample, taken.isWhole, options);
  if (!found.ok) throw notCsv(found.reason);
  const { shape } = found;
  const { columns, problems } = mapColumns(shape.header, shape.rows, options);
  const country = await deps.db.read(workspaceId, (tx) => countryFor(deps, tx, options, shape));
  const warnings = problems.map(({ column, message }) => (column === '' ? message : `Column "${column}" ${message}.`));
  if (columns.some((column) => column.field === 'phone') && options.defaultCountry === undefined)
    warnings.push(
      country === undefined
        ? 'Telephone numbers need their country code, since no default country is set.'
        : `Telephone numbers without a country code are read as those of ${country}.`,
    );
  return { shape, columns, warnings };
}

async function getImport(tx: Tx, id: string, lock = false): Promise<ImportRow> {
  const row = await store.findImport(tx, id, lock);
  if (row === undefined) throw notFound('import');
  return row;
}

/** Stops between two pages; one that no worker has taken up ends at once. */
async function cancelImport(clock: Clock, tx: Tx, id: string): Promise<ImportRow> {
  const row = await getImport(tx, id, true);
  if (row.state !== 'running') throw new AppError('import/not-running', `The import is ${row.state}.`);
  await store.requestCancel(tx, id);
  if (row.startedAt === null) await store.endImport(tx, id, { state: 'cancelled', failure: null, at: clock.now() });
  return getImport(tx, id);
}

/** Takes files in and lets others ask how they are doing; the rows are `import-run.ts`'s. */
export function createImports(deps: ImportsDeps) {
  return {
    /** Keeps the file and starts the import; `onStart` runs in the transaction that does (for the audit). */
    start: (upload: Upload, parts: UploadParts, onStart: OnStart) => startImport(deps, upload, parts, onStart),
    preview: (workspaceId: string, parts: UploadParts) => previewImport(deps, workspaceId, parts),
    get: (tx: Tx, id: string) => getImport(tx, id),
    cancel: (tx: Tx, id: string) => cancelImport(deps.clock, tx, id),
    list: store.listImports,
    /** In the order of the file, from behind a line on. */
    rejections: async (tx: Tx, id: string, afterLine: number, limit: number): Promise<store.Rejection[]> => {
      await getImport(tx, id);
      // No line can lie behind the largest number that the column holds.
      return store.listRejections(tx, id, Math.min(afterLine, 2_147_483_647), limit);
    },
  };
}
