import { resultOf } from '../outcome.rules.ts';
import type { BeginSignal, Logger, Outgoing, OutgoingEmail, Sender, SendResult } from '../port.ts';

/** What the senders of all e-mail vendors over HTTP share: a bounded number of requests at a time, batches, the end. */

export interface HttpSenderParts {
  /** Requests at a time. */
  readonly capacity: number;
  readonly log: Logger;
  /** One message in a request of its own. */
  one(message: OutgoingEmail): Promise<SendResult>;
  /** Many in a request: `groups` says which, by their indexes; what stands alone goes through `one`. */
  readonly many?: {
    readonly most: number;
    groups(messages: readonly OutgoingEmail[]): readonly (readonly number[])[];
    /** An outcome for each, in order. */
    together(messages: readonly OutgoingEmail[]): Promise<readonly SendResult[]>;
  };
}

const closedResult = resultOf('transient', 'closed', 'the account was closed before the message began');
const abortedResult = resultOf('transient', 'aborted', 'given up before the message began');
const wrongChannel = resultOf('content', 'wrong-channel', 'not an e-mail');

interface Waiting {
  /** False when it did not begin: the next has the turn. */
  go(mayBegin: boolean): boolean;
}

interface State {
  free: number;
  closed: boolean;
  readonly waiting: Waiting[];
  readonly running: Set<Promise<unknown>>;
}

export function createHttpSender(parts: HttpSenderParts): Sender {
  const state: State = { free: parts.capacity, closed: false, waiting: [], running: new Set() };
  const { many } = parts;
  return {
    capacity: parts.capacity,
    send: async (message, signal) => {
      if (message.channel !== 'email') return wrongChannel;
      const [result] = await inTurn(state, parts, 1, signal, async () => [await parts.one(message)]);
      return result ?? closedResult;
    },
    ...(many === undefined
      ? {}
      : { many: { most: many.most, send: (messages, signal) => sendMany(state, parts, many, messages, signal) } }),
    close: async () => {
      state.closed = true;
      for (const one of state.waiting.splice(0)) one.go(false);
      while (state.running.size > 0) await Promise.all(state.running);
    },
  };
}

async function sendMany(
  state: State,
  parts: HttpSenderParts,
  many: NonNullable<HttpSenderParts['many']>,
  messages: readonly Outgoing[],
  signal: BeginSignal | undefined,
): Promise<readonly SendResult[]> {
  const results: SendResult[] = messages.map(() => wrongChannel);
  const emails: OutgoingEmail[] = [];
  const places: number[] = [];
  for (const [index, message] of messages.entries()) {
    if (message.channel !== 'email') continue;
    emails.push(message);
    places.push(index);
  }
  await Promise.all(
    many.groups(emails).map(async (group) => {
      const members = group.flatMap((index) => emails[index] ?? []);
      const [only] = members;
      const outcomes = await inTurn(state, parts, members.length, signal, async () =>
        members.length === 1 && only !== undefined ? [await parts.one(only)] : many.together(members),
      );
      for (const [at, index] of group.entries()) results[places[index] ?? -1] = outcomes[at] ?? missing;
    }),
  );
  return results;
}

const missing: SendResult = { kind: 'unknown', code: 'malformed', cause: 'the answer says nothing of this message' };

/** Aborting reaches only what has not begun: bytes that may have left run to their end, bounded by the call's time-out. */
async function inTurn(
  state: State,
  parts: HttpSenderParts,
  count: number,
  signal: BeginSignal | undefined,
  work: () => Promise<readonly SendResult[]>,
): Promise<readonly SendResult[]> {
  const all = (result: SendResult) => Array.from({ length: count }, () => result);
  if (state.closed) return all(closedResult);
  if (!(await turn(state, signal))) return all(state.closed ? closedResult : abortedResult);
  const running = work().catch((error: unknown) => {
    // A mistake of ours: it is not known how far it came.
    parts.log.warn({ err: error }, 'sending failed unexpectedly');
    return all({ kind: 'unknown', code: 'internal', cause: 'an unexpected error while sending' });
  });
  state.running.add(running);
  try {
    return await running;
  } finally {
    state.running.delete(running);
    passTurn(state);
  }
}

function passTurn(state: State): void {
  for (let next = state.waiting.shift(); next !== undefined; next = state.waiting.shift()) if (next.go(true)) return;
  state.free++;
}

function turn(state: State, signal: BeginSignal | undefined): Promise<boolean> {
  if (signal?.aborted === true) return Promise.resolve(false);
  if (state.free > 0) {
    state.free--;
    return Promise.resolve(true);
  }
  return new Promise((resolve) => {
    const onAbort = () => {
      const at = state.waiting.indexOf(waiting);
      if (at >= 0) state.waiting.splice(at, 1);
      signal?.removeEventListener('abort', onAbort);
      resolve(false);
    };
    const waiting: Waiting = {
      go: (mayBegin) => {
        signal?.removeEventListener('abort', onAbort);
        const goes = mayBegin && signal?.aborted !== true;
        resolve(goes);
        return goes;
      },
    };
    signal?.addEventListener('abort', onAbort);
    state.waiting.push(waiting);
  });
}
