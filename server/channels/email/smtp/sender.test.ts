import { simpleParser } from 'mailparser';
import { afterEach, describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../../platform/clock.ts';
import { converse, email, startScripted } from '../../testing.ts';
import type { Heard } from '../../testing.ts';
import { stuffDots } from './connection.ts';
import { createLab, numbered, settledBy, turn, upToData } from './testing.ts';

const lab = createLab();
const { sender, scripted, mannered } = lab;
afterEach(() => lab.close());

describe('sending', () => {
  it('hands a message over and tells how the server calls it', async () => {
    const { server, heard } = await mannered({});
    const result = await sender(server.port).send(email());
    expect(result).toEqual({ kind: 'accepted', ref: 'Q1234', detail: '250 2.0.0 Ok: queued as Q1234' });
    expect(heard.commands.slice(0, 4)).toEqual([
      'EHLO client.example',
      expect.stringMatching(/^MAIL FROM:<news@example\.com> SIZE=\d+$/),
      'RCPT TO:<ada@example.com>',
      'DATA',
    ]);
    expect((await simpleParser(`${heard.bodies[0] ?? ''}\r\n`)).subject).toBe('Hello');
  });

  it('settles each of many messages with its own outcome, over few connections', async () => {
    const { server, heard } = await mannered({
      rcpt: (command) =>
        command.includes('r3@') ? ['550 5.1.1 unknown'] : command.includes('r5@') ? ['451 4.2.0 later'] : ['250 ok'],
      data: ['354 go'],
      end: (_body, recipient) =>
        recipient.includes('r7@') ? ['554 5.7.1 spam'] : [`250 queued as ${/r\d+/.exec(recipient)?.[0]}xx`],
    });
    const over = sender(server.port, { maxConnections: 3 });
    const results = await Promise.all(numbered(60).map((message) => over.send(message)));
    for (const [index, result] of results.entries()) {
      if (index === 3) expect(result).toMatchObject({ kind: 'refused', category: 'address', code: '5.1.1' });
      else if (index === 5) expect(result).toMatchObject({ kind: 'retry', category: 'transient', code: '4.2.0' });
      else if (index === 7) expect(result).toMatchObject({ kind: 'refused', category: 'content', code: '5.7.1' });
      // Four characters are the least a queue id has.
      else expect(result).toMatchObject({ kind: 'accepted', ref: `r${index}xx` });
    }
    expect(server.connections()).toBe(3);
    expect(heard.bodies.filter((body) => body.includes('Number 3\r\n'))).toEqual([]);
  });

  it('sends the envelope of the next message together with the body of the one before', async () => {
    let nextSeen: Promise<string | undefined> | undefined;
    const server = await scripted(async (line) => {
      await upToData(line);
      await line.hearBody();
      // Not answered yet: what comes now came on its own.
      nextSeen = line.hear();
      await nextSeen;
      line.say('250 first', '250 ok', '250 ok', '354 go');
      await line.hear();
      await line.hear();
      await line.hearBody();
      line.say('250 second');
    });
    const over = sender(server.port);
    const [first, second] = await Promise.all([over.send(email('a@example.com')), over.send(email('b@example.com'))]);
    expect([first.kind, second.kind]).toEqual(['accepted', 'accepted']);
    expect(await nextSeen).toMatch(/^MAIL FROM/);
  });

  it('asks one thing at a time of a server without pipelining, and starts over after a refusal', async () => {
    let early = false;
    const commands: string[] = [];
    const server = await scripted(async (line) => {
      line.say('220 old');
      const ask = async (...answer: string[]) => {
        commands.push((await line.hear()) ?? '');
        await turn();
        early ||= line.socket.readableLength > 0;
        line.say(...answer);
      };
      await ask('502 what?');
      await ask('250 old');
      await ask('250 ok');
      await ask('550 nobody');
      await ask('250 reset');
      await ask('250 ok');
      await ask('250 ok');
      await ask('354 go');
      await line.hearBody();
      line.say('250 ok');
    });
    const over = sender(server.port);
    const results = await Promise.all([over.send(email('a@example.com')), over.send(email('b@example.com'))]);
    expect(results.map((result) => result.kind)).toEqual(['refused', 'accepted']);
    expect(early).toBe(false);
    expect(commands.map((command) => command.split(/[ :]/)[0])).toEqual([
      'EHLO',
      'HELO',
      'MAIL',
      'RCPT',
      'RSET',
      'MAIL',
      'RCPT',
      'DATA',
    ]);
  });

  it('ends with a lone dot when a server takes data for nobody', async () => {
    const { server, heard } = await mannered({
      rcpt: (command) => (command.includes('gone@') ? ['550 5.1.1 gone'] : ['250 ok']),
    });
    const over = sender(server.port);
    expect(await over.send(email('gone@example.com'))).toMatchObject({ kind: 'refused', code: '5.1.1' });
    expect(await over.send(email('here@example.com'))).toMatchObject({ kind: 'accepted' });
    expect(heard.bodies[0]).toBe('');
    expect(heard.commands).toContain('RSET');
  });

  it('refuses here what this server cannot take, and what is no message', async () => {
    const { server, heard } = await mannered({ hello: ['250-hi', '250-PIPELINING', '250 SIZE 2000'] });
    const over = sender(server.port);
    expect(await over.send(email('ada@example.com', { text: 'x\n'.repeat(2000) }))).toMatchObject({
      kind: 'refused',
      category: 'content',
      code: '5.3.4',
    });
    expect(await over.send(email('jürgen@example.com'))).toMatchObject({
      kind: 'refused',
      category: 'content',
      code: '5.6.7',
    });
    expect(await over.send(email('a@example.com\r\nQUIT'))).toMatchObject({
      kind: 'refused',
      category: 'address',
      code: '5.1.3',
    });
    expect(await over.send(email('a@example.com', { subject: 'a\nb' }))).toMatchObject({
      kind: 'refused',
      category: 'content',
      code: 'invalid-header',
    });
    expect(heard.commands.filter((command) => !command.startsWith('EHLO'))).toEqual([]);
  });

  it('writes addresses outside ASCII as they are where the server takes them', async () => {
    const { server, heard } = await mannered({ hello: ['250-hi', '250-PIPELINING', '250-8BITMIME', '250 SMTPUTF8'] });
    expect(await sender(server.port).send(email('jürgen@bücher.example'))).toMatchObject({ kind: 'accepted' });
    expect(heard.commands).toContain('MAIL FROM:<news@example.com> BODY=8BITMIME SMTPUTF8');
    expect(heard.commands).toContain('RCPT TO:<jürgen@xn--bcher-kva.example>');
    expect(heard.bodies[0]).toContain('To: jürgen@xn--bcher-kva.example');
  });

  it('stuffs dots, so that no body ends a message', async () => {
    expect(stuffDots(Buffer.from('.a\r\n..\r\nb.\r\n.\r\n')).toString()).toBe('..a\r\n...\r\nb.\r\n..\r\n');
    expect(stuffDots(Buffer.from('plain\r\n')).toString()).toBe('plain\r\n');
    const { server, heard } = await mannered({});
    const text = '.\n..\n.hidden\nQUIT\n\n.\n';
    const { html: _, ...plain } = email();
    expect(await sender(server.port).send({ ...plain, text })).toMatchObject({ kind: 'accepted' });
    expect(heard.bodies).toHaveLength(1);
    expect((await simpleParser(`${heard.bodies[0] ?? ''}\r\n`)).text).toBe(text);
  });

  it('waits for a slow line with a large body, and sends its final dot only after it', async () => {
    const { server, heard } = await mannered({});
    const over = sender(server.port);
    const large = email('a@example.com', { text: 'A line of text.\n'.repeat(40_000) });
    const results = await Promise.all([over.send(large), over.send(email('b@example.com')), over.send(large)]);
    expect(results.map((result) => result.kind)).toEqual(['accepted', 'accepted', 'accepted']);
    expect(heard.bodies.map((body) => body.length > 600_000)).toEqual([true, false, true]);
  });

  it('uses a connection for so many messages, then says QUIT and opens another', async () => {
    const { server, heard } = await mannered({});
    const over = sender(server.port, { maxMessagesPerConnection: 3 });
    const results = await Promise.all(numbered(7).map((message) => over.send(message)));
    expect(results.every((result) => result.kind === 'accepted')).toBe(true);
    expect(server.connections()).toBe(3);
    expect(heard.commands.filter((command) => command === 'QUIT')).toHaveLength(2);
  });

  it('says QUIT when it has been idle', async () => {
    const clock = createVirtualClock();
    const { server, heard } = await mannered({});
    const over = sender(server.port, { idleMs: 10_000 }, { clock });
    expect(await over.send(email())).toMatchObject({ kind: 'accepted' });
    while (!heard.commands.includes('QUIT')) {
      clock.advance(1000);
      await turn();
    }
    expect(await over.send(email())).toMatchObject({ kind: 'accepted' });
    expect(server.connections()).toBe(2);
  });
});

describe('when there is no connection', () => {
  it('tells every waiting message so', async () => {
    const server = await startScripted(async () => {});
    await server.close();
    const over = sender(server.port, { maxConnections: 3 });
    const results = await Promise.all(numbered(10).map((message) => over.send(message)));
    for (const result of results)
      expect(result).toMatchObject({ kind: 'retry', category: 'provider-down', code: 'connection-lost' });
  });

  it('goes on with the connections it has when a server takes no more of them', async () => {
    const heard: Heard = { commands: [], bodies: [] };
    const server = await scripted((line, index) =>
      index === 0 ? converse(line, {}, heard) : Promise.resolve(line.say('421 4.7.0 too many connections from you')),
    );
    const over = sender(server.port, { maxConnections: 4 });
    expect(await over.send(email())).toMatchObject({ kind: 'accepted' });
    const results = await Promise.all(numbered(40).map((message) => over.send(message)));
    expect(results.every((result) => result.kind === 'accepted')).toBe(true);
    expect(heard.bodies).toHaveLength(41);
  });

  it('does not connect where it may not', async () => {
    const forbidden = Object.assign(new Error('The host is in a private network.'), { code: 'network/forbidden' });
    const over = sender(1, {}, { resolveHost: () => Promise.reject(forbidden) });
    expect(await over.send(email())).toMatchObject({ kind: 'refused', category: 'account', code: 'refused-host' });
    const lost = sender(1, {}, { resolveHost: () => Promise.reject(new Error('no address')) });
    expect(await lost.send(email())).toMatchObject({ kind: 'retry', category: 'provider-down', code: 'dns' });
  });

  it('connects to the address that was checked, not to what the name says later', async () => {
    const { server } = await mannered({});
    const over = sender(
      server.port,
      { host: 'mail.example.invalid' },
      { resolveHost: () => Promise.resolve(['127.0.0.1']) },
    );
    expect(await over.send(email())).toMatchObject({ kind: 'accepted' });
  });
});

describe('giving up', () => {
  it('drops aborted messages that have not begun, and finishes those that have', async () => {
    let answer = () => {};
    const server = await scripted(async (line) => {
      await upToData(line);
      await line.hearBody();
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      line.say('250 ok');
      await converse(line, { greeting: [] }, { commands: [], bodies: [] });
    });
    const clock = createVirtualClock();
    const over = sender(server.port, {}, { clock });
    const abort = new AbortController();
    const all = numbered(4).map((message) => over.send(message, abort.signal));
    while (server.connections() === 0 || answer.toString() === '() => {}') await turn();
    abort.abort();
    clock.advance(2000);
    expect(await Promise.all(all.slice(2))).toEqual([
      expect.objectContaining({ kind: 'retry', code: 'aborted' }),
      expect.objectContaining({ kind: 'retry', code: 'aborted' }),
    ]);
    answer();
    expect(await all[0]).toMatchObject({ kind: 'accepted' });
    expect(await over.send(email(), abort.signal)).toMatchObject({ kind: 'retry', code: 'aborted' });
  });

  it('keeps the body of a message back that may not leave any more when the server asks for it', async () => {
    const lease = { aborted: false, addEventListener: () => undefined, removeEventListener: () => undefined };
    const { server, heard } = await mannered({
      rcpt: () => {
        // Nobody tells the sender: it has to look.
        lease.aborted = true;
        return ['250 ok'];
      },
    });
    const over = sender(server.port);
    expect(await over.send(email(), lease)).toMatchObject({ kind: 'retry', code: 'aborted' });
    expect(heard.commands).toContain('DATA');
    expect(heard.bodies).toEqual([]);
    lease.aborted = false;
    expect(await over.send(email('b@example.com'))).toMatchObject({ kind: 'accepted' });
    expect(heard.bodies).toHaveLength(1);
  });

  it('closes after what has begun, and takes nothing more', async () => {
    const { server, heard } = await mannered({});
    const over = sender(server.port);
    const all = numbered(5).map((message) => over.send(message));
    while (heard.bodies.length === 0) await turn();
    await over.close();
    const results = await Promise.all(all);
    expect(results[0]).toMatchObject({ kind: 'accepted' });
    expect(results.filter((result) => result.kind === 'accepted')).toHaveLength(heard.bodies.length);
    for (const result of results)
      if (result.kind !== 'accepted') expect(result).toMatchObject({ kind: 'retry', code: 'closed' });
    expect(await over.send(email())).toMatchObject({ kind: 'retry', code: 'closed' });
  });

  it('does not wait for ever on close: what has no answer by then is in doubt', async () => {
    const clock = createVirtualClock();
    let waits = false;
    const server = await scripted(async (line) => {
      await upToData(line);
      await line.hearBody();
      waits = true;
    });
    const over = sender(server.port, { acceptMs: 600_000 }, { clock });
    const sent = over.send(email());
    while (!waits) await turn();
    await settledBy(clock, over.close());
    expect(await sent).toMatchObject({ kind: 'unknown', code: 'closed' });
  });
});

describe('the clock of the pool', () => {
  it('rests when there are no connections', async () => {
    const clock = createVirtualClock();
    const { server } = await mannered({});
    const over = sender(server.port, {}, { clock });
    await over.send(email());
    await settledBy(clock, over.close());
    await turn();
    expect(clock.sleepers()).toBe(0);
  });
});
