import type { BeginSignal, Outgoing, OutgoingPush, Sender, SendResult } from '../port.ts';

export interface PushSenderParts {
  /** Messages on the wire at once; more wait their turn. */
  readonly capacity: number;
  /** Hands one over. `signal` fires only where giving up leaves no doubt: before it has begun. */
  hand(message: OutgoingPush): Promise<SendResult>;
  /** Lets go of connections, when nothing is under way any more. */
  end?(): Promise<void>;
}

const notBegun = (code: 'aborted' | 'closed'): SendResult => ({
  kind: 'retry',
  category: 'transient',
  code,
  reason: code === 'closed' ? 'the account was closed before the message left' : 'given up before the message left',
});

interface Waiting {
  /** False when it gave its turn up: the next may begin. */
  begin(): boolean;
  giveUp(code: 'aborted' | 'closed'): void;
}

/** What the senders of the push services have in common: turns, giving up what has not begun, and the end. */
export function createPushSender({ capacity, hand, end }: PushSenderParts): Sender {
  const waiting = new Set<Waiting>();
  const underWay = new Set<Promise<SendResult>>();
  let isClosed = false;

  const start = (message: OutgoingPush): Promise<SendResult> => {
    const result = hand(message).finally(() => {
      underWay.delete(result);
      for (const next of waiting) if (next.begin()) break;
    });
    underWay.add(result);
    return result;
  };

  const queue = (message: OutgoingPush, signal: BeginSignal | undefined) =>
    new Promise<SendResult>((resolve) => {
      const leave = () => {
        waiting.delete(one);
        signal?.removeEventListener('abort', onAbort);
      };
      const one: Waiting = {
        begin: () => {
          leave();
          const mayBegin = signal?.aborted !== true;
          resolve(mayBegin ? start(message) : notBegun('aborted'));
          return mayBegin;
        },
        giveUp: (code) => {
          leave();
          resolve(notBegun(code));
        },
      };
      const onAbort = () => one.giveUp('aborted');
      signal?.addEventListener('abort', onAbort);
      waiting.add(one);
    });

  return {
    capacity,
    send: (message: Outgoing, signal) => {
      if (message.channel !== 'push') return Promise.resolve(wrongChannel(message));
      if (isClosed) return Promise.resolve(notBegun('closed'));
      if (signal?.aborted === true) return Promise.resolve(notBegun('aborted'));
      return underWay.size < capacity ? start(message) : queue(message, signal);
    },
    close: async () => {
      isClosed = true;
      for (const one of waiting) one.giveUp('closed');
      await Promise.all(underWay);
      await end?.();
    },
  };
}

function wrongChannel(message: Outgoing): SendResult {
  return {
    kind: 'refused',
    category: 'content',
    code: 'wrong-channel',
    reason: `a push account does not send ${message.channel}`,
    permanent: true,
  };
}
