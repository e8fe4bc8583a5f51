import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { Clock } from '../platform/clock.ts';
import { createHttpClient } from '../platform/http-client.ts';
import type { OutgoingEmail, ProviderDeps } from './port.ts';

/** One connection of a scripted server: it says and hears exactly what a test writes down. */
export interface Line {
  readonly socket: Socket;
  /** The next line the client says, without CRLF; undefined when it is gone. */
  hear(): Promise<string | undefined>;
  /** All up to the final dot, dots unstuffed; undefined when the client is gone before. */
  hearBody(): Promise<string | undefined>;
  say(...lines: string[]): void;
  drop(): void;
}

export interface ScriptedServer {
  readonly port: number;
  /** Connections so far. */
  readonly connections: () => number;
  close(): Promise<void>;
}

/** Runs the script for each connection, with its number from 0. */
export async function startScripted(script: (line: Line, index: number) => Promise<void>): Promise<ScriptedServer> {
  let count = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    void script(lineOf(socket), count++);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => count,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function lineOf(socket: Socket): Line {
  let buffer = '';
  let gone = false;
  let wake = () => {};
  socket.on('data', (chunk) => {
    buffer += chunk.toString('utf8');
    wake();
  });
  socket.on('close', () => {
    gone = true;
    wake();
  });
  const arrival = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });
  const until = async (end: string) => {
    while (!buffer.includes(end)) {
      if (gone) return undefined;
      await arrival();
    }
    const at = buffer.indexOf(end);
    const found = buffer.slice(0, at);
    buffer = buffer.slice(at + end.length);
    return found;
  };
  return {
    socket,
    hear: () => until('\r\n'),
    hearBody: async () => {
      while (buffer.length < 3 && !gone) await arrival();
      const body = await until(buffer.startsWith('.\r\n') ? '.\r\n' : '\r\n.\r\n');
      return body?.replace(/(^|\r\n)\./g, '$1');
    },
    say: (...lines) => {
      if (!socket.destroyed) socket.write(lines.map((line) => `${line}\r\n`).join(''));
    },
    drop: () => socket.destroy(),
  };
}

/** Answers a whole conversation; `overrides` replaces single answers, an empty list stays quiet. */
export interface Manners {
  readonly greeting?: readonly string[];
  readonly hello?: readonly string[];
  readonly auth?: readonly string[] | (() => readonly string[]);
  readonly mail?: (command: string) => readonly string[];
  readonly rcpt?: (command: string) => readonly string[];
  readonly data?: readonly string[];
  readonly end?: (body: string, recipient: string) => readonly string[];
}

export interface Heard {
  readonly commands: string[];
  readonly bodies: string[];
}

const positive = ['250 2.0.0 Ok'];

export async function converse(line: Line, manners: Manners, heard: Heard): Promise<void> {
  line.say(...(manners.greeting ?? ['220 scripted ESMTP']));
  let recipient = '';
  for (let said = await line.hear(); said !== undefined; said = await line.hear()) {
    heard.commands.push(said);
    const verb = said.slice(0, 4).toUpperCase();
    if (verb === 'EHLO' || verb === 'HELO')
      line.say(...(manners.hello ?? ['250-scripted', '250-PIPELINING', '250-8BITMIME', '250 SIZE 10000000']));
    else if (verb === 'AUTH') line.say(...authAnswer(manners));
    else if (verb === 'MAIL') line.say(...(manners.mail?.(said) ?? positive));
    else if (verb === 'RCPT') {
      recipient = said;
      line.say(...(manners.rcpt?.(said) ?? positive));
    } else if (verb === 'DATA') {
      const answer = manners.data ?? ['354 go ahead'];
      line.say(...answer);
      if (answer[0]?.startsWith('354') !== true) continue;
      const body = await line.hearBody();
      if (body === undefined) return;
      heard.bodies.push(body);
      line.say(...(manners.end?.(body, recipient) ?? ['250 2.0.0 Ok: queued as Q1234']));
    } else if (verb === 'QUIT') {
      line.say('221 2.0.0 Bye');
      line.socket.end();
    } else line.say(...positive);
  }
}

function authAnswer({ auth = ['235 2.7.0 Welcome'] }: Manners): readonly string[] {
  return typeof auth === 'function' ? auth() : auth;
}

export function email(to = 'ada@example.com', change: Partial<OutgoingEmail> = {}): OutgoingEmail {
  return {
    channel: 'email',
    messageId: '0198c1d2-0000-7000-8000-000000000001',
    to,
    from: { address: 'news@example.com', name: 'News' },
    subject: 'Hello',
    html: '<p>Hello</p>\n',
    text: 'Hello\n',
    ...change,
  };
}

export function providerDeps(clock: Clock, change: Partial<ProviderDeps> = {}): ProviderDeps {
  const resolveHost = (host: string) => Promise.resolve([host]);
  return {
    clock,
    log: { info: () => {}, warn: () => {} },
    resolveHost,
    // Closes by itself what is idle for four seconds; a test that must have everything closed brings its own.
    http: change.http ?? createHttpClient({ resolveHost, clock }),
    ...change,
  };
}
