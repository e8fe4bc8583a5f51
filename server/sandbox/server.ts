import { createHmac, timingSafeEqual } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import type {
  SMTPServerAddress,
  SMTPServerAuthentication,
  SMTPServerAuthenticationResponse,
  SMTPServerDataStream,
  SMTPServerSession,
} from 'smtp-server';
import type { Clock } from '../platform/clock.ts';
import { isId } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import { behaviourOf, behaviourOfFate, refusalOf } from './behaviour.rules.ts';
import type { Behaviour } from './behaviour.rules.ts';
import type { Collector } from './collector.ts';
import { emptyScenario, ruledFate } from './scenario.rules.ts';
import type { Scenarios } from './scenarios.ts';

export interface MailServer {
  readonly host: string;
  readonly port: number;
  password(workspaceId: string): string;
  close(): Promise<void>;
}

export interface MailServerDeps {
  readonly collector: Collector;
  readonly scenarios: Scenarios;
  readonly random: () => number;
  readonly clock: Clock;
  readonly log: Log;
  /** Passwords of workspaces are derived from it. */
  readonly key: Buffer;
}

const host = '127.0.0.1';
const maxBytes = 30 * 1024 * 1024;
const closeMs = 500;

/** Listens on the loopback only, on a port the system chooses: nothing outside this machine reaches it. */
export async function startMailServer(deps: MailServerDeps): Promise<MailServer> {
  const password = (workspaceId: string) =>
    createHmac('sha256', deps.key).update(`sandbox:${workspaceId}`).digest('base64url');
  const server = new SMTPServer({
    banner: 'Parley sandbox: catches, never sends',
    // The loopback needs no certificate.
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    authMethods: ['PLAIN', 'LOGIN'],
    disableReverseLookup: true,
    size: maxBytes,
    closeTimeout: closeMs,
    logger: false,
    onAuth: (auth, _session, done) => onAuth(auth, password, done),
    onRcptTo: (address, session, done) => void onRecipient(deps, address, session, done),
    onData: (stream, session, done) => onData(deps, stream, session, done),
  });
  // Clients that hang up in the middle of a command are their own affair.
  server.on('error', (error) => deps.log.info({ reason: error.message }, 'a sandbox connection broke'));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
  const { port } = server.server.address() as AddressInfo;
  return { host, port, password, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** An error that smtp-server answers with its code. */
function answer(code: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode: code });
}

function onAuth(
  auth: SMTPServerAuthentication,
  password: (workspaceId: string) => string,
  done: (error: Error | null | undefined, response?: SMTPServerAuthenticationResponse) => void,
): void {
  const workspaceId = auth.username ?? '';
  const given = Buffer.from(auth.password ?? '');
  const wanted = Buffer.from(password(workspaceId));
  if (isId(workspaceId) && given.length === wanted.length && timingSafeEqual(given, wanted))
    done(null, { user: workspaceId });
  else done(answer(535, '5.7.8 Not a workspace of this sandbox'));
}

/** Chosen once for each recipient of a message: the envelope keeps the very object that RCPT made. */
const behaviours = new WeakMap<SMTPServerAddress, Behaviour>();

async function onRecipient(
  deps: MailServerDeps,
  recipient: SMTPServerAddress,
  session: SMTPServerSession,
  done: (error?: Error | null) => void,
): Promise<void> {
  const behaviour = await behaviourFor(deps, session, recipient.address);
  behaviours.set(recipient, behaviour);
  const refusal = refusalOf(behaviour);
  done(refusal === undefined ? undefined : answer(refusal.code, refusal.text));
}

/** By the scenario, else by the address. */
async function behaviourFor(
  { scenarios, random }: MailServerDeps,
  session: SMTPServerSession,
  recipient: string,
): Promise<Behaviour> {
  // A scenario that cannot be read must not keep mail from being caught.
  const scenario = await scenarios.of(String(session.user)).catch(() => emptyScenario);
  const fate = ruledFate(scenario, { recipient, vendor: 'smtp' }, random);
  return fate === undefined ? behaviourOf(recipient) : behaviourOfFate(fate);
}

function onData(
  deps: MailServerDeps,
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  done: (error?: Error | null, message?: string) => void,
): void {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => {
    if (stream.sizeExceeded) return done(answer(552, '5.3.4 The message is too large'));
    const raw = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
    void take(deps, session, raw, done);
  });
}

async function take(
  deps: MailServerDeps,
  session: SMTPServerSession,
  raw: Buffer,
  done: (error?: Error | null, message?: string) => void,
): Promise<void> {
  const { mailFrom, rcptTo } = session.envelope;
  const chosen = rcptTo.map((one) => behaviours.get(one) ?? behaviourOf(one.address));
  if (chosen.some((one) => one.kind === 'quiet')) return;
  if (chosen.some((one) => one.kind === 'malformed')) return done(answer(354, 'The sandbox makes no sense'));
  const slowMs = Math.max(0, ...chosen.map((one) => (one.kind === 'slow' ? one.ms : 0)));
  if (slowMs > 0) await deps.clock.sleep(slowMs);
  try {
    const id = await deps.collector.add(String(session.user), {
      from: mailFrom === false ? '' : mailFrom.address,
      recipients: rcptTo.map((recipient) => recipient.address),
      raw,
    });
    done(null, `2.0.0 Ok: queued as ${id}`);
  } catch (error) {
    deps.log.warn({ err: error }, 'the sandbox could not store a message');
    done(answer(451, '4.3.0 The sandbox could not store the message'));
  }
}
