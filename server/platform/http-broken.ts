import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorKind } from './errors.ts';

/** What Node's parser could not read as HTTP: there is no request to answer through, so the answer is written by hand. */
const byParserCode: Readonly<Record<string, [code: string, detail: string]>> = {
  HPE_HEADER_OVERFLOW: ['headers-too-large', 'The headers are larger than 16 kB.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request-timeout', 'The request did not arrive whole in time.'],
};

const lingerMs = 5_000;

export function answerBroken(error: Error & { readonly code?: string }, socket: Socket): void {
  // What comes after the answer fails to be read as well.
  if (socket.writableEnded) return;
  // Node keeps the response under way there; words of ours in the middle of it would be taken for a part of it.
  const isAnswering = '_httpMessage' in socket && socket._httpMessage != null;
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering) {
    socket.destroy();
    return;
  }
  const [code, detail] = byParserCode[error.code ?? ''] ?? ['malformed-request', 'This is not HTTP.'];
  const { status, title } = errorKind(code);
  const body = JSON.stringify({ type: `urn:parley:problem:${code}`, title, status, detail, code });
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  setTimeout(() => socket.destroy(), lingerMs).unref();
}

const readPastMs = 30_000;

/**
 * For an answer that is given before the body was read: a client that is still sending would be cut off before it hears
 * why (closing a connection with unread bytes resets it, which throws the answer away). So the rest is read past for a
 * while, as web servers do that "linger on close"; whoever then still sends is cut off.
 */
export function readPast({ raw }: FastifyRequest, reply: FastifyReply): void {
  if (raw.complete || raw.destroyed) return;
  reply.removeHeader('connection');
  const late = setTimeout(() => raw.destroy(), readPastMs);
  late.unref();
  raw.once('close', () => clearTimeout(late));
  raw.unpipe();
  raw.resume();
}

/** A body as a stream of its own: whoever gives up on it destroys this, not the connection that the answer goes over. */
export function bodyStream(raw: Readable): Readable {
  const inner = new PassThrough();
  const broken = () => inner.destroy(Object.assign(new Error('the upload broke off'), { statusCode: 400 }));
  // Whoever reads it hears of it; when nobody does (the caller was refused), nobody needs to.
  inner.on('error', () => undefined);
  raw.once('error', broken);
  raw.once('close', () => raw.readableEnded || broken());
  inner.once('close', () => raw.unpipe(inner));
  return raw.pipe(inner);
}
