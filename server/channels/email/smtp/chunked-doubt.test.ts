import { afterEach, describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../../platform/clock.ts';
import type { BeginSignal, SendResult } from '../../port.ts';
import { email } from '../../testing.ts';
import type { Composer } from '../mime.rules.ts';
import { createLab, numbered, reached, settledBy } from './testing.ts';
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

const recipients = (server: ChunkServer) => server.taken.map((one) => one.to);

/** Short messages make short conversations: every byte of one can be tried. */
const terse: Composer = {
  compose: ({ to, messageId }) => {
    const raw = Buffer.from(`Date: x\r\n\r\n${messageId}\r\n`);
    return { ok: true, email: { raw, from: 'f@example.com', to, utf8: false } };
  },
};

interface Run {
  readonly results: readonly SendResult[];
  readonly server: ChunkServer;
  /** How many the first connection had taken in whole. */
  readonly takenAtCut: readonly string[];
}

/** One message that proves BDAT, then five that follow each other, the third refused; the line is cut after `cutAfter` bytes. */
async function cutRun(cutAfter: number, answersLost: boolean): Promise<Run> {
  const run = createLab();
  const server = await startChunkServer({
    cutAfter,
    answersLost,
    rcpt: (command) => (command.includes('r2@') ? '550 5.1.1 unknown' : undefined),
  });
  run.closeLater(server);
  const over = run.sender(server.port, {}, { composer: terse });
  const first = await over.send(email('proof@example.com', { messageId: 'proof' }));
  const rest = await Promise.all(numbered(5).map((message) => over.send(message)));
  const takenAtCut = server.taken.filter((one) => one.connection === 0).map((one) => one.to);
  await run.close();
  return { results: [first, ...rest], server, takenAtCut };
}

const everybody = ['proof@example.com', ...numbered(5).map((one) => one.to)];

function judge(run: Run, cutAfter: number, answersLost: boolean): void {
  for (const [index, to] of everybody.entries()) {
    const result = run.results[index];
    const times = recipients(run.server).filter((one) => one === to).length;
    const told = `cut after ${cutAfter}, answers ${answersLost ? 'lost' : 'heard'}: ${to} ${JSON.stringify(result)} taken ${times}`;
    if (result?.kind === 'accepted') expect(times, told).toBe(1);
    else if (result?.kind === 'unknown') expect(times, told).toBeLessThanOrEqual(1);
    else expect(times, told).toBe(0);
    // What the server answered is never in doubt.
    if (!answersLost && run.takenAtCut.includes(to)) expect(result?.kind, told).toBe('accepted');
    if (to === 'r2@example.com') expect(['refused', 'unknown', 'retry'], told).toContain(result?.kind);
  }
}

describe('a conversation of several messages, cut after each of its bytes', () => {
  it.each([false, true])(
    'has exact outcomes (answers lost: %s)',
    async (answersLost) => {
      const whole = await cutRun(Number.MAX_SAFE_INTEGER, false);
      expect(whole.results.map((one) => one.kind)).toEqual([
        'accepted',
        'accepted',
        'accepted',
        'refused',
        'accepted',
        'accepted',
      ]);
      const length = whole.server.read();
      expect(length).toBeGreaterThan(500);
      const seen = new Set<string>();
      const cuts = Array.from({ length }, (_, at) => at + 1);
      const worker = async () => {
        for (let cut = cuts.shift(); cut !== undefined; cut = cuts.shift()) {
          const run = await cutRun(cut, answersLost);
          judge(run, cut, answersLost);
          for (const one of run.results) seen.add(one.kind);
        }
      };
      await Promise.all(Array.from({ length: 8 }, worker));
      expect([...seen].toSorted()).toEqual(['accepted', 'refused', 'retry', 'unknown']);
    },
    120_000,
  );
});

describe('what is in doubt on a line with several messages', () => {
  it('nothing of the first message of a connection before its second chunk', async () => {
    const server = await serving({ bdat: () => '' });
    const clock = createVirtualClock();
    const sent = sender(server.port, {}, { clock }).send(email());
    await reached(() => server.commands[0]?.some((line) => line.startsWith('BDAT')) === true);
    expect(await settledBy(clock, sent)).toMatchObject({ kind: 'retry', code: 'timeout' });
  });

  it('all that is written when the server goes quiet', async () => {
    let rest = false;
    const server = await serving({ rcpt: () => (rest ? '250 quiet from here' : undefined), silentAfter: /quiet/ });
    const clock = createVirtualClock();
    const over = sender(server.port, {}, { clock });
    await over.send(email('proof@example.com'));
    rest = true;
    const all = Promise.all(numbered(10).map((message) => over.send(message)));
    await reached(() => server.taken.length === 9);
    const results = await settledBy(clock, all);
    expect(results.slice(0, 8)).toEqual(Array(8).fill(expect.objectContaining({ kind: 'unknown', code: 'timeout' })));
    // The other two had not begun; the next connection was as quiet, before anything of theirs was whole.
    expect(results.slice(8)).toEqual(Array(2).fill(expect.objectContaining({ kind: 'retry', code: 'timeout' })));
  });

  it('what stands behind 421 when the server neither closes nor answers', async () => {
    const server = await serving({
      closesAt421: false,
      silentAfter: /^421/,
      mail: (command) => (command.includes('second') ? '421 4.7.0 enough' : undefined),
    });
    const clock = createVirtualClock();
    const over = sender(server.port, { commandMs: 60_000, acceptMs: 180_000 }, { clock });
    await over.send(email('proof@example.com'));
    const messages = numbered(3).map((one, i) => (i === 1 ? { ...one, envelopeFrom: 'second@example.com' } : one));
    const start = clock.now();
    const sent = messages.map((message) => over.send(message));
    await reached(() => server.taken.length === 3);
    // The one that was refused goes over other connections in the meantime, which say the same.
    const results = await settledBy(clock, Promise.all(sent));
    expect(results.map((one) => one.kind)).toEqual(['accepted', 'retry', 'unknown']);
    expect(clock.now().since(start).total('seconds')).toBeLessThan(30);
  });

  it('not a large body that stalls before its end', async () => {
    const server = await serving();
    const clock = createVirtualClock();
    const over = sender(server.port, { commandMs: 60_000 }, { clock });
    await over.send(email('proof@example.com'));
    server.stall();
    const huge = email('a@example.com', { text: 'A line of text, again and again.\n'.repeat(300_000) });
    const result = await settledBy(clock, over.send(huge));
    expect(result).toMatchObject({ kind: 'retry', category: 'transient', code: 'timeout' });
  });
});

describe('messages that may not begin any more', () => {
  /** Ends after it was asked so often, as a lease does whose time runs out between two looks. */
  function endsAfter(asked: number): BeginSignal {
    let left = asked;
    return {
      get aborted() {
        return left-- <= 0;
      },
      addEventListener: () => {},
      removeEventListener: () => {},
    };
  }

  it('are looked at right before their bytes are written', async () => {
    const server = await serving();
    const over = sender(server.port);
    await over.send(email('proof@example.com'));
    // Asked when it is given, when it is taken, and before it is written.
    const results = await Promise.all([
      over.send(email('a@example.com')),
      over.send(email('b@example.com'), endsAfter(2)),
      over.send(email('c@example.com')),
    ]);
    expect(results).toMatchObject([{ kind: 'accepted' }, { kind: 'retry', code: 'aborted' }, { kind: 'accepted' }]);
    expect(server.commands[0]?.join()).not.toContain('b@example.com');
  });

  it('are given up after a first chunk of which nothing can come', async () => {
    const server = await serving();
    const over = sender(server.port);
    const results = await Promise.all([
      over.send(email('a@example.com'), endsAfter(3)),
      over.send(email('b@example.com')),
    ]);
    expect(results).toMatchObject([{ kind: 'retry', code: 'aborted' }, { kind: 'accepted' }]);
    expect(recipients(server)).toEqual(['b@example.com']);
    expect(server.commands).toHaveLength(1);
  });

  it('finish when they have begun, also while the sender closes', async () => {
    const server = await serving({ holds: true });
    const over = sender(server.port);
    const first = over.send(email('proof@example.com'));
    await reached(() => server.taken.length === 1);
    server.release();
    await first;
    const all = numbered(12).map((message) => over.send(message));
    await reached(() => server.taken.length === 9);
    const closed = over.close();
    server.release();
    await closed;
    const results = await Promise.all(all);
    expect(results.slice(0, 8).every((one) => one.kind === 'accepted')).toBe(true);
    expect(results.slice(8)).toEqual(Array(4).fill(expect.objectContaining({ kind: 'retry', code: 'closed' })));
    expect(server.taken).toHaveLength(9);
  });
});
