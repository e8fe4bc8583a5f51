import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from 'vitest';
import { seriousFindings, sidewaysOverflow } from './axe.ts';
import { launchChromium } from './chromium.ts';
import { choose, field, firstRun } from './journey.ts';
import { startOwnServer, type OwnServer } from './own-server.ts';

let server: OwnServer;
let browser: Browser;
let page: Page;
let shots: string;

beforeAll(async () => {
  shots = process.env['PARLEY_SCREENSHOTS'] ?? mkdtempSync(join(tmpdir(), 'parley-screens-'));
  mkdirSync(shots, { recursive: true });
  [server, browser] = await Promise.all([startOwnServer(), launchChromium()]);
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
  await firstRun(page, server.url);
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

const shot = (name: string) => page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
const button = (name: string | RegExp) => page.getByRole('button', { name });
const text = (words: string | RegExp) => page.getByText(words).first();
const go = (path: string) => page.goto(`${server.url}${path}`);

describe('channels beside e-mail, by clicking only', () => {
  test('an account of a vendor is made by a form from its settings, and refused at the field that is wrong', async () => {
    onTestFailed(async () => void (await shot('failed-account')));
    await go('/settings/accounts/new?channel=sms');
    await field(page, 'Name of the account').fill('Our Twilio');
    await field(page, 'Account SID').fill('AC1');
    await button('Save account').click();
    await text('must be an Account SID').waitFor();
    await shot('account-of-twilio');
    await field(page, 'Account SID').fill(`AC${'0'.repeat(32)}`);
    await page.getByLabel('Auth token', { exact: true }).fill('a secret');
    await button('Add').click();
    await page.getByLabel('Sender 1').fill('+12065550152');
    await button('Save account').click();
    await page.getByRole('heading', { level: 1, name: 'Our Twilio' }).waitFor();
    await text('Callbacks').waitFor();
    expect(await page.getByPlaceholder('Stored; type to replace it').count()).toBe(1);
  });

  test('an SMS is written, seen on a phone as it is typed, counted, and tried through the sandbox', async () => {
    onTestFailed(async () => void (await shot('failed-sms')));
    await go('/sandbox');
    await button('Try a vendor').click();
    await page
      .getByRole('menuitem', { name: /^Twilio/ })
      .first()
      .click();
    await text(/is ready to send/).waitFor();
    await go('/templates/new?channel=sms');
    await field(page, 'Name').fill('Parcel');
    await field(page, 'Text').fill('Hello {{ contact.first_name }}, your parcel “42” is here.');
    await text('Hello Ada, your parcel “42” is here.').waitFor();
    await text(/^1 part ·/).waitFor();
    await text(/Unicode, because of “ ”/).waitFor();
    await shot('template-of-sms');
    await choose(page, 'Kind', 'Transactional');
    await button('Save the template').click();
    await text(/Version 1, saved/).waitFor();
    await button('Send a test…').click();
    await field(page, 'To').fill('+49 151 23456789');
    await button('Send the test').click();
    await text('The test is on its way').waitFor();
    expect(await text('The test is on its way').count()).toBe(1);
  });
});

const screens = [
  '/templates/new?channel=sms',
  '/templates/new?channel=whatsapp',
  '/templates/new?channel=push',
  '/templates/new?channel=inapp',
  '/templates/new',
  '/campaigns/new',
  '/messages',
  '/settings/accounts?channel=push',
  '/settings/accounts/new?channel=whatsapp',
  '/settings/accounts/new?channel=push',
];

describe.each([
  { colorScheme: 'light', width: 1440 },
  { colorScheme: 'dark', width: 390 },
] as const)('in $colorScheme colours, $width pixels wide', ({ colorScheme, width }) => {
  test.each(screens)('%s has nothing serious for axe, and nothing to push sideways', async (path) => {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    await go(path);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForFunction(
      () => document.querySelector('[aria-busy=true], [role=status][aria-label=Loading]') === null,
    );
    await shot(`${path.replace(/\W+/g, '-')}-${width}`);
    expect(await seriousFindings(page)).toEqual([]);
    expect(await sidewaysOverflow(page)).toBe(0);
  });
});
