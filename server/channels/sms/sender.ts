import { resultOf } from '../outcome.rules.ts';
import type { BeginSignal, Logger, OutgoingSms, Sender, SendResult } from '../port.ts';
import { prepareSms } from './sender.rules.ts';
import type { Prepared, SmsLimits } from './sender.rules.ts';

/** What the senders of all SMS vendors share: so many requests at a time, what no vendor takes anyway, and the end. */
export interface SmsSenderParts {
  /** Requests at a time. */
  readonly capacity: number;
  readonly limits: SmsLimits;
  readonly log: Logger;
  hand(message: OutgoingSms, prepared: Prepared): Promise<SendResult>;
}

const notBegun = {
  closed: resultOf('transient', 'closed', 'the account was closed before the message began'),
  aborted: resultOf('transient', 'aborted', 'given up before the message began'),
} as const;

/** False when it did not begin: the next has the turn. */
type Begin = (given: 'turn' | keyof typeof notBegun) => boolean;

export function createSmsSender(parts: SmsSenderParts): Sender {
  const waiting = new Set<Begin>();
  const running = new Set<Promise<SendResult>>();
  let isClosed = false;

  const start = (message: OutgoingSms, prepared: Prepared): Promise<SendResult> => {
    const work = handSafely(parts, message, prepared).finally(() => {
      running.delete(work);
      for (const next of waiting) if (next('turn')) break;
    });
    running.add(work);
    return work;
  };

  /** Aborting reaches only what waits: a request that has begun runs to its end, so that its outcome is exact. */
  const queue = (message: OutgoingSms, prepared: Prepared, signal: BeginSignal | undefined) =>
    new Promise<SendResult>((resolve) => {
      const onAbort = () => void begin('aborted');
      const begin: Begin = (given) => {
        waiting.delete(begin);
        signal?.removeEventListener('abort', onAbort);
        const now = given === 'turn' && signal?.aborted === true ? 'aborted' : given;
        resolve(now === 'turn' ? start(message, prepared) : notBegun[now]);
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
      if (message.channel !== 'sms')
        return Promise.resolve(resultOf('content', 'wrong-channel', `an SMS account does not send ${message.channel}`));
      const prepared = prepareSms(message, parts.limits);
      if (prepared.kind !== 'prepared') return Promise.resolve(prepared);
      return running.size < parts.capacity ? start(message, prepared) : queue(message, prepared, signal);
    },
    close: async () => {
      isClosed = true;
      for (const begin of waiting) begin('closed');
      await Promise.all(running);
    },
  };
}

async function handSafely(parts: SmsSenderParts, message: OutgoingSms, prepared: Prepared): Promise<SendResult> {
  try {
    const result = await parts.hand(message, prepared);
    if (result.kind !== 'accepted') return result;
    const cost = prepared.segments === 1 ? '1 part' : `${prepared.segments} parts`;
    return { ...result, detail: result.detail === undefined ? cost : `${result.detail}, ${cost}` };
  } catch (error) {
    // A mistake of ours: it is not known how far it came.
    parts.log.warn({ err: error }, 'sending failed unexpectedly');
    return { kind: 'unknown', code: 'internal', cause: 'an unexpected error while sending' };
  }
}
