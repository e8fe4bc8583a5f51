import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { AccountReceipts, Callback, Verdict } from '../channels/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { isId, newId } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import type { Vault, WorkspaceKeys } from '../platform/sealing.ts';
import { insertCallbacks, markOf, workspaceOf } from './callback.store.ts';
import type { Mark } from './callback.store.ts';

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
const plain = 0;
const packed = 1;
/** Below this, packing gains nothing. */
const worthPackingBytes = 500;
/** The fastest level: events of one vendor repeat themselves so much that a tenth remains. */
const packing = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** Layout before sealing: how it is packed (1 byte), then, packed or not: length of the head (4), head, body. */
export function sealCallback(keys: WorkspaceKeys, id: string, { body, ...request }: Callback): Buffer {
  const kept = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !dropped.has(name)));
  const head = Buffer.from(JSON.stringify({ ...request, headers: kept }));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.length);
  const bytes = Buffer.concat([length, head, body]);
  const isWorthIt = body.length >= worthPackingBytes;
  const stored = isWorthIt ? zstdCompressSync(bytes, packing) : bytes;
  return keys.seal(Buffer.concat([Buffer.of(isWorthIt ? packed : plain), stored]), contextOf(id));
}

export function openCallback(keys: WorkspaceKeys, id: string, sealed: Buffer): Callback {
  const opened = keys.openBytes(sealed, contextOf(id));
  const stored = opened.subarray(1);
  const bytes = opened[0] === packed ? zstdDecompressSync(stored) : stored;
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
const mostBytesAtOnce = 8 * 1024 * 1024;
const mostWaiting = 5_000;
const mostBytesWaiting = 64 * 1024 * 1024;

interface Marked {
  readonly one: Waiting;
  readonly mark: Mark | undefined;
}

/** Of several with one nonce, the first is the genuine one. */
function marked(group: readonly Waiting[]): Marked[] {
  const seen = new Set<string>();
  return group.flatMap((one): Marked[] => {
    if (one.once === undefined) return [{ one, mark: undefined }];
    const mark = markOf('once', one.once);
    const key = `${one.accountId} ${mark.toString('hex')}`;
    if (seen.has(key)) return [];
    seen.add(key);
    return [{ one, mark }];
  });
}

/** As many as go into one commit, at least one. */
function nextGroup(queue: Waiting[]): Waiting[] {
  let bytes = 0;
  const end = queue.findIndex(({ callback }, place) => {
    bytes += callback.body.length;
    return place > 0 && (place >= mostAtOnce || bytes > mostBytesAtOnce);
  });
  return queue.splice(0, end === -1 ? queue.length : end);
}

/**
 * Takes callbacks: judged on their raw bytes first, kept whole and sealed in one commit with those that came meanwhile,
 * answered after it. What they say is read later.
 */
export function createCallbacks(deps: CallbacksDeps): Callbacks {
  const find = createAccountBook(deps);
  const queues = new Map<string, Waiting[]>();
  let waiting = 0;
  let waitingBytes = 0;

  const store = async (tx: Tx, group: readonly Waiting[]) => {
    const keys = await deps.vault.keys(tx);
    const rows = marked(group).map(({ one: { provider, accountId, callback }, mark }) => {
      const id = newId(deps.clock);
      return { id, accountId, provider, sealed: sealCallback(keys, id, callback), mark };
    });
    tx.unawaited(insertCallbacks(tx, rows, deps.clock.now()));
    tx.afterCommit(deps.wake);
  };

  const drain = async (workspaceId: string, queue: Waiting[]) => {
    while (queue.length > 0) {
      const group = nextGroup(queue);
      waiting -= group.length;
      for (const { callback } of group) waitingBytes -= callback.body.length;
      try {
        await deps.db.eager(workspaceId, (tx) => store(tx, group));
        for (const one of group) one.done();
      } catch (error) {
        for (const one of group) one.failed(error);
      }
    }
    queues.delete(workspaceId);
  };

  const keep = (workspaceId: string, one: Omit<Waiting, 'done' | 'failed'>) =>
    new Promise<void>((done, failed) => {
      if (waiting >= mostWaiting || waitingBytes >= mostBytesWaiting)
        throw new AppError('too-many-requests', 'Too many at once; tell it again in a moment.', {
          headers: { 'retry-after': '5' },
        });
      waiting += 1;
      waitingBytes += one.callback.body.length;
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
