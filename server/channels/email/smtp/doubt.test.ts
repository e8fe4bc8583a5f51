import { afterEach, describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../../platform/clock.ts';
import type { SendResult } from '../../port.ts';
import { converse, email } from '../../testing.ts';
import type { Heard, Line } from '../../testing.ts';
import { createLab, numbered, reached, settledBy, upToData } from './testing.ts';

const lab = createLab();
const { sender, scripted } = lab;
afterEach(() => lab.close());

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
