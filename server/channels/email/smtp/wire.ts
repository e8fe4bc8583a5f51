import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { createReplyReader } from './reply.rules.ts';
import type { Reply, ReplyReader } from './reply.rules.ts';

/** Why a connection ended, as a stable word, and what is known about it. */
export interface Failure {
  readonly code: 'timeout' | 'connection-lost' | 'malformed' | 'closed' | 'tls' | 'tls-certificate';
  readonly reason: string;
}

/** An answer that is awaited. */
export interface Expected {
  /** How long the server may stay quiet before it, counted by `tick`. */
  limitMs: number;
  readonly onReply: (reply: Reply) => void;
}

/**
 * A socket that speaks in replies: each expected reply has its handler, in the order in which they were asked for.
 * The fields are this file's own; others use its functions.
 */
export interface Wire {
  socket: Socket;
  reader: ReplyReader;
  expected: Expected[];
  /** Since the last reply, the last byte taken, or since it became idle; moved by `tick`. */
  quietMs: number;
  unsent: number;
  encrypted: boolean;
  failure: Failure | undefined;
  onGone: (failure: Failure) => void;
  /** Every answer of one chunk has had its handler. */
  onRead: () => void;
  onData: (chunk: Buffer) => void;
  onEnd: () => void;
}

export function createWire(socket: Socket, encrypted: boolean): Wire {
  const wire: Wire = {
    socket,
    reader: createReplyReader(),
    expected: [],
    quietMs: 0,
    unsent: 0,
    encrypted,
    failure: undefined,
    onGone: () => {},
    onRead: () => {},
    onData: (chunk) => read(wire, chunk),
    onEnd: () => fail(wire, { code: 'connection-lost', reason: 'the server closed the connection' }),
  };
  listen(wire, socket);
  return wire;
}

function listen(wire: Wire, socket: Socket): void {
  socket.setNoDelay(true);
  socket.on('data', wire.onData);
  socket.on('error', (error) => fail(wire, failureOf(error)));
  socket.on('end', wire.onEnd);
  socket.on('close', wire.onEnd);
}

/** Ends it for good: handlers that still wait never run, `onGone` does, once. */
export function fail(wire: Wire, failure: Failure): void {
  if (wire.failure !== undefined) return;
  wire.failure = failure;
  wire.expected = [];
  wire.socket.destroy();
  wire.onGone(failure);
}

/** Tells who is in charge from now on; at once when the wire is gone already. */
export function watchEnd(wire: Wire, run: (failure: Failure) => void): void {
  wire.onGone = run;
  if (wire.failure !== undefined) run(wire.failure);
}

function read(wire: Wire, chunk: Buffer): void {
  if (wire.failure !== undefined) return;
  try {
    wire.reader.feed(chunk, (reply) => answer(wire, reply));
  } catch (error) {
    fail(wire, { code: 'malformed', reason: error instanceof Error ? error.message : 'unreadable answer' });
  }
  if (wire.failure === undefined) wire.onRead();
}

function answer(wire: Wire, reply: Reply): void {
  if (wire.failure !== undefined) return;
  wire.quietMs = 0;
  const next = wire.expected.shift();
  if (next !== undefined) return next.onReply(reply);
  // Servers say 421 on their own when they close an idle connection (RFC 5321, 3.8).
  if (reply.code === 421) fail(wire, { code: 'connection-lost', reason: 'the server closed the connection (421)' });
  else fail(wire, { code: 'malformed', reason: 'the server answered what was not asked' });
}

export function expectReply(wire: Wire, limitMs: number, onReply: (reply: Reply) => void): Expected {
  const awaited = { limitMs, onReply };
  if (wire.failure !== undefined) return awaited;
  if (wire.expected.length === 0) wire.quietMs = 0;
  wire.expected.push(awaited);
  return awaited;
}

export function writeText(wire: Wire, text: string, encoding: 'latin1' | 'utf8' = 'latin1'): void {
  if (wire.failure === undefined) wire.socket.write(text, encoding);
}

/** A body and what follows it, in one system call where it fits. */
export function writeWith(wire: Wire, body: Buffer, text: string, encoding: 'latin1' | 'utf8'): void {
  if (wire.failure !== undefined) return;
  wire.socket.cork();
  wire.socket.write(body);
  wire.socket.write(text, encoding);
  wire.socket.uncork();
}

/** True when the kernel has taken all of it at once, and `bytes` may be used again; else `onSent` tells when it has. */
export function writeBytes(wire: Wire, bytes: Buffer, onSent: () => void): boolean {
  if (wire.failure !== undefined) return false;
  let atOnce = true;
  wire.socket.write(bytes, (error) => {
    if (!error && !atOnce && wire.failure === undefined) onSent();
  });
  atOnce = wire.socket.writableLength === 0;
  return atOnce;
}

/** A large body; `onSent` when the kernel has taken all of it. */
export function writeLarge(wire: Wire, body: Buffer, onSent: () => void): void {
  if (wire.failure !== undefined) return;
  wire.socket.write(body, (error) => {
    if (!error && wire.failure === undefined) onSent();
  });
}

/** TLS on top of the same connection (STARTTLS). */
export async function upgrade(wire: Wire, options: ConnectionOptions): Promise<void> {
  const plain = wire.socket;
  // Bytes that came before the handshake would count as said under TLS (CVE-2011-0411).
  if (wire.reader.pending() || plain.readableLength > 0) {
    fail(wire, { code: 'tls', reason: 'the server spoke between STARTTLS and the handshake' });
  }
  if (wire.failure !== undefined) throw new Error(wire.failure.reason);
  plain.off('data', wire.onData).off('end', wire.onEnd);
  wire.reader = createReplyReader();
  const secure = connectTls({ ...options, socket: plain });
  wire.socket = secure;
  const ready = new Promise<void>((resolve, reject) => {
    secure.once('secureConnect', resolve);
    secure.once('error', reject);
    secure.once('close', () => reject(new Error('connection closed during the TLS handshake')));
  });
  listen(wire, secure);
  await ready;
  wire.encrypted = true;
}

/** Says that `ms` have gone by; fails the wire when the limit of what it waits for is over. */
export function tick(wire: Wire, ms: number): void {
  if (wire.failure !== undefined) return;
  wire.quietMs += ms;
  // A slow line that still takes bytes is not a quiet server.
  if (wire.socket.writableLength !== wire.unsent) wire.quietMs = 0;
  wire.unsent = wire.socket.writableLength;
  const limitMs = wire.expected[0]?.limitMs;
  if (limitMs === undefined || wire.quietMs <= limitMs) return;
  fail(wire, { code: 'timeout', reason: `no answer for ${Math.round(limitMs / 1000)} s` });
}

const certificateCodes =
  /^(?:ERR_TLS_CERT|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET)|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/;

/** Only the code of the error is kept: Node's messages name addresses. */
export function failureOf(error: Error & { code?: string }): Failure {
  const code = error.code ?? '';
  if (certificateCodes.test(code)) {
    return { code: 'tls-certificate', reason: `the certificate of the server was not accepted (${code})` };
  }
  if (/^(?:ERR_SSL|ERR_TLS|EPROTO)/.test(code)) return { code: 'tls', reason: `TLS failed (${code})` };
  return { code: 'connection-lost', reason: code === '' ? 'the connection broke' : `the connection broke (${code})` };
}
