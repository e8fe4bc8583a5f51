import { Agent } from 'undici';
import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import { createGuardedConnector } from './http-connect.ts';
import type { Resolve } from './http-connect.ts';

/**
 * Calls to other people's HTTP servers. What a caller needs to know of a failure is whether the request may have been
 * acted on: that decides between trying again and leaving a message in doubt.
 */

export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** From the first byte sent to the last received (default 30 s); before the first byte there is as long again for a connection. */
  readonly timeoutMs?: number;
  /** Bytes of the answer that are read (default 1 MiB); a longer one counts as malformed. */
  readonly maxAnswerBytes?: number;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly kind: 'answer';
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface HttpFailure {
  readonly kind: 'failed';
  /** False: nothing that could be acted on has left this machine. True: it may have been acted on. */
  readonly mayHaveArrived: boolean;
  /**
   * `dns`, `refused-host`, `connect`, `tls`, `timeout`, `connection-lost`, `too-large`, `malformed` (no HTTP), `aborted`,
   * `closed`, `invalid-request` (nothing that can be sent).
   */
  readonly code: string;
  readonly reason: string;
}

export interface HttpClient {
  /** Never throws. Redirects are not followed. */
  call(call: HttpCall): Promise<HttpAnswer | HttpFailure>;
  /** Further connections to private networks are refused by the guard, except to these origins (the built-in sandbox). */
  trust(origin: string): void;
  close(): Promise<void>;
}

export interface HttpClientDeps {
  readonly resolveHost: Resolve;
  /** Time-outs are counted in its sleeps, so that neither a jump of the wall clock nor a busy machine makes one up. */
  readonly clock?: Clock;
  readonly log?: { warn(fields: object, text: string): void };
  readonly connectMs?: number;
  readonly connectionsPerOrigin?: number;
  /** Certificate authorities besides those that Node trusts. */
  readonly authorities?: string;
}

const defaults = { timeoutMs: 30_000, maxAnswerBytes: 1024 * 1024, connectMs: 10_000, connectionsPerOrigin: 128 };
/** What begun calls may take when the client closes. */
const closeWithinMs = 8_000;
const tickMs = 50;

interface Running {
  leftMs: number;
  giveUp(code: string, reason: string): void;
}

interface Client {
  readonly agent: Agent;
  readonly clock: Clock;
  readonly deps: HttpClientDeps;
  readonly running: Set<Running>;
  readonly over: AbortController;
  ticking: boolean;
  closed: boolean;
  whenEmpty: () => void;
}

export function createHttpClient(deps: HttpClientDeps): HttpClient {
  const trusted = new Set<string>();
  const client: Client = {
    agent: new Agent({
      // One request at a time on a connection: none waits behind another, and none shares another's fate.
      pipelining: 1,
      connections: deps.connectionsPerOrigin ?? defaults.connectionsPerOrigin,
      connect: createGuardedConnector({
        resolveHost: deps.resolveHost,
        isTrusted: (origin) => trusted.has(origin),
        connectMs: deps.connectMs ?? defaults.connectMs,
        authorities: deps.authorities,
      }),
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
    }),
    clock: deps.clock ?? systemClock,
    deps,
    running: new Set(),
    over: new AbortController(),
    ticking: false,
    closed: false,
    whenEmpty: () => {},
  };
  return {
    call: (call) => new Promise((settle) => start(client, call, settle)),
    trust: (origin) => void trusted.add(new URL(origin).origin),
    close: () => close(client),
  };
}

function failed(code: string, reason: string, mayHaveArrived = false): HttpFailure {
  return { kind: 'failed', mayHaveArrived, code, reason };
}

function start(client: Client, call: HttpCall, settle: (outcome: HttpAnswer | HttpFailure) => void): void {
  if (client.closed) return settle(failed('closed', 'the client was closed'));
  if (call.signal?.aborted === true) return settle(failed('aborted', 'given up before it began'));
  const url = URL.canParse(call.url) ? new URL(call.url) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    return settle(failed('invalid-request', 'not a web address'));

  const timeoutMs = call.timeoutMs ?? defaults.timeoutMs;
  const most = call.maxAnswerBytes ?? defaults.maxAnswerBytes;
  const chunks: Buffer[] = [];
  let size = 0;
  let status = 0;
  let headers: Record<string, string> = {};
  // Set when the first byte goes out: from then on the other side may act on it.
  let stop: ((reason: Error) => void) | undefined;
  let settled = false;
  const finish = (outcome: HttpAnswer | HttpFailure) => {
    if (settled) return;
    settled = true;
    client.running.delete(running);
    call.signal?.removeEventListener('abort', onAbort);
    settle(outcome);
    if (client.closed && client.running.size === 0) client.whenEmpty();
  };
  const running: Running = {
    leftMs: timeoutMs,
    giveUp: (code, reason) => {
      const begun = stop !== undefined;
      finish(failed(code === 'timeout' && !begun ? 'connect' : code, reason, begun));
      stop?.(new Error(reason));
    },
  };
  const onAbort = () => running.giveUp('aborted', 'given up');
  call.signal?.addEventListener('abort', onAbort, { once: true });
  client.running.add(running);
  keepTime(client);

  const onError = (error: unknown) => finish(failureOf(client, error, stop !== undefined, url.hostname));
  const begin = (abort: (reason: Error) => void) => {
    // Given up while it waited for a connection: aborted here, nothing of it is written.
    if (settled) return abort(new Error('given up'));
    stop = abort;
    running.leftMs = timeoutMs;
  };
  try {
    client.agent.dispatch(requestOf(call, url), {
      onRequestStart: (controller) => begin((reason) => controller.abort(reason)),
      onResponseStart: (_controller, code, fields) => {
        if (code >= 200) [status, headers] = [code, flatten(fields)];
      },
      onResponseData: (_controller, chunk) => {
        size += chunk.length;
        if (size > most) running.giveUp('too-large', `the answer has more than ${most} bytes`);
        else chunks.push(chunk);
      },
      onResponseEnd: () => finish({ kind: 'answer', status, headers, body: Buffer.concat(chunks, size) }),
      onResponseError: (_controller, error) => onError(error),
    });
  } catch (error) {
    onError(error);
  }
}

function requestOf({ method, headers, body }: HttpCall, url: URL) {
  return {
    origin: url.origin,
    path: url.pathname + url.search,
    method,
    ...(headers === undefined ? {} : { headers: { ...headers } }),
    ...(body === undefined ? {} : { body }),
  };
}

function flatten(fields: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) headers[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  }
  return { ...headers };
}

function failureOf(client: Client, error: unknown, begun: boolean, host: string): HttpFailure {
  const { code, name, message } = error as { code?: string; name?: string; message?: string };
  if (client.closed) return failed('closed', 'the client was closed', begun);
  if (begun) {
    if (name === 'HTTPParserError') return failed('malformed', 'the answer is no HTTP', true);
    return failed('connection-lost', 'the connection ended before the answer did', true);
  }
  switch (code) {
    case 'network/forbidden':
      return failed('refused-host', 'the host is in a network that may not be called');
    case 'network/not-resolved':
      return failed('dns', 'the host name has no address');
    case 'UND_ERR_INVALID_ARG':
    case 'UND_ERR_NOT_SUPPORTED':
      return failed('invalid-request', message ?? 'a header or the path cannot be sent');
    case undefined:
      client.deps.log?.warn({ err: error, host }, 'a call failed unexpectedly before it began');
      return failed('connect', 'no connection');
    default:
      return isConnectCode(code) ? failed('connect', `no connection (${code})`) : failed('tls', `no TLS (${code})`);
  }
}

const connectCodes = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_SOCKET', 'UND_ERR_CLOSED', 'UND_ERR_DESTROYED']);

/** Errors of the system are of TCP, but for a connection that ends during the handshake (marked by the connector). */
function isConnectCode(code: string): boolean {
  return connectCodes.has(code) || /^E(?!RR_|PROTO$)[A-Z0-9]+$/.test(code);
}

/** One clock for all calls, running only while there are some. */
function keepTime(client: Client): void {
  if (client.ticking) return;
  client.ticking = true;
  const run = async () => {
    while (client.running.size > 0 && !client.over.signal.aborted) {
      await client.clock.sleep(tickMs, client.over.signal);
      for (const one of client.running) {
        one.leftMs -= tickMs;
        if (one.leftMs <= 0) one.giveUp('timeout', 'no whole answer in time');
      }
    }
    client.ticking = false;
  };
  void run();
}

async function close(client: Client): Promise<void> {
  if (client.closed) return;
  client.closed = true;
  const empty = new Promise<void>((resolve) => {
    client.whenEmpty = resolve;
  });
  const late = new AbortController();
  if (client.running.size > 0) await Promise.race([empty, client.clock.sleep(closeWithinMs, late.signal)]);
  late.abort();
  for (const one of client.running) one.giveUp('closed', 'closed before the answer came');
  client.over.abort();
  await client.agent.destroy();
}
