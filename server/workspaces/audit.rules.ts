import { canonicalJson, genesis, linkMac, sameMac, verifyHead } from '../platform/chain.ts';
import type { ChainField } from '../platform/chain.ts';

/** An entry as it stands in the ledger. */
export interface ChainedEntry {
  readonly seq: number;
  readonly id: string;
  readonly at: Temporal.Instant;
  readonly actorKind: string;
  readonly actorId: string | null;
  readonly actorName: string;
  readonly action: string;
  readonly targetKind: string | null;
  readonly targetId: string | null;
  readonly before: unknown;
  readonly after: unknown;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly requestId: string | null;
}

export interface StoredEntry extends ChainedEntry {
  readonly mac: Buffer;
}

export interface ChainHead {
  readonly seq: number;
  readonly mac: Buffer;
  readonly seal: Buffer;
}

const format = 1;

/** What the MAC of an entry covers: all of it, and the workspace, so that an entry cannot be moved to another. */
export function entryFields(workspaceId: string, entry: ChainedEntry): ChainField[] {
  return [
    format,
    workspaceId,
    entry.seq,
    entry.id,
    entry.at.epochNanoseconds,
    entry.actorKind,
    entry.actorId,
    entry.actorName,
    entry.action,
    entry.targetKind,
    entry.targetId,
    jsonField(entry.before),
    jsonField(entry.after),
    entry.ip,
    entry.userAgent,
    entry.requestId,
  ];
}

function jsonField(value: unknown): ChainField {
  return value === null || value === undefined ? null : canonicalJson(value);
}

export function entryMac(key: Buffer, workspaceId: string, previousMac: Buffer, entry: ChainedEntry): Buffer {
  return linkMac(key, previousMac, entryFields(workspaceId, entry));
}

/** How far a walk along the chain has come. */
export interface WalkState {
  readonly seq: number;
  readonly mac: Buffer;
  readonly at: Temporal.Instant | undefined;
}

export const walkStart: WalkState = { seq: 0, mac: genesis, at: undefined };

export interface Break {
  readonly seq: number;
  readonly id: string | null;
  readonly at: Temporal.Instant | null;
  readonly reason: string;
}

/** Checks the next page of entries, in order; stops at the first that does not hold. */
export function walkPage(
  key: Buffer,
  workspaceId: string,
  start: WalkState,
  page: readonly StoredEntry[],
): { readonly state: WalkState; readonly broken: Break | undefined } {
  let state = start;
  for (const entry of page) {
    if (entry.seq !== state.seq + 1)
      return {
        state,
        broken: { seq: state.seq + 1, id: null, at: null, reason: 'The entry is missing; later ones are there.' },
      };
    if (!sameMac(entryMac(key, workspaceId, state.mac, entry), entry.mac))
      return {
        state,
        broken: { seq: entry.seq, id: entry.id, at: entry.at, reason: 'The entry is not what was written.' },
      };
    state = { seq: entry.seq, mac: entry.mac, at: entry.at };
  }
  return { state, broken: undefined };
}

/** Checks the end of a walk against the head, which is kept apart and sealed. `newestSeq` is the highest stored entry. */
export function checkEnd(
  key: Buffer,
  end: WalkState,
  head: ChainHead | undefined,
  newestSeq: number,
): Break | undefined {
  // Every workspace starts with a head, so a missing one was taken away, even where no entry is left.
  if (head === undefined)
    return {
      seq: 1,
      id: null,
      at: null,
      reason: 'The head of the chain is missing, so nothing vouches for its length.',
    };
  if (!verifyHead(key, head.seq, head.mac, head.seal))
    return { seq: head.seq, id: null, at: null, reason: 'The head of the chain carries no valid seal.' };
  if (end.seq < head.seq)
    return { seq: end.seq + 1, id: null, at: null, reason: `The newest ${head.seq - end.seq} entries are missing.` };
  if (newestSeq > head.seq)
    return { seq: head.seq + 1, id: null, at: null, reason: 'There are entries the head does not know of.' };
  if (!sameMac(end.mac, head.mac))
    return {
      seq: end.seq,
      id: null,
      at: end.at ?? null,
      reason: 'The last entry is not the one the head was sealed over.',
    };
  return undefined;
}
