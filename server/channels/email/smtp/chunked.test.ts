import { afterEach, describe, expect, it } from 'vitest';
import { testCertificate } from '../../../platform/testing-certificate.ts';
import type { SendResult } from '../../port.ts';
import { email } from '../../testing.ts';
import { createLab, numbered, reached } from './testing.ts';
import { startChunkServer } from './testing-chunks.ts';
import type { ChunkManners, ChunkServer } from './testing-chunks.ts';

const lab = createLab();
const { sender } = lab;
afterEach(() => lab.close());

async function serving(manners: ChunkManners = {}): Promise<ChunkServer> {
  const server = await startChunkServer(manners);
  lab.closeLater(server);
  return server;
}

const kinds = (results: readonly SendResult[]) => results.map((result) => result.kind);
const recipients = (server: ChunkServer) => server.taken.map((one) => one.to);
const verbs = (lines: readonly string[]) => lines.map((line) => line.split(/[ :]/)[0]);
/** One message after the other, so that it has shown that it knows BDAT. */
const proven = (over: ReturnType<typeof sender>) => over.send(email('proof@example.com'));

describe('sending by BDAT', () => {
  it('writes envelope and body of several messages before the first answer', async () => {
    const server = await serving();
    const over = sender(server.port);
    expect(await proven(over)).toMatchObject({ kind: 'accepted', ref: 'ABCD1234' });
    const results = await Promise.all(numbered(5).map((message) => over.send(message)));
    expect(kinds(results)).toEqual(Array(5).fill('accepted'));
    expect(Math.max(...server.together)).toBe(5);
    expect(server.taken.slice(1).map((one) => /Number (\d)/.exec(one.body)?.[1])).toEqual(['0', '1', '2', '3', '4']);
    expect(server.commands[0]?.some((line) => line === 'DATA')).toBe(false);
  });

  it('never has more than eight messages without an answer on a connection', async () => {
    const server = await serving({ holds: true });
    const over = sender(server.port);
    const first = proven(over);
    await reached(() => server.taken.length === 1);
    server.release();
    await first;
    const all = Promise.all(numbered(20).map((message) => over.send(message)));
    for (const count of [9, 17, 21]) {
      await reached(() => server.taken.length >= count);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(server.taken).toHaveLength(count);
      server.release();
    }
    expect(kinds(await all)).toEqual(Array(20).fill('accepted'));
  });

  it('never has more than 256 KB without an answer, but for one message that is larger by itself', async () => {
    const server = await serving({ holds: true });
    const over = sender(server.port);
    const first = proven(over);
    await reached(() => server.taken.length === 1);
    server.release();
    await first;
    const big = (kb: number, to: string) => email(to, { text: 'A line of 16 b.\n'.repeat(kb * 64) });
    const all = Promise.all([
      over.send(big(100, 'a@example.com')),
      over.send(big(100, 'b@example.com')),
      over.send(big(100, 'c@example.com')),
      over.send(big(400, 'd@example.com')),
    ]);
    for (const count of [3, 4, 5]) {
      await reached(() => server.taken.length >= count);
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(server.taken).toHaveLength(count);
      server.release();
    }
    expect(kinds(await all)).toEqual(Array(4).fill('accepted'));
    expect(recipients(server).slice(1)).toEqual(['a@example.com', 'b@example.com', 'c@example.com', 'd@example.com']);
    expect(server.taken.at(-1)?.body.length).toBeGreaterThan(400_000);
  });

  it('works over TLS, where the kernel takes what is written only later', async () => {
    const certificate = testCertificate();
    const server = await serving({ certificate });
    const over = sender(
      server.port,
      { security: 'tls', host: 'localhost', authorities: certificate.cert },
      { resolveHost: () => Promise.resolve(['127.0.0.1']) },
    );
    await proven(over);
    const large = email('large@example.com', { text: 'A line of text.\n'.repeat(40_000) });
    const results = await Promise.all([
      ...numbered(30).map((message) => over.send(message)),
      over.send(large),
      ...numbered(30).map((message) => over.send(message)),
    ]);
    expect(kinds(results)).toEqual(Array(61).fill('accepted'));
    expect(server.taken).toHaveLength(62);
    for (const { to, body } of server.taken) expect(body).toContain(`To: ${to}\r\n`);
    expect(Math.max(...server.together)).toBeGreaterThan(3);
  });

  it('spreads what waits evenly over the connections', async () => {
    const server = await serving();
    const over = sender(server.port, { maxConnections: 4 });
    await Promise.all(numbered(16).map((message) => over.send(message)));
    await Promise.all(numbered(16).map((message) => over.send(message)));
    const counts = server.commands.map((lines) => lines.filter((line) => line.endsWith('LAST')).length);
    expect(counts).toHaveLength(4);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(4);
  });

  it('leaves dots as they are, and writes sizes and addresses as the server takes them', async () => {
    const server = await serving();
    const over = sender(server.port);
    await proven(over);
    const { html: _, ...plain } = email('jürgen@bücher.example');
    const results = await Promise.all([over.send({ ...plain, text: '.\n..\n' }), over.send(email('b@example.com'))]);
    expect(kinds(results)).toEqual(['accepted', 'accepted']);
    const body = Buffer.from(server.taken[1]?.body ?? '', 'latin1');
    expect(body.toString()).toContain('To: jürgen@xn--bcher-kva.example\r\n');
    expect(body.toString().split('\r\n\r\n')[1]).toMatch(/^=2E\r\n=2E\.\r\n/);
    const mail = server.commands[0]?.filter((line) => line.startsWith('MAIL')) ?? [];
    expect(mail[1]).toBe(`MAIL FROM:<news@example.com> SIZE=${body.length} BODY=8BITMIME SMTPUTF8`);
    expect(mail[2]).toBe(`MAIL FROM:<news@example.com> SIZE=${server.taken[2]?.body.length}`);
  });

  it('uses a connection for so many messages, then says QUIT and opens another', async () => {
    const server = await serving();
    const over = sender(server.port, { maxMessagesPerConnection: 3 });
    const results = await Promise.all(numbered(7).map((message) => over.send(message)));
    expect(kinds(results)).toEqual(Array(7).fill('accepted'));
    expect(server.commands.map((lines) => lines.filter((line) => line.endsWith('LAST')).length)).toEqual([3, 3, 1]);
    expect(server.commands.slice(0, 2).every((lines) => lines.at(-1) === 'QUIT')).toBe(true);
  });

  it.each([
    ['switched off', { chunking: 'off' }, undefined],
    ['not offered', {}, '250-hi\r\n250 PIPELINING'],
    ['offered without PIPELINING', {}, '250-hi\r\n250 CHUNKING'],
  ] as const)('does without where it is %s', async (_, change, hello) => {
    const server = await serving(hello === undefined ? {} : { hello });
    const results = await Promise.all(numbered(4).map((message) => sender(server.port, change).send(message)));
    expect(kinds(results)).toEqual(Array(4).fill('accepted'));
    expect(server.commands.flat().some((line) => line.startsWith('BDAT'))).toBe(false);
    expect(server.commands.flat()).toContain('DATA');
  });
});

describe('refusals among messages that follow each other', () => {
  it('gives each message its own answer, and the next one a transaction of its own', async () => {
    const server = await serving({
      mail: (command) => (command.includes('bad-sender') ? '550 5.7.1 not you' : undefined),
      rcpt: (command) =>
        command.includes('r1@') ? '550 5.1.1 unknown' : command.includes('r2@') ? '451 4.2.0 later' : undefined,
    });
    const over = sender(server.port);
    await proven(over);
    const results = await Promise.all([
      ...numbered(4).map((message) => over.send(message)),
      over.send(email('x@example.com', { envelopeFrom: 'bad-sender@example.com' })),
      over.send(email('y@example.com')),
    ]);
    expect(results).toMatchObject([
      { kind: 'accepted' },
      { kind: 'refused', category: 'address', code: '5.1.1' },
      { kind: 'retry', category: 'transient', code: '4.2.0' },
      { kind: 'accepted' },
      { kind: 'refused', code: '5.7.1' },
      { kind: 'accepted' },
    ]);
    expect(Math.max(...server.together)).toBe(6);
    expect(recipients(server)).toEqual(['proof@example.com', 'r0@example.com', 'r3@example.com', 'y@example.com']);
  });

  it('believes the refusal of a body, and goes on', async () => {
    let count = 0;
    const server = await serving({
      bdat: (command) => {
        if (!command.endsWith('LAST')) return undefined;
        count++;
        return count === 3 ? '554 5.7.1 spam' : count === 4 ? '452 4.3.1 no room' : undefined;
      },
    });
    const over = sender(server.port);
    await proven(over);
    const results = await Promise.all(numbered(4).map((message) => over.send(message)));
    expect(results).toMatchObject([
      { kind: 'accepted' },
      { kind: 'refused', category: 'content', code: '5.7.1' },
      { kind: 'retry', code: '4.3.1' },
      { kind: 'accepted' },
    ]);
    expect(recipients(server)).toEqual(['proof@example.com', 'r0@example.com', 'r3@example.com']);
  });

  it('starts over when the first message of a connection is refused', async () => {
    const server = await serving({ rcpt: (command) => (command.includes('r0@') ? '550 5.1.1 unknown' : undefined) });
    const over = sender(server.port);
    const results = await Promise.all(numbered(3).map((message) => over.send(message)));
    expect(kinds(results)).toEqual(['refused', 'accepted', 'accepted']);
    expect(verbs(server.commands[0]?.slice(0, 6) ?? [])).toEqual(['EHLO', 'MAIL', 'RCPT', 'BDAT', 'RSET', 'MAIL']);
  });
});

describe('a server that announces BDAT and does not know it', () => {
  it('gets its messages by DATA, each once', async () => {
    const server = await serving({ ignorant: true });
    const over = sender(server.port, { maxConnections: 3 });
    const results = await Promise.all(numbered(20).map((message) => over.send(message)));
    expect(kinds(results)).toEqual(Array(20).fill('accepted'));
    expect(recipients(server).toSorted()).toEqual(
      numbered(20)
        .map((one) => one.to)
        .toSorted(),
    );
    // Not a line of a message but its first was taken for a command.
    const known = /^(?:EHLO|MAIL|RCPT|RSET|DATA|BDAT|QUIT|Date:)/;
    expect(server.commands.flat().filter((line) => !known.test(line))).toEqual([]);
    expect(await over.send(email('later@example.com'))).toMatchObject({ kind: 'accepted' });
    expect(lab.logged.flat()).toContain('an SMTP server announces BDAT and does not know it: DATA from now on');
  });

  it.each(['500 what?', '502 5.5.1 not implemented'])('even when it forgets it in the middle (%s)', async (answer) => {
    let count = 0;
    const server = await serving({
      bdat: (command) => (command.endsWith('LAST') && ++count === 3 ? answer : undefined),
    });
    const over = sender(server.port);
    await proven(over);
    const results = await Promise.all(numbered(6).map((message) => over.send(message)));
    expect(kinds(results)).toEqual(Array(6).fill('accepted'));
    expect(recipients(server).slice(1).toSorted()).toEqual(numbered(6).map((one) => one.to));
    expect(server.commands[1]).toContain('DATA');
  });
});

describe('a connection that ends among messages that follow each other', () => {
  it.each(['mail', 'rcpt', 'bdat'] as const)(
    '421 to %s, and closed: what came behind goes over another one, once',
    async (at) => {
      const server = await serving({
        mail: (command, n) => (at === 'mail' && n === 0 && command.includes('second') ? '421 4.7.0 enough' : undefined),
        rcpt: (command, n) => (at === 'rcpt' && n === 0 && command.includes('r2@') ? '421 4.7.0 enough' : undefined),
        bdat: (command, n) =>
          at === 'bdat' && n === 0 && server.taken.length === 3 && command.endsWith('LAST')
            ? '421 4.7.0 enough'
            : undefined,
      });
      const over = sender(server.port);
      await proven(over);
      const messages = numbered(6).map((one, i) => (i === 2 ? { ...one, envelopeFrom: 'second@example.com' } : one));
      const results = await Promise.all(messages.map((message) => over.send(message)));
      const own = at === 'bdat' ? 'retry' : 'accepted';
      expect(kinds(results)).toEqual(['accepted', 'accepted', own, 'accepted', 'accepted', 'accepted']);
      const expected = numbered(6)
        .map((one) => one.to)
        .filter((to) => own === 'accepted' || to !== 'r2@example.com');
      expect(recipients(server).slice(1).toSorted()).toEqual(expected);
    },
  );

  it('421 and not closed: what it answers afterwards counts', async () => {
    const server = await serving({
      mail: (command) => (command.includes('second') ? '421 4.7.0 slow down' : undefined),
      closesAt421: false,
    });
    const over = sender(server.port);
    await proven(over);
    const messages = numbered(4).map((one, i) => (i === 1 ? { ...one, envelopeFrom: 'second@example.com' } : one));
    const results = await Promise.all(messages.map((message) => over.send(message)));
    expect(kinds(results)).toEqual(['accepted', 'retry', 'accepted', 'accepted']);
    expect(recipients(server).slice(1)).toEqual(['r0@example.com', 'r2@example.com', 'r3@example.com']);
  });
});
