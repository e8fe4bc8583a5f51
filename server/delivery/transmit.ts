import type { BeginSignal, Outgoing, SendResult, Sender } from '../channels/index.ts';
import type { Claim } from './claim.ts';
import type { DeliveryDeps } from './ports.ts';

type Deps = Pick<DeliveryDeps, 'clock' | 'log'>;

interface Leaving {
  readonly outgoing: Outgoing;
  /** Not before. */
  readonly at?: Temporal.Instant;
  /** Not after. */
  readonly by?: Temporal.Instant;
}

/** `stayed`: its time was missed, or the lease is over; it was not given to anybody. */
export type Report<Message> = (message: Message, result: SendResult | 'stayed') => void;

/**
 * Gives messages to the provider: each by itself at its slot, or many in one request where it takes them so and nothing
 * paces them. `lease`: aborted when it is over. Every message is reported exactly once.
 */
export function transmit<Message extends Leaving>(
  deps: Deps,
  claim: Pick<Claim, 'account' | 'opening' | 'slots'>,
  messages: readonly Message[],
  lease: BeginSignal,
  report: Report<Message>,
): void {
  const { sender } = claim.account;
  const isPaced = claim.opening.pace.intervalMs > 0;
  const now = isPaced ? [] : messages.filter((one) => one.at === undefined);
  const timed = now.length === messages.length ? [] : messages.filter((one) => isPaced || one.at !== undefined);
  if (now.length > 0) atOnce(deps, sender, now, lease, report);
  for (const message of timed) {
    // The first slots are taken before the first wait: in the order of the messages.
    const first = message.at === undefined ? claim.slots.take(deps.clock.now()) : undefined;
    void inTime(deps, claim, message, first, lease).then((result) => report(message, result));
  }
}

function atOnce<Message extends Leaving>(
  deps: Deps,
  sender: Sender,
  messages: readonly Message[],
  lease: BeginSignal,
  report: Report<Message>,
): void {
  if (lease.aborted) for (const message of messages) report(message, 'stayed');
  else if (sender.many !== undefined) together(deps, sender.many, messages, lease, report);
  else
    for (const message of messages)
      void alone(deps, sender, message.outgoing, lease).then((result) => report(message, result));
}

/** Waits for the message's own time and for a slot of the lane, until it leaves within both. */
async function inTime(
  deps: Deps,
  { account, slots }: Pick<Claim, 'account' | 'slots'>,
  { outgoing, at, by }: Leaving,
  first: Temporal.Instant | undefined,
  lease: BeginSignal,
): Promise<SendResult | 'stayed'> {
  if (at !== undefined) await sleepUntil(deps, at);
  let due = at === undefined ? first : slots.take(deps.clock.now());
  for (;;) {
    if (due === undefined) return 'stayed';
    await sleepUntil(deps, due);
    const now = deps.clock.now();
    if (lease.aborted || (by !== undefined && Temporal.Instant.compare(now, by) > 0)) return 'stayed';
    if (slots.holds(due, now)) return alone(deps, account.sender, outgoing, lease);
    due = slots.take(now);
  }
}

async function sleepUntil({ clock }: Deps, at: Temporal.Instant): Promise<void> {
  const waitMs = Number(at.epochNanoseconds - clock.now().epochNanoseconds) / 1e6;
  if (waitMs > 0) await clock.sleep(waitMs);
}

/** A provider that throws has a bug; what it did with the message is not known. */
function bug(deps: Deps, error: unknown): SendResult {
  deps.log.error({ err: error }, 'a provider threw');
  return { kind: 'unknown', code: 'provider-bug', cause: error instanceof Error ? error.message : 'thrown' };
}

/** The sender gave it back since the lease was over before it began. */
function orStayed(result: SendResult): SendResult | 'stayed' {
  return result.kind === 'retry' && result.code === 'aborted' ? 'stayed' : result;
}

async function alone(
  deps: Deps,
  sender: Sender,
  outgoing: Outgoing,
  lease: BeginSignal,
): Promise<SendResult | 'stayed'> {
  try {
    return orStayed(await sender.send(outgoing, lease));
  } catch (error) {
    return bug(deps, error);
  }
}

const noOutcome: SendResult = { kind: 'unknown', code: 'provider-bug', cause: 'the provider gave no outcome for it' };

function together<Message extends Leaving>(
  deps: Deps,
  many: NonNullable<Sender['many']>,
  messages: readonly Message[],
  lease: BeginSignal,
  report: Report<Message>,
): void {
  for (let at = 0; at < messages.length; at += many.most) {
    const group = messages.slice(at, at + many.most);
    const answered = many
      .send(
        group.map((one) => one.outgoing),
        lease,
      )
      .catch((error: unknown) => {
        const result = bug(deps, error);
        return group.map(() => result);
      });
    void answered.then((results) => {
      for (const [place, one] of group.entries()) report(one, orStayed(results[place] ?? noOutcome));
    });
  }
}
