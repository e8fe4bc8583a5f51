import { createServer } from 'node:http';
import type { SinkStats } from './smtp-sink.ts';

/**
 * The least a vendor with an HTTP API can do: Twilio's Messages (one recipient a request) and SendGrid's mail/send (many).
 * Takes every message and forgets it, but counts recipients. Runs as a process of its own, like `smtp-sink.ts`.
 */
let counts = new Map<string, number>();
let messages = 0;
let bytes = 0;

function stats(): SinkStats {
  let duplicates = 0;
  for (const count of counts.values()) duplicates += count - 1;
  return { messages, recipients: counts.size, duplicates, bytes, unanswered: 0 };
}

function take(recipient: string): void {
  counts.set(recipient, (counts.get(recipient) ?? 0) + 1);
}

let nth = 0;

/** Only recipients are read out of the body: parsing all of it would be most of what is measured. */
function answer(path: string, body: string): { status: number; headers: Record<string, string>; text: string } {
  nth += 1;
  messages += 1;
  const json = { 'content-type': 'application/json' };
  if (path.endsWith('/Messages.json')) {
    take(decodeURIComponent(/(?:^|&)To=([^&]*)/.exec(body)?.[1] ?? ''));
    const sid = `SM${nth.toString(16).padStart(32, '0')}`;
    return {
      status: 201,
      headers: json,
      text: `{"sid":"${sid}","status":"queued","error_code":null,"num_segments":"1"}`,
    };
  }
  for (const [, recipient] of body.matchAll(/"to":\[\{"email":"([^"]+)"/g)) take(recipient ?? '');
  return { status: 202, headers: { 'x-message-id': `sink-${nth}` }, text: '' };
}

const server = createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    const body = Buffer.concat(pieces);
    bytes += body.length;
    const { status, headers, text } = answer(request.url ?? '', body.toString());
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) }).end(text);
  });
});
server.keepAliveTimeout = 60_000;
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
