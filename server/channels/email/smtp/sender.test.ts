import { SMTPServer } from 'smtp-server';
import type { SMTPServerOptions } from 'smtp-server';
import type { AddressInfo } from 'node:net';
import { simpleParser } from 'mailparser';
import { afterEach, describe, expect, it } from 'vitest';
import { createVirtualClock, systemClock } from '../../../platform/clock.ts';
import type { VirtualClock } from '../../../platform/clock.ts';
import type { Sender, SendResult } from '../../port.ts';
import { converse, email, startScripted } from '../../testing.ts';
import type { Heard, Line, Manners, ScriptedServer } from '../../testing.ts';
import { createComposer } from '../mime.rules.ts';
import { stuffDots } from './connection.ts';
import { createSmtpSender } from './sender.ts';
import type { PoolConfig, SenderDeps } from './sender.ts';
import { testCertificate } from './testing.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

const logged: unknown[] = [];

function sender(port: number, change: Partial<PoolConfig> = {}, deps: Partial<SenderDeps> = {}): Sender {
  const config: PoolConfig = {
    host: '127.0.0.1',
    port,
    security: 'none',
    localName: 'client.example',
    connectMs: 5_000,
    commandMs: 5_000,
    acceptMs: 5_000,
    idleMs: 60_000,
    maxConnections: 1,
    maxMessagesPerConnection: 1000,
    ...change,
  };
  const made = createSmtpSender(config, {
    clock: systemClock,
    log: { info: (...told) => logged.push(told), warn: (...told) => logged.push(told) },
    resolveHost: (host) => Promise.resolve([host]),
    composer: createComposer('nonce'),
    ...deps,
  });
  opened.push(made);
  return made;
}

async function scripted(script: (line: Line, index: number) => Promise<void>): Promise<ScriptedServer> {
  const server = await startScripted(script);
  opened.push(server);
  return server;
}

async function mannered(manners: Manners): Promise<{ server: ScriptedServer; heard: Heard }> {
  const heard: Heard = { commands: [], bodies: [] };
  const server = await scripted((line) => converse(line, manners, heard));
  return { server, heard };
}

/** Greets and answers up to the body of the first message, then lets the test take over. */
async function upToData(line: Line): Promise<void> {
  line.say('220 hi');
  await line.hear();
  line.say('250-hi', '250 PIPELINING');
  for (let said = await line.hear(); said !== 'DATA'; said = await line.hear()) line.say('250 ok');
  line.say('354 go');
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** The network takes real time, in which the virtual clock stands still. */
async function reached(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/** Moves time on until the promise is settled: nothing here waits in earnest. */
async function settledBy<T>(clock: VirtualClock, promise: Promise<T>): Promise<T> {
  let done = false;
  const watched = promise.finally(() => (done = true));
  while (!done) {
    await turn();
    if (clock.sleepers() > 0) clock.advance(1000);
  }
  return watched;
}

const numbered = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    email(`r${index}@example.com`, { messageId: `m-${index}`, subject: `Number ${index}` }),
  );

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

describe('what is in doubt and what is not', () => {
  const cases: [string, (line: Line) => Promise<void>, Partial<SendResult>][] = [
    [
      'dropped at once',
      async (line) => line.drop(),
      { kind: 'retry', category: 'provider-down', code: 'connection-lost' },
    ],
    [
      'dropped after the greeting',
      async (line) => {
        line.say('220 hi');
        await line.hear();
        line.drop();
      },
      { kind: 'retry', category: 'provider-down', code: 'connection-lost' },
    ],
    [
      'dropped after MAIL',
      async (line) => {
        line.say('220 hi');
        await line.hear();
        line.say('250-hi', '250 PIPELINING');
        await line.hear();
        line.drop();
      },
      { kind: 'retry', category: 'transient', code: 'connection-lost' },
    ],
    [
      'dropped after 354',
      async (line) => {
        line.say('220 hi');
        await line.hear();
        line.say('250 hi');
        await line.hear();
        line.say('250 ok');
        await line.hear();
        line.say('250 ok');
        await line.hear();
        line.drop();
      },
      { kind: 'retry', category: 'transient', code: 'connection-lost' },
    ],
    [
      'dropped after the body',
      async (line) => {
        await upToData(line);
        await line.hearBody();
        line.drop();
      },
      { kind: 'unknown', code: 'connection-lost' },
    ],
    [
      'half an answer to the body',
      async (line) => {
        await upToData(line);
        await line.hearBody();
        line.socket.write('250 2.0');
        line.socket.end();
      },
      { kind: 'unknown', code: 'connection-lost' },
    ],
    [
      'nonsense after the body',
      async (line) => {
        await upToData(line);
        await line.hearBody();
        line.say('<html>504 Gateway Timeout</html>');
      },
      { kind: 'unknown', code: 'malformed' },
    ],
    [
      'nonsense as a greeting',
      async (line) => {
        line.say('HTTP/1.1 400 Bad Request');
      },
      { kind: 'retry', category: 'provider-down', code: 'malformed' },
    ],
    [
      '421 after the body',
      async (line) => {
        await upToData(line);
        await line.hearBody();
        line.say('421 4.3.2 shutting down');
        line.drop();
      },
      { kind: 'retry', code: '4.3.2' },
    ],
    [
      '421 as a greeting',
      async (line) => line.say('421 4.3.2 come back in 10 minutes'),
      { kind: 'retry', category: 'provider-down', code: '4.3.2', afterMs: 600_000 },
    ],
    [
      '554 as a greeting',
      async (line) => line.say('554 5.7.1 you are listed'),
      { kind: 'refused', category: 'account', code: '5.7.1' },
    ],
  ];
  it.each(cases)('%s', async (_, script, expected) => {
    const server = await scripted((line) => script(line));
    expect(await sender(server.port).send(email())).toMatchObject(expected);
  });

  it('is exact with pipelining: the message with its body out is in doubt, the one behind it is carried by another connection', async () => {
    const bodies: string[] = [];
    const server = await scripted(async (line, index) => {
      if (index > 0) return converse(line, {}, { commands: [], bodies });
      await upToData(line);
      const first = await line.hearBody();
      bodies.push(first ?? '');
      line.say('250 first');
      // Now the second, whose envelope came ahead, and the third behind it.
      for (const answer of ['250 ok', '250 ok', '354 go']) {
        await line.hear();
        line.say(answer);
      }
      await line.hearBody();
      await line.hear();
      line.drop();
    });
    const over = sender(server.port);
    const results = await Promise.all(numbered(3).map((message) => over.send(message)));
    expect(results.map((result) => result.kind)).toEqual(['accepted', 'unknown', 'accepted']);
    expect(bodies.map((body) => /Number (\d)/.exec(body)?.[1])).toEqual(['0', '2']);
  });

  it('gives a message another connection when a server has had enough of this one (421 mid-session)', async () => {
    const heard: Heard = { commands: [], bodies: [] };
    const server = await scripted((line, index) => {
      let taken = 0;
      return converse(
        line,
        { mail: () => (index === 0 && taken++ >= 2 ? ['421 4.7.0 enough on this connection'] : ['250 ok']) },
        heard,
      );
    });
    const over = sender(server.port);
    const results = await Promise.all(numbered(5).map((message) => over.send(message)));
    expect(results.map((result) => result.kind)).toEqual(['accepted', 'accepted', 'accepted', 'accepted', 'accepted']);
    expect(heard.bodies).toHaveLength(5);
    expect(server.connections()).toBe(2);
  });

  it.each([
    ['the greeting', 'greeting', { kind: 'retry', category: 'provider-down', code: 'timeout' }],
    ['the envelope', 'envelope', { kind: 'retry', category: 'transient', code: 'timeout' }],
    ['the body', 'body', { kind: 'unknown', code: 'timeout' }],
  ] as const)('times out on a server that is quiet after %s', async (_, phase, expected) => {
    const clock = createVirtualClock();
    let quiet = false;
    const server = await scripted(async (line) => {
      if (phase === 'body') {
        await upToData(line);
        await line.hearBody();
      }
      if (phase === 'envelope') {
        line.say('220 hi');
        await line.hear();
        line.say('250-hi', '250 PIPELINING');
        await line.hear();
      }
      quiet = true;
    });
    const over = sender(server.port, { commandMs: 60_000, acceptMs: 180_000 }, { clock });
    const start = clock.now();
    const sent = over.send(email());
    await reached(() => quiet);
    expect(await settledBy(clock, sent)).toMatchObject(expected);
    const waitedMs = clock.now().since(start).total('milliseconds');
    expect(waitedMs).toBeGreaterThanOrEqual(phase === 'body' ? 180_000 : 60_000);
  });

  it('does not take a slow reader for a quiet one before the final dot: a body that stalls is not in doubt', async () => {
    const clock = createVirtualClock();
    let stalled = false;
    const server = await scripted(async (line) => {
      await upToData(line);
      line.socket.pause();
      stalled = true;
    });
    const huge = email('a@example.com', { text: 'A line of text, again and again.\n'.repeat(300_000) });
    const sent = sender(server.port, { commandMs: 60_000 }, { clock }).send(huge);
    await reached(() => stalled);
    const result = await settledBy(clock, sent);
    expect(result).toMatchObject({ kind: 'retry', category: 'transient', code: 'timeout' });
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

describe('encryption and sign-in', () => {
  const certificate = testCertificate();

  async function realServer(options: SMTPServerOptions): Promise<{ port: number; mails: string[]; users: string[] }> {
    const mails: string[] = [];
    const users: string[] = [];
    const server = new SMTPServer({
      ...certificate,
      disableReverseLookup: true,
      logger: false,
      closeTimeout: 10,
      onAuth: (auth, _session, done) => {
        users.push(`${auth.method}:${auth.username}`);
        if (auth.password === 'right') done(null, { user: auth.username ?? '' });
        else done(Object.assign(new Error('5.7.8 no'), { responseCode: 535 }));
      },
      onData: (stream, _session, done) => {
        let text = '';
        stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
        stream.on('end', () => {
          mails.push(text);
          done(null, '2.0.0 queued as REAL1');
        });
      },
      ...options,
    });
    server.on('error', () => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    opened.push({ close: () => new Promise((resolve) => server.close(() => resolve())) });
    return { port: (server.server.address() as AddressInfo).port, mails, users };
  }
  const trusted = { host: 'localhost', authorities: certificate.cert, auth: { user: 'acme', password: 'right' } };
  const resolveHost = () => Promise.resolve(['127.0.0.1']);

  it.each(['tls', 'starttls', 'opportunistic'] as const)(
    'sends over %s to a real server, signed in',
    async (security) => {
      const { port, mails, users } = await realServer({ secure: security === 'tls' });
      const over = sender(port, { ...trusted, security, maxConnections: 2 }, { resolveHost });
      const results = await Promise.all(numbered(20).map((message) => over.send(message)));
      expect(results.every((result) => result.kind === 'accepted' && result.ref === 'REAL1')).toBe(true);
      expect(mails).toHaveLength(20);
      expect(new Set(users)).toEqual(new Set(['PLAIN:acme']));
    },
  );

  it('signs in with LOGIN where PLAIN is not offered', async () => {
    const { port, users } = await realServer({ secure: true, authMethods: ['LOGIN'] });
    expect(await sender(port, { ...trusted, security: 'tls' }, { resolveHost }).send(email())).toMatchObject({
      kind: 'accepted',
    });
    expect(users).toEqual(['LOGIN:acme']);
  });

  it.each(['tls', 'starttls'] as const)(
    'does not talk to a server whose certificate nobody vouches for (%s)',
    async (security) => {
      const { port, mails, users } = await realServer({ secure: security === 'tls' });
      const { authorities: _, ...untrusted } = trusted;
      const result = await sender(port, { ...untrusted, security }, { resolveHost }).send(email());
      expect(result).toMatchObject({ kind: 'retry', category: 'provider-down', code: 'tls-certificate' });
      expect([mails, users]).toEqual([[], []]);
    },
  );

  it('does not accept a certificate for another name', async () => {
    const { port } = await realServer({ secure: true });
    const result = await sender(port, { ...trusted, host: 'other.example', security: 'tls' }, { resolveHost }).send(
      email(),
    );
    expect(result).toMatchObject({ kind: 'retry', code: 'tls-certificate' });
  });

  it('sends nothing when STARTTLS is required and not offered', async () => {
    const { server, heard } = await mannered({});
    const result = await sender(server.port, { security: 'starttls', auth: { user: 'acme', password: 'right' } }).send(
      email(),
    );
    expect(result).toMatchObject({ kind: 'retry', category: 'provider-down', code: 'tls-missing' });
    expect(heard.commands).toEqual(['EHLO client.example']);
  });

  it('never says a password over an open line unless that was chosen', async () => {
    const { server, heard } = await mannered({ hello: ['250-hi', '250 AUTH PLAIN LOGIN'] });
    const result = await sender(server.port, {
      security: 'opportunistic',
      auth: { user: 'acme', password: 'right' },
    }).send(email());
    expect(result).toMatchObject({ kind: 'refused', category: 'account', code: 'tls-missing' });
    expect(heard.commands.join()).not.toContain('AUTH');
  });

  it('does not believe what was said before the handshake', async () => {
    const server = await scripted(async (line) => {
      line.say('220 hi');
      await line.hear();
      line.say('250-hi', '250 STARTTLS');
      await line.hear();
      line.say('220 go', '250-injected', '250 AUTH PLAIN');
    });
    const result = await sender(server.port, { security: 'starttls' }).send(email());
    expect(result).toMatchObject({ kind: 'retry', category: 'provider-down' });
    expect('code' in result && ['tls', 'malformed'].includes(result.code)).toBe(true);
  });

  it('stops the account, not the message, when the sign-in is refused', async () => {
    const { port, mails } = await realServer({ secure: true });
    const over = sender(
      port,
      { ...trusted, auth: { user: 'acme', password: 'wrong' }, security: 'tls' },
      { resolveHost },
    );
    const results = await Promise.all(numbered(3).map((message) => over.send(message)));
    for (const result of results) expect(result).toMatchObject({ kind: 'refused', category: 'account', code: '5.7.8' });
    expect(mails).toEqual([]);
  });

  it('says so when a server offers no sign-in that is known', async () => {
    const { server } = await mannered({ hello: ['250-hi', '250 AUTH GSSAPI'] });
    const result = await sender(server.port, { auth: { user: 'acme', password: 'right' } }).send(email());
    expect(result).toMatchObject({ kind: 'refused', category: 'account', code: 'auth-missing' });
  });

  it('logs neither addresses nor secrets, whatever happens', () => {
    expect(logged.length).toBeGreaterThan(0);
    expect(JSON.stringify(logged)).not.toMatch(/@|right|wrong|acme/);
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
