import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ended, readyUrl } from '../../bench/rig.ts';
import { seriousFindings, sidewaysOverflow } from './axe.ts';
import { launchChromium } from './chromium.ts';

/** What goes wrong with messages, looked after in the dashboard: seen, told apart, tried again, put aside. */
const owner = { email: 'owner@example.com', password: 'correct horse battery staple' };
const key = 'a-key-for-this-test-alone-of-32-characters';
let dataDir: string;
let server: ChildProcess;
let url: string;
let browser: Browser;
let page: Page;

async function post(path: string, body: object): Promise<{ id?: string }> {
  const answer = await fetch(`${url}/api/v1${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(answer.ok, `${path}: ${answer.status}`).toBe(true);
  return (await answer.json()) as { id?: string };
}

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'parley-trouble-'));
  chmodSync(dataDir, 0o711);
  server = spawn(process.execPath, [join(import.meta.dirname, '../../server/main.ts'), 'start'], {
    env: {
      PATH: process.env['PATH'] ?? '',
      PARLEY_DATA_DIR: dataDir,
      PARLEY_PORT: '0',
      PARLEY_ADMIN_EMAIL: owner.email,
      PARLEY_ADMIN_PASSWORD: owner.password,
      PARLEY_BOOTSTRAP_KEY: key,
      PARLEY_LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  url = await readyUrl(server);
  const template = await post('/templates', {
    name: 'Receipt',
    channel: 'email',
    category: 'transactional',
    locale: 'en',
    subject: 'Your order',
    text: 'Thank you.',
  });
  const to = ['block+1@example.com', 'block+2@example.org', 'bounce@example.com', 'ada@example.com'];
  const messages = to.map((email) => ({ channel: 'email', to: { email }, templateId: template.id }));
  await post('/messages/send_with_consent', { messages });
  browser = await launchChromium();
  const context = await browser.newContext({ reducedMotion: 'reduce' });
  page = await context.newPage();
  page.setDefaultTimeout(15_000);
  await page.goto(`${url}/sign-in`);
  await page.getByRole('textbox', { name: 'E-mail' }).fill(owner.email);
  await page.getByRole('textbox', { name: 'Password' }).fill(owner.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Rooms' }).waitFor();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await ended(server, 'SIGTERM');
  rmSync(dataDir, { recursive: true, force: true });
});

const rows = () => page.getByRole('table', { name: 'Dead letters' }).getByRole('row');
const button = (name: string | RegExp) => page.getByRole('button', { name });
/** The header is a row as well. */
async function expectLetters(count: number): Promise<void> {
  await expect.poll(() => rows().count(), { timeout: 10_000 }).toBe(count + 1);
}

async function expectSound(): Promise<void> {
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 900 });
    expect(await seriousFindings(page)).toEqual([]);
    expect(await sidewaysOverflow(page)).toBe(0);
  }
  await page.setViewportSize({ width: 1440, height: 900 });
}

test('dead letters are shown with what the provider said and what it means, and narrowed down by a press', async () => {
  await expect
    .poll(
      async () => {
        await page.goto(`${url}/dead-letters`);
        await page.getByRole('heading', { level: 1, name: 'Dead letters' }).waitFor();
        return rows().count();
      },
      { timeout: 12_000, interval: 1_000 },
    )
    .toBe(4);
  await page.getByText('5.7.1: the message is refused by policy').first().waitFor();
  await expectSound();
  await page
    .getByRole('group', { name: 'Kind of trouble' })
    .getByRole('button', { name: /The content/ })
    .click();
  await expectLetters(2);
  expect(new URL(page.url()).searchParams.get('category')).toBe('content');
});

test('one that is chosen with the keyboard is put aside, and is found among those put aside', async () => {
  const first = page.getByRole('checkbox', { name: /Select the message/ }).first();
  await first.focus();
  await page.keyboard.press('Space');
  await button('Put 1 selected aside…').click();
  await button('Put them aside').click();
  await expectLetters(1);
  await page.goto(`${url}/dead-letters?discarded=true`);
  await expectLetters(1);
});

test('those that match are tried again after a question, and what fails again comes back with one more try', async () => {
  await page.goto(`${url}/dead-letters?category=content`);
  await expectLetters(1);
  await button('Try all that match again…').click();
  await button('Try them again').click();
  await page.getByText('1 message is tried again.').waitFor();
  await expect
    .poll(
      async () => {
        const answer = await fetch(`${url}/api/v1/dead-letters?category=content`, {
          headers: { authorization: `Bearer ${key}` },
        });
        return ((await answer.json()) as { data: { tries: number }[] }).data.map((one) => one.tries);
      },
      { timeout: 10_000 },
    )
    .toEqual([2]);
});

test('the queues say that nothing waits, and how many dead letters there are', async () => {
  await page.goto(`${url}/queues`);
  await page.getByText('Nothing waits').waitFor();
  await page.getByText('None waits: everything that providers told was read.').waitFor();
  await expectSound();
  await page.getByRole('link', { name: 'Look after them' }).click();
  await page.getByRole('heading', { level: 1, name: 'Dead letters' }).waitFor();
});

test('a message that failed says in its own page what the code means, and is found by its address', async () => {
  await page.goto(`${url}/messages?recipient=bounce@example.com`);
  const table = page.getByRole('table', { name: 'Messages' });
  await expect.poll(() => table.getByRole('row').count(), { timeout: 10_000 }).toBe(2);
  await expectSound();
  await table.getByRole('link').first().click();
  await page.getByText('The address · 5.1.1 · the address does not exist').waitFor();
  await expectSound();
});
