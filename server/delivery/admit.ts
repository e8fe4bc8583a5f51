import type { Outgoing } from '../channels/index.ts';
import type { Tx } from '../platform/db.ts';
import { keysOf, place } from './key.rules.ts';
import type { Ends, KeyState } from './key.rules.ts';
import { lockLane, markedSeconds, readKeys, readRecent, removeMarks, writeKeys, writeMarks } from './lane.store.ts';
import type { Mark } from './lane.store.ts';
import { hasKeyedLimits } from './limit.rules.ts';
import type { CandidateRow } from './ledger.store.ts';
import type { PlanRow } from './plan.store.ts';
import type { DeliveryDeps, LaneAccount } from './ports.ts';
import type { Result } from './settle.ts';

/** A message that is about to leave. */
export interface Ready {
  readonly row: CandidateRow;
  readonly outgoing: Outgoing;
  /** Not before its slot at its domain and sender, */
  readonly at?: Temporal.Instant;
  /** and not after that slot is missed. */
  readonly by?: Temporal.Instant;
}

export interface Admitted {
  readonly ready: Ready[];
  readonly held: Result[];
}

/** How long after it was marked a message may leave. */
const leaveWithinSeconds = 60;

/** The limits by person, domain and sender: for accounts that have some; others ask nothing of the database. */
export async function admit(
  tx: Tx,
  deps: Pick<DeliveryDeps, 'clock'>,
  account: LaneAccount,
  plan: Pick<PlanRow, 'priority'>,
  messages: Ready[],
): Promise<Admitted> {
  if (messages.length === 0 || !hasKeyedLimits(account.limits)) return { ready: messages, held: [] };
  const now = deps.clock.now();
  // Two windows of one account take turns, so that each sees what the other has taken.
  await lockLane(tx, account.id, now);
  const personal = await admitPersons(tx, account, messages, now);
  const keyed = await admitKeys(tx, account, plan.priority <= 2, personal.ready, now);
  const { perRecipientPerDay } = account.limits;
  if (perRecipientPerDay !== undefined && keyed.ready.length > 0)
    await writeMarks(tx, account.id, keyed.ready.map(markOf), now);
  return { ready: keyed.ready, held: [...personal.held, ...keyed.held] };
}

function markOf({ row }: Ready): Mark {
  return { contactId: row.contactId, messageId: row.id };
}

function held({ row }: Ready, reason: string, dueAt: Temporal.Instant): Result {
  return {
    id: row.id,
    contactId: row.contactId,
    addressId: row.addressId,
    attempt: row.attempt,
    outcome: { state: 'held', reason, dueAt, tried: false },
  };
}

async function admitPersons(tx: Tx, account: LaneAccount, messages: Ready[], now: Temporal.Instant): Promise<Admitted> {
  const most = account.limits.perRecipientPerDay;
  if (most === undefined) return { ready: messages, held: [] };
  const contacts = messages.map(({ row }) => row.contactId);
  const rows = await readRecent(tx, account.id, contacts, now.subtract({ seconds: markedSeconds }));
  const times = new Map<string, { messageId: string; at: Temporal.Instant }[]>();
  for (const { contactId, ...one } of rows) times.set(contactId, [...(times.get(contactId) ?? []), one]);
  const answer: Admitted = { ready: [], held: [] };
  for (const one of messages) {
    const { contactId, id } = one.row;
    // A message that was marked and came back does not stand in its own way.
    const others = (times.get(contactId) ?? []).filter(({ messageId }) => messageId !== id);
    const sorted = others.map(({ at }) => at).sort((a, b) => Temporal.Instant.compare(a, b));
    const blocking = sorted.at(-most);
    if (blocking === undefined) {
      times.set(contactId, [...others, { messageId: id, at: now }]);
      answer.ready.push({ ...one, by: now.add({ seconds: leaveWithinSeconds }) });
    } else answer.held.push(held(one, 'recipient-limit', blocking.add({ seconds: markedSeconds })));
  }
  return answer;
}

async function admitKeys(
  tx: Tx,
  account: LaneAccount,
  urgent: boolean,
  messages: Ready[],
  now: Temporal.Instant,
): Promise<Admitted> {
  const keyed = messages.map((one) => ({ one, keys: keysOf(account.limits, endsOf(one.outgoing)) }));
  const names = [...new Set(keyed.flatMap(({ keys }) => keys.map(({ key }) => key)))].sort();
  if (names.length === 0) return { ready: messages, held: [] };
  const stored = await readKeys(tx, account.id, names);
  const states = new Map<string, KeyState>(
    names.map((key) => {
      const { nextAt, tailAt } = stored.get(key) ?? { nextAt: now, tailAt: now };
      return [key, { nextAt, tailAt }];
    }),
  );
  const stateOf = (key: string): KeyState => states.get(key) ?? { nextAt: now, tailAt: now };
  const answer: Admitted = { ready: [], held: [] };
  for (const { one, keys } of keyed) {
    if (keys.length === 0) {
      answer.ready.push(one);
      continue;
    }
    const placed = place(keys, stateOf, { returning: one.row.notBefore !== null, urgent }, now);
    if (placed.kind === 'slot') answer.ready.push({ ...one, at: placed.at, by: earliest(placed.by, one.by) });
    else answer.held.push(held(one, `${placed.key.split(' ')[0]}-limit`, placed.dueAt));
  }
  await writeKeys(
    tx,
    account.id,
    [...states].map(([key, state]) => ({ key, ...state })),
  );
  return answer;
}

function earliest(a: Temporal.Instant, b: Temporal.Instant | undefined): Temporal.Instant {
  return b === undefined || Temporal.Instant.compare(a, b) <= 0 ? a : b;
}

/** Where it goes to and comes from, as far as limits know. */
function endsOf(outgoing: Outgoing): Ends {
  switch (outgoing.channel) {
    case 'email':
      return {
        domain: outgoing.to.slice(outgoing.to.lastIndexOf('@') + 1).toLowerCase(),
        sender: outgoing.from.address.toLowerCase(),
      };
    case 'sms':
      return { domain: undefined, sender: outgoing.from };
    case 'whatsapp':
    case 'push':
    case 'inapp':
      return { domain: undefined, sender: undefined };
  }
}

/** Those that were marked and did not leave do not count. */
export async function unmark(tx: Tx, account: LaneAccount, results: readonly Result[]): Promise<void> {
  if (account.limits.perRecipientPerDay === undefined) return;
  const stayed = results.filter(({ outcome }) => outcome.state !== 'accepted' && outcome.state !== 'unknown');
  const marks = stayed.map(({ contactId, id }) => ({ contactId, messageId: id }));
  if (marks.length > 0) await removeMarks(tx, account.id, marks);
}
