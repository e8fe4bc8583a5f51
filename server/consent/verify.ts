import type { ChainReport } from '../../contract/actor.ts';
import { genesis, linkMac, sameMac, verifyHead } from '../platform/chain.ts';
import type { Db } from '../platform/db.ts';
import type { Vault } from '../platform/sealing.ts';
import { chainFields } from './entry.rules.ts';
import type { Head } from './entry.rules.ts';
import { findBeyondHead, findUnfounded, readEntries, readHead } from './ledger.store.ts';
import type { ConsentKey, LinkedEntry } from './ledger.store.ts';

const pageSize = 2000;
const firstKey: ConsentKey = {
  addressId: '00000000-0000-0000-0000-000000000000',
  channel: '',
  topicId: '00000000-0000-0000-0000-000000000000',
};

type Broken = NonNullable<ChainReport['broken']>;

/** Where the walk stands: what has been checked, and the MAC that the next entry hangs on. */
interface Place {
  readonly seq: number;
  readonly mac: Buffer;
  readonly at: Temporal.Instant | undefined;
}

function brokenAt(entry: { seq: number; id: string; at: Temporal.Instant }, reason: string): Broken {
  return { seq: entry.seq, id: entry.id, at: entry.at.toString(), reason };
}

/** Checks one page of the chain; stops at the first entry that does not hold. */
function walk(key: Buffer, from: Place, entries: readonly LinkedEntry[]): { place: Place; broken: Broken | undefined } {
  let place = from;
  for (const entry of entries) {
    const seen = { seq: entry.seq, id: entry.id, at: entry.recordedAt };
    if (entry.seq !== place.seq + 1)
      return {
        place,
        broken: {
          seq: place.seq + 1,
          id: null,
          at: null,
          reason: `The entry is missing; the next one is number ${entry.seq}.`,
        },
      };
    if (!sameMac(linkMac(key, place.mac, chainFields(entry)), entry.mac))
      return { place, broken: brokenAt(seen, 'The entry was changed, or did not follow the one before it.') };
    place = { seq: entry.seq, mac: entry.mac, at: entry.recordedAt };
  }
  return { place, broken: undefined };
}

function headProblem(key: Buffer, head: Head | undefined): Broken | undefined {
  if (head === undefined || verifyHead(key, head.seq, head.mac, head.seal)) return undefined;
  return { seq: head.seq, id: null, at: null, reason: 'The head of the ledger was not written by this server.' };
}

/**
 * Walks the whole ledger, a page in a transaction of its own, so that a million entries need neither memory nor a
 * long transaction. What is appended meanwhile lies beyond the head that was read first and is left to the next walk.
 */
export async function verifyLedger(db: Db, vault: Pick<Vault, 'keys'>, workspaceId: string): Promise<ChainReport> {
  const { key, head } = await db.read(workspaceId, async (tx) => ({
    key: (await vault.keys(tx)).chainKey,
    head: await readHead(tx),
  }));
  const upTo = head?.seq ?? 0;
  let place: Place = { seq: 0, mac: genesis, at: undefined };
  let broken = headProblem(key, head);
  while (broken === undefined && place.seq < upTo) {
    const { seq } = place;
    const entries = await db.read(workspaceId, (tx) => readEntries(tx, seq, Math.min(pageSize, upTo - seq)));
    if (entries.length === 0)
      broken = { seq: seq + 1, id: null, at: null, reason: `The newest entries are missing: the head counts ${upTo}.` };
    else ({ place, broken } = walk(key, place, entries));
  }
  if (broken === undefined && head !== undefined && !sameMac(place.mac, head.mac))
    broken = {
      seq: upTo,
      id: null,
      at: place.at?.toString() ?? null,
      reason: 'The newest entry is not the one that the head names.',
    };
  broken ??= await checkBeyond(db, workspaceId);
  broken ??= await checkProjection(db, workspaceId);
  return {
    ok: broken === undefined,
    checked: place.seq,
    head: place.at === undefined ? null : { seq: place.seq, at: place.at.toString() },
    broken: broken ?? null,
  };
}

async function checkBeyond(db: Db, workspaceId: string): Promise<Broken | undefined> {
  const beyond = await db.read(workspaceId, findBeyondHead);
  return beyond === undefined ? undefined : brokenAt(beyond, 'The entry lies beyond the head: the head was set back.');
}

async function checkProjection(db: Db, workspaceId: string): Promise<Broken | undefined> {
  let after: ConsentKey | undefined = firstKey;
  while (after !== undefined) {
    const from: ConsentKey = after;
    const { last, unfounded } = await db.read(workspaceId, (tx) => findUnfounded(tx, from, pageSize));
    if (unfounded !== undefined)
      return brokenAt(unfounded, 'A consent that is in force does not follow from this entry.');
    after = last;
  }
  return undefined;
}
