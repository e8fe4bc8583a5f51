import { genesis, sealHead } from '../platform/chain.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import type { Caller } from '../platform/http.ts';
import { newId } from '../platform/ids.ts';
import type { Vault } from '../platform/sealing.ts';
import { checkEnd, entryMac, walkPage, walkStart } from './audit.rules.ts';
import type { Break, ChainedEntry, ChainHead, StoredEntry } from './audit.rules.ts';
import * as store from './audit.store.ts';
import { maskChange, maskText } from './mask.rules.ts';

/** Who did it; a `Caller` is one. */
export interface AuditActor {
  readonly kind: 'user' | 'key' | 'token' | 'system' | 'contact';
  readonly id: string | null;
  readonly name: string;
}

/** Parley itself, when no person or key asked for it. */
export const systemActor: AuditActor = { kind: 'system', id: null, name: 'Parley' };

export interface AuditOrigin {
  readonly actor: AuditActor;
  readonly ip?: string | null | undefined;
  readonly userAgent?: string | null | undefined;
  readonly requestId?: string | null | undefined;
}

export interface AuditDraft extends AuditOrigin {
  /** `noun.verb-in-the-past`, e.g. `topic.created`. */
  readonly action: string;
  readonly target?: { readonly kind: string; readonly id: string } | null | undefined;
  /** Given plainly: masked here, and with both given only what differs is kept. */
  readonly before?: object | null | undefined;
  readonly after?: object | null | undefined;
}

export interface ChainFinding {
  readonly ok: boolean;
  readonly checked: number;
  readonly head: { readonly seq: number; readonly at: Temporal.Instant } | null;
  readonly broken: Break | null;
}

export interface Audit {
  /** Writes down one change, in the transaction of the change. */
  record(tx: Tx, draft: AuditDraft): Promise<StoredEntry>;
  list(tx: Tx, filter: store.AuditFilter, beforeSeq: number | undefined, most: number): Promise<StoredEntry[]>;
  /** Walks the whole chain in pages, each in a short transaction of its own. */
  verify(db: Db, workspaceId: string): Promise<ChainFinding>;
  /** Starts the chain of a new workspace. */
  begin(tx: Tx): Promise<void>;
}

interface CallLike {
  readonly caller: Caller;
  readonly ip: string;
  readonly userAgent: string;
  readonly requestId: string;
}

/** Who, from where, in which request: the part of an audit entry that a call answers. */
export function originOf(call: CallLike): AuditOrigin {
  const { caller, ip, userAgent, requestId } = call;
  return { actor: caller, ip, userAgent, requestId };
}

const pageSize = 500;

export function createAudit({ clock, vault }: { readonly clock: Clock; readonly vault: Vault }): Audit {
  const freshHead = async (tx: Tx): Promise<ChainHead> => {
    const { chainKey } = await vault.keys(tx);
    return { seq: 0, mac: genesis, seal: sealHead(chainKey, 0, genesis) };
  };

  const lockedHead = async (tx: Tx): Promise<ChainHead> => {
    const found = await store.lockHead(tx);
    if (found !== undefined) return found;
    // Starting over beside entries that are there would hide that the head was taken away. Looked at in this order,
    // since another's first entry may be committed between two looks, and its head with it.
    const entries = await store.hasEntries(tx);
    const meanwhile = await store.lockHead(tx);
    if (meanwhile !== undefined) return meanwhile;
    if (entries) throw new Error(`the head of the audit chain of workspace ${tx.workspaceId} is missing`);
    await store.insertHead(tx, await freshHead(tx));
    const made = await store.lockHead(tx);
    if (made === undefined) throw new Error('the head of the audit chain could not be made');
    return made;
  };

  return {
    begin: async (tx) => store.insertHead(tx, await freshHead(tx)),

    record: async (tx, draft) => {
      const { chainKey } = await vault.keys(tx);
      const head = await lockedHead(tx);
      const entry = toEntry(draft, head.seq + 1, newId(clock), clock.now());
      const mac = entryMac(chainKey, tx.workspaceId, head.mac, entry);
      await store.append(tx, { ...entry, mac }, sealHead(chainKey, entry.seq, mac));
      return { ...entry, mac };
    },

    list: store.listEntries,

    verify: async (db, workspaceId) => {
      const start = await db.read(workspaceId, async (tx) => ({
        ...(await store.findHead(tx)),
        key: (await vault.keys(tx)).chainKey,
      }));
      const upTo = start.head?.seq ?? start.newestSeq;
      let state = walkStart;
      let broken: Break | undefined;
      for (let more = true; more && broken === undefined;) {
        const from = state.seq;
        const page = await db.read(workspaceId, (tx) => store.pageAfter(tx, from, upTo, pageSize));
        ({ state, broken } = walkPage(start.key, workspaceId, state, page));
        more = page.length === pageSize;
      }
      broken ??= checkEnd(start.key, state, start.head, start.newestSeq);
      return {
        ok: broken === undefined,
        checked: state.seq,
        head: state.at === undefined ? null : { seq: state.seq, at: state.at },
        broken: broken ?? null,
      };
    },
  };
}

function toEntry(draft: AuditDraft, seq: number, id: string, now: Temporal.Instant): ChainedEntry {
  const { before, after } = maskChange(draft.before, draft.after);
  return {
    seq,
    id,
    // As exact as the column keeps it: what is read back must hash to the same.
    at: now.round({ smallestUnit: 'millisecond', roundingMode: 'floor' }),
    actorKind: draft.actor.kind,
    actorId: draft.actor.id,
    actorName: maskText(draft.actor.name),
    action: draft.action,
    targetKind: draft.target?.kind ?? null,
    targetId: draft.target === undefined || draft.target === null ? null : maskText(draft.target.id),
    before,
    after,
    ip: draft.ip ?? null,
    userAgent: draft.userAgent === undefined || draft.userAgent === null ? null : maskText(draft.userAgent),
    requestId: draft.requestId ?? null,
  };
}
