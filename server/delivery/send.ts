import type { HashedAddress } from '../audience/index.ts';
import type { Tx } from '../platform/db.ts';
import type { AppError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import { intend } from './intend.ts';
import type { Asked, Intent } from './intend.ts';
import { keepSharedPlan, planNew } from './plan.ts';
import type { SharedPlan } from './plan.ts';
import type { SendDeps } from './ports.ts';
import { answerOf } from './send.rules.ts';
import type { Answer } from './send.rules.ts';

export type Sent = { readonly answer: Answer } | { readonly refusal: AppError };

/**
 * Messages of one or of many calls: each gets its row in the ledger and its decision in the answer, or is refused with
 * nothing of it written. The gate decides once more at the hand-over. Answers in the order asked.
 */
export async function send(tx: Tx, deps: SendDeps, asked: readonly Asked[], shard: number): Promise<Sent[]> {
  const { intents, refusals } = await intend(tx, deps, asked);
  const contacts = await contactsOf(tx, deps, intents);
  const answers = new Map<number, Answer>();
  for (const [plan, list] of byPlan(intents)) {
    const recipients = list.map((intent) => {
      const { place, given, notBefore, decision } = intent;
      const messageId = newId(deps.clock);
      answers.set(place, answerOf(messageId, decision));
      const { contactId, addressId } = need(contacts.get(place));
      return {
        messageId,
        recipientKey: messageId,
        contactId,
        addressId,
        ...(given.variables === undefined ? {} : { variables: given.variables }),
        ...(notBefore === null ? {} : { notBefore }),
        ...(decision.outcome === 'suppress' ? { suppressed: decision.reason } : {}),
      };
    });
    planNew(tx, deps, await keepSharedPlan(tx, deps, plan), recipients, shard);
  }
  return asked.map((_, place) => {
    const refusal = refusals.get(place);
    return refusal === undefined ? { answer: need(answers.get(place)) } : { refusal };
  });
}

/** By place. Strangers become contacts here, so that what was decided about them is kept. */
async function contactsOf(
  tx: Tx,
  deps: SendDeps,
  intents: readonly Intent[],
): Promise<Map<number, { contactId: string; addressId: string | null }>> {
  const strangers: { place: number; address: HashedAddress }[] = [];
  const contacts = new Map<number, { contactId: string; addressId: string | null }>();
  for (const { place, person, address } of intents) {
    if (person.contactId !== null) contacts.set(place, person);
    else strangers.push({ place, address: need(address) });
  }
  if (strangers.length === 0) return contacts;
  const made = await deps.obtainContacts(
    tx,
    strangers.map((one) => one.address),
  );
  for (const [at, { place }] of strangers.entries()) contacts.set(place, need(made[at]));
  return contacts;
}

/** In one order by everybody: the rows of their counts are shared, and two calls must not wait for each other in a circle. */
function byPlan(intents: readonly Intent[]): [SharedPlan, Intent[]][] {
  const plans = Map.groupBy(intents, (one) => one.plan);
  return [...plans].sort(([a], [b]) => (a.row.id < b.row.id ? -1 : 1));
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a list lost an element');
  return value;
}
