import type { Activity } from '../activity/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import type { NewsDesk } from '../platform/news.ts';
import type { ObjectStore } from '../platform/objects.ts';
import type { Vault, WorkspaceKeys } from '../platform/sealing.ts';
import { addAttributes, listAttributes } from './attribute.store.ts';
import { isRecord, readRecords, UnreadableFileError } from './import-reader.ts';
import { rowReader } from './import-row.rules.ts';
import type { RowRead } from './import-row.rules.ts';
import * as store from './import.store.ts';
import type { Counts, Cursor, ImportRow, ImportSettings, Rejection } from './import.store.ts';
import type { AudiencePorts } from './ports.ts';
import { PageRaceError, prepare, upsertPage } from './upsert.ts';
import type { Prepared, Upserted } from './upsert.ts';

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
  readonly pageRows?: number;
}

export interface ImportJob {
  readonly workspaceId: string;
  readonly importId: string;
}

const defaultPageRows = 2000;
const maxStalls = 5;
const maxRaces = 5;

interface Page {
  readonly prepared: readonly Prepared[];
  readonly rejections: readonly Rejection[];
  readonly refusedRows: number;
  readonly end: Cursor;
}

/** Fingerprints of the people a dry run has seen: it writes none, so a later page could not find them. */
function createSeen() {
  const seen = new Set<number | string>();
  return (one: Prepared): boolean => {
    // 48 bits of a keyed hash: two of a million people share one with a chance of 1 in 500.
    const marks = [
      ...one.hashes.map((index) => index.hash.readUIntBE(0, 6)),
      ...(one.given.externalId === undefined ? [] : [one.given.externalId]),
    ];
    const isKnown = marks.some((mark) => seen.has(mark));
    for (const mark of marks) seen.add(mark);
    return isKnown;
  };
}

/** The types that count: those of attributes that were defined before, or by the first to import them. */
async function settleTypes(tx: Tx, settings: ImportSettings, at: Temporal.Instant): Promise<ImportSettings> {
  const given = settings.columns.flatMap(({ name, field, type }) =>
    type === null ? [] : [{ key: field.slice('attributes.'.length), label: name.slice(0, 100), type }],
  );
  if (!settings.dryRun) await addAttributes(tx, given, at);
  const known = new Map((await listAttributes(tx)).map((one) => [one.key, one.type]));
  const columns = settings.columns.map((column) => ({
    ...column,
    type: column.type === null ? null : (known.get(column.field.slice('attributes.'.length)) ?? column.type),
  }));
  return { ...settings, columns };
}

function retryable(error: unknown): boolean {
  if (error instanceof PageRaceError) return true;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  // Deadlock, serialization failure, unique violation: each means that somebody else wrote the same contacts.
  return code === '40P01' || code === '40001' || code === '23505';
}

type Started = { readonly row: ImportRow; readonly settings: ImportSettings; readonly keys: WorkspaceKeys };

/**
 * Runs imports. A page is one transaction: its contacts, its consent, its refusals, its counts and the place in
 * the file move together or not at all, so a run that died is taken up where it was, by any process. While the
 * database works on one page, the next is read, parsed, indexed and sealed.
 */
export function createImportRun(deps: ImportRunDeps) {
  const { db, clock, vault, objects, activity, ports, news, log } = deps;
  const pageRows = deps.pageRows ?? defaultPageRows;

  const announce = (tx: Tx, id: string) => tx.afterCommit(() => news.publish(tx.workspaceId, { kind: 'import', id }));

  const end = (job: ImportJob, state: 'done' | 'failed' | 'cancelled', failure: string | null = null) =>
    db.transaction(job.workspaceId, async (tx) => {
      const ended = await store.endImport(tx, job.importId, { state, failure, at: clock.now() });
      const row = ended ? await store.findImport(tx, job.importId) : undefined;
      if (row === undefined) return;
      const { created, updated, unchanged, rejected } = row;
      const data = { importId: row.id, state, created, updated, unchanged, rejected };
      await activity.append(tx, [{ kind: 'import.ended', occurredAt: clock.now(), data }]);
      announce(tx, row.id);
    });

  /** Undefined when there is nothing to do (any more). */
  const start = (job: ImportJob): Promise<Started | 'cancelled' | 'stalled' | undefined> =>
    db.transaction(job.workspaceId, async (tx) => {
      const row = await store.findImport(tx, job.importId, true);
      if (row === undefined || row.state !== 'running') return undefined;
      if (row.cancelRequested) return 'cancelled';
      if (row.stalls >= maxStalls) return 'stalled';
      await store.markStarted(tx, row.id, clock.now());
      if (row.settings.dryRun) await store.startOver(tx, row.id);
      announce(tx, row.id);
      const settings = await settleTypes(tx, row.settings, clock.now());
      return { row: row.settings.dryRun ? { ...row, cursor: null } : row, settings, keys: await vault.keys(tx) };
    });

  async function* pages({ row, settings, keys }: Started, mostlyNew: () => boolean): AsyncGenerator<Page> {
    const from = row.cursor ?? settings.start;
    const read = rowReader({ columns: settings.columns, defaultCountry: settings.defaultCountry ?? undefined });
    let page: { prepared: Prepared[]; rejections: Rejection[]; refusedRows: number } = {
      prepared: [],
      rejections: [],
      refusedRows: 0,
    };
    let last = from;
    let isHeader = row.cursor === null;
    const take = (result: RowRead, line: number) => {
      if (result.kind === 'contact')
        page.prepared.push(prepare(keys, clock, result.contact, newId(clock), !settings.dryRun && mostlyNew()));
      if (result.kind !== 'refused') return;
      page.refusedRows += 1;
      page.rejections.push(...result.problems.map((problem) => ({ line, ...problem })));
    };
    for await (const item of readRecords(objects.read(row.objectKey, from.offset), settings, from)) {
      last = item.end;
      if (isHeader) isHeader = false;
      else if (isRecord(item)) take(read(item.cells, item.line), item.line);
      else
        take(
          { kind: 'refused', problems: [{ field: 'row', reason: 'opens a quote that is never closed' }] },
          item.line,
        );
      if (page.prepared.length + page.refusedRows < pageRows) continue;
      yield { ...page, end: last };
      page = { prepared: [], rejections: [], refusedRows: 0 };
    }
    if (page.prepared.length + page.refusedRows > 0) yield { ...page, end: last };
  }

  const writePage = async (
    tx: Tx,
    started: Started,
    page: Page,
    from: Cursor | null,
    isRepeat: (one: Prepared) => boolean,
  ) => {
    const { settings, row, keys } = started;
    const { prepared } = page;
    const { plan, touched } = await upsertPage(tx, keys, prepared, clock.now(), !settings.dryRun);
    const counts = countsOf(plan, page.refusedRows, settings.dryRun ? prepared.map(isRepeat) : []);
    const refused = plan.outcomes.flatMap((one) =>
      one.outcome === 'rejected' ? one.problems.map((problem) => ({ line: one.line, ...problem })) : [],
    );
    await store.insertRejections(tx, row.id, [...page.rejections, ...refused]);
    if (settings.consent !== null && touched.length > 0) {
      const { channel, topicId, basis, evidence, at } = settings.consent;
      const page = {
        importId: row.id,
        channel,
        topicId,
        basis,
        evidence,
        at: Temporal.Instant.from(at),
        addresses: touched,
      };
      await ports.afterImportPage(tx, page);
    }
    const moved = await store.moveCursor(tx, row.id, from, page.end, counts);
    if (moved === undefined) return 'overtaken';
    const changed = { created: plan.created.map((one) => one.id), updated: plan.updated.map((one) => one.id) };
    if (!settings.dryRun && changed.created.length + changed.updated.length > 0)
      await activity.append(tx, [
        { kind: 'contacts.imported', occurredAt: clock.now(), data: { importId: row.id, ...changed } },
      ]);
    announce(tx, row.id);
    return { cancelled: moved.cancelRequested, isNew: counts.created * 2 > prepared.length };
  };

  /** A page that met another writer is looked up and planned again. */
  const commitPage = async (
    job: ImportJob,
    started: Started,
    page: Page,
    from: Cursor | null,
    isRepeat: (one: Prepared) => boolean,
  ) => {
    for (let race = 0; ; race++) {
      try {
        return await db.transaction(job.workspaceId, (tx) => writePage(tx, started, page, from, isRepeat));
      } catch (error) {
        // The other one has ended by now (an insert waits for it), so there is nothing to wait for.
        if (!retryable(error) || race >= maxRaces) throw error;
      }
    }
  };

  const work = async (job: ImportJob, started: Started, signal: AbortSignal): Promise<void> => {
    let mostlyNew = true;
    let from = started.row.cursor;
    const isRepeat = createSeen();
    const source = pages(started, () => mostlyNew);
    try {
      let next = source.next();
      for (;;) {
        const { value: page, done } = await next;
        if (done === true) break;
        signal.throwIfAborted();
        next = source.next();
        // Its failure is met when its turn comes; until then it must not end the process.
        next.catch(() => undefined);
        const outcome = await commitPage(job, started, page, from, isRepeat);
        if (outcome === 'overtaken') return;
        from = page.end;
        mostlyNew = outcome.isNew;
        if (outcome.cancelled) return await end(job, 'cancelled');
      }
      await end(job, 'done');
    } finally {
      await source.return(undefined);
    }
  };

  return async (job: ImportJob, signal: AbortSignal): Promise<void> => {
    const started = await start(job);
    if (started === undefined) return;
    if (started === 'cancelled') return end(job, 'cancelled');
    if (started === 'stalled')
      return end(job, 'failed', `It stopped ${maxStalls} times at the same place. The log of the server says why.`);
    log.info({ importId: job.importId, offset: started.row.cursor?.offset ?? 0 }, 'an import runs');
    try {
      await work(job, started, signal);
    } catch (error) {
      if (!(error instanceof UnreadableFileError)) throw error;
      await end(job, 'failed', error.message);
    }
    await dropUpload(deps, job);
  };
}

/** The uploaded file is personal data in the clear: it stays only while refused rows may be asked for with their cells. */
async function dropUpload({ db, objects }: Pick<ImportRunDeps, 'db' | 'objects'>, job: ImportJob): Promise<void> {
  const row = await db.read(job.workspaceId, (tx) => store.findImport(tx, job.importId));
  if (row === undefined || row.state === 'running' || row.rejected > 0 || !row.uploadKept) return;
  await objects.remove(row.objectKey);
  await db.transaction(job.workspaceId, (tx) => store.markUploadGone(tx, row.id));
}

function countsOf(plan: Upserted['plan'], refusedRows: number, repeats: readonly boolean[]): Counts {
  const counts = { created: 0, updated: 0, unchanged: 0, rejected: refusedRows };
  plan.outcomes.forEach(({ outcome }, at) => {
    counts[outcome === 'created' && repeats[at] === true ? 'updated' : outcome] += 1;
  });
  return counts;
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
