import type { AccountNews, AccountReceipts, InboundMessage, Receipt } from '../channels/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import type { Vault } from '../platform/sealing.ts';
import * as store from './callback.store.ts';
import type { CallbackRow, Mark } from './callback.store.ts';
import { openCallback } from './callbacks.ts';
import { mailProvider, readMail } from './mail-back.ts';

export interface ReaderDeps {
  /** With pinned plans. */
  readonly db: Db;
  readonly clock: Clock;
  readonly vault: Pick<Vault, 'keys'>;
  readonly log: Log;
  receiptsFor(tx: Tx, accountId: string): Promise<AccountReceipts | undefined>;
  /** Moves messages on; answers what is about none that is known. */
  applyReceipts(
    tx: Tx,
    accountId: string,
    receipts: readonly Receipt[],
  ): Promise<{ readonly unmatched: readonly Receipt[] }>;
  takeReply(tx: Tx, accountId: string, reply: InboundMessage): Promise<void>;
  /** Somebody used the vendor's own way of leaving. */
  unsubscribe(tx: Tx, messageIds: readonly string[]): Promise<void>;
  takeNews(tx: Tx, accountId: string, news: readonly AccountNews[]): Promise<void>;
}

export interface CallbackReader {
  start(): void;
  wake(): void;
  stop(): Promise<void>;
  /** Reads everything that is due now; for tests and commands. */
  drain(): Promise<void>;
}

const pageSize = 100;
const pollMs = 5_000;
const troubleMs = 1_000;
/** A receipt may overtake the commit of its own message, or the vendor's answer itself. */
const earlyPausesMs = [500, 5_000, 60_000, 600_000];
const mostFailures = 6;

/** Reads what was kept: in bulk, each fact once, in whatever order it came. */
export function createCallbackReader(deps: ReaderDeps): CallbackReader {
  const stopping = new AbortController();
  let ring: () => void = () => undefined;
  let rung = false;
  let loop: Promise<void> | undefined;

  const round = async (): Promise<boolean> => {
    const workspaces = await deps.db.system((tx) => store.callbackWork(tx, deps.clock.now(), 20));
    for (const workspaceId of workspaces) if (!stopping.signal.aborted) await readPage(deps, workspaceId);
    return workspaces.length > 0;
  };

  const main = async () => {
    while (!stopping.signal.aborted) {
      rung = false;
      const worked = await round().catch(async (error: unknown) => {
        deps.log.error(
          { reason: error instanceof Error ? error.message : String(error) },
          'callbacks could not be read',
        );
        await deps.clock.sleep(troubleMs, stopping.signal);
        return true;
      });
      if (worked || rung) continue;
      const slept = new AbortController();
      await Promise.race([
        new Promise<void>((resolve) => (ring = resolve)),
        deps.clock.sleep(pollMs, AbortSignal.any([slept.signal, stopping.signal])),
      ]);
      slept.abort();
    }
  };

  const wake = () => {
    rung = true;
    ring();
  };
  return {
    start: () => void (loop ??= main()),
    wake,
    stop: async () => {
      stopping.abort();
      wake();
      await loop;
    },
    drain: async () => {
      while (await round());
    },
  };
}

/** A page in one transaction; when it fails, each by itself, so that one that cannot be read stops no other. */
async function readPage(deps: ReaderDeps, workspaceId: string): Promise<void> {
  try {
    await deps.db.transaction(workspaceId, async (tx) => {
      const rows = await store.takeCallbacks(tx, deps.clock.now(), pageSize);
      const groups = Map.groupBy(rows, (row) => `${row.accountId} ${row.provider === mailProvider}`);
      for (const list of groups.values()) await readAll(tx, deps, list[0]?.accountId ?? '', list);
    });
  } catch (error) {
    deps.log.warn({ reason: error instanceof Error ? error.message : String(error) }, 'callbacks are read one by one');
    await readOneByOne(deps, workspaceId);
  }
}

async function readOneByOne(deps: ReaderDeps, workspaceId: string): Promise<void> {
  const rows = await deps.db.read(workspaceId, (tx) => store.peekCallbacks(tx, deps.clock.now(), pageSize));
  for (const row of rows) {
    try {
      await deps.db.transaction(workspaceId, async (tx) => {
        if (await store.lockCallback(tx, row.id)) await readAll(tx, deps, row.accountId, [row]);
      });
    } catch (error) {
      const isLast = row.tries + 1 >= mostFailures;
      deps.log.error({ callback: row.id, provider: row.provider, isLast, err: error }, 'a callback could not be read');
      const dueAt = isLast ? 'infinity' : deps.clock.now().add({ seconds: 10 * 4 ** row.tries });
      await deps.db.transaction(workspaceId, (tx) => store.postponeCallback(tx, row.id, dueAt));
    }
  }
}

interface Read {
  readonly row: CallbackRow;
  readonly receipts: readonly { readonly mark: Mark; readonly receipt: Receipt }[];
  readonly replies: readonly { readonly mark: Mark; readonly reply: InboundMessage }[];
  readonly news: readonly { readonly mark: Mark; readonly item: AccountNews }[];
}

async function readAll(tx: Tx, deps: ReaderDeps, accountId: string, rows: readonly CallbackRow[]): Promise<void> {
  const isMail = rows[0]?.provider === mailProvider;
  const reader = isMail ? { read: readMail } : await deps.receiptsFor(tx, accountId);
  if (reader === undefined)
    return store.deleteCallbacks(
      tx,
      rows.map((row) => row.id),
    );
  const keys = await deps.vault.keys(tx);
  const read: Read[] = [];
  for (const row of rows) {
    const told = await reader.read(openCallback(keys, row.id, row.sealed));
    read.push({
      row,
      receipts: told.receipts.map((receipt) => ({ mark: store.markOf('receipt', receipt.key), receipt })),
      replies: told.inbound.map((reply) => ({ mark: store.markOf('inbound', reply.key), reply })),
      news: told.news.map((item) => ({ mark: store.markOf('news', item.key), item })),
    });
  }
  const isNew = await unseen(tx, deps, accountId, read);
  const early = await applyAll(tx, deps, accountId, read, isNew);
  for (const { reply } of read.flatMap((one) => one.replies).filter(isNew)) await deps.takeReply(tx, accountId, reply);
  const news = read.flatMap((one) => one.news).filter(isNew);
  await deps.takeNews(
    tx,
    accountId,
    news.map(({ item }) => item),
  );
  await store.deleteCallbacks(
    tx,
    rows.flatMap((row) => (early.has(row.id) ? [] : [row.id])),
  );
}

/** A test of what is told for the first time; true once for each fact. */
async function unseen(tx: Tx, deps: ReaderDeps, accountId: string, read: readonly Read[]) {
  const all = read.flatMap((one) => [...one.receipts, ...one.replies, ...one.news]);
  const fresh = new Set(
    await store.addMarks(
      tx,
      accountId,
      all.map(({ mark }) => mark),
      deps.clock.now(),
    ),
  );
  return ({ mark }: { readonly mark: Mark }): boolean => fresh.delete(mark.toString('hex'));
}

/** Answers the callbacks that are to be read again: they speak of messages nobody knows yet. */
async function applyAll(
  tx: Tx,
  deps: ReaderDeps,
  accountId: string,
  read: readonly Read[],
  isNew: (one: { readonly mark: Mark }) => boolean,
): Promise<ReadonlySet<string>> {
  const told = read.flatMap(({ row, receipts }) => receipts.filter(isNew).map((one) => ({ ...one, row })));
  if (told.length === 0) return new Set();
  const receipts = told.map((one) => one.receipt);
  const unmatched = new Set((await deps.applyReceipts(tx, accountId, receipts)).unmatched);
  const left = receipts.filter((one) => one.kind === 'unsubscribed' && !unmatched.has(one));
  await deps.unsubscribe(
    tx,
    left.flatMap((one) => one.messageId ?? []),
  );
  const early = told.filter(({ receipt, row }) => unmatched.has(receipt) && row.tries < earlyPausesMs.length);
  await store.dropMarks(
    tx,
    accountId,
    early.map(({ mark }) => mark),
  );
  const again = new Map(early.map(({ row }) => [row.id, row]));
  for (const row of again.values())
    await store.postponeCallback(tx, row.id, deps.clock.now().add({ milliseconds: earlyPausesMs[row.tries] ?? 0 }));
  return new Set(again.keys());
}
