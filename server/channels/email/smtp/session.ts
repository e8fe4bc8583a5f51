import { connect as connectTcp, isIP } from 'node:net';
import type { LookupFunction, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import type { ResolveHost, SendResult } from '../../port.ts';
import { classifyReply, replyText } from './reply.rules.ts';
import type { Phase, Reply } from './reply.rules.ts';
import { createWire, expectReply, fail, failureOf, upgrade, watchEnd, writeText } from './wire.ts';
import type { Failure, Wire } from './wire.ts';

export interface SmtpConfig {
  readonly host: string;
  readonly port: number;
  /** `opportunistic` takes TLS when it is offered; a password never goes over a line that is not encrypted unless `none` was chosen. */
  readonly security: 'tls' | 'starttls' | 'opportunistic' | 'none';
  /** PEM; in place of the public authorities and those of NODE_EXTRA_CA_CERTS. Certificates are always checked. */
  readonly authorities?: string;
  readonly auth?: { readonly user: string; readonly password: string };
  /** What EHLO says. */
  readonly localName: string;
  readonly connectMs: number;
  readonly commandMs: number;
  /** From the final dot to the answer. */
  readonly acceptMs: number;
}

/** What the server offers (EHLO). */
export interface Features {
  readonly pipelining: boolean;
  /** BDAT (RFC 3030). */
  readonly chunking: boolean;
  readonly utf8: boolean;
  readonly eightBit: boolean;
  /** Bytes; 0 when it does not say. */
  readonly maxSize: number;
  readonly size: boolean;
}

export interface Session {
  readonly wire: Wire;
  readonly features: Features;
}

/** The way to a session failed; `result` is what it means for a message that waits for one. */
export class SessionFailure extends Error {
  readonly step: string;
  readonly result: SendResult;

  constructor(step: string, result: SendResult) {
    super('reason' in result ? result.reason : result.kind);
    this.step = step;
    this.result = result;
  }
}

const down = (code: string, reason: string): SendResult => ({ kind: 'retry', category: 'provider-down', code, reason });

/** Watches the clock for wires that are being opened and for those in use. */
export type Watch = (wire: Wire) => void;

/** Connects, says EHLO, encrypts, signs in. `onStep` tells which step was passed, for people who test an account. */
export async function openSession(
  config: SmtpConfig,
  deps: { resolveHost: ResolveHost; watch: Watch; signal: AbortSignal },
  onStep: (name: string, detail: string) => void = () => {},
): Promise<Session> {
  const addresses = await resolve(config.host, deps);
  onStep('resolve', addresses.join(', '));
  const socket = await dial(config, addresses, deps.signal);
  onStep('connect', `port ${config.port}${config.security === 'tls' ? ', TLS' : ''}`);
  const wire = createWire(socket, config.security === 'tls');
  deps.watch(wire);
  const conversation = converse(wire, config);
  try {
    return await greet(wire, conversation, config, onStep);
  } catch (error) {
    fail(wire, { code: 'closed', reason: 'given up' });
    throw error;
  }
}

async function resolve(
  host: string,
  deps: { resolveHost: ResolveHost; signal: AbortSignal },
): Promise<readonly string[]> {
  try {
    return await deps.resolveHost(host, deps.signal);
  } catch (error) {
    const code =
      error instanceof Error && 'code' in error && error.code === 'network/forbidden' ? 'refused-host' : 'dns';
    const reason = error instanceof Error ? error.message : 'the host name was not resolved';
    if (code === 'refused-host')
      throw new SessionFailure('resolve', { kind: 'refused', category: 'account', code, reason, permanent: true });
    throw new SessionFailure('resolve', down(code, reason));
  }
}

function tlsOptions(config: SmtpConfig): ConnectionOptions {
  return {
    host: config.host,
    ...(isIP(config.host) === 0 ? { servername: config.host } : {}),
    ...(config.authorities === undefined ? {} : { ca: config.authorities }),
  };
}

/** To the addresses that were checked and to no others: the name is not resolved again. */
function dial(config: SmtpConfig, addresses: readonly string[], signal: AbortSignal): Promise<Socket> {
  const known = addresses.map((address) => ({ address, family: isIP(address) }));
  const lookup: LookupFunction = (_host, options, done) => {
    const [one] = known;
    if (options.all === true) done(null, known);
    else if (one !== undefined) done(null, one.address, one.family);
  };
  const target = { host: config.host, port: config.port, lookup, autoSelectFamily: true };
  const secure = config.security === 'tls';
  return new Promise((settle, refuse) => {
    const socket = secure ? connectTls({ ...tlsOptions(config), ...target }) : connectTcp(target);
    const letGo = () => {
      socket.setTimeout(0);
      socket
        .off('timeout', onTimeout)
        .off('error', onError)
        .off('close', onClose)
        .off('connect', onReady)
        .off('secureConnect', onReady);
      signal.removeEventListener('abort', onAbort);
    };
    const giveUp = (failure: SendResult) => {
      letGo();
      // An error may still come while it is being torn down; nobody waits for it.
      socket.on('error', () => {});
      socket.destroy();
      refuse(new SessionFailure('connect', failure));
    };
    const onAbort = () => giveUp(down('closed', 'closed while connecting'));
    const onTimeout = () => giveUp(down('timeout', 'the server does not answer'));
    const onClose = () => giveUp(down('connection-lost', 'the server closed the connection at once'));
    const onError = (error: Error) => {
      const failure = failureOf(error);
      giveUp(down(failure.code, failure.reason.replace('the connection broke', 'no connection')));
    };
    const onReady = () => {
      letGo();
      settle(socket);
    };
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort);
    socket.setTimeout(config.connectMs);
    socket.on('timeout', onTimeout).on('error', onError).on('close', onClose);
    socket.on(secure ? 'secureConnect' : 'connect', onReady);
  });
}

type Converse = (phase: Phase, command: string | undefined, wanted: (reply: Reply) => boolean) => Promise<Reply>;

/** One question, one answer. An answer that is not wanted ends the session with its meaning. */
function converse(wire: Wire, config: SmtpConfig): Converse {
  let broken: ((failure: Failure) => void) | undefined;
  watchEnd(wire, (failure) => broken?.(failure));
  return (phase, command, wanted) =>
    new Promise((settle, refuse) => {
      broken = (failure) => refuse(new SessionFailure(phase, down(failure.code, failure.reason)));
      if (wire.failure !== undefined) return broken(wire.failure);
      expectReply(wire, config.commandMs, (reply) => {
        if (wanted(reply)) return settle(reply);
        refuse(new SessionFailure(phase, classifyReply(phase, reply, '')));
      });
      if (command !== undefined) writeText(wire, `${command}\r\n`, 'utf8');
    });
}

const good = (reply: Reply) => reply.code >= 200 && reply.code < 300;

async function greet(
  wire: Wire,
  ask: Converse,
  config: SmtpConfig,
  onStep: (name: string, detail: string) => void,
): Promise<Session> {
  await ask('session', undefined, good);
  onStep('greeting', 'the server answers');
  let hello = await sayHello(ask, config);
  const offersTls = offers(hello, 'STARTTLS');
  if (config.security === 'starttls' && !offersTls) {
    throw new SessionFailure(
      'tls',
      down('tls-missing', 'the server does not offer STARTTLS, which this account requires'),
    );
  }
  if (offersTls && (config.security === 'starttls' || config.security === 'opportunistic')) {
    await ask('session', 'STARTTLS', good);
    try {
      await upgrade(wire, tlsOptions(config));
    } catch (error) {
      const failure = failureOf(error instanceof Error ? error : new Error('TLS failed'));
      const code = failure.code === 'connection-lost' ? 'tls' : failure.code;
      throw new SessionFailure('tls', down(code, failure.reason));
    }
    hello = await sayHello(ask, config);
  }
  if (wire.encrypted) onStep('tls', 'encrypted, certificate checked');
  if (config.auth !== undefined) {
    await signIn(wire, ask, hello, config, config.auth);
    onStep('auth', 'signed in');
  }
  return { wire, features: featuresOf(hello) };
}

async function sayHello(ask: Converse, config: SmtpConfig): Promise<Reply> {
  const reply = await ask(
    'session',
    `EHLO ${config.localName}`,
    (one) => good(one) || (one.code >= 500 && one.code <= 504),
  );
  // Servers older than RFC 1869.
  return good(reply)
    ? reply
    : ask('session', `HELO ${config.localName}`, good).then((old) => ({ ...old, lines: old.lines.slice(0, 1) }));
}

function offers(hello: Reply, keyword: string): boolean {
  return hello.lines.slice(1).some((line) => line.toUpperCase().split(' ')[0] === keyword);
}

function featuresOf(hello: Reply): Features {
  const size = hello.lines.slice(1).find((line) => /^SIZE\b/i.test(line));
  return {
    pipelining: offers(hello, 'PIPELINING'),
    chunking: offers(hello, 'CHUNKING'),
    utf8: offers(hello, 'SMTPUTF8'),
    eightBit: offers(hello, '8BITMIME'),
    size: size !== undefined,
    maxSize: Number(/^SIZE (\d{1,15})/i.exec(size ?? '')?.[1] ?? 0),
  };
}

async function signIn(
  wire: Wire,
  ask: Converse,
  hello: Reply,
  config: SmtpConfig,
  auth: { user: string; password: string },
): Promise<void> {
  const refuse = (code: string, reason: string) =>
    new SessionFailure('auth', { kind: 'refused', category: 'account', code, reason, permanent: true });
  if (!wire.encrypted && config.security !== 'none') {
    throw refuse('tls-missing', 'the line is not encrypted, so the password was not sent');
  }
  // "AUTH=" is how some servers still write it.
  const line = hello.lines.slice(1).find((one) => /^AUTH[ =]/i.test(one)) ?? '';
  const methods = line.toUpperCase().split(/[ =]+/);
  if (methods.includes('PLAIN')) {
    await ask('auth', `AUTH PLAIN ${base64(`\0${auth.user}\0${auth.password}`)}`, good);
  } else if (methods.includes('LOGIN')) {
    const more = (reply: Reply) => reply.code === 334;
    await ask('auth', 'AUTH LOGIN', more);
    await ask('auth', base64(auth.user), more);
    await ask('auth', base64(auth.password), good);
  } else {
    throw refuse(
      'auth-missing',
      `the server offers no sign-in that is known here (${replyText({ ...hello, lines: [line] }).slice(4, 80)})`,
    );
  }
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
