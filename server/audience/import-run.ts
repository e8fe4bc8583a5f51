import type { Activity } from '../activity/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { NewsDesk } from '../platform/news.ts';
import type { ObjectStore } from '../platform/objects.ts';
import type { Vault } from '../platform/sealing.ts';
import { addAttributes, listAttributes } from './attribute.store.ts';
import { commitPage, createSeen, marksOf, OvertakenError } from './import-page.ts';
import type { PageWork } from './import-page.ts';
import { readPages } from './import-pages.ts';
import type { Started } from './import-pages.ts';
import { readPagesAside } from './import-thread.ts';
import { UnreadableFileError } from './import-reader.ts';
import * as store from './import.store.ts';
import type { ImportSettings } from './import.store.ts';
import type { AudiencePorts } from './ports.ts';

export interface ImportRunDeps {
  /** With pinned plans: each page runs the same statements over tables of any size. */
  readonly db: Db;
  readonly clock: Clock;
  readonly vault: Vault;
  readonly objects: ObjectStore;
  readonly activity: Pick<Activity, 'append'>;
  readonly ports: Pick<AudiencePorts, 'afterImportPage'>;
  readonly news: Pick<NewsDesk, 'publish'>;
  readonly log: Log;
  readonly pageRows: number;
  /** Files from this size on are read, parsed and sealed by a thread of their own. */
  readonly asideBytes: number;
}

export interface ImportJob {
  readonly workspaceId: string;
  readonly importId: string;
}

const maxStalls = 5;
const keyOf = (field: string) => field.slice('attributes.'.length);

/** The types that count: those of attributes that were defined before, or by the first to import them. */
async function settleTypes(tx: Tx, settings: ImportSettings, at: Temporal.Instant): Promise<ImportSettings> {
  const given = settings.columns.flatMap(({ name, field, type }) =>
    type === null ? [] : [{ key: keyOf(field), label: name.slice(0, 100), type }],
  );
  if (!settings.dryRun) await addAttributes(tx, given, at);
  const known = new Map((await listAttributes(tx)).map((one) => [one.key, one.type]));
  const columns = settings.columns.map((column) => {
    const type = column.type === null ? null : (known.get(keyOf(column.field)) ?? column.type);
    return { ...column, type };
  });
  return { ...settings, columns };
}

function announce({ news }: ImportRunDeps, tx: Tx, id: string): void {
  tx.afterCommit(() => news.publish(tx.workspaceId, { kind: 'import', id }));
}

type End = 'done' | 'failed' | 'cancelled';

function end(deps: ImportRunDeps, job: ImportJob, state: End, failure: string | null = null): Promise<void> {
  return deps.db.transaction(job.workspaceId, async (tx) => {
    const at = deps.clock.now();
    if (!(await store.endImport(tx, job.importId, { state, failure, at }))) return;
    const row = await store.findImport(tx, job.importId);
    if (row === undefined) return;
    const { created, updated, unchanged, rejected } = row;
    const data = { importId: row.id, state, created, updated, unchanged, rejected };
    await deps.activity.append(tx, [{ kind: 'import.ended', occurredAt: at, data }]);
    announce(deps, tx, row.id);
  });
}

/** Undefined when there is nothing to do (any more). */
function start(deps: ImportRunDeps, job: ImportJob): Promise<Started | 'cancelled' | 'stalled' | undefined> {
  const { db, clock, vault } = deps;
  return db.transaction(job.workspaceId, async (tx) => {
    const row = await store.findImport(tx, job.importId, true);
    if (row === undefined || row.state !== 'running') return undefined;
    if (row.cancelRequested) return 'cancelled';
    if (row.stalls >= maxStalls) return 'stalled';
    await store.markStarted(tx, row.id, clock.now());
    const { dryRun } = row.settings;
    if (dryRun) await store.startOver(tx, row.id);
    announce(deps, tx, row.id);
    const settings = await settleTypes(tx, row.settings, clock.now());
    return { row: dryRun ? { ...row, cursor: null } : row, settings, keys: await vault.keys(tx) };
  });
}

/**
 * Page after page: while the database works on one, the next is on its way in and the one after it is read, parsed,
 * indexed and sealed. Never more than two are in the database at once.
 */
async function work(deps: ImportRunDeps, job: ImportJob, started: Started, signal: AbortSignal): Promise<void> {
  const pageDeps = { ...deps, announce: (tx: Tx, id: string) => announce(deps, tx, id) };
  let mostlyNew = true;
  let from = started.row.cursor;
  let before: PageWork['before'];
  const isRepeat = createSeen();
  const read = started.row.bytesTotal < deps.asideBytes ? readPages : readPagesAside;
  const pages = read(deps, started, () => mostlyNew);
  try {
    let next = pages.next();
    for (;;) {
      const { value: page, done } = await next;
      const last = before;
      if (done !== true) {
        signal.throwIfAborted();
        next = pages.next();
        const marks = marksOf(page);
        const outcome = commitPage(pageDeps, job.workspaceId, { started, page, marks, from, isRepeat, before });
        metLater(next, outcome);
        before = { marks, outcome };
        from = page.end;
      }
      const ended = await last?.outcome;
      if (ended?.cancelled === true) return await end(deps, job, 'cancelled');
      if (done === true) return await end(deps, job, 'done');
      mostlyNew = ended?.isNew ?? mostlyNew;
    }
  } finally {
    // Nothing may still be writing when the import is handed to somebody else.
    await Promise.allSettled([before?.outcome]);
    await pages.return(undefined);
  }
}

/** A failure of what is on its way is met when its turn comes; until then it must not end the process. */
function metLater(...ahead: readonly Promise<unknown>[]): void {
  for (const one of ahead) one.catch(() => undefined);
}

/** The uploaded file is personal data in the clear: it stays only while refused rows may be asked for with their cells. */
async function dropUpload({ db, objects }: ImportRunDeps, job: ImportJob): Promise<void> {
  const row = await db.read(job.workspaceId, (tx) => store.findImport(tx, job.importId));
  if (row === undefined || row.state === 'running' || row.rejected > 0 || !row.uploadKept) return;
  await objects.remove(row.objectKey);
  await db.transaction(job.workspaceId, (tx) => store.markUploadGone(tx, row.id));
}

async function runOnce(deps: ImportRunDeps, job: ImportJob, signal: AbortSignal): Promise<void> {
  const started = await start(deps, job);
  if (started === undefined) return;
  if (started === 'cancelled') return end(deps, job, 'cancelled');
  if (started === 'stalled')
    return end(deps, job, 'failed', `It stopped ${maxStalls} times at the same place. The log of the server says why.`);
  deps.log.info({ importId: job.importId, offset: started.row.cursor?.offset ?? 0 }, 'an import runs');
  try {
    await work(deps, job, started, signal);
  } catch (error) {
    if (error instanceof OvertakenError) return;
    // Refusals will not go away by trying again; anything else is tried again from the last whole page.
    if (!(error instanceof UnreadableFileError) && !(error instanceof AppError)) throw error;
    await end(deps, job, 'failed', error.message);
  }
}

/**
 * Runs imports. A page is one transaction: its contacts, its consent, its refusals, its counts and the place in
 * the file move together or not at all, so a run that died is taken up where it was, by any process.
 */
export function createImportRun(deps: ImportRunDeps) {
  return async (job: ImportJob, signal: AbortSignal): Promise<void> => {
    await runOnce(deps, job, signal);
    await dropUpload(deps, job);
  };
}

const keptDays = 7;

/** Part of the daily tidy-up: files of imports that ended a week ago. */
export async function forgetUploads(
  { db, objects }: Pick<ImportRunDeps, 'db' | 'objects'>,
  workspaceId: string,
  now: Temporal.Instant,
): Promise<void> {
  const old = await db.read(workspaceId, (tx) => store.keptUploads(tx, now.subtract({ hours: 24 * keptDays })));
  for (const { id, objectKey } of old) {
    await objects.remove(objectKey);
    await db.transaction(workspaceId, (tx) => store.markUploadGone(tx, id));
  }
}
