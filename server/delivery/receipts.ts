import type { EventDraft } from '../activity/index.ts';
import type { Receipt } from '../channels/index.ts';
import type { Tx } from '../platform/db.ts';
import { isId } from '../platform/ids.ts';
import { finishPlan } from './plan.ts';
import type { DeliveryDeps } from './ports.ts';
import { after, endsAddress, eventKindOf, legible } from './receipt.rules.ts';
import { addTold, dropDeferrals, findRefs, lockTold, moveTold, moveToldReasons } from './receipt.store.ts';
import type { ToldCounts, ToldRow } from './receipt.store.ts';
import { categoryOf } from './resolve.rules.ts';
import { countColumn } from './settle.rules.ts';
import type { LedgerState } from './settle.rules.ts';
import { reasonDeltas } from './settle.ts';
import { dropLetters, writeLetters } from './trouble.store.ts';
import type { NewLetter } from './trouble.store.ts';

export type ReceiptDeps = Pick<DeliveryDeps, 'clock' | 'events' | 'markAddresses' | 'tell' | 'metrics'>;

/** Receipts about messages that nobody knows: told too early, or not ours. */
export interface Applied {
  readonly unmatched: readonly Receipt[];
}

/**
 * Takes what a vendor told, in any order: moves messages on, tells the event log, and ends addresses that do not work.
 * Whoever calls has made sure that each fact is new. All statements are set-based: their number depends neither on how
 * many receipts there are nor on how many plans. What is written travels together; the commit waits for it.
 */
export async function applyReceipts(
  tx: Tx,
  deps: ReceiptDeps,
  accountId: string,
  receipts: readonly Receipt[],
): Promise<Applied> {
  const refs = await findRefs(tx, accountId, [...new Set(receipts.flatMap((one) => refOf(one) ?? []))]);
  const ids = receipts.map((one) => ownId(one) ?? refs.get(one.ref ?? ''));
  const wanted = [...new Set(ids.filter((id) => id !== undefined))];
  const rows = new Map((await lockTold(tx, wanted)).map((row) => [row.id, row]));
  const known: Told[] = [];
  const unmatched: Receipt[] = [];
  for (const [place, receipt] of receipts.entries()) {
    const row = rows.get(ids[place] ?? '');
    if (row === undefined) unmatched.push(receipt);
    else known.push({ receipt, row });
  }
  await write(tx, deps, accountId, known);
  return { unmatched };
}

async function write(tx: Tx, deps: ReceiptDeps, accountId: string, known: readonly Told[]): Promise<void> {
  if (known.length === 0) return;
  const moves = fold(known);
  const now = deps.clock.now();
  const moved = moves.map(({ row, state, reason }) => ({ id: row.id, month: row.month, state, reason }));
  const waited = moves.flatMap(({ row }) => (row.state === 'planned' ? [row.id] : []));
  const events = known.map(({ receipt, row }) => eventOf(receipt, row, accountId));
  tx.unawaited(
    moveTold(tx, accountId, moved, now),
    noteTrouble(tx, accountId, moves, now),
    dropDeferrals(tx, waited),
    deps.events.append(tx, events),
  );
  await markAddresses(tx, deps, known);
  await count(tx, deps, moves);
  tx.afterCommit(() => {
    for (const [channel, list] of Map.groupBy(moves, ({ row }) => row.channel))
      for (const [state, { length }] of Map.groupBy(list, (one) => one.state))
        deps.metrics.messages(channel, state, length);
  });
}

/** What comes back in our own field is believed only as far as it is an id. */
function ownId({ messageId }: Receipt): string | undefined {
  return messageId !== undefined && isId(messageId) ? messageId.toLowerCase() : undefined;
}

function refOf(receipt: Receipt): string | undefined {
  return ownId(receipt) === undefined && receipt.ref?.includes('\0') === false ? receipt.ref : undefined;
}

interface Told {
  readonly receipt: Receipt;
  readonly row: ToldRow;
}

interface Move {
  readonly row: ToldRow;
  readonly state: LedgerState;
  readonly reason: string | null;
  /** What the vendor called it. */
  readonly code: string | undefined;
}

/** Where each message ends up, by all that was told of it. */
function fold(known: readonly Told[]): Move[] {
  const moves = new Map<string, Move>();
  for (const { receipt, row } of known) {
    const standing = moves.get(row.id) ?? row;
    const next = after({ state: standing.state, reason: standing.reason }, receipt);
    if (next !== undefined)
      moves.set(row.id, { row, code: receipt.code === undefined ? undefined : legible(receipt.code, 100), ...next });
  }
  return [...moves.values()];
}

const troubled: ReadonlySet<LedgerState> = new Set(['failed', 'bounced', 'unknown']);

/** What failed after all is written down among the dead letters; what was there and arrived is taken out of them. */
async function noteTrouble(tx: Tx, accountId: string, moves: readonly Move[], now: Temporal.Instant): Promise<void> {
  const letters = moves.flatMap(({ row, state, reason, code }): NewLetter[] => {
    if (state !== 'failed' && state !== 'bounced') return [];
    const { id, planId, campaignId, channel, addressId } = row;
    const category = categoryOf(state, reason);
    const found = { state, reason, category, code: code ?? null };
    return [{ messageId: id, planId, campaignId, channel, addressId, accountId, ...found, tries: 1, askAt: null }];
  });
  const settled = moves.flatMap(({ row, state }) => (troubled.has(row.state) && !troubled.has(state) ? [row.id] : []));
  await Promise.all([writeLetters(tx, letters, now), dropLetters(tx, settled)]);
}

const mostOf: Readonly<Record<string, number>> = { code: 100, url: 2_000 };

function eventOf(receipt: Receipt, row: ToldRow, accountId: string): EventDraft {
  const { code, reason, category, isMachine, url, segments, pricing } = receipt;
  const data: Record<string, unknown> = { channel: row.channel, account: accountId, source: 'vendor' };
  const given = { code, detail: reason, category, machine: isMachine, url, segments, pricing };
  for (const [key, value] of Object.entries(given))
    if (value !== undefined) data[key] = typeof value === 'string' ? legible(value, mostOf[key]) : value;
  return {
    kind: eventKindOf(receipt.kind),
    occurredAt: Temporal.Instant.from(receipt.at),
    contactId: row.contactId,
    messageId: row.id,
    campaignId: row.campaignId ?? undefined,
    data,
  };
}

async function markAddresses(tx: Tx, deps: ReceiptDeps, known: readonly Told[]): Promise<void> {
  for (const [channel, list] of Map.groupBy(known, ({ row }) => row.channel)) {
    const of = (test: (receipt: Receipt) => boolean) => [
      ...new Set(list.flatMap(({ receipt, row }) => (row.addressId !== null && test(receipt) ? [row.addressId] : []))),
    ];
    const ended = of(endsAddress);
    const complained = of((receipt) => receipt.kind === 'complained');
    if (ended.length > 0) await deps.markAddresses(tx, ended, 'bounced', channel);
    if (complained.length > 0) await deps.markAddresses(tx, complained, 'complained', channel);
  }
}

const parts = ['delivered', 'bounced', 'complained'] as const;

function countsOf(moves: readonly Move[]): ToldCounts {
  const counts = { planned: 0, accepted: 0, failed: 0, unknown: 0, delivered: 0, bounced: 0, complained: 0 };
  const add = (state: LedgerState, delta: 1 | -1) => {
    const column = countColumn(state);
    if (column in counts) counts[column as keyof typeof counts] += delta;
    const part = parts.find((one) => one === state);
    if (part !== undefined) counts[part] += delta;
  };
  for (const { row, state } of moves) {
    add(row.state, -1);
    add(state, 1);
  }
  return counts;
}

/** Last, since these rows are shared; in the order of plans. */
async function count(tx: Tx, deps: ReceiptDeps, moves: readonly Move[]): Promise<void> {
  const plans = [...Map.groupBy(moves, ({ row }) => row.planId)].sort(([a], [b]) => (a < b ? -1 : 1));
  const reasons = plans.flatMap(([planId, list]) => reasonsOf(list).map((one) => ({ ...one, planId })));
  tx.unawaited(
    moveToldReasons(tx, reasons),
    addTold(
      tx,
      plans.map(([planId, list]) => ({ planId, counts: countsOf(list) })),
    ),
  );
  for (const [planId, list] of plans) {
    if (list.some(({ row }) => row.state === 'planned')) await finishPlan(tx, deps, planId);
    tx.afterCommit(() => deps.tell(tx.workspaceId, planId));
  }
}

function reasonsOf(moves: readonly Move[]) {
  return reasonDeltas(
    moves.flatMap(({ row, state, reason }) => [
      { state: row.state, reason: row.reason, delta: -1 },
      { state, reason, delta: 1 },
    ]),
  );
}
