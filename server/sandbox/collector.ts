import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import type { Vault, WorkspaceKeys } from '../platform/sealing.ts';
import { normalRecipient } from './behaviour.rules.ts';
import { summarise } from './mail.rules.ts';
import { dropOldest, insertCaught } from './store.ts';
import type { CaughtRow } from './store.ts';
import { summariseVendorMail, wrap } from './vendor-mail.rules.ts';
import type { VendorMail } from './vendor.ts';

export interface CaughtMail {
  readonly from: string;
  readonly recipients: readonly string[];
  readonly raw: Buffer;
}

export interface CollectorDeps {
  readonly db: Db;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly log: Log;
  /** The newest that are kept of each workspace. */
  readonly keep?: number;
  /** How often old ones are looked for, in stored messages. */
  readonly dropEvery?: number;
}

export interface Collector {
  /** Resolves when the mail is committed; gives the id it can be found by. */
  add(workspaceId: string, mail: CaughtMail): Promise<string>;
  /** The same for what came over a vendor's API; `callbackUrl`: where the vendor was told to report. */
  keep(workspaceId: string, mail: VendorMail, callbackUrl?: string): Promise<string>;
}

interface Waiting {
  readonly seal: (keys: WorkspaceKeys, id: string) => CaughtRow[];
  readonly id: string;
  readonly done: (id: string) => void;
  readonly failed: (error: unknown) => void;
}

const mostAtOnce = 200;
const defaultKeep = 200_000;
const defaultDropEvery = 10_000;

/**
 * Group commit: while one transaction of a workspace is being written the mails that come meanwhile gather for the
 * next, so that a commit costs the disk once for many and nobody waits for a timer.
 */
export function createCollector(deps: CollectorDeps): Collector {
  const queues = new Map<string, Waiting[]>();
  const sinceDrop = new Map<string, number>();

  const store = async (tx: Tx, group: readonly Waiting[]) => {
    const keys = await deps.vault.keys(tx);
    const rows = group.flatMap((one) => one.seal(keys, one.id));
    await insertCaught(tx, rows, deps.clock.now());
    return rows.length;
  };

  const tidy = async (workspaceId: string, stored: number) => {
    const count = (sinceDrop.get(workspaceId) ?? 0) + stored;
    const due = count >= (deps.dropEvery ?? defaultDropEvery);
    sinceDrop.set(workspaceId, due ? 0 : count);
    if (!due) return;
    try {
      const dropped = await deps.db.transaction(workspaceId, (tx) => dropOldest(tx, deps.keep ?? defaultKeep));
      if (dropped > 0) deps.log.info({ workspaceId, dropped }, 'the sandbox let go of its oldest messages');
    } catch (error) {
      // What was stored is stored; the next round tries again.
      deps.log.warn({ err: error }, 'the sandbox could not let go of its oldest messages');
    }
  };

  const drain = async (workspaceId: string, queue: Waiting[]) => {
    while (queue.length > 0) {
      const group = queue.splice(0, mostAtOnce);
      try {
        const stored = await deps.db.transaction(workspaceId, (tx) => store(tx, group));
        for (const one of group) one.done(one.id);
        await tidy(workspaceId, stored);
      } catch (error) {
        for (const one of group) one.failed(error);
      }
    }
    queues.delete(workspaceId);
  };

  const join = (workspaceId: string, seal: Waiting['seal']) =>
    new Promise<string>((done, failed) => {
      const waiting: Waiting = { seal, id: newId(deps.clock), done, failed };
      const queue = queues.get(workspaceId);
      if (queue !== undefined) return void queue.push(waiting);
      const started = [waiting];
      queues.set(workspaceId, started);
      // What arrives in the same turn of the event loop joins the first group.
      setImmediate(() => void drain(workspaceId, started));
    });
  return {
    add: (workspaceId, mail) => join(workspaceId, (keys, id) => sealMail(keys, mail, id, deps.clock)),
    keep: (workspaceId, mail, callbackUrl) =>
      join(workspaceId, (keys, id) => [sealVendorMail(keys, mail, id, callbackUrl)]),
  };
}

/** Bound to the row it stands in. */
const contextOf = (id: string, part: 'summary' | 'mail') => `sandbox:${part}:${id}`;

/** One row per recipient; the first has the id the sender was told. */
function sealMail(keys: WorkspaceKeys, mail: CaughtMail, id: string, clock: Clock): CaughtRow[] {
  const packed = pack(mail.raw);
  return mail.recipients.map((to, index) => {
    const rowId = index === 0 ? id : newId(clock);
    return {
      id: rowId,
      channel: 'email',
      vendor: 'smtp',
      recipientHash: recipientHash(keys, to),
      summary: keys.seal(summarise({ from: mail.from, to }, mail.raw), contextOf(rowId, 'summary')),
      sealed: keys.seal(packed, contextOf(rowId, 'mail')),
      sizeBytes: mail.raw.length,
    };
  });
}

function sealVendorMail(keys: WorkspaceKeys, mail: VendorMail, id: string, callbackUrl: string | undefined): CaughtRow {
  return {
    id,
    channel: mail.channel,
    vendor: mail.vendor,
    recipientHash: recipientHash(keys, mail.to),
    summary: keys.seal(summariseVendorMail(mail), contextOf(id, 'summary')),
    sealed: keys.seal(pack(wrap(mail, callbackUrl)), contextOf(id, 'mail')),
    sizeBytes: mail.raw.length,
  };
}

export function recipientHash(keys: WorkspaceKeys, recipient: string): Buffer {
  return keys.blindIndex('sandbox', normalRecipient(recipient)).hash;
}

export function openSummary(keys: WorkspaceKeys, id: string, sealed: Buffer): string {
  return keys.open(sealed, contextOf(id, 'summary'));
}

export function openMail(keys: WorkspaceKeys, id: string, sealed: Buffer): Buffer {
  return zstdDecompressSync(keys.openBytes(sealed, contextOf(id, 'mail')));
}

/** A tenth of the bytes for the disk, at a fraction of what writing them would cost. */
function pack(raw: Buffer): Buffer {
  return zstdCompressSync(raw, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
}
