import { openSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';

/**
 * The least an SMTP server can do (RFC 5321, PIPELINING of RFC 2920, CHUNKING of RFC 3030): takes every message and
 * forgets it, but counts recipients. With a file named on the command line it writes each recipient down before it answers
 * 250, one a line; with `ids` as the third argument, the id of the message instead.
 * Runs as a process of its own: `fork` it; it tells its port, and answers 'stats' and 'reset' messages.
 */
export interface SinkStats {
  readonly messages: number;
  readonly recipients: number;
  readonly duplicates: number;
  readonly bytes: number;
  /** Taken and written down, but the answer has not left yet. */
  readonly unanswered: number;
}

const record = process.argv[2] === undefined ? undefined : openSync(process.argv[2], 'a');
let counts = new Map<string, number>();
let messages = 0;
let bytes = 0;
let unanswered = 0;

function stats(): SinkStats {
  let duplicates = 0;
  for (const count of counts.values()) duplicates += count - 1;
  return { messages, recipients: counts.size, duplicates, bytes, unanswered };
}

const isByMessage = process.argv[4] === 'ids';

/** What is written down of a message. */
function nameOf(recipient: string, text: string): string {
  return isByMessage ? (/^Message-ID: <([^@>]+)/im.exec(text)?.[1] ?? recipient) : recipient;
}

/** Delays the answer to each message's end, in ms: a wire on which messages stay for a while. */
const answerAfterMs = Number(process.argv[3] ?? 0);

/** Writes answers in order: one that is due at once does not overtake one that takes its time. `ends`: messages it ends. */
function answering(socket: Socket): (text: string, ends: number) => void {
  const waiting: { text: string; ends: number }[] = [];
  let open = 0;
  const say = (text: string, ends: number) => {
    if (socket.destroyed || socket.writableEnded) return;
    socket.write(text);
    unanswered -= ends;
    open -= ends;
  };
  socket.on('close', () => {
    unanswered -= open;
    open = 0;
  });
  return (text, ends) => {
    open += ends;
    if (waiting.length === 0 && (ends === 0 || answerAfterMs === 0)) return say(text, ends);
    waiting.push({ text, ends });
    setTimeout(() => {
      const next = waiting.shift();
      if (next !== undefined) say(next.text, next.ends);
    }, answerAfterMs);
  };
}

/** One connection: what was heard and not dealt with, and the message that is being taken. */
interface Talk {
  pending: string;
  inData: boolean;
  chunk: { readonly size: number; readonly last: boolean } | undefined;
  /** The chunks of the message so far. */
  text: string;
  recipients: string[];
}

/** Written down before it is answered. */
function takeMessage(talk: Talk, text: string): void {
  const { recipients } = talk;
  for (const to of recipients) counts.set(to, (counts.get(to) ?? 0) + 1);
  if (record !== undefined) writeSync(record, recipients.map((to) => `${nameOf(to, text)}\n`).join(''));
  messages += 1;
  unanswered += 1;
  begin(talk);
}

function begin(talk: Talk): void {
  talk.recipients = [];
  talk.text = '';
}

const hello =
  '250-sink\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 52428800\r\n';

function obey(talk: Talk, line: string): string {
  const verb = line.slice(0, 4).toUpperCase();
  if (verb === 'MAIL' || verb === 'RSET') begin(talk);
  if (verb === 'MAIL' || verb === 'RSET' || verb === 'NOOP') return '250 2.0.0 OK\r\n';
  if (verb === 'RCPT') {
    talk.recipients.push(line.slice(line.indexOf('<') + 1, line.indexOf('>')));
    return '250 2.1.5 OK\r\n';
  }
  if (verb === 'DATA') {
    talk.inData = true;
    return '354 go\r\n';
  }
  if (verb === 'BDAT') {
    const [, size, last = ''] = line.split(' ');
    talk.chunk = { size: Number(size), last: last.toUpperCase() === 'LAST' };
    return '';
  }
  if (verb === 'EHLO') return hello;
  if (verb === 'HELO') return '250 sink\r\n';
  return verb === 'QUIT' ? '221 bye\r\n' : '502 5.5.1 what?\r\n';
}

const takenText = '250 2.0.0 taken\r\n';

/** Deals with one command, body or chunk and gives its answer; undefined when it is not there in whole. */
function advance(talk: Talk): string | undefined {
  if (talk.chunk !== undefined) return readChunk(talk, talk.chunk);
  const end =
    talk.inData && talk.pending.startsWith('.\r\n') ? 0 : talk.pending.indexOf(talk.inData ? '\r\n.\r\n' : '\r\n');
  if (end < 0) return undefined;
  const heard = talk.pending.slice(0, end);
  const markLength = !talk.inData ? 2 : end === 0 ? 3 : 5;
  talk.pending = talk.pending.slice(end + markLength);
  if (!talk.inData) return obey(talk, heard);
  talk.inData = false;
  takeMessage(talk, heard);
  return takenText;
}

function readChunk(talk: Talk, { size, last }: NonNullable<Talk['chunk']>): string | undefined {
  if (talk.pending.length < size) return undefined;
  talk.text += talk.pending.slice(0, size);
  talk.pending = talk.pending.slice(size);
  talk.chunk = undefined;
  if (talk.recipients.length === 0) return '503 5.5.1 for nobody\r\n';
  if (last) takeMessage(talk, talk.text);
  return takenText;
}

function serve(socket: Socket): void {
  socket.setNoDelay(true);
  const talk: Talk = { pending: '', inData: false, chunk: undefined, text: '', recipients: [] };
  const answerLater = answering(socket);
  socket.on('data', (data: Buffer) => {
    bytes += data.length;
    talk.pending += data.toString('latin1');
    // Answers of everything that was read go out in one write.
    let answers = '';
    const before = messages;
    for (let answer = advance(talk); answer !== undefined; answer = advance(talk)) answers += answer;
    if (answers !== '') answerLater(answers, messages - before);
    if (answers.endsWith('221 bye\r\n')) socket.end();
  });
  socket.on('error', () => socket.destroy());
  socket.write('220 sink ESMTP\r\n');
}

const server = createServer(serve);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' && address !== null ? address.port : 0 });
});
process.on('message', (message) => {
  if (message === 'stats') process.send?.(stats());
  if (message === 'reset') {
    counts = new Map();
    messages = 0;
    bytes = 0;
    process.send?.(stats());
  }
});
process.on('disconnect', () => process.exit(0));
