import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { answerPreflights, inAppRoutes } from '../../server/channels/inapp/routes.ts';
import { createInAppLab } from '../../server/channels/inapp/testing.ts';
import type { InAppLab } from '../../server/channels/inapp/testing.ts';
import { makeInboxToken } from '../../server/channels/inapp/token.rules.ts';
import { systemClock } from '../../server/platform/clock.ts';
import { createTestApp, createTestDb } from '../../server/platform/testing.ts';
import type { TestDb } from '../../server/platform/testing.ts';
import { seriousFindings } from './axe.ts';
import { launchChromium } from './chromium.ts';

/** <parley-inbox> on the page of a stranger's site, of another origin, under the strictest policy a site may have. */
let testDb: TestDb;
let lab: InAppLab;
let accountId: string;
let app: FastifyInstance;
let parley: string;
let site: Server;
let siteOrigin: string;
let browser: Browser;
let page: Page;
let html = '';
const problems: string[] = [];
const stop = new AbortController();

beforeAll(async () => {
  const made = await createTestDb();
  // People wait in real time.
  testDb = { ...made, clock: { ...made.clock, now: systemClock.now, sleep: systemClock.sleep } };
  lab = createInAppLab(testDb);
  site = createServer((_request, response) => {
    const policy = `default-src 'none'; script-src ${parley}; connect-src ${parley}; base-uri 'none'; form-action 'none'`;
    response
      .writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy })
      .end(html);
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  siteOrigin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  accountId = await lab.account([siteOrigin]);
  const { clock, vault } = testDb;
  app = await createTestApp(testDb, inAppRoutes({ inbox: lab.inbox, clock, vault, news: lab.news, stop: stop.signal }));
  answerPreflights(app);
  parley = await app.listen({ host: '127.0.0.1', port: 0 });
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  stop.abort();
  await app?.close();
  await new Promise((resolve) => site.close(resolve));
  await testDb.close();
});
beforeEach(async () => {
  const context = await browser.newContext({ reducedMotion: 'reduce' });
  page = await context.newPage();
  page.setDefaultTimeout(15_000);
  problems.length = 0;
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('dialog', (dialog) => {
    problems.push(`a dialog opened: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('console', (said) => {
    if (/Content Security Policy/i.test(said.text())) problems.push(said.text());
  });
});
afterEach(async () => {
  await page.context().close();
  if (problems.length > 0) throw new Error(problems.join('\n'));
});

function tokenFor(contactId: string, seconds = 3600): string {
  const until = systemClock.now().add({ seconds });
  const { workspaceId } = testDb;
  return makeInboxToken(testDb.vault.linkKey(workspaceId), { workspaceId, contactId, until });
}

async function show(contactId: string, token = tokenFor(contactId)): Promise<void> {
  html = `<!doctype html><html lang="en"><title>A site</title><main><h1>A site</h1>
    <parley-inbox token="${token}"></parley-inbox><script src="${parley}/inapp/parley-inbox.js"></script></main></html>`;
  await page.goto(siteOrigin);
}

const bell = (name: string | RegExp) => page.getByRole('button', { name, exact: true });
const panel = () => page.getByRole('dialog', { name: 'Inbox' });
const items = () => panel().getByRole('listitem');
const keep = (...messages: Parameters<InAppLab['message']>[]) =>
  lab.inbox.keep(
    testDb.workspaceId,
    accountId,
    messages.map((one) => lab.message(...one)),
  );

test('shows what is unread, live, and tells it to a screen reader', async () => {
  const contactId = await lab.person();
  await keep([contactId, { title: 'Your order has left' }]);
  await show(contactId);
  await bell('Inbox, 1 unread').click();
  await items().filter({ hasText: 'Your order has left' }).waitFor();
  expect(await seriousFindings(page)).toEqual([]);
  await keep([contactId, { title: 'Your order is here' }]);
  await items().filter({ hasText: 'Your order is here' }).waitFor();
  await bell('Inbox, 2 unread').waitFor();
  expect(await page.getByRole('status').textContent()).toContain('Your order is here');
});

test('is worked with the keyboard alone', async () => {
  const contactId = await lab.person();
  await keep([contactId, { title: 'First' }]);
  await keep([contactId, { title: 'Second' }]);
  await show(contactId);
  await bell('Inbox, 2 unread').focus();
  await page.keyboard.press('Enter');
  // Newest first; the focus is on it.
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await bell('Inbox, 1 unread').waitFor();
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await bell('Inbox').waitFor();
  await page.keyboard.press('Escape');
  await panel().waitFor({ state: 'hidden' });
  const focused = () =>
    document.querySelector('parley-inbox')?.shadowRoot?.activeElement?.getAttribute('aria-haspopup');
  expect(await page.evaluate(focused)).toBe('dialog');
  expect(await lab.history(contactId)).toEqual(['message.read', 'message.read']);
});

test('marks all as read, archives, and finds it so on the next visit', async () => {
  const contactId = await lab.person();
  for (const title of ['One', 'Two', 'Three']) await keep([contactId, { title }]);
  await show(contactId);
  await bell('Inbox, 3 unread').click();
  await bell('Archive: Two').click();
  await bell('Inbox, 2 unread').waitFor();
  await bell('Mark all as read').click();
  await bell('Inbox').waitFor();
  expect(await items().count()).toBe(2);
  await page.reload();
  await bell('Inbox').click();
  await items().filter({ hasText: 'Three' }).waitFor();
  expect(await items().allTextContents()).not.toContainEqual(expect.stringContaining('Two'));
});

test('markup in a message is text: nothing of it runs', async () => {
  const contactId = await lab.person();
  const evil = '<img src=x onerror="alert(1)"><script>alert(2)</script>';
  await keep([
    contactId,
    { title: evil, body: `${evil}\n<b>bold</b>`, url: '/safe"><script>alert(3)</script>'.replaceAll(' ', '') },
  ]);
  await show(contactId);
  await bell('Inbox, 1 unread').click();
  await items().first().waitFor();
  const text = (await items().first().textContent()) ?? '';
  expect(text).toContain(evil);
  expect(text).toContain('<b>bold</b>');
  const inside = () => document.querySelector('parley-inbox')?.shadowRoot?.querySelectorAll('img, script, b').length;
  expect(await page.evaluate(inside)).toBe(0);
});

test('older messages are loaded when asked for, each once', async () => {
  const contactId = await lab.person();
  for (let count = 1; count <= 45; count++) await keep([contactId, { title: `Number ${count}.` }]);
  await show(contactId);
  await bell('Inbox, 45 unread').click();
  await bell('Show older').click();
  await items().nth(39).waitFor();
  await bell('Show older').click();
  await items().nth(44).waitFor();
  await bell('Show older').waitFor({ state: 'hidden' });
  const titles = await items().locator('.title').allTextContents();
  expect(new Set(titles).size).toBe(45);
});

test('a token that has ended is asked for anew, and without one the person is told', async () => {
  const contactId = await lab.person();
  await keep([contactId, { title: 'Hello' }]);
  await show(contactId, tokenFor(contactId, -60));
  await bell('Inbox').click();
  await panel().getByText('The inbox cannot be reached.').waitFor();
  await page.evaluate((fresh) => {
    const inbox = document.querySelector('parley-inbox') as unknown as { tokenProvider: () => Promise<string> };
    inbox.tokenProvider = () => Promise.resolve(fresh);
  }, tokenFor(contactId));
  await bell('Try again').click();
  await items().filter({ hasText: 'Hello' }).waitFor();
  expect(await panel().getByText('The inbox cannot be reached.').isVisible()).toBe(false);
});

test('a page of an origin that is not allowed shows nothing', async () => {
  const contactId = await lab.person();
  await keep([contactId, { title: 'Secret' }]);
  await testDb.owner.query(`update provider_account set settings = '{"allowedOrigins": []}'`);
  try {
    await show(contactId);
    await bell('Inbox').click();
    await panel().getByText('The inbox cannot be reached.').waitFor();
    expect(await items().count()).toBe(0);
  } finally {
    await testDb.owner.query(`update provider_account set settings = $1`, [
      JSON.stringify({ allowedOrigins: [siteOrigin] }),
    ]);
  }
});
