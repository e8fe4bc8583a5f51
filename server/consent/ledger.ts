import type { Activity, EventDraft } from '../activity/index.ts';
import { genesis, linkMac, sealHead, verifyHead } from '../platform/chain.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { ContactKey, Vault, WorkspaceKeys } from '../platform/sealing.ts';
import { apply, importSource, microsecondOf } from './consent.rules.ts';
import type { ConsentAction, ConsentState, Standing } from './consent.rules.ts';
import { chainFields, evidenceContext } from './entry.rules.ts';
import type { Evidence, Head, LedgerEntry, LegalBasis } from './entry.rules.ts';
import {
  hasEntries,
  insertEntries,
  lockHead,
  makeHead,
  moveHead,
  project,
  readSalts,
  readStandings,
} from './ledger.store.ts';
import type { LinkedEntry, Projected } from './ledger.store.ts';

/** What somebody said about one address, channel and topic. */
export interface ConsentDraft {
  readonly contactId: string;
  readonly addressId: string;
  readonly channel: string;
  readonly topicId: string;
  readonly action: ConsentAction;
  readonly basis: LegalBasis;
  /** How we heard: `api`, `import`, `unsubscribe`, `preference-page`, `dashboard`. */
  readonly source: string;
  readonly evidence: Evidence;
  /** Who told us: `key:<id>`, `user:<id>`, `import:<id>`, `contact`. */
  readonly actor: string;
  readonly at: Temporal.Instant;
  /** The contact's key, where the caller has it at hand. */
  readonly key?: (() => ContactKey) | undefined;
  /** Becomes the entry's id. */
  readonly id?: string | undefined;
}

export interface Recorded {
  /** The entry that was written, or the one that counts when nothing was. */
  readonly eventId: string;
  readonly effect: 'change' | 'note' | 'nothing';
  readonly state: ConsentState;
}

export interface LedgerDeps {
  readonly clock: Clock;
  readonly vault: Pick<Vault, 'keys'>;
  readonly events: Pick<Activity, 'append'>;
}

export interface Ledger {
  /** Appends all of them under one lock, in the order given, and moves what counts. */
  record(tx: Tx, drafts: readonly ConsentDraft[]): Promise<Recorded[]>;
}

const eventKind: Readonly<Record<ConsentState, string>> = {
  granted: 'consent.granted',
  withdrawn: 'consent.withdrawn',
  expired: 'consent.expired',
};

/** Nothing is built on a head that is not ours: the next entry would hide that somebody cut off the tail. */
async function takeHead(tx: Tx, keys: WorkspaceKeys): Promise<Head> {
  let head = await lockHead(tx);
  if (head === undefined) {
    // Starting over beside entries that are there would hide that the head was taken away. Looked at in this order,
    // since another's first entry may be committed between two looks, and its head with it.
    const entries = await hasEntries(tx);
    head = await lockHead(tx);
    if (head === undefined && entries) throw brokenHead();
  }
  if (head === undefined) {
    await makeHead(tx, { seq: 0, mac: genesis, seal: sealHead(keys.chainKey, 0, genesis) });
    head = await lockHead(tx);
  }
  if (head === undefined || !verifyHead(keys.chainKey, head.seq, head.mac, head.seal)) throw brokenHead();
  return head;
}

function brokenHead(): AppError {
  return new AppError(
    'consent/ledger-broken',
    'The head of the consent ledger was changed from outside; nothing is written until an operator has looked at it.',
  );
}

interface Judged {
  readonly draft: ConsentDraft;
  readonly id: string;
  readonly effect: 'change' | 'note' | 'nothing';
  readonly standing: Standing & { readonly eventId: string };
}

const keyOf = (draft: ConsentDraft) => `${draft.addressId} ${draft.channel} ${draft.topicId}`;

/** Goes through the drafts one after the other, each on what the ones before have left. */
async function judge(tx: Tx, clock: Clock, drafts: readonly ConsentDraft[]): Promise<Judged[]> {
  const stored = await readStandings(tx, drafts);
  const standings = new Map<string, Judged['standing']>();
  drafts.forEach((draft, place) => {
    const found = stored[place];
    if (found !== undefined) standings.set(keyOf(draft), found);
  });
  return drafts.map((draft) => {
    const before = standings.get(keyOf(draft));
    const verdict = apply(before, { action: draft.action, at: draft.at, source: draft.source });
    const id = verdict.effect === 'nothing' ? (before?.eventId ?? '') : (draft.id ?? newId(clock));
    const standing =
      verdict.effect === 'change' && verdict.standing !== undefined ? { ...verdict.standing, eventId: id } : before;
    if (standing === undefined) throw new Error('an act that changes nothing needs something that it leaves as it was');
    standings.set(keyOf(draft), standing);
    return { draft, id, effect: verdict.effect, standing };
  });
}

/** Seals each one's evidence under the key of its contact; refuses what is about an erased one. */
async function sealAll(tx: Tx, keys: WorkspaceKeys, judged: readonly Judged[]): Promise<Buffer[]> {
  const ids = [...new Set(judged.flatMap(({ draft }) => (draft.key === undefined ? [draft.contactId] : [])))];
  const salts = ids.length === 0 ? [] : await readSalts(tx, ids);
  const saltOf = new Map(ids.map((id, place) => [id, salts[place]]));
  // A page of an import shares one evidence.
  const written = new Map<Evidence, string>();
  const plain = (evidence: Evidence) => {
    const text = written.get(evidence) ?? JSON.stringify(evidence);
    written.set(evidence, text);
    return text;
  };
  return judged.map(({ draft, id }) => {
    const salt = saltOf.get(draft.contactId);
    const key = draft.key?.() ?? (salt === undefined ? undefined : keys.contactKey(salt));
    if (key === undefined)
      throw new AppError(
        'consent/contact-erased',
        'The contact was erased; nothing can be recorded about it any more.',
      );
    return key.seal(plain(draft.evidence), evidenceContext(id));
  });
}

function entryOf(one: Judged, seq: number, sealed: Buffer, recordedAt: Temporal.Instant): LedgerEntry {
  const { draft, id } = one;
  return {
    seq,
    id,
    contactId: draft.contactId,
    addressId: draft.addressId,
    channel: draft.channel,
    topicId: draft.topicId,
    action: draft.action,
    basis: draft.basis,
    source: draft.source,
    evidence: sealed,
    actor: draft.actor,
    occurredAt: draft.at,
    recordedAt,
  };
}

/** Seals and links the entries onto the head. */
async function link(tx: Tx, keys: WorkspaceKeys, head: Head, judged: readonly Judged[], now: Temporal.Instant) {
  const evidence = await sealAll(tx, keys, judged);
  const entries: LinkedEntry[] = [];
  let { seq, mac } = head;
  judged.forEach((one, place) => {
    seq += 1;
    const entry = entryOf(one, seq, evidence[place] ?? Buffer.alloc(0), now);
    mac = linkMac(keys.chainKey, mac, chainFields(entry));
    entries.push({ ...entry, mac });
  });
  return { entries, head: { seq, mac, seal: sealHead(keys.chainKey, seq, mac) } };
}

/** What counts after all of them: the last change of each key. */
function projectionOf(judged: readonly Judged[], entries: readonly LinkedEntry[]): Projected[] {
  const last = new Map<string, Projected>();
  judged.forEach((one, place) => {
    const entry = entries[place];
    if (one.effect !== 'change' || entry === undefined) return;
    const { state, since, source } = one.standing;
    const { addressId, channel, topicId, basis } = entry;
    last.set(keyOf(one.draft), {
      addressId,
      channel,
      topicId,
      basis,
      state,
      since,
      source,
      eventSeq: entry.seq,
      eventId: entry.id,
    });
  });
  return [...last.values()];
}

function eventOf({ draft, standing }: Judged): EventDraft {
  const { contactId, addressId, channel, topicId, source } = draft;
  return {
    kind: eventKind[standing.state],
    occurredAt: draft.at,
    contactId,
    data: { addressId, channel, topicId, source },
  };
}

/** An event a change; but one for a page of an import, which names its stretch of the ledger: a million events that say the same help nobody. */
function announce(written: readonly Judged[], before: Head, after: Head, now: Temporal.Instant): EventDraft[] {
  const changes = written.filter((one) => one.effect === 'change');
  const events = changes.filter(({ draft }) => draft.source !== importSource).map(eventOf);
  const imported = changes.length - events.length;
  if (imported === 0) return events;
  const data = { fromSeq: before.seq + 1, toSeq: after.seq, count: imported };
  return [...events, { kind: 'consent.imported', occurredAt: now, data }];
}

export function createLedger({ clock, vault, events }: LedgerDeps): Ledger {
  return {
    record: async (tx, drafts) => {
      if (drafts.length === 0) return [];
      const keys = await vault.keys(tx);
      const head = await takeHead(tx, keys);
      const judged = await judge(
        tx,
        clock,
        drafts.map((draft) => ({ ...draft, at: microsecondOf(draft.at) })),
      );
      const written = judged.filter((one) => one.effect !== 'nothing');
      if (written.length > 0) {
        const now = microsecondOf(clock.now());
        const linked = await link(tx, keys, head, written, now);
        await insertEntries(tx, now, linked.entries);
        const projected = projectionOf(written, linked.entries);
        if (projected.length > 0) await project(tx, projected);
        await moveHead(tx, linked.head);
        await events.append(tx, announce(written, head, linked.head, now));
      }
      return judged.map(({ id, effect, standing }) => ({ eventId: id, effect, state: standing.state }));
    },
  };
}
