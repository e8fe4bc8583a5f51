import type { Activity } from '../activity/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import type { Page, Started } from './import-pages.ts';
import * as store from './import.store.ts';
import type { Counts, Cursor } from './import.store.ts';
import type { AudiencePorts } from './ports.ts';
import { PageRaceError, upsertPage } from './upsert.ts';
import type { Prepared, Upserted } from './upsert.ts';

export interface PageDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly activity: Pick<Activity, 'append'>;
  readonly ports: Pick<AudiencePorts, 'afterImportPage'>;
  /** Tells open screens, once the page is in. */
  announce(tx: Tx, importId: string): void;
}

/** Another worker has this import; what was done of the page is undone. */
export class OvertakenError extends Error {}

/** The page before was the last one: somebody cancelled the import. */
export class CancelledError extends Error {}

/** Fingerprints of the people a dry run has seen: it writes none, so a later page could not find them. */
export function createSeen(): (one: Prepared) => boolean {
  const seen = new Set<number | string>();
  return (one) => {
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

function countsOf(plan: Upserted['plan'], refusedRows: number, repeats: readonly boolean[]): Counts {
  const counts = { created: 0, updated: 0, unchanged: 0, rejected: refusedRows };
  plan.outcomes.forEach(({ outcome }, at) => {
    counts[outcome === 'created' && repeats[at] === true ? 'updated' : outcome] += 1;
  });
  return counts;
}

function retryable(error: unknown): boolean {
  if (error instanceof PageRaceError) return true;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  // Deadlock, serialization failure, unique violation: each means that somebody else wrote the same contacts.
  return code === '40P01' || code === '40001' || code === '23505';
}

export interface PageOutcome {
  readonly cancelled: boolean;
  /** Most rows were new. */
  readonly isNew: boolean;
}

export interface PageWork {
  readonly started: Started;
  readonly page: Page;
  readonly marks: ReadonlySet<string>;
  /** Where the page before ended; null before the first. */
  readonly from: Cursor | null;
  readonly isRepeat: (one: Prepared) => boolean;
  /** The page before, which may still be on its way in. */
  readonly before: { readonly marks: ReadonlySet<string>; readonly outcome: Promise<PageOutcome> } | undefined;
}

/** What the rows of a page go by. Kinds are not told apart: two that only look alike cost a wait, nothing else. */
export function marksOf({ prepared }: Page): ReadonlySet<string> {
  const marks = new Set<string>();
  for (const { given } of prepared) {
    for (const { address } of given.addresses) marks.add(address.matchKey);
    if (given.externalId !== undefined) marks.add(given.externalId);
  }
  return marks;
}

/** Waits until the page before is in: the ledger of consent, the counts and the cursor move in the order of the file. */
async function takeTurn({ before }: PageWork): Promise<void> {
  if ((await before?.outcome)?.cancelled === true) throw new CancelledError('the import was cancelled');
}

async function recordConsent(deps: PageDeps, tx: Tx, started: Started, touched: Upserted['touched']): Promise<void> {
  const { consent } = started.settings;
  if (consent === null || touched.length === 0) return;
  const { channel, topicId, basis, evidence } = consent;
  const at = Temporal.Instant.from(consent.at);
  const page = { importId: started.row.id, channel, topicId, basis, evidence, at, addresses: touched };
  await deps.ports.afterImportPage(tx, page);
}

/** One event a page, with its contacts: a million events that say the same would help nobody. */
async function announceContacts(deps: PageDeps, tx: Tx, importId: string, plan: Upserted['plan']): Promise<void> {
  const created = plan.created.map((one) => one.id);
  const updated = plan.updated.map((one) => one.id);
  if (created.length + updated.length === 0) return;
  const data = { importId, created, updated };
  await deps.activity.append(tx, [{ kind: 'contacts.imported', occurredAt: deps.clock.now(), data }]);
}

async function writePage(deps: PageDeps, tx: Tx, work: PageWork): Promise<PageOutcome> {
  const { started, page, from, isRepeat } = work;
  const { settings, row, keys } = started;
  // New people, named nowhere in the page before, need not wait for it; whoever is known may be in it by another address.
  const mayWrite = (isEverybodyNew: boolean) => (isEverybodyNew ? Promise.resolve() : takeTurn(work));
  const { plan, touched } = await upsertPage(tx, keys, page.prepared, deps.clock.now(), !settings.dryRun && mayWrite);
  await takeTurn(work);
  const counts = countsOf(plan, page.refusedRows, settings.dryRun ? page.prepared.map(isRepeat) : []);
  const refused = plan.outcomes.flatMap((one) =>
    one.outcome === 'rejected' ? one.problems.map((problem) => ({ line: one.line, ...problem })) : [],
  );
  await store.insertRejections(tx, row.id, [...page.rejections, ...refused]);
  await recordConsent(deps, tx, started, touched);
  if (!settings.dryRun) await announceContacts(deps, tx, row.id, plan);
  const moved = await store.moveCursor(tx, row.id, from, page.end, counts);
  if (moved === undefined) throw new OvertakenError('another worker has this import');
  deps.announce(tx, row.id);
  return { cancelled: moved.cancelRequested, isNew: counts.created * 2 > page.prepared.length };
}

const maxRaces = 5;

/**
 * One page in one transaction. One that met another writer is looked up and planned again. Its people go in while the
 * page before still writes its consents, where neither can be in the other's way.
 */
export async function commitPage(deps: PageDeps, workspaceId: string, work: PageWork): Promise<PageOutcome> {
  // Two pages that name nobody in common can be written side by side without ever waiting for each other's rows.
  if (work.before !== undefined && !work.before.marks.isDisjointFrom(work.marks)) await takeTurn(work);
  for (let race = 0; ; race++) {
    try {
      return await deps.db.transaction(workspaceId, (tx) => writePage(deps, tx, work));
    } catch (error) {
      // The other one has ended by now (an insert waits for it), so there is nothing to wait for.
      if (!retryable(error) || race >= maxRaces) throw error;
    }
  }
}
