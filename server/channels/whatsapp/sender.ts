import { resultOf } from '../outcome.rules.ts';
import type { BeginSignal, Logger, OutgoingWhatsApp, Sender, SendResult } from '../port.ts';
import { contentProblems } from './content.rules.ts';

/** What both vendors' senders share: so many requests at a time, what WhatsApp would refuse anyway, and the end. */

export interface WhatsAppSenderParts {
  /** Requests at a time. */
  readonly capacity: number;
  readonly log: Logger;
  hand(message: OutgoingWhatsApp): Promise<SendResult>;
}

const notBegun = {
  closed: resultOf('transient', 'closed', 'the account was closed before the message began'),
  aborted: resultOf('transient', 'aborted', 'given up before the message began'),
} as const;

/** False when it did not begin: the next has the turn. */
type Begin = (given: 'turn' | keyof typeof notBegun) => boolean;

export function createWhatsAppSender(parts: WhatsAppSenderParts): Sender {
  const waiting = new Set<Begin>();
  const running = new Set<Promise<SendResult>>();
  let isClosed = false;

  const start = (message: OutgoingWhatsApp): Promise<SendResult> => {
    const work = handSafely(parts, message).finally(() => {
      running.delete(work);
      for (const next of waiting) if (next('turn')) break;
    });
    running.add(work);
    return work;
  };

  /** Aborting reaches only what waits: a request that has begun runs to its end, so that its outcome is exact. */
  const queue = (message: OutgoingWhatsApp, signal: BeginSignal | undefined) =>
    new Promise<SendResult>((resolve) => {
      const onAbort = () => void begin('aborted');
      const begin: Begin = (given) => {
        waiting.delete(begin);
        signal?.removeEventListener('abort', onAbort);
        const now = given === 'turn' && signal?.aborted === true ? 'aborted' : given;
        resolve(now === 'turn' ? start(message) : notBegun[now]);
        return now === 'turn';
      };
      signal?.addEventListener('abort', onAbort);
      waiting.add(begin);
    });

  return {
    capacity: parts.capacity,
    send: (message, signal) => {
      if (isClosed) return Promise.resolve(notBegun.closed);
      if (signal?.aborted === true) return Promise.resolve(notBegun.aborted);
      if (message.channel !== 'whatsapp')
        return Promise.resolve(
          resultOf('content', 'wrong-channel', `a WhatsApp account does not send ${message.channel}`),
        );
      const refusal = refusalOf(message);
      if (refusal !== undefined) return Promise.resolve(refusal);
      return running.size < parts.capacity ? start(message) : queue(message, signal);
    },
    close: async () => {
      isClosed = true;
      for (const begin of waiting) begin('closed');
      await Promise.all(running);
    },
  };
}

const e164 = /^\+[1-9]\d{5,14}$/;

function refusalOf(message: OutgoingWhatsApp): SendResult | undefined {
  if (!e164.test(message.to)) return resultOf('address', 'not-a-number', 'the address is no telephone number');
  const [problem] = contentProblems(message.content);
  if (problem === undefined) return undefined;
  return resultOf('content', 'unfit-content', `${problem.pointer} ${problem.message}`);
}

async function handSafely(parts: WhatsAppSenderParts, message: OutgoingWhatsApp): Promise<SendResult> {
  try {
    return await parts.hand(message);
  } catch (error) {
    // A mistake of ours: it is not known how far it came.
    parts.log.warn({ err: error }, 'sending failed unexpectedly');
    return { kind: 'unknown', code: 'internal', cause: 'an unexpected error while sending' };
  }
}
