import { openSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';

/**
 * The least an SMTP server can do (RFC 5321, PIPELINING of RFC 2920): takes every message and forgets it, but counts
 * recipients. With a file named on the command line it writes each recipient down before it answers 250, one a line;
 * with `ids` as the third argument, the id of the message instead.
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

function serve(socket: Socket): void {
  socket.setNoDelay(true);
  let pending = '';
  let inData = false;
  let recipients: string[] = [];

  const done = (text: string) => {
    for (const to of recipients) counts.set(to, (counts.get(to) ?? 0) + 1);
    if (record !== undefined) writeSync(record, recipients.map((to) => `${nameOf(to, text)}\n`).join(''));
    messages += 1;
    unanswered += 1;
    recipients = [];
  };

  const answerLater = answering(socket);

  /** Answers of everything in the chunk go out in one write. */
  const command = (line: string): string => {
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'MAIL' || verb === 'RSET') recipients = [];
    if (verb === 'MAIL' || verb === 'RSET' || verb === 'NOOP') return '250 2.0.0 OK\r\n';
    if (verb === 'RCPT') {
      recipients.push(line.slice(line.indexOf('<') + 1, line.indexOf('>')));
      return '250 2.1.5 OK\r\n';
    }
    if (verb === 'DATA') {
      inData = true;
      return '354 go\r\n';
    }
    if (verb === 'EHLO')
      return '250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 52428800\r\n';
    if (verb === 'HELO') return '250 sink\r\n';
    if (verb === 'QUIT') {
      socket.end('221 bye\r\n');
      return '';
    }
    return '502 5.5.1 what?\r\n';
  };

  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    pending += chunk.toString('latin1');
    let answer = '';
    let ends = 0;
    for (;;) {
      if (inData) {
        const end = pending.startsWith('.\r\n') ? 0 : pending.indexOf('\r\n.\r\n');
        if (end < 0) break;
        done(pending.slice(0, end));
        pending = pending.slice(end === 0 ? 3 : end + 5);
        inData = false;
        ends += 1;
        answer += '250 2.0.0 taken\r\n';
        continue;
      }
      const end = pending.indexOf('\r\n');
      if (end < 0) break;
      answer += command(pending.slice(0, end));
      pending = pending.slice(end + 2);
    }
    if (answer !== '') answerLater(answer, ends);
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
