import type { Clock } from '../../../platform/clock.ts';
import type { BeginSignal, Logger, Outgoing, OutgoingEmail, ResolveHost, Sender, SendResult } from '../../port.ts';
import type { Composer } from '../mime.rules.ts';
import { abortedResult } from './carrier.ts';
import type { Carrier, CarrierHost, Job } from './carrier.ts';
import { createChunked } from './chunked.ts';
import { createConnection } from './connection.ts';
import { createQueue } from './queue.ts';
import type { Queue } from './queue.ts';
import { openSession, SessionFailure } from './session.ts';
import type { Session, SmtpConfig } from './session.ts';
import { fail, tick } from './wire.ts';
import type { Failure, Wire } from './wire.ts';

export interface PoolConfig extends SmtpConfig {
  readonly maxConnections: number;
  readonly maxMessagesPerConnection: number;
  /** A connection that carried nothing for so long says QUIT. */
  readonly idleMs: number;
  /** `auto`: BDAT where the server offers it. */
  readonly chunking: 'auto' | 'off';
}

export interface SenderDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly resolveHost: ResolveHost;
  readonly composer: Composer;
}

interface Waiting {
  readonly message: OutgoingEmail;
  readonly signal: BeginSignal | undefined;
  readonly settle: (result: SendResult) => void;
}

interface Pool {
  readonly config: PoolConfig;
  readonly deps: SenderDeps;
  readonly waiting: Queue<Waiting>;
  /** Given back by connections that broke before the body left; they go first. */
  readonly returned: Job[];
  readonly connections: Set<Carrier>;
  /** Connections that are being opened, and those of them that talk already. */
  opening: number;
  readonly greeting: Set<Wire>;
  /** Fires when the sender closes: ends what is only being opened. */
  readonly closing: AbortController;
  /** Fires when nothing is left: ends the clock. */
  readonly over: AbortController;
  readonly host: CarrierHost;
  /** While above zero no more connections are tried: the server took no more while others worked. */
  crowdedForMs: number;
  ticking: boolean;
  /** Messages came and will be spread together, when all of this turn are there. */
  spreading: boolean;
  chunks: boolean;
  whenEmpty: () => void;
}

const crowdedMs = 30_000;
const closeWithinMs = 8_000;
/** With BDAT a connection carries eight, else one and one ahead; one waits so that it never runs dry. */
const perConnection = { auto: 9, off: 3 };

const later = (category: 'transient' | 'provider-down', code: string, reason: string): SendResult => ({
  kind: 'retry',
  category,
  code,
  reason,
});
const closedResult = later('transient', 'closed', 'the sender was closed');
const wrongChannel: SendResult = {
  kind: 'refused',
  category: 'content',
  code: 'wrong-channel',
  reason: 'this account sends e-mail only',
  permanent: true,
};

/** Sends over a pool of connections to one server. Connections are opened as messages need them and close when idle. */
export function createSmtpSender(config: PoolConfig, deps: SenderDeps): Sender {
  const pool: Pool = {
    config,
    deps,
    waiting: createQueue<Waiting>(),
    returned: [],
    connections: new Set(),
    opening: 0,
    greeting: new Set(),
    closing: new AbortController(),
    over: new AbortController(),
    host: {
      take: (session) => take(pool, session),
      share: () => Math.ceil(queued(pool) / Math.max(1, pool.connections.size + pool.opening)),
      onNoChunking: () => {
        pool.chunks = false;
        pool.deps.log.warn({}, 'an SMTP server announces BDAT and does not know it: DATA from now on');
      },
      giveBack: (job) => {
        if (pool.closing.signal.aborted) job.settle(closedResult);
        else pool.returned.push(job);
      },
      onGone: (connection, failure) => onGone(pool, connection, failure),
    },
    crowdedForMs: 0,
    ticking: false,
    spreading: false,
    chunks: config.chunking === 'auto',
    whenEmpty: () => {},
  };
  return {
    capacity: config.maxConnections * perConnection[config.chunking],
    close: () => close(pool),
    send: (message: Outgoing, signal?: BeginSignal) =>
      new Promise((settle) => {
        if (pool.closing.signal.aborted) return settle(closedResult);
        if (signal?.aborted === true) return settle(abortedResult);
        if (message.channel !== 'email') return settle(wrongChannel);
        pool.waiting.push({ message, signal, settle });
        spreadSoon(pool);
      }),
  };
}

function take(pool: Pool, session: Session): Job | undefined {
  for (let again = pool.returned.shift(); again !== undefined; again = pool.returned.shift()) {
    if (again.signal?.aborted !== true) return again;
    again.settle(abortedResult);
  }
  for (let next = pool.waiting.shift(); next !== undefined; next = pool.waiting.shift()) {
    const job = prepare(pool, next, session);
    if (job !== undefined) return job;
  }
  return undefined;
}

/** Composes a message for this server; one that cannot go gets its outcome here. */
function prepare(pool: Pool, next: Waiting, session: Session): Job | undefined {
  const { message, settle } = next;
  if (next.signal?.aborted === true) {
    settle(abortedResult);
    return undefined;
  }
  const made = pool.deps.composer.compose(message, pool.deps.clock.now().epochMilliseconds);
  if (!made.ok) {
    settle({ kind: 'refused', category: made.category, code: made.code, reason: made.reason, permanent: true });
    return undefined;
  }
  const unfit = misfit(made.email.raw.length, made.email.utf8, session);
  if (unfit === undefined)
    return { messageId: message.messageId, email: made.email, signal: next.signal, settle, returns: 0 };
  settle(unfit);
  return undefined;
}

/** Messages this server cannot take, known before a byte of them leaves. */
function misfit(size: number, utf8: boolean, session: Session): SendResult | undefined {
  const { maxSize, utf8: takesUtf8 } = session.features;
  const refused = (code: string, reason: string): SendResult => ({
    kind: 'refused',
    category: 'content',
    code,
    reason,
    permanent: true,
  });
  if (utf8 && !takesUtf8) return refused('5.6.7', 'the server does not take addresses outside ASCII (SMTPUTF8)');
  if (maxSize > 0 && size > maxSize)
    return refused('5.3.4', `the message has ${size} bytes, the server takes ${maxSize}`);
  return undefined;
}

function queued(pool: Pool): number {
  return pool.waiting.size() + pool.returned.length;
}

/** Messages come many at a time: what is there at the end of the turn goes out in few writes. */
function spreadSoon(pool: Pool): void {
  if (pool.spreading) return;
  pool.spreading = true;
  queueMicrotask(() => {
    pool.spreading = false;
    spread(pool);
  });
}

/** Gives waiting messages to whoever can carry them: idle connections, new ones, then ahead of busy ones. */
function spread(pool: Pool): void {
  const share = Math.ceil(queued(pool) / pool.config.maxConnections);
  for (const connection of pool.connections) {
    if (queued(pool) === 0) return;
    if (connection.isIdle()) connection.pump(share);
  }
  while (mayConnect(pool)) connect(pool);
  if (queued(pool) <= pool.opening) return;
  for (const connection of pool.connections) {
    if (connection.hasRoom()) connection.pump(pool.host.share());
  }
}

function mayConnect(pool: Pool): boolean {
  const open = pool.connections.size + pool.opening;
  if (pool.closing.signal.aborted || queued(pool) <= pool.opening || open >= pool.config.maxConnections) return false;
  return open === 0 || pool.crowdedForMs <= 0;
}

function connect(pool: Pool): void {
  pool.opening++;
  keepTime(pool);
  let wire: Wire | undefined;
  const watch = (opened: Wire) => {
    wire = opened;
    pool.greeting.add(opened);
  };
  openSession(pool.config, { resolveHost: pool.deps.resolveHost, watch, signal: pool.closing.signal })
    .finally(() => {
      pool.opening--;
      if (wire !== undefined) pool.greeting.delete(wire);
    })
    .then(
      (session) => onSession(pool, session),
      (error: unknown) => onNoSession(pool, error),
    );
}

function onSession(pool: Pool, session: Session): void {
  const { pipelining, chunking } = session.features;
  const create = pool.chunks && pipelining && chunking ? createChunked : createConnection;
  const connection = create(session, pool.config, pool.config.maxMessagesPerConnection, pool.host);
  if (session.wire.failure !== undefined) return spread(pool);
  pool.connections.add(connection);
  if (pool.closing.signal.aborted) return connection.retire();
  connection.pump(pool.host.share());
  spread(pool);
}

function onNoSession(pool: Pool, error: unknown): void {
  const failure = error instanceof SessionFailure ? error : undefined;
  const result = failure?.result ?? later('provider-down', 'connection-lost', 'no connection');
  const told = failure === undefined ? { err: error } : { step: failure.step, reason: failure.message };
  pool.deps.log.warn(told, 'no SMTP session');
  // Others work: the server only wants no more of them.
  if (pool.connections.size > 0) pool.crowdedForMs = crowdedMs;
  else if (pool.opening === 0) giveUpAll(pool, result);
  settleEmpty(pool);
}

function onGone(pool: Pool, connection: Carrier, failure: Failure): void {
  pool.connections.delete(connection);
  if (failure.code !== 'closed') {
    pool.deps.log.info({ code: failure.code, reason: failure.reason }, 'an SMTP connection ended');
  }
  settleEmpty(pool);
  spread(pool);
}

function giveUpAll(pool: Pool, result: SendResult): void {
  for (let job = pool.returned.shift(); job !== undefined; job = pool.returned.shift()) job.settle(result);
  for (let next = pool.waiting.shift(); next !== undefined; next = pool.waiting.shift()) next.settle(result);
}

function settleEmpty(pool: Pool): void {
  if (pool.connections.size === 0 && pool.opening === 0) pool.whenEmpty();
}

/** One clock for all connections, running only while there are some: a timer per message would cost more than the message. */
function keepTime(pool: Pool): void {
  if (pool.ticking) return;
  pool.ticking = true;
  const { connectMs, commandMs, acceptMs, idleMs } = pool.config;
  const stepMs = Math.min(1000, Math.max(10, Math.floor(Math.min(connectMs, commandMs, acceptMs, idleMs) / 4)));
  const run = async () => {
    while (pool.connections.size + pool.opening > 0 && !pool.over.signal.aborted) {
      await pool.deps.clock.sleep(stepMs, pool.over.signal);
      onTick(pool, stepMs);
    }
    pool.ticking = false;
  };
  void run();
}

function onTick(pool: Pool, stepMs: number): void {
  pool.crowdedForMs -= stepMs;
  pool.waiting.drop((one) => one.signal?.aborted === true).forEach((one) => one.settle(abortedResult));
  for (const wire of pool.greeting) tick(wire, stepMs);
  for (const connection of pool.connections) {
    const { wire } = connection.session;
    tick(wire, stepMs);
    if (connection.isIdle() && wire.quietMs >= pool.config.idleMs) connection.retire();
  }
}

async function close(pool: Pool): Promise<void> {
  if (pool.closing.signal.aborted) return;
  const empty = new Promise<void>((resolve) => {
    pool.whenEmpty = resolve;
  });
  pool.closing.abort();
  giveUpAll(pool, closedResult);
  for (const wire of pool.greeting) fail(wire, { code: 'closed', reason: 'closed' });
  for (const connection of pool.connections) connection.retire();
  settleEmpty(pool);
  const late = new AbortController();
  await Promise.race([empty, pool.deps.clock.sleep(closeWithinMs, late.signal)]);
  late.abort();
  for (const connection of pool.connections)
    fail(connection.session.wire, { code: 'closed', reason: 'closed before the answer came' });
  pool.over.abort();
}
