import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

/** A message that came in whole. */
export interface Taken {
  readonly from: string;
  readonly to: string;
  readonly body: string;
  /** From 0. */
  readonly connection: number;
}

/** Single answers in place of the usual ones; `undefined` leaves the usual one, '' stays quiet. */
export interface ChunkManners {
  readonly hello?: string;
  readonly mail?: (command: string, connection: number) => string | undefined;
  readonly rcpt?: (command: string, connection: number) => string | undefined;
  readonly bdat?: (command: string, connection: number) => string | undefined;
  /** After this many bytes of the first connection's client it is closed, whatever they were. */
  readonly cutAfter?: number;
  /** What of the answers leaves before that: all, or nothing. */
  readonly answersLost?: boolean;
  /** A server that does not know BDAT although it says so. */
  readonly ignorant?: boolean;
  /** A 421 is its last word. */
  readonly closesAt421?: boolean;
  /** Says nothing more after such an answer. */
  readonly silentAfter?: RegExp;
  /** For TLS from the first byte. */
  readonly certificate?: { readonly key: string; readonly cert: string };
  /** Messages wait for this before they are answered. */
  readonly holds?: boolean;
}

export interface ChunkServer {
  readonly port: number;
  readonly taken: Taken[];
  /** Lines of commands, without bodies, of each connection. */
  readonly commands: string[][];
  /** How many MAIL came in each read of the first connection: what a client wrote together. */
  readonly together: number[];
  /** Bytes read from the first connection. */
  readonly read: () => number;
  /** Sends what `holds` kept. */
  release(): void;
  /** Reads nothing more. */
  stall(): void;
  close(): Promise<void>;
}

interface Talk {
  readonly number: number;
  pending: Buffer;
  chunk: { left: number; last: boolean; parts: Buffer[]; command: string } | undefined;
  inData: boolean;
  from: string | undefined;
  to: string | undefined;
  parts: Buffer[];
  answers: string;
  closing: boolean;
  silent: boolean;
}

/** A strict server (RFC 3030): nested MAIL is refused, a chunk for nobody is read and refused, every command is answered once. */
export async function startChunkServer(manners: ChunkManners = {}): Promise<ChunkServer> {
  const sockets = new Set<Socket>();
  const taken: Taken[] = [];
  const commands: string[][] = [];
  const together: number[] = [];
  const held: (() => void)[] = [];
  let read = 0;
  const serve = (socket: Socket) => {
    const talk: Talk = {
      number: commands.length,
      pending: Buffer.alloc(0),
      chunk: undefined,
      inData: false,
      from: undefined,
      to: undefined,
      parts: [],
      answers: '',
      closing: false,
      silent: false,
    };
    commands.push([]);
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.write('220 chunks ESMTP\r\n');
    socket.on('data', (data: Buffer) => {
      const first = talk.number === 0;
      const left = first && manners.cutAfter !== undefined ? manners.cutAfter - read : Infinity;
      const heard = data.subarray(0, Math.max(0, left));
      if (first) {
        read += heard.length;
        together.push(heard.toString('latin1').match(/MAIL FROM/g)?.length ?? 0);
      }
      talk.pending = Buffer.concat([talk.pending, heard]);
      while (!talk.closing && advance(talk, manners, taken, commands[talk.number] ?? []));
      const { answers } = talk;
      talk.answers = '';
      const isCut = data.length >= left;
      const say = () => {
        if (answers !== '' && !(isCut && manners.answersLost === true)) socket.write(answers);
        if (isCut || talk.closing) socket.end();
      };
      if (manners.holds === true && commands[talk.number]?.some((line) => line.endsWith('LAST'))) held.push(say);
      else say();
    });
  };
  const { certificate } = manners;
  const server = certificate === undefined ? createServer(serve) : createTlsServer(certificate, serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    taken,
    commands,
    together,
    read: () => read,
    release: () => {
      for (const say of held.splice(0)) say();
    },
    stall: () => {
      for (const socket of sockets) socket.pause();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Deals with one command, or with what is there of a body; false when it needs more bytes. */
function advance(talk: Talk, manners: ChunkManners, taken: Taken[], commands: string[]): boolean {
  if (talk.chunk !== undefined) return readChunk(talk, talk.chunk, manners, taken);
  const mark = talk.inData ? '\r\n.\r\n' : '\r\n';
  const end = talk.pending.indexOf(mark);
  if (end < 0) return false;
  const line = talk.pending.toString('latin1', 0, end);
  talk.pending = talk.pending.subarray(end + mark.length);
  if (talk.inData) {
    taken.push({ from: talk.from ?? '', to: talk.to ?? '', body: `${line}\r\n`, connection: talk.number });
    talk.inData = false;
    reset(talk);
    say(talk, manners, '250 taken');
    return true;
  }
  commands.push(line);
  obey(talk, line, manners);
  return true;
}

function readChunk(talk: Talk, chunk: NonNullable<Talk['chunk']>, manners: ChunkManners, taken: Taken[]): boolean {
  const part = talk.pending.subarray(0, chunk.left);
  talk.pending = talk.pending.subarray(part.length);
  chunk.left -= part.length;
  chunk.parts.push(Buffer.from(part));
  if (chunk.left > 0) return false;
  talk.chunk = undefined;
  const refusal = talk.to === undefined ? '503 5.5.1 for nobody' : manners.bdat?.(chunk.command, talk.number);
  talk.parts.push(...chunk.parts);
  if (chunk.last && talk.to !== undefined && (refusal === undefined || /^(?:2|$)/.test(refusal))) {
    const body = Buffer.concat(talk.parts).toString('latin1');
    taken.push({ from: talk.from ?? '', to: talk.to, body, connection: talk.number });
    reset(talk);
  }
  // Where a chunk was refused, the transaction stays open until RSET: the stricter way.
  say(talk, manners, refusal ?? '250 2.0.0 queued as ABCD1234');
  return true;
}

function obey(talk: Talk, line: string, manners: ChunkManners): void {
  const verb = line.slice(0, 4).toUpperCase();
  const value = line.slice(line.indexOf('<') + 1, line.indexOf('>'));
  const hello = '250-chunks\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-SMTPUTF8\r\n250-8BITMIME\r\n250 SIZE 50000000';
  if (verb === 'EHLO') return say(talk, manners, manners.hello ?? hello);
  if (verb === 'RSET') {
    reset(talk);
    return say(talk, manners, '250 reset');
  }
  if (verb === 'MAIL') {
    const answer = manners.mail?.(line, talk.number) ?? (talk.from === undefined ? '250 ok' : '503 5.5.1 nested MAIL');
    if (answer.startsWith('2')) talk.from = value;
    return say(talk, manners, answer);
  }
  if (verb === 'RCPT') {
    const answer = manners.rcpt?.(line, talk.number) ?? (talk.from === undefined ? '503 5.5.1 MAIL first' : '250 ok');
    if (answer.startsWith('2')) talk.to = value;
    return say(talk, manners, answer);
  }
  if (verb === 'BDAT' && manners.ignorant !== true) {
    const [, size = '0', last = ''] = line.split(' ');
    talk.chunk = { left: Number(size), last: last === 'LAST', parts: [], command: line };
    return;
  }
  if (verb === 'DATA') {
    talk.inData = talk.to !== undefined;
    return say(talk, manners, talk.inData ? '354 go' : '503 5.5.1 for nobody');
  }
  if (verb === 'QUIT') {
    say(talk, manners, '221 bye');
    talk.closing = true;
    return;
  }
  say(talk, manners, '502 5.5.2 what?');
}

function reset(talk: Talk): void {
  talk.from = undefined;
  talk.to = undefined;
  talk.parts = [];
}

function say(talk: Talk, manners: ChunkManners, text: string): void {
  if (text !== '' && !talk.silent) talk.answers += `${text}\r\n`;
  talk.silent ||= manners.silentAfter?.test(text) === true;
  if (text.startsWith('421') && manners.closesAt421 !== false) talk.closing = true;
}
