import { abandon, abortedResult, largeBytes, ok, quitMs, turnAway } from './carrier.ts';
import type { Carrier, CarrierHost, Job, Refusal } from './carrier.ts';
import { classifyReply } from './reply.rules.ts';
import type { Reply } from './reply.rules.ts';
import type { Session, SmtpConfig } from './session.ts';
import { expectReply, fail, watchEnd, writeBytes, writeLarge, writeText } from './wire.ts';
import type { Failure } from './wire.ts';

interface Turn {
  readonly job: Job;
  /** Its envelope, as it is written. */
  readonly envelope: string;
  refusal: Refusal | undefined;
  recipientTaken: boolean;
  /** All of it was written: from here on it may have arrived. */
  whole: boolean;
}

/**
 * Carries messages over one session by BDAT (RFC 3030): envelope and body in one write, several messages before the first
 * answer (RFC 2920). Every command has exactly one answer, in order. Messages behind one that is not answered yet begin
 * with RSET: whatever becomes of that one, nothing of it is left in the transaction of the next.
 */
interface Chunked {
  readonly session: Session;
  readonly config: SmtpConfig;
  readonly maxMessages: number;
  readonly host: CarrierHost;
  readonly carrier: Carrier;
  /** Without their final answer, in order. */
  readonly turns: Turn[];
  /** Of their bodies. */
  bytes: number;
  /** Messages are put together here; another one while the kernel has not taken it. */
  out: Buffer;
  /** What was written is not in the kernel yet; nothing else is written meanwhile. */
  writing: boolean;
  taken: number;
  done: number;
  retiring: boolean;
  quitting: boolean;
  /** The last transaction ended well: nothing is open at the server's. */
  clean: boolean;
  /** This server has taken a BDAT on this connection. */
  proven: boolean;
  /** 421, if that was its last word so far. */
  farewell: Reply | undefined;
}

/** What may be in doubt at once when a connection breaks is bounded by these. */
const maxUnanswered = 8;
const maxUnansweredBytes = 256 * 1024;
/** Messages are taken again when so few are unanswered: one by one they would cost a write each. */
const refillAt = 4;
/** After 421 the server closes the connection (RFC 5321, 3.8); one that does not in this time has not kept its word. */
const farewellMs = 5_000;
/** The body's last bytes, which are held until the kernel has all before them: the CRLF it ends in. */
const heldBytes = 2;

export function createChunked(session: Session, config: SmtpConfig, maxMessages: number, host: CarrierHost): Carrier {
  const carrier: Carrier = {
    session,
    isIdle: () => !at.retiring && at.turns.length === 0,
    hasRoom: () => hasRoom(at),
    pump: (most) => pump(at, most),
    retire: () => {
      at.retiring = true;
      proceed(at);
    },
  };
  const at: Chunked = {
    session,
    config,
    maxMessages,
    host,
    carrier,
    turns: [],
    bytes: 0,
    out: Buffer.alloc(0),
    writing: false,
    taken: 0,
    done: 0,
    retiring: false,
    quitting: false,
    clean: true,
    proven: false,
    farewell: undefined,
  };
  session.wire.onRead = () => proceed(at);
  watchEnd(session.wire, (failure) => onGone(at, failure));
  return carrier;
}

function hasRoom(at: Chunked): boolean {
  if (at.retiring || at.writing || at.taken >= at.maxMessages) return false;
  if (!at.proven) return at.turns.length === 0;
  return at.turns.length < maxUnanswered && at.bytes < maxUnansweredBytes;
}

function pump(at: Chunked, most: number): void {
  let left = most;
  while (left > 0 && hasRoom(at)) {
    const jobs = gather(at, left);
    if (jobs.length === 0) return;
    left -= jobs.length;
    const live = stillWanted(jobs);
    const [first] = live;
    if (first === undefined) continue;
    at.taken += live.length;
    if (!at.proven) prove(at, first);
    else if (first.email.raw.length > largeBytes) sendLarge(at, begin(at, first), 0);
    else sendAll(at, live);
  }
}

/** Messages for one write: several small ones, or one of any size. */
function gather(at: Chunked, most: number): Job[] {
  const jobs: Job[] = [];
  const room = at.proven ? Math.min(most, maxUnanswered - at.turns.length, at.maxMessages - at.taken) : 1;
  let bytes = 0;
  while (jobs.length < room) {
    const job = at.host.take(at.session);
    if (job === undefined) break;
    bytes += job.email.raw.length;
    const fits = at.bytes + bytes <= maxUnansweredBytes && (jobs.length === 0 || bytes <= largeBytes);
    if (!fits && at.turns.length + jobs.length > 0) {
      at.host.giveBack(job);
      break;
    }
    jobs.push(job);
  }
  return jobs;
}

/** Asked last of all before the bytes leave: composing the others took a while. */
function stillWanted(jobs: readonly Job[]): readonly Job[] {
  if (!jobs.some((job) => job.signal?.aborted === true)) return jobs;
  return jobs.filter((job) => {
    if (job.signal?.aborted !== true) return true;
    job.settle(abortedResult);
    return false;
  });
}

/** Takes it in, and expects the answers to its envelope. */
function begin(at: Chunked, job: Job): Turn {
  const { wire, features } = at.session;
  const { from, to, utf8, raw } = job.email;
  const reset = at.turns.length > 0 || !at.clean;
  const size = features.size ? ` SIZE=${raw.length}` : '';
  const mail = `MAIL FROM:<${from}>${size}${utf8 ? ' BODY=8BITMIME SMTPUTF8' : ''}\r\nRCPT TO:<${to}>\r\n`;
  const envelope = reset ? `RSET\r\n${mail}` : mail;
  const turn: Turn = { job, envelope, refusal: undefined, recipientTaken: false, whole: false };
  const { commandMs } = at.config;
  if (reset) expectReply(wire, commandMs, (reply) => heed(at, reply));
  expectReply(wire, commandMs, (reply) => onEnvelope(at, turn, 'mail', reply));
  expectReply(wire, commandMs, (reply) => onEnvelope(at, turn, 'rcpt', reply));
  at.turns.push(turn);
  at.bytes += raw.length;
  return turn;
}

/** Writes messages in one go. */
function sendAll(at: Chunked, jobs: readonly Job[]): void {
  const heads: string[] = [];
  let length = 0;
  for (const job of jobs) {
    const turn = begin(at, job);
    const { raw, utf8 } = job.email;
    const head = `${turn.envelope}BDAT ${raw.length} LAST\r\n`;
    heads.push(head);
    length += (utf8 ? Buffer.byteLength(head) : head.length) + raw.length;
    turn.whole = true;
    expectReply(at.session.wire, at.config.acceptMs, (reply) => onEnd(at, turn, reply));
  }
  if (at.out.length < length) at.out = Buffer.allocUnsafeSlow(Math.max(length, 32 * 1024));
  let end = 0;
  for (const [index, { email }] of jobs.entries()) {
    end += at.out.write(heads[index] ?? '', end, email.utf8 ? 'utf8' : 'latin1');
    end += email.raw.copy(at.out, end);
  }
  if (writeBytes(at.session.wire, at.out.subarray(0, end), () => onWritten(at))) return;
  at.writing = true;
  at.out = Buffer.alloc(0);
}

function onWritten(at: Chunked): void {
  at.writing = false;
  proceed(at);
}

/** The rest of a body from `start`: all but its last bytes first, then those. */
function sendLarge(at: Chunked, turn: Turn, start: number): void {
  const { wire } = at.session;
  const { raw, utf8 } = turn.job.email;
  const split = raw.length - heldBytes;
  at.writing = true;
  // Whoever is quiet now has the limit of a command: nothing is in doubt yet.
  const awaited = expectReply(wire, at.config.commandMs, (reply) => onEnd(at, turn, reply));
  const head = `${start === 0 ? turn.envelope : ''}BDAT ${raw.length - start} LAST\r\n`;
  writeText(wire, head, utf8 ? 'utf8' : 'latin1');
  writeLarge(wire, raw.subarray(start, split), () => {
    if (at.turns.at(-1) !== turn) return;
    turn.whole = true;
    awaited.limitMs = at.farewell === undefined ? at.config.acceptMs : farewellMs;
    writeBytes(wire, raw.subarray(split), () => undefined);
    onWritten(at);
  });
}

/**
 * The first message of a connection leaves in two chunks, the first being one harmless line: a server that announces BDAT
 * and does not know it takes what follows for commands.
 */
function prove(at: Chunked, job: Job): void {
  const turn = begin(at, job);
  const { raw, utf8 } = job.email;
  const start = raw.indexOf(0x0a) + 1;
  expectReply(at.session.wire, at.config.commandMs, (reply) => onProof(at, turn, start, reply));
  const line = raw.toString(utf8 ? 'utf8' : 'latin1', 0, start);
  writeText(at.session.wire, `${turn.envelope}BDAT ${start}\r\n${line}`, utf8 ? 'utf8' : 'latin1');
}

function onProof(at: Chunked, turn: Turn, start: number, reply: Reply): void {
  heed(at, reply);
  if (reply.code === 421) return hangUp(at);
  if (turn.refusal !== undefined) return close(at, turn, turn.refusal);
  if (isUnheardOf(reply)) {
    forget(at);
    at.host.onNoChunking();
    at.host.giveBack(turn.job);
    // The line that followed was taken for a command: what is answered from here on is anybody's guess.
    return fail(at.session.wire, { code: 'closed', reason: 'the server does not know BDAT' });
  }
  if (!ok(reply)) return close(at, turn, { phase: 'data', reply });
  at.proven = true;
  if (turn.job.signal?.aborted === true) {
    forget(at);
    at.clean = false;
    return turn.job.settle(abortedResult);
  }
  sendRest(at, turn, start);
}

function sendRest(at: Chunked, turn: Turn, start: number): void {
  const { raw } = turn.job.email;
  if (raw.length - start > largeBytes) return sendLarge(at, turn, start);
  const { wire } = at.session;
  expectReply(wire, at.config.acceptMs, (reply) => onEnd(at, turn, reply));
  turn.whole = true;
  const chunk = Buffer.concat([Buffer.from(`BDAT ${raw.length - start} LAST\r\n`), raw.subarray(start)]);
  at.writing = !writeBytes(wire, chunk, () => onWritten(at));
}

/** The command was not understood, which has nothing to do with the message. */
function isUnheardOf({ code }: Reply): boolean {
  return code >= 500 && code <= 504;
}

/** Every answer is looked at here first. */
function heed(at: Chunked, reply: Reply): void {
  const isFarewell = reply.code === 421;
  at.farewell = isFarewell ? reply : undefined;
  if (!isFarewell) return;
  at.retiring = true;
  for (const one of at.session.wire.expected) one.limitMs = Math.min(one.limitMs, farewellMs);
}

function onEnvelope(at: Chunked, turn: Turn, phase: 'mail' | 'rcpt', reply: Reply): void {
  heed(at, reply);
  if (!ok(reply)) turn.refusal ??= { phase, reply };
  else if (phase === 'rcpt') turn.recipientTaken = true;
}

function onEnd(at: Chunked, turn: Turn, reply: Reply): void {
  heed(at, reply);
  const isTaken = ok(reply) && turn.whole;
  // What is answered before the last bytes leaves them in the way of every further command.
  const isStuck = !turn.whole;
  if (turn.refusal !== undefined && !(isTaken && turn.recipientTaken)) close(at, turn, turn.refusal);
  else if (turn.refusal === undefined && isUnheardOf(reply)) {
    forget(at);
    at.retiring = true;
    at.host.onNoChunking();
    at.host.giveBack(turn.job);
  } else if (isTaken) {
    forget(at);
    at.clean = true;
    turn.job.settle(classifyReply('end', reply, turn.job.messageId));
  } else close(at, turn, { phase: turn.whole ? 'end' : 'data', reply });
  if (isStuck) hangUp(at);
}

/** Its final answer came, or none will matter: the first one is over. */
function forget(at: Chunked): void {
  const turn = at.turns.shift();
  at.bytes -= turn?.job.email.raw.length ?? 0;
  at.done++;
}

/** Ends a message that was not taken. */
function close(at: Chunked, turn: Turn, refusal: Refusal): void {
  const done = at.done;
  forget(at);
  at.clean = false;
  if (refusal.phase === 'end') turn.job.settle(classifyReply('end', refusal.reply, turn.job.messageId));
  else turnAway(at.host, turn.job, done, refusal);
}

/** What comes next, when all that was heard at once is dealt with. */
function proceed(at: Chunked): void {
  if (at.quitting) return;
  if (at.turns.length === 0) {
    if (at.farewell !== undefined) return hangUp(at);
    if (at.retiring || at.taken >= at.maxMessages) return quit(at);
  }
  if (at.turns.length <= refillAt) pump(at, at.host.share());
}

function hangUp(at: Chunked): void {
  fail(at.session.wire, { code: 'connection-lost', reason: 'the server closed the connection' });
}

function quit(at: Chunked): void {
  const { wire } = at.session;
  at.retiring = true;
  at.quitting = true;
  // Good manners only: nothing depends on the answer.
  expectReply(wire, Math.min(quitMs, at.config.commandMs), () => fail(wire, { code: 'closed', reason: 'done' }));
  writeText(wire, 'QUIT\r\n');
}

function onGone(at: Chunked, failure: Failure): void {
  at.retiring = true;
  // It said that it closes, and did: it has read nothing more, whatever was written.
  const farewell = failure.code === 'connection-lost' ? at.farewell : undefined;
  for (const { job, refusal, whole } of at.turns.splice(0)) {
    if (refusal !== undefined) turnAway(at.host, job, at.done, refusal);
    else if (farewell !== undefined) turnAway(at.host, job, at.done, { phase: 'mail', reply: farewell });
    else if (whole) job.settle({ kind: 'unknown', code: failure.code, cause: failure.reason });
    else abandon(at.host, job, at.done, failure);
  }
  at.host.onGone(at.carrier, failure);
}
