import type { Outgoing, SendResult, Sender } from '../channels/index.ts';
import type { Claim } from './claim.ts';
import { slot } from './pace.rules.ts';
import type { DeliveryDeps } from './ports.ts';

type Deps = Pick<DeliveryDeps, 'clock' | 'log'>;

interface Leaving {
  readonly outgoing: Outgoing;
}

/**
 * Gives messages to the provider: each by itself at its slot, or many in one request where it takes them so and nothing
 * paces them. `before` messages of the claim have gone already. Every message is reported exactly once.
 */
export function transmit<Message extends Leaving>(
  deps: Deps,
  { account, interval, reservation }: Claim,
  before: number,
  messages: readonly Message[],
  report: (message: Message, result: SendResult) => void,
): void {
  const { sender } = account;
  if (sender.many !== undefined && interval === 0) return together(deps, sender.many, messages, report);
  for (const [nth, message] of messages.entries()) {
    const due = interval === 0 ? undefined : slot(reservation.startAt, interval, before + nth);
    void alone(deps, sender, message.outgoing, due).then((result) => report(message, result));
  }
}

/** A provider that throws has a bug; what it did with the message is not known. */
function bug(deps: Deps, error: unknown): SendResult {
  deps.log.error({ err: error }, 'a provider threw');
  return { kind: 'unknown', code: 'provider-bug', cause: error instanceof Error ? error.message : 'thrown' };
}

async function alone(
  deps: Deps,
  sender: Sender,
  outgoing: Outgoing,
  due: Temporal.Instant | undefined,
): Promise<SendResult> {
  if (due !== undefined) {
    const waitMs = Number(due.epochNanoseconds - deps.clock.now().epochNanoseconds) / 1e6;
    if (waitMs > 0) await deps.clock.sleep(waitMs);
  }
  try {
    return await sender.send(outgoing);
  } catch (error) {
    return bug(deps, error);
  }
}

const noOutcome: SendResult = { kind: 'unknown', code: 'provider-bug', cause: 'the provider gave no outcome for it' };

function together<Message extends Leaving>(
  deps: Deps,
  many: NonNullable<Sender['many']>,
  messages: readonly Message[],
  report: (message: Message, result: SendResult) => void,
): void {
  for (let at = 0; at < messages.length; at += many.most) {
    const group = messages.slice(at, at + many.most);
    const answered = many.send(group.map((one) => one.outgoing)).catch((error: unknown) => {
      const result = bug(deps, error);
      return group.map(() => result);
    });
    void answered.then((results) => {
      for (const [place, one] of group.entries()) report(one, results[place] ?? noOutcome);
    });
  }
}
