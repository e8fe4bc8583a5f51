import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import type { SMTPServerDataStream, SMTPServerSession } from 'smtp-server';
import type { Clock } from '../platform/clock.ts';
import type { LinkTarget } from '../platform/links.ts';
import type { Log } from '../platform/log.ts';
import { readReturnPath } from '../platform/return-path.ts';

export interface MailDoorDeps {
  readonly host: string;
  readonly port: number;
  /** What comes back is addressed there. */
  readonly domain: string;
  readonly clock: Clock;
  readonly log: Log;
  linkKey(workspaceId: string): Uint8Array;
  /** Resolves once it is committed; false: there is no such message. */
  keep(target: LinkTarget, raw: Buffer): Promise<boolean>;
}

export interface MailDoor {
  readonly port: number;
  close(): Promise<void>;
}

/** A bounce tells what it has to tell in its first parts; the mail it returns may be cut off. */
const keptBytes = 128 * 1024;
const mostBytes = 30 * 1024 * 1024;
const mostClients = 200;

/** Takes mail for return paths of ours and for nobody else: it relays nothing, and lists no addresses. */
export async function openMailDoor(deps: MailDoorDeps): Promise<MailDoor> {
  const targets = new WeakMap<SMTPServerSession, Map<string, LinkTarget>>();
  const server = new SMTPServer({
    banner: 'Parley takes what comes back',
    name: deps.domain,
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: mostBytes,
    maxClients: mostClients,
    socketTimeout: 60_000,
    closeTimeout: 500,
    logger: false,
    onRcptTo: ({ address }, session, done) => {
      const at = address.lastIndexOf('@');
      const isOurs = address.slice(at + 1).toLowerCase() === deps.domain.toLowerCase();
      const target = isOurs ? readReturnPath(address.slice(0, at), deps.linkKey) : undefined;
      if (target === undefined) return done(reply(550, '5.1.1 There is no such mailbox'));
      const known = targets.get(session) ?? new Map<string, LinkTarget>();
      known.set(address.toLowerCase(), target);
      targets.set(session, known);
      done();
    },
    onData: (stream, session, done) => {
      void takeOrPutOff(deps, stream, session, targets.get(session) ?? new Map(), done);
    },
  });
  server.on('error', (error) => deps.log.info({ reason: error.message }, 'a connection of a mail server broke'));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(deps.port, deps.host, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
  const { port } = server.server.address() as AddressInfo;
  return { port, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

function reply(code: number, text: string): Error & { responseCode: number } {
  return Object.assign(new Error(text), { responseCode: code });
}

type Targets = ReadonlyMap<string, LinkTarget>;

async function takeOrPutOff(
  deps: MailDoorDeps,
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  targets: Targets,
  answer: (refusal: Error | null) => void,
): Promise<void> {
  try {
    answer(await take(deps, stream, session, targets));
  } catch (error) {
    deps.log.error({ err: error }, 'a mail that came back could not be kept');
    answer(reply(451, '4.3.0 Try again later'));
  }
}

async function take(
  deps: MailDoorDeps,
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  targets: Targets,
): Promise<Error | null> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    if (length < keptBytes) pieces.push(piece.subarray(0, keptBytes - length));
    length += piece.length;
  }
  if (stream.sizeExceeded) return reply(552, '5.3.4 The message is too large');
  const raw = Buffer.concat(pieces);
  let isKnown = false;
  for (const { address } of session.envelope.rcptTo) {
    const target = targets.get(address.toLowerCase());
    if (target !== undefined && (await deps.keep(target, raw))) isKnown = true;
  }
  return isKnown ? null : reply(550, '5.1.1 The message is not known here any more');
}
