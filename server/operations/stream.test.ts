import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createVirtualClock } from '../platform/clock.ts';
import type { VirtualClock } from '../platform/clock.ts';
import { createNewsDesk } from '../platform/news.ts';
import type { NewsDesk } from '../platform/news.ts';
import { createTestApp, createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { streamRoutes } from './index.ts';

let db: TestDb;
beforeAll(async () => {
  db = await createTestDb();
});
afterAll(() => db.close());

let clock: VirtualClock;
let news: NewsDesk;
let stop: AbortController;
let app: FastifyInstance;
let url: string;
let listeners: number;
beforeEach(async () => {
  clock = createVirtualClock();
  listeners = 0;
  const desk = createNewsDesk();
  news = {
    ...desk,
    subscribe: (workspaceId, listener) => {
      const unsubscribe = desk.subscribe(workspaceId, listener);
      listeners += 1;
      return () => {
        listeners -= 1;
        unsubscribe();
      };
    },
  };
  stop = new AbortController();
  app = await createTestApp(db, streamRoutes({ news, clock, stop: stop.signal }));
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(async () => {
  stop.abort();
  await app.close();
});

const until = async (ready: () => boolean, what: string) => {
  for (let look = 0; look < 2_000 && !ready(); look++) await new Promise((resolve) => setTimeout(resolve, 2));
  expect(ready(), what).toBe(true);
};

interface Listening {
  readonly answer: Response;
  /** Everything that came so far. */
  text(): string;
  items(): { kind: string; id: string }[];
  readonly ended: Promise<void>;
  leave(): void;
}

async function listen(authorization = 'test', workspace?: string): Promise<Listening> {
  const leaving = new AbortController();
  const before = listeners;
  const answer = await fetch(`${url}/api/v1/events/stream`, {
    headers: { authorization, ...(workspace === undefined ? {} : { 'x-workspace': workspace }) },
    signal: leaving.signal,
  });
  let text = '';
  const read = async () => {
    const decoder = new TextDecoder();
    for await (const chunk of answer.body ?? []) text += decoder.decode(chunk, { stream: true });
  };
  const ended = read().catch(() => undefined);
  if (answer.status === 200) await until(() => listeners > before && clock.sleepers() > 0, 'it listens');
  return {
    answer,
    text: () => text,
    items: () => [...text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json ?? '')),
    ended,
    leave: () => leaving.abort(),
  };
}

/** Lets the time pass in which news are gathered. */
const gathered = async (one: Listening, news: number) => {
  await until(() => {
    clock.advance(150);
    return one.items().length >= news;
  }, `${news} news arrive`);
};

describe('live news', () => {
  test('come as server-sent events that no proxy keeps or stores', async () => {
    const one = await listen();
    expect(one.answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(one.answer.headers.get('cache-control')).toBe('no-store');
    expect(one.answer.headers.get('x-accel-buffering')).toBe('no');
    news.publish(db.workspaceId, { kind: 'campaign', id: 'c1' });
    await gathered(one, 1);
    expect(one.text()).toBe('retry: 2000\n\ndata: {"kind":"campaign","id":"c1"}\n\n');
  });

  test('of a burst are told once, as the last one said it', async () => {
    const one = await listen();
    for (let read = 1; read <= 500; read++) news.publish(db.workspaceId, { kind: 'import', id: 'i1', read });
    news.publish(db.workspaceId, { kind: 'import', id: 'i2', read: 1 });
    await gathered(one, 2);
    expect(one.items()).toEqual([
      { kind: 'import', id: 'i1', read: 500 },
      { kind: 'import', id: 'i2', read: 1 },
    ]);
    news.publish(db.workspaceId, { kind: 'import', id: 'i1', read: 501 });
    await gathered(one, 3);
    expect(one.items().at(-1)).toEqual({ kind: 'import', id: 'i1', read: 501 });
  });

  test('reach only who may read what they are about, in the workspace they are of', async () => {
    const other = await db.newWorkspace();
    const reader = await listen('test campaigns:read');
    const neighbour = await listen('test', other);
    for (const kind of ['import', 'contact', 'campaign', 'message', 'sandbox', 'provider', 'inapp'])
      news.publish(db.workspaceId, { kind, id: 'x' });
    news.publish(db.workspaceId, { kind: 'topic', id: 'x' });
    news.publish(other, { kind: 'campaign', id: 'theirs' });
    await gathered(reader, 2);
    await gathered(neighbour, 1);
    expect(reader.items().map((item) => item.kind)).toEqual(['campaign', 'topic']);
    expect(neighbour.items()).toEqual([{ kind: 'campaign', id: 'theirs' }]);
  });

  test('when there are none, a comment every 15 seconds keeps the line open', async () => {
    const one = await listen();
    clock.advance(14_999);
    expect(one.text()).not.toContain(':');
    clock.advance(1);
    await until(() => one.text().includes(': still here\n\n'), 'the comment comes');
    await until(() => clock.sleepers() > 0, 'it waits again');
    news.publish(db.workspaceId, { kind: 'campaign', id: 'c1' });
    await gathered(one, 1);
  });
});

describe('a stream', () => {
  test('is for callers who are known', async () => {
    const answer = await fetch(`${url}/api/v1/events/stream`);
    expect(answer.status).toBe(401);
    expect(listeners).toBe(0);
  });

  test('that is left is forgotten', async () => {
    const one = await listen();
    one.leave();
    await until(() => listeners === 0, 'nobody listens any more');
    expect(clock.sleepers()).toBe(0);
  });

  test('ends when the server stops, so that nothing holds it up', async () => {
    const one = await listen();
    stop.abort();
    await one.ended;
    expect(listeners).toBe(0);
    await app.close();
  });

  test('is one of at most twenty of a caller; one that closes makes room', async () => {
    const open: Listening[] = [];
    for (let count = 0; count < 20; count++) open.push(await listen());
    const refused = await listen();
    expect(refused.answer.status).toBe(429);
    expect(refused.answer.headers.get('retry-after')).toBe('30');
    await refused.ended;
    expect(JSON.parse(refused.text())).toMatchObject({ code: 'too-many-requests' });
    open[0]?.leave();
    await until(() => listeners === 19, 'one has gone');
    expect((await listen()).answer.status).toBe(200);
  });
});
