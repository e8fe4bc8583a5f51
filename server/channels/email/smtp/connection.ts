import { abandon, largeBytes, lost, ok, quitMs, turnAway } from './carrier.ts';
import type { Carrier, CarrierHost, Job, Refusal } from './carrier.ts';
import { classifyReply } from './reply.rules.ts';
import type { Reply } from './reply.rules.ts';
import type { Session, SmtpConfig } from './session.ts';
import { expectReply, fail, watchEnd, writeLarge, writeText, writeWith } from './wire.ts';
import type { Failure } from './wire.ts';

interface Turn {
  readonly job: Job;
  /** The first command of the envelope that was not taken, and the answer to it. */
  refusal: Refusal | undefined;
}

/**
 * Carries messages over one session, two at a time (RFC 2920): while the answer to the final dot of one is awaited
 * (`ending`, in doubt), the envelope of the next is already on its way (`opening`, not in doubt).
 */
interface Connection {
  readonly session: Session;
  readonly config: SmtpConfig;
  readonly maxMessages: number;
  readonly host: CarrierHost;
  readonly carrier: Carrier;
  opening: Turn | undefined;
  ending: Turn | undefined;
  /** The body of `ending` is not in the kernel yet, and its final dot not written. */
  dotHeld: boolean;
  taken: number;
  done: number;
  retiring: boolean;
  needsReset: boolean;
}

/** For servers without BDAT, or without pipelining. */
export function createConnection(
  session: Session,
  config: SmtpConfig,
  maxMessages: number,
  host: CarrierHost,
): Carrier {
  const carrier: Carrier = {
    session,
    isIdle: () => isIdle(connection),
    hasRoom: () => hasRoom(connection),
    pump: () => pump(connection),
    retire: () => retire(connection),
  };
  const connection: Connection = {
    session,
    config,
    maxMessages,
    host,
    carrier,
    opening: undefined,
    ending: undefined,
    dotHeld: false,
    taken: 0,
    done: 0,
    retiring: false,
    needsReset: false,
  };
  watchEnd(session.wire, (failure) => onGone(connection, failure));
  return carrier;
}

function isIdle(at: Connection): boolean {
  return !at.retiring && at.opening === undefined && at.ending === undefined;
}

function hasRoom(at: Connection): boolean {
  if (at.retiring || at.opening !== undefined || at.taken >= at.maxMessages) return false;
  return at.ending === undefined || (at.session.features.pipelining && !at.dotHeld);
}

function pump(at: Connection): void {
  const commands = open(at);
  if (commands !== '') writeText(at.session.wire, commands, encodingOf(at));
}

function retire(at: Connection): void {
  if (at.retiring) return;
  at.retiring = true;
  if (at.opening === undefined && at.ending === undefined) quit(at);
}

function encodingOf(at: Connection): 'utf8' | 'latin1' {
  return at.opening?.job.email.utf8 === true ? 'utf8' : 'latin1';
}

/** Takes the next message; gives the commands that open it, '' when there is none. */
function open(at: Connection): string {
  if (!hasRoom(at)) return '';
  const job = at.host.take(at.session);
  if (job === undefined) return '';
  const { wire, features } = at.session;
  const limitMs = at.config.commandMs;
  at.taken++;
  const turn: Turn = { job, refusal: undefined };
  at.opening = turn;
  const reset = at.needsReset ? 'RSET\r\n' : '';
  at.needsReset = false;
  if (reset !== '') expectReply(wire, limitMs, (reply) => onReset(at, reply));
  expectReply(wire, limitMs, (reply) => onEnvelope(at, turn, 'mail', reply));
  const { from, to, utf8, raw } = job.email;
  const size = features.size ? ` SIZE=${raw.length}` : '';
  const mail = `${reset}MAIL FROM:<${from}>${size}${utf8 ? ' BODY=8BITMIME SMTPUTF8' : ''}\r\n`;
  if (!features.pipelining) return mail;
  expectReply(wire, limitMs, (reply) => onEnvelope(at, turn, 'rcpt', reply));
  expectReply(wire, limitMs, (reply) => onDataReply(at, turn, reply));
  return `${mail}RCPT TO:<${to}>\r\nDATA\r\n`;
}

function onReset(at: Connection, reply: Reply): void {
  if (ok(reply)) return;
  fail(at.session.wire, { code: 'connection-lost', reason: `the server refused to start over (${reply.code})` });
}

function onEnvelope(at: Connection, turn: Turn, phase: 'mail' | 'rcpt', reply: Reply): void {
  if (!ok(reply)) turn.refusal ??= { phase, reply };
  // No further answers will come after 421.
  if (reply.code === 421) return closeOpening(at, turn, { phase, reply });
  const { wire, features } = at.session;
  if (features.pipelining) return;
  if (turn.refusal !== undefined) return closeOpening(at, turn, turn.refusal);
  if (phase === 'mail') {
    expectReply(wire, at.config.commandMs, (next) => onEnvelope(at, turn, 'rcpt', next));
    writeText(wire, `RCPT TO:<${turn.job.email.to}>\r\n`, 'utf8');
  } else {
    expectReply(wire, at.config.commandMs, (next) => onDataReply(at, turn, next));
    writeText(wire, 'DATA\r\n');
  }
}

function onDataReply(at: Connection, turn: Turn, reply: Reply): void {
  if (reply.code !== 354) return closeOpening(at, turn, turn.refusal ?? { phase: 'data', reply });
  if (turn.refusal === undefined && turn.job.signal?.aborted === true) return giveUp(at, turn);
  if (turn.refusal === undefined) return sendBody(at, turn);
  // The server takes data for nobody: a lone dot ends that (RFC 2920, 3.1), and its answer changes nothing.
  const refusal = turn.refusal;
  expectReply(at.session.wire, at.config.acceptMs, () => closeOpening(at, turn, refusal));
  writeText(at.session.wire, '.\r\n');
}

/** The server waits for a body that may not leave any more: only an end of the connection takes that back. */
function giveUp(at: Connection, turn: Turn): void {
  at.opening = undefined;
  turn.job.settle({ kind: 'retry', category: 'transient', code: 'aborted', reason: 'given up before its body left' });
  fail(at.session.wire, { code: 'closed', reason: 'a message was given up' });
}

/** Ends a message whose body never left. */
function closeOpening(at: Connection, turn: Turn, refusal: Refusal): void {
  at.opening = undefined;
  at.needsReset = true;
  turnAway(at.host, turn.job, at.done, refusal);
  at.done++;
  proceed(at, refusal.reply.code === 421);
}

function sendBody(at: Connection, turn: Turn): void {
  at.opening = undefined;
  at.ending = turn;
  const body = stuffDots(turn.job.email.raw);
  if (body.length <= largeBytes) return endBody(at, turn, body);
  at.dotHeld = true;
  // Whoever is quiet now has the limit of a command: nothing is in doubt yet.
  expectReply(at.session.wire, at.config.commandMs, (reply) => onEnd(at, turn, reply));
  writeLarge(at.session.wire, body, () => {
    if (at.ending !== turn) return;
    at.dotHeld = false;
    at.session.wire.expected.length = 0;
    endBody(at, turn, undefined);
  });
}

function endBody(at: Connection, turn: Turn, body: Buffer | undefined): void {
  const { wire } = at.session;
  expectReply(wire, at.config.acceptMs, (reply) => onEnd(at, turn, reply));
  const tail = `.\r\n${open(at)}`;
  if (body === undefined) writeText(wire, tail, encodingOf(at));
  else writeWith(wire, body, tail, encodingOf(at));
}

function onEnd(at: Connection, turn: Turn, reply: Reply): void {
  at.ending = undefined;
  at.done++;
  turn.job.settle(classifyReply('end', reply, turn.job.messageId));
  // An answer before the final dot leaves the rest of the body in the way of every further command.
  proceed(at, reply.code === 421 || at.dotHeld);
}

/** What to do when a message is over. */
function proceed(at: Connection, hangsUp: boolean): void {
  if (hangsUp) {
    fail(at.session.wire, { code: 'connection-lost', reason: 'the server closed the connection' });
    return;
  }
  if (at.opening !== undefined || at.ending !== undefined) return;
  if (at.retiring || at.taken >= at.maxMessages) quit(at);
  else pump(at);
}

function quit(at: Connection): void {
  const { wire } = at.session;
  at.retiring = true;
  // Good manners only: nothing depends on the answer.
  expectReply(wire, Math.min(quitMs, at.config.commandMs), () => fail(wire, { code: 'closed', reason: 'done' }));
  writeText(wire, 'QUIT\r\n');
}

function onGone(at: Connection, failure: Failure): void {
  const { ending, opening } = at;
  at.retiring = true;
  at.ending = undefined;
  at.opening = undefined;
  if (ending !== undefined) {
    ending.job.settle(at.dotHeld ? lost(failure) : { kind: 'unknown', code: failure.code, cause: failure.reason });
  }
  if (opening !== undefined) abandon(at.host, opening.job, at.done, failure);
  at.host.onGone(at.carrier, failure);
}

const dot = Buffer.from('.');

/** A line that begins with a dot gets one more (RFC 5321, 4.5.2). Composed mail has none, so mostly this only looks. */
export function stuffDots(raw: Buffer): Buffer {
  const dots: number[] = raw[0] === 0x2e ? [0] : [];
  for (let at = raw.indexOf('\n.'); at >= 0; at = raw.indexOf('\n.', at + 1)) dots.push(at + 1);
  if (dots.length === 0) return raw;
  const parts: Buffer[] = [];
  let from = 0;
  for (const at of dots) {
    parts.push(raw.subarray(from, at), dot);
    from = at;
  }
  parts.push(raw.subarray(from));
  return Buffer.concat(parts);
}
