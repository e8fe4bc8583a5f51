import type { AccountReceipts, Callback, Verdict } from '../channels/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { isId, newId } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import type { Vault, WorkspaceKeys } from '../platform/sealing.ts';
import { addMarks, insertCallbacks, markOf, workspaceOf } from './callback.store.ts';

export interface CallbacksDeps {
  /** With pinned plans. */
  readonly db: Db;
  readonly clock: Clock;
  readonly vault: Pick<Vault, 'keys'>;
  readonly log: Log;
  receiptsFor(tx: Tx, accountId: string): Promise<AccountReceipts | undefined>;
  /** Something is there to be read. */
  wake(): void;
}

export type Taken =
  { readonly kind: 'taken' } | Extract<Verdict, { kind: 'answer' | 'forged' }> | { readonly kind: 'unknown-account' };

export interface Callbacks {
  /** Resolves once a genuine callback is committed. */
  take(provider: string, accountId: string, callback: Callback): Promise<Taken>;
}

const contextOf = (id: string) => `callback:${id}`;
/** Nothing reads these, and they may hold credentials of a proxy. */
const dropped = new Set(['authorization', 'cookie', 'proxy-authorization']);

export function sealCallback(keys: WorkspaceKeys, id: string, { body, ...request }: Callback): Buffer {
  const kept = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !dropped.has(name)));
  const head = Buffer.from(JSON.stringify({ ...request, headers: kept }));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.length);
  return keys.seal(Buffer.concat([length, head, body]), contextOf(id));
}

export function openCallback(keys: WorkspaceKeys, id: string, sealed: Buffer): Callback {
  const bytes = keys.openBytes(sealed, contextOf(id));
  const end = 4 + bytes.readUInt32BE(0);
  // Sealed by `sealCallback` alone.
  const head = JSON.parse(bytes.toString('utf8', 4, end)) as Omit<Callback, 'body'>;
  return { ...head, body: bytes.subarray(end) };
}

interface Known {
  readonly workspaceId: string;
  readonly receipts: AccountReceipts;
  readonly until: number;
}

const knownMs = 5_000;
const mostKnown = 1_000;

/** Accounts that were called a moment ago: a burst of callbacks asks the database once. Bounded; changes count within seconds. */
function createAccountBook({ db, clock, receiptsFor }: CallbacksDeps) {
  const known = new Map<string, Known>();
  return async (provider: string, accountId: string): Promise<Known | undefined> => {
    if (!isId(accountId)) return undefined;
    const key = `${provider} ${accountId.toLowerCase()}`;
    const now = clock.now().epochMilliseconds;
    const there = known.get(key);
    if (there !== undefined && there.until > now) return there;
    known.delete(key);
    const workspaceId = await db.system((tx) => workspaceOf(tx, accountId, provider));
    if (workspaceId === undefined) return undefined;
    const receipts = await db.read(workspaceId, (tx) => receiptsFor(tx, accountId));
    if (receipts === undefined) return undefined;
    const found = { workspaceId, receipts, until: now + knownMs };
    const [oldest] = known.keys();
    if (known.size >= mostKnown && oldest !== undefined) known.delete(oldest);
    known.set(key, found);
    return found;
  };
}

interface Waiting {
  readonly provider: string;
  readonly accountId: string;
  readonly callback: Callback;
  readonly once: string | undefined;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

const mostAtOnce = 200;
const mostWaiting = 5_000;

/**
 * Takes callbacks: judged on their raw bytes first, kept whole and sealed in one commit with those that came meanwhile,
 * answered after it. What they say is read later.
 */
export function createCallbacks(deps: CallbacksDeps): Callbacks {
  const find = createAccountBook(deps);
  const queues = new Map<string, Waiting[]>();
  let waiting = 0;

  const store = async (tx: Tx, group: readonly Waiting[]) => {
    const keys = await deps.vault.keys(tx);
    const now = deps.clock.now();
    const fresh: Waiting[] = [];
    for (const [accountId, list] of Map.groupBy(group, (one) => one.accountId)) {
      const marks = list.map((one) => (one.once === undefined ? undefined : markOf('once', one.once)));
      const unseen = new Set(
        await addMarks(
          tx,
          accountId,
          marks.filter((mark) => mark !== undefined),
          now,
        ),
      );
      // Of two with one nonce in the same group, the first is the genuine one.
      for (const [place, one] of list.entries()) {
        const mark = marks[place];
        if (mark === undefined || unseen.delete(mark.toString('hex'))) fresh.push(one);
      }
    }
    const rows = fresh.map(({ provider, accountId, callback }) => {
      const id = newId(deps.clock);
      return { id, accountId, provider, sealed: sealCallback(keys, id, callback) };
    });
    if (rows.length > 0) await insertCallbacks(tx, rows, now);
    tx.afterCommit(deps.wake);
  };

  const drain = async (workspaceId: string, queue: Waiting[]) => {
    while (queue.length > 0) {
      const group = queue.splice(0, mostAtOnce);
      waiting -= group.length;
      try {
        await deps.db.transaction(workspaceId, (tx) => store(tx, group));
        for (const one of group) one.done();
      } catch (error) {
        for (const one of group) one.failed(error);
      }
    }
    queues.delete(workspaceId);
  };

  const keep = (workspaceId: string, one: Omit<Waiting, 'done' | 'failed'>) =>
    new Promise<void>((done, failed) => {
      if (waiting >= mostWaiting)
        throw new AppError('too-many-requests', 'Too many at once; tell it again in a moment.', {
          headers: { 'retry-after': '5' },
        });
      waiting += 1;
      const queue = queues.get(workspaceId);
      if (queue !== undefined) return void queue.push({ ...one, done, failed });
      const started = [{ ...one, done, failed }];
      queues.set(workspaceId, started);
      setImmediate(() => void drain(workspaceId, started));
    });

  return {
    take: async (provider, accountId, callback) => {
      const account = await find(provider, accountId);
      if (account === undefined) return { kind: 'unknown-account' };
      const verdict = await account.receipts.verify(callback);
      if (verdict.kind === 'forged')
        deps.log.warn({ provider, accountId, reason: verdict.reason }, 'a callback that is not genuine was refused');
      if (verdict.kind !== 'genuine') return verdict;
      const id = accountId.toLowerCase();
      await keep(account.workspaceId, { provider, accountId: id, callback, once: verdict.once });
      return { kind: 'taken' };
    },
  };
}
