import type { BeginSignal, SendResult } from '../../port.ts';
import type { ComposedEmail } from '../mime.rules.ts';
import { classifyReply } from './reply.rules.ts';
import type { Phase, Reply } from './reply.rules.ts';
import type { Session } from './session.ts';
import type { Failure } from './wire.ts';

/** What carries messages over one session, by DATA (connection.ts) or by BDAT (chunked.ts), and whom it serves. */
export interface Carrier {
  readonly session: Session;
  /** Carries nothing and would take a message. */
  isIdle(): boolean;
  /** Would take a message now, be it ahead of the answer to another one. */
  hasRoom(): boolean;
  /** Takes up to `most` messages, fewer where it has no room for so many. */
  pump(most: number): void;
  /** Finishes what is under way, then says QUIT. */
  retire(): void;
}

/** A composed message and where its outcome goes. */
export interface Job {
  readonly messageId: string;
  readonly email: ComposedEmail;
  readonly signal: BeginSignal | undefined;
  readonly settle: (result: SendResult) => void;
  /** How often a connection that had worked broke under it before any of its body left. */
  returns: number;
}

export interface CarrierHost {
  /** The next message this connection may carry; undefined when there is none. */
  take(session: Session): Job | undefined;
  /** How many a carrier that has room again should take, so that the others get theirs. */
  share(): number;
  /** It was not taken, and the connection is to blame: another one may carry it. */
  giveBack(job: Job): void;
  /** The server announces BDAT and does not know it. */
  onNoChunking(): void;
  onGone(carrier: Carrier, failure: Failure): void;
}

/** The command of an envelope that was not taken, and the answer to it. */
export interface Refusal {
  readonly phase: Phase;
  readonly reply: Reply;
}

/** A server that closes a connection gives the message another try on a fresh one, so often. */
const maxReturns = 2;

/** Bodies above this go to the kernel before their end is written, so that a line that stalls half way is not in doubt. */
export const largeBytes = 64 * 1024;

export const quitMs = 1_000;

export const ok = (reply: Reply) => reply.code >= 200 && reply.code < 300;

/** Ends a message that the server did not take. `done`: how many messages the connection had ended before. */
export function turnAway(host: CarrierHost, job: Job, done: number, { phase, reply }: Refusal): void {
  // 421 is about the connection (RFC 5321, 4.2.2); one that worked may simply have served enough.
  if (reply.code !== 421 || done === 0 || job.returns >= maxReturns) {
    return job.settle(classifyReply(phase, reply, job.messageId));
  }
  job.returns++;
  host.giveBack(job);
}

/** Ends a message that was not out in whole when its connection ended. */
export function abandon(host: CarrierHost, job: Job, done: number, failure: Failure): void {
  // A server may close a connection that worked at any time; the message has nothing to do with it.
  if (done > 0 && failure.code === 'connection-lost' && job.returns < maxReturns) {
    job.returns++;
    return host.giveBack(job);
  }
  job.settle(lost(failure));
}

export function lost(failure: Failure): SendResult {
  const category = failure.code === 'malformed' ? 'provider-down' : 'transient';
  return { kind: 'retry', category, code: failure.code, reason: failure.reason };
}

export const abortedResult: SendResult = {
  kind: 'retry',
  category: 'transient',
  code: 'aborted',
  reason: 'given up before it began',
};
