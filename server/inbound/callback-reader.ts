import type { Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import * as store from './callback.store.ts';
import { readPage } from './callback-page.ts';
import type { PageDeps } from './callback-page.ts';

export interface ReaderDeps extends PageDeps {
  /** With pinned plans. */
  readonly db: Db;
  readonly log: Log;
  /** Rings for the readers of other processes, where none runs in this one. */
  announce?(): void;
}

export interface CallbackReader {
  start(): void;
  /** There is something to read. */
  wake(): void;
  stop(): Promise<void>;
  /** Reads everything that is due now; for tests and commands. */
  drain(): Promise<void>;
}

/** Pages read side by side in a workspace: while one waits for the database, the other is read. */
const lanes = 2;
/** Facts in a page: enough to share the cost of a transaction, few enough that nobody waits long for its locks. */
const factsAPage = 2_000;
const mostRows = 500;
/** Then the other workspaces have their turn. */
const pagesInTurn = 20;
const workspacesInTurn = 20;
/** After a page that was not full, so that what trickles in is read together. */
const gatherMs = 20;
/** Whoever stores rings; this is for bells that were not heard. */
const idleMs = 30_000;
const troubleMs = 1_000;
/** What is due is held by another process. */
const heldMs = 250;
const mostFailures = 6;

/** How many callbacks make a page, by what those before them told: a vendor sends one event a request or thousands. */
interface Pace {
  rows(): number;
  note(rows: number, facts: number): void;
}

function createPace(): Pace {
  let perRow = factsAPage / 4;
  return {
    rows: () => Math.max(1, Math.min(mostRows, Math.floor(factsAPage / perRow))),
    note: (rows, facts) => {
      const seen = Math.max(1, facts / rows);
      perRow = seen > perRow ? seen : (seen + perRow) / 2;
    },
  };
}

interface Round {
  readonly read: number;
  /** More may be there than was looked at. */
  readonly isFull: boolean;
  /** How long nothing is known to be due. */
  readonly restMs: number;
}

/** Everywhere once: a turn of each workspace that has something due. */
function createRound(deps: ReaderDeps, stop: AbortSignal): () => Promise<Round> {
  const { clock, db } = deps;
  const pace = createPace();

  /** A short page may be the last of its account only: the first lane looks whether there is another. */
  const readOn = async (workspaceId: string, lane: number): Promise<{ read: number; isFull: boolean }> => {
    let read = 0;
    for (let page = 0; page < pagesInTurn && !stop.aborted; page++) {
      const most = pace.rows();
      const rows = await takePage(deps, workspaceId, most, pace);
      read += rows;
      if (rows === 0 || (rows < most && lane > 0)) return { read, isFull: false };
    }
    return { read, isFull: true };
  };

  /** Both lanes have ended when this has, whatever became of them. */
  const readWorkspace = async (workspaceId: string) => {
    const ends = await Promise.allSettled(Array.from({ length: lanes }, (_, lane) => readOn(workspaceId, lane)));
    return ends.map((end) => {
      if (end.status === 'rejected') throw end.reason;
      return end.value;
    });
  };

  return async () => {
    const work = await db.system((tx) => store.callbackWork(tx, workspacesInTurn));
    const now = clock.now();
    const waitMs = (one: store.Work) => one.dueAt.epochMilliseconds - now.epochMilliseconds;
    const due = work.filter((one) => waitMs(one) <= 0);
    let read = 0;
    let isFull = work.length === workspacesInTurn;
    for (const { workspaceId } of due) {
      if (stop.aborted) break;
      const ends = await readWorkspace(workspaceId);
      read += ends.reduce((sum, one) => sum + one.read, 0);
      isFull ||= ends.some((one) => one.isFull);
    }
    const next = work.find((one) => waitMs(one) > 0);
    const restMs = due.length > 0 && read === 0 ? heldMs : Math.min(idleMs, next === undefined ? idleMs : waitMs(next));
    return { read, isFull, restMs };
  };
}

/** Reads what was kept: in bulk, each fact once, in whatever order it came. */
export function createCallbackReader(deps: ReaderDeps): CallbackReader {
  const { clock, log } = deps;
  const stopping = new AbortController();
  const round = createRound(deps, stopping.signal);
  let ring: () => void = () => undefined;
  let rung = false;
  let loop: Promise<void> | undefined;

  const rest = async (ms: number) => {
    const slept = new AbortController();
    const heard = new Promise<void>((resolve) => (ring = resolve));
    if (!rung && !stopping.signal.aborted)
      await Promise.race([heard, clock.sleep(ms, AbortSignal.any([slept.signal, stopping.signal]))]);
    slept.abort();
  };

  const main = async () => {
    while (!stopping.signal.aborted) {
      rung = false;
      const ended = await round().catch((error: unknown) => {
        log.error({ reason: error instanceof Error ? error.message : String(error) }, 'callbacks could not be read');
        return undefined;
      });
      if (ended === undefined) await clock.sleep(troubleMs, stopping.signal);
      else if (ended.read === 0) await rest(ended.restMs);
      else if (!ended.isFull) await clock.sleep(gatherMs, stopping.signal);
    }
  };

  return {
    start: () => void (loop ??= main()),
    wake: () => {
      if (loop === undefined) deps.announce?.();
      rung = true;
      ring();
    },
    stop: async () => {
      stopping.abort();
      ring();
      await loop;
    },
    drain: async () => {
      while ((await round()).read > 0);
    },
  };
}

/**
 * A page in one transaction; when it fails, each by itself, so that one that cannot be read stops no other. Answers how
 * many callbacks were read.
 */
async function takePage(deps: ReaderDeps, workspaceId: string, most: number, pace: Pace): Promise<number> {
  try {
    return await deps.db.eager(workspaceId, async (tx) => {
      const rows = await store.takeCallbacks(tx, deps.clock.now(), most);
      if (rows.length > 0) pace.note(rows.length, await readPage(tx, deps, rows));
      return rows.length;
    });
  } catch (error) {
    deps.log.warn({ reason: error instanceof Error ? error.message : String(error) }, 'callbacks are read one by one');
    return readOneByOne(deps, workspaceId, most);
  }
}

async function readOneByOne(deps: ReaderDeps, workspaceId: string, most: number): Promise<number> {
  const rows = await deps.db.read(workspaceId, (tx) => store.peekCallbacks(tx, deps.clock.now(), most));
  for (const row of rows) {
    try {
      await deps.db.transaction(workspaceId, async (tx) => {
        if (await store.lockCallback(tx, row.id, deps.clock.now())) await readPage(tx, deps, [row]);
      });
    } catch (error) {
      const isLast = row.tries + 1 >= mostFailures;
      deps.log.error({ callback: row.id, provider: row.provider, isLast, err: error }, 'a callback could not be read');
      const dueAt = isLast ? undefined : deps.clock.now().add({ seconds: 10 * 4 ** row.tries });
      await deps.db.transaction(workspaceId, (tx) => store.postponeCallbacks(tx, [{ id: row.id, dueAt }]));
    }
  }
  return rows.length;
}
