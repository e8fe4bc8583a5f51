import { systemClock } from '../../../platform/clock.ts';
import type { VirtualClock } from '../../../platform/clock.ts';
import type { ProviderAccount, ProviderDeps, Sender } from '../../port.ts';
import { converse, email, startScripted } from '../../testing.ts';
import type { Heard, Line, Manners, ScriptedServer } from '../../testing.ts';
import type { Play, PlayedVendor, ProviderContract } from '../../testing-contract.ts';
import { createComposer } from '../mime.rules.ts';
import { createSmtpSender } from './sender.ts';
import type { PoolConfig, SenderDeps } from './sender.ts';

/** Senders and servers of one test, closed together. */
export interface Lab {
  /** What senders told the log. */
  readonly logged: unknown[];
  sender(port: number, change?: Partial<PoolConfig>, deps?: Partial<SenderDeps>): Sender;
  scripted(script: (line: Line, index: number) => Promise<void>): Promise<ScriptedServer>;
  mannered(manners: Manners): Promise<{ server: ScriptedServer; heard: Heard }>;
  closeLater(one: { close(): Promise<void> }): void;
  close(): Promise<void>;
}

export function createLab(): Lab {
  const opened: { close(): Promise<void> }[] = [];
  const logged: unknown[] = [];
  const scripted = async (script: (line: Line, index: number) => Promise<void>) => {
    const server = await startScripted(script);
    opened.push(server);
    return server;
  };
  return {
    logged,
    scripted,
    closeLater: (one) => void opened.push(one),
    close: async () => {
      for (const one of opened.splice(0).reverse()) await one.close();
    },
    mannered: async (manners) => {
      const heard: Heard = { commands: [], bodies: [] };
      return { heard, server: await scripted((line) => converse(line, manners, heard)) };
    },
    sender: (port, change = {}, deps = {}) => {
      const made = createSmtpSender(
        { ...patient, port, ...change },
        {
          clock: systemClock,
          log: { info: (...told) => logged.push(told), warn: (...told) => logged.push(told) },
          resolveHost: (host) => Promise.resolve([host]),
          composer: createComposer('nonce'),
          ...deps,
        },
      );
      opened.push(made);
      return made;
    },
  };
}

const patient = {
  host: '127.0.0.1',
  security: 'none',
  localName: 'client.example',
  connectMs: 5_000,
  commandMs: 5_000,
  acceptMs: 5_000,
  idleMs: 60_000,
  maxConnections: 1,
  maxMessagesPerConnection: 1000,
  chunking: 'auto',
} as const;

/** Greets and answers up to the body of the first message, then lets the test take over. */
export async function upToData(line: Line): Promise<void> {
  line.say('220 hi');
  await line.hear();
  line.say('250-hi', '250 PIPELINING');
  for (let said = await line.hear(); said !== 'DATA'; said = await line.hear()) line.say('250 ok');
  line.say('354 go');
}

export const numbered = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    email(`r${index}@example.com`, { messageId: `m-${index}`, subject: `Number ${index}` }),
  );

export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** The network takes real time, in which the virtual clock stands still. */
export async function reached(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/** Moves time on until the promise is settled: nothing waits in earnest. */
export async function settledBy<T>(clock: VirtualClock, promise: Promise<T>): Promise<T> {
  let done = false;
  const watched = promise.finally(() => (done = true));
  while (!done) {
    await turn();
    if (clock.sleepers() > 0) clock.advance(1000);
  }
  return watched;
}

const gone = 'SMTP has no calls back: what is heard later comes as mail.';
const without = {
  'bad-signature': gone,
  'stale-callback': gone,
  'replayed-callback': gone,
  'out-of-order-callbacks': gone,
  'look-up': 'A mail server cannot be asked what became of a message.',
};

/** A mail server that does with each message what it is told to. */
async function startPlayedMailServer(
  accountAt: (port: number) => Pick<ProviderAccount, 'settings' | 'secrets'>,
  within: (port: number, deps: ProviderDeps) => ProviderDeps,
): Promise<PlayedVendor> {
  let play: Play = 'accept';
  const heard: Heard = { commands: [], bodies: [] };
  const server = await startScripted((line) =>
    converse(
      line,
      {
        hello: ['250-vendor', '250-PIPELINING', '250-AUTH PLAIN LOGIN', '250 SIZE 1000000'],
        auth: () => (play === 'refuse-account' ? ['535 5.7.8 Bad credentials'] : ['235 2.7.0 Welcome']),
        rcpt: () => refusals[play] ?? ['250 ok'],
        end: () => {
          if (play === 'hang-up') line.drop();
          return ends[play] ?? ['250 2.0.0 Ok: queued as VENDOR1'];
        },
      },
      heard,
    ),
  );
  return {
    heard: heard.bodies,
    account: () => ({
      workspaceId: '0198c1d2-0000-7000-8000-00000000000a',
      id: '0198c1d2-0000-7000-8000-00000000000b',
      revision: 1,
      ...accountAt(server.port),
    }),
    deps: (deps) => within(server.port, deps),
    plays: (next) => void (play = next),
    close: () => server.close(),
  };
}

const refusals: Partial<Record<Play, readonly string[]>> = {
  'refuse-address': ['550 5.1.1 <ada@example.com> no such user'],
  throttle: ['451 4.7.0 Too many messages, try again in 7 seconds'],
  down: ['451 4.3.0 Mail system full'],
};

const ends: Partial<Record<Play, readonly string[]>> = {
  'refuse-content': ['554 5.7.1 refused as spam'],
  malformed: ['<html>Bad gateway</html>'],
  quiet: [],
  'hang-up': [],
};

export const contract: ProviderContract = {
  kind: 'smtp',
  start: () =>
    startPlayedMailServer(
      (port) => ({
        settings: {
          host: '127.0.0.1',
          port,
          security: 'none',
          username: 'acme',
          maxConnections: 2,
          chunking: 'auto',
          dkim: null,
        },
        secrets: { password: 'secret-of-acme' },
      }),
      (_port, deps) => deps,
    ),
  message: (messageId) => email('ada@example.com', { messageId }),
  without,
};

export const sandboxContract: ProviderContract = {
  kind: 'sandbox',
  start: () =>
    startPlayedMailServer(
      () => ({ settings: {}, secrets: {} }),
      (port, deps) => ({
        ...deps,
        sandbox: () => ({ host: '127.0.0.1', port, password: () => 'secret-of-acme', vendorUrl: () => '' }),
      }),
    ),
  message: (messageId) => email('ada@example.com', { messageId }),
  without,
};
