import { connect as connectHttp2, constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { connect as connectPlain } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Clock } from '../../../platform/clock.ts';
import type { HttpAnswer, HttpFailure } from '../../../platform/http-client.ts';
import type { ResolveHost } from '../../port.ts';

/**
 * One HTTP/2 session (RFC 9113), exact about whether a request may have been acted on: a stream that the peer refused, or
 * that came after the last one it names in its GOAWAY, was not.
 */
export interface Session {
  /** Streams that may be begun now. */
  room(): number;
  /** Takes no more: it is closing, or dead. */
  isOver(): boolean;
  request(headers: Readonly<Record<string, string>>, body: Buffer): Promise<HttpAnswer | HttpFailure>;
  /** Lets what has begun finish. */
  close(): Promise<void>;
}

export interface SessionDeps {
  readonly clock: Clock;
  readonly resolveHost: ResolveHost;
  /** Called when there may be room again. */
  readonly onChange: () => void;
}

export interface SessionTimes {
  readonly connectMs: number;
  readonly requestMs: number;
  /** Between two questions whether the peer is still there. */
  readonly pingMs: number;
  readonly pongMs: number;
}

/** Ours: more streams than this gain nothing. */
const mostStreams = 500;
const mostAnswerBytes = 64 * 1024;

export class SessionFailed extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'SessionFailed';
    this.code = code;
  }
}

interface Open {
  readonly stream: ClientHttp2Stream;
  fail(code: string, reason: string, mayHaveArrived: boolean): void;
}

/** Connects to the judged address; throws `SessionFailed` when there is nobody. Nothing has been sent then. */
export async function openSession(origin: URL, deps: SessionDeps, times: SessionTimes): Promise<Session> {
  const socket = await connectSocket(origin, deps, times.connectMs);
  const http2 = connectHttp2(origin.origin, { createConnection: () => socket });
  const done = new AbortController();
  const open = new Set<Open>();
  let isOver = false;

  const end = (code: string, reason: string) => {
    isOver = true;
    done.abort();
    for (const one of open) one.fail(code, reason, true);
    http2.destroy();
    deps.onChange();
  };
  http2.on('error', (error) => end('connection-lost', error.message));
  http2.on('close', () => end('connection-lost', 'the connection was closed'));
  http2.on('remoteSettings', () => deps.onChange());
  http2.on('goaway', (errorCode, lastStreamId) => {
    isOver = true;
    // What came after the last stream the peer has seen was not processed (RFC 9113, 6.8).
    for (const one of open) {
      if (one.stream.pending || (one.stream.id ?? 0) > (lastStreamId ?? 0))
        one.fail('goaway', `the server is going away (${errorCode})`, false);
    }
    deps.onChange();
  });
  void keepAlive(http2, deps.clock, times, done.signal, () =>
    end('connection-lost', 'the server does not answer pings'),
  );

  return {
    room: () => (isOver ? 0 : Math.min(http2.remoteSettings.maxConcurrentStreams ?? 100, mostStreams) - open.size),
    isOver: () => isOver,
    request: (headers, body) => exchange(http2, open, headers, body, deps, times.requestMs),
    close: async () => {
      isOver = true;
      const gone = new AbortController();
      http2.once('close', () => gone.abort());
      http2.close();
      // Requests have their own end; a peer that does not even hang up is hung up on.
      if (!http2.destroyed) await deps.clock.sleep(times.requestMs + times.pongMs, gone.signal);
      http2.destroy();
    },
  };
}

async function connectSocket(origin: URL, { resolveHost, clock }: SessionDeps, connectMs: number): Promise<Socket> {
  const done = new AbortController();
  const [host] = await resolveHost(origin.hostname).catch((error: unknown) => {
    const code =
      error instanceof Error && 'code' in error && error.code === 'network/forbidden' ? 'refused-host' : 'dns';
    throw new SessionFailed(code, error instanceof Error ? error.message : 'the host name has no address');
  });
  if (host === undefined) throw new SessionFailed('dns', 'the host name has no address');
  const isSecure = origin.protocol === 'https:';
  const port = origin.port === '' ? (isSecure ? 443 : 80) : Number(origin.port);
  // To the judged address, whatever the name resolves to next.
  const socket = isSecure
    ? connectTls({ host, port, servername: origin.hostname, ALPNProtocols: ['h2'] })
    : connectPlain({ host, port });
  socket.setNoDelay(true);
  try {
    await Promise.race([
      new Promise<void>((resolve, reject) => {
        socket.once(isSecure ? 'secureConnect' : 'connect', resolve);
        socket.once('error', (error) => reject(new SessionFailed(isSecure ? 'tls' : 'connect', error.message)));
      }),
      clock.sleep(connectMs, done.signal).then(() => {
        throw new SessionFailed('connect', 'nobody answers');
      }),
    ]);
    return socket;
  } catch (error) {
    socket.on('error', () => {});
    socket.destroy();
    throw error;
  } finally {
    done.abort();
  }
}

/** A connection that died unnoticed would put everything after it in doubt. */
async function keepAlive(
  http2: ClientHttp2Session,
  clock: Clock,
  times: SessionTimes,
  signal: AbortSignal,
  onDead: () => void,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(times.pingMs, signal);
    if (signal.aborted || http2.destroyed || http2.closed) return;
    const answered = new AbortController();
    http2.ping(() => answered.abort());
    await clock.sleep(times.pongMs, AbortSignal.any([answered.signal, signal]));
    if (!answered.signal.aborted && !signal.aborted) onDead();
  }
}

function exchange(
  http2: ClientHttp2Session,
  open: Set<Open>,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
  { clock, onChange }: SessionDeps,
  requestMs: number,
): Promise<HttpAnswer | HttpFailure> {
  return new Promise((resolve) => {
    const stream = http2.request({ ...headers, 'content-length': String(body.length) });
    const late = new AbortController();
    const chunks: Buffer[] = [];
    let size = 0;
    let answered: IncomingHttpHeaders | undefined;
    const settle = (result: HttpAnswer | HttpFailure) => {
      if (!open.delete(one)) return;
      late.abort();
      resolve(result);
      onChange();
    };
    const one: Open = {
      stream,
      fail: (code, reason, mayHaveArrived) => {
        settle({ kind: 'failed', code, reason, mayHaveArrived: mayHaveArrived && !stream.pending });
        stream.close(constants.NGHTTP2_CANCEL);
      },
    };
    open.add(one);
    stream.on('response', (given) => (answered = given));
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > mostAnswerBytes) one.fail('too-large', 'the answer is too long', true);
      else chunks.push(chunk);
    });
    stream.on('error', (error) => one.fail('connection-lost', error.message, !wasRefused(stream)));
    stream.on('end', () => {
      if (answered !== undefined) settle(answerOf(answered, Buffer.concat(chunks)));
    });
    stream.on('close', () =>
      one.fail('connection-lost', 'the stream was closed without an answer', !wasRefused(stream)),
    );
    void clock.sleep(requestMs, late.signal).then(() => {
      if (!late.signal.aborted) one.fail('timeout', 'no answer came in time', true);
    });
    stream.end(body);
  });
}

/** RFC 9113, 8.7: a refused stream was not processed. */
function wasRefused(stream: ClientHttp2Stream): boolean {
  return stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
}

function answerOf(given: IncomingHttpHeaders, body: Buffer): HttpAnswer {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given))
    if (!name.startsWith(':') && value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  return { kind: 'answer', status: Number(given[':status'] ?? 0), headers, body };
}
