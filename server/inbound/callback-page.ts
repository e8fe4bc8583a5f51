import type { AccountNews, AccountReceipts, Callback, InboundMessage, Receipt, Told } from '../channels/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import type { Vault } from '../platform/sealing.ts';
import * as store from './callback.store.ts';
import type { CallbackRow, Mark } from './callback.store.ts';
import { openCallback } from './callbacks.ts';
import { mailProvider, readMail } from './mail-back.ts';

export interface PageDeps {
  readonly clock: Clock;
  readonly vault: Pick<Vault, 'keys'>;
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

/** A receipt may overtake the commit of its own message, or the vendor's answer itself. */
const earlyPausesMs = [500, 5_000, 60_000, 600_000];

interface Read {
  readonly row: CallbackRow;
  readonly receipts: readonly { readonly mark: Mark; readonly receipt: Receipt }[];
  readonly replies: readonly { readonly mark: Mark; readonly reply: InboundMessage }[];
  readonly news: readonly { readonly mark: Mark; readonly item: AccountNews }[];
}

type IsNew = (one: { readonly mark: Mark }) => boolean;

/**
 * Reads callbacks of one account, each fact once, in the transaction that holds them. Answers how many facts they told,
 * new or not.
 */
export async function readPage(tx: Tx, deps: PageDeps, rows: readonly CallbackRow[]): Promise<number> {
  const [first] = rows;
  if (first === undefined) return 0;
  const { accountId } = first;
  const reader = first.provider === mailProvider ? { read: readMail } : await deps.receiptsFor(tx, accountId);
  const read = reader === undefined ? [] : await readRows(tx, deps, reader, rows);
  const facts = read.flatMap((one) => [...one.receipts, ...one.replies, ...one.news]);
  const isNew = await unseen(tx, deps, accountId, facts);
  const early = await applyAll(tx, deps, accountId, read, isNew);
  for (const { reply } of read.flatMap((one) => one.replies).filter(isNew)) await deps.takeReply(tx, accountId, reply);
  const news = read.flatMap((one) => one.news.filter(isNew).map(({ item }) => item));
  await deps.takeNews(tx, accountId, news);
  const done = rows.flatMap((row) => (early.has(row.id) ? [] : [row.id]));
  tx.unawaited(store.deleteCallbacks(tx, done));
  return facts.length;
}

async function readRows(
  tx: Tx,
  deps: PageDeps,
  reader: { readonly read: (callback: Callback) => Told | Promise<Told> },
  rows: readonly CallbackRow[],
): Promise<Read[]> {
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
  return read;
}

/** A test of what is told for the first time; true once for each fact. */
async function unseen(
  tx: Tx,
  deps: PageDeps,
  accountId: string,
  facts: readonly { readonly mark: Mark }[],
): Promise<IsNew> {
  const marks = facts.map(({ mark }) => mark);
  const fresh = new Set(await store.addMarks(tx, accountId, marks, deps.clock.now()));
  return ({ mark }) => fresh.delete(mark.toString('hex'));
}

/** Answers the callbacks that are to be read again: they speak of messages nobody knows yet. */
async function applyAll(
  tx: Tx,
  deps: PageDeps,
  accountId: string,
  read: readonly Read[],
  isNew: IsNew,
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
  const again = new Map(early.map(({ row }) => [row.id, row]));
  const now = deps.clock.now();
  const dueAfter = (tries: number) => now.add({ milliseconds: earlyPausesMs[tries] ?? 0 });
  const marks = early.map(({ mark }) => mark);
  const later = [...again.values()].map((row) => ({ id: row.id, dueAt: dueAfter(row.tries) }));
  tx.unawaited(store.dropMarks(tx, accountId, marks), store.postponeCallbacks(tx, later));
  return new Set(again.keys());
}
