import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestApp, createTestDb } from '../../platform/testing.ts';
import type { TestDb } from '../../platform/testing.ts';
import { answerPreflights, inAppRoutes } from './routes.ts';
import { createInAppLab } from './testing.ts';
import type { InAppLab } from './testing.ts';
import { makeInboxToken } from './token.rules.ts';

let db: TestDb;
let lab: InAppLab;
let accountId: string;
beforeAll(async () => {
  db = await createTestDb();
  lab = createInAppLab(db);
  accountId = await lab.account(['https://app.example.com']);
});
afterAll(() => db.close());

let app: FastifyInstance;
let url: string;
let stop: AbortController;
beforeEach(async () => {
  stop = new AbortController();
  const { clock, vault } = db;
  app = await createTestApp(db, inAppRoutes({ inbox: lab.inbox, clock, vault, news: lab.news, stop: stop.signal }));
  answerPreflights(app);
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(async () => {
  stop.abort();
  await app.close();
});

async function listen(contactId: string, seconds = 3600) {
  const until = db.clock.now().add({ seconds });
  const pass = { workspaceId: db.workspaceId, contactId, until };
  const token = makeInboxToken(db.vault.linkKey(db.workspaceId), pass);
  const leaving = new AbortController();
  const answer = await fetch(`${url}/api/v1/inapp/stream`, {
    headers: { authorization: `Bearer ${token}`, origin: 'https://app.example.com' },
    signal: leaving.signal,
  });
  let text = '';
  const read = async () => {
    const decoder = new TextDecoder();
    for await (const chunk of answer.body ?? []) text += decoder.decode(chunk, { stream: true });
  };
  const ended = read().catch(() => undefined);
  return { answer, text: () => text, ended, leave: () => leaving.abort() };
}

/** Lets real time pass for the network and virtual time for the stream, until it has happened. */
async function until(ready: () => boolean, stepMs = 100): Promise<void> {
  for (let look = 0; look < 2_000 && !ready(); look++) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    db.clock.advance(stepMs);
  }
  expect(ready()).toBe(true);
}

test('a page hears the count at once, and whenever something arrives or is read', async () => {
  const contactId = await lab.person();
  const page = await listen(contactId);
  expect(page.answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(page.answer.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
  await until(() => page.text().includes('{"unread":0}'));
  const message = lab.message(contactId);
  await lab.inbox.keep(db.workspaceId, accountId, [message]);
  await until(() => page.text().includes('event: inbox\ndata: {"unread":1}'));
  await lab.inbox.act({ workspaceId: db.workspaceId, contactId }, message.messageId, 'read');
  await until(() => page.text().endsWith('event: inbox\ndata: {"unread":0}\n\n'));
});

test('what another process put there is found a moment later, without news of it', async () => {
  const contactId = await lab.person();
  const page = await listen(contactId);
  await until(() => page.text().includes('{"unread":0}'));
  const quiet = createInAppLab(db);
  await quiet.inbox.keep(db.workspaceId, accountId, [lab.message(contactId)]);
  await until(() => page.text().includes('{"unread":1}'), 1000);
  expect(page.text().match(/event: inbox/g)).toHaveLength(2);
});

test('nothing is told of other people, and a line without news is kept open', async () => {
  const [mine, theirs] = [await lab.person(), await lab.person()];
  const page = await listen(mine);
  await until(() => page.text().includes('{"unread":0}'));
  await lab.inbox.keep(db.workspaceId, accountId, [lab.message(theirs)]);
  await until(() => page.text().includes(': still here'), 1000);
  expect(page.text().match(/event: inbox/g)).toHaveLength(1);
});

test('the stream ends when its token does', async () => {
  const endsAt = db.clock.now().add({ seconds: 60 }).round({ smallestUnit: 'second', roundingMode: 'floor' });
  const page = await listen(await lab.person(), 60);
  await until(() => page.text().includes('{"unread":0}'));
  let hasEnded = false;
  void page.ended.then(() => (hasEnded = true));
  await until(() => hasEnded, 5_000);
  expect(db.clock.now().epochMilliseconds).toBeGreaterThanOrEqual(endsAt.epochMilliseconds);
});

test('one contact has at most twenty lines open; one that is left makes room', async () => {
  const contactId = await lab.person();
  const pages = [];
  for (let count = 0; count < 20; count++) pages.push(await listen(contactId));
  const refused = await listen(contactId);
  expect(refused.answer.status).toBe(429);
  pages[0]?.leave();
  let status = 0;
  for (let look = 0; look < 200 && status !== 200; look++) {
    const next = await listen(contactId);
    status = next.answer.status;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(status).toBe(200);
});
