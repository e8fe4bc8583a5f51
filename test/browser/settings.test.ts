import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ended, readyUrl } from '../../bench/rig.ts';
import { seriousFindings, sidewaysOverflow } from './axe.ts';
import { launchChromium } from './chromium.ts';

/** Everything an owner sets up besides sending: by clicking, in a real browser, against a server as anybody starts it. */
const owner = { email: 'owner@example.com', password: 'correct horse battery staple' };
let dataDir: string;
let server: ChildProcess;
let url: string;
let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'parley-settings-'));
  chmodSync(dataDir, 0o711);
  server = spawn(process.execPath, [join(import.meta.dirname, '../../server/main.ts'), 'start'], {
    env: {
      PATH: process.env['PATH'] ?? '',
      PARLEY_DATA_DIR: dataDir,
      PARLEY_PORT: '0',
      PARLEY_ADMIN_EMAIL: owner.email,
      PARLEY_ADMIN_PASSWORD: owner.password,
      PARLEY_LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  url = await readyUrl(server);
  browser = await launchChromium();
  context = await browser.newContext({ reducedMotion: 'reduce' });
  page = await context.newPage();
  page.setDefaultTimeout(15_000);
});

afterAll(async () => {
  await browser?.close();
  await ended(server, 'SIGTERM');
  rmSync(dataDir, { recursive: true, force: true });
});

const button = (name: string | RegExp) => page.getByRole('button', { name, exact: true });
const field = (name: string | RegExp) => page.getByRole('textbox', { name, exact: true });
const go = (path: string) => page.goto(url + path);

async function signIn(on: Page, email: string, password: string): Promise<void> {
  await on.getByRole('textbox', { name: 'E-mail' }).fill(email);
  await on.getByRole('textbox', { name: 'Password' }).fill(password);
  await on.getByRole('button', { name: 'Sign in' }).click();
}

/** RFC 6238 with the parameters every authenticator app takes: SHA-1, 6 digits, 30 seconds. */
function totp(secret: string, atMs: number): string {
  const bits = [...secret]
    .map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0'))
    .join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(atMs / 30_000)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const code = mac.readUInt32BE((mac.at(-1) ?? 0) & 15) & 0x7fffffff;
  return String(code % 1_000_000).padStart(6, '0');
}

describe('an owner', () => {
  test('comes back, after signing in, to the page they asked for', async () => {
    await go('/settings/topics?archived=true');
    await signIn(page, owner.email, 'not the password');
    await page.getByText('E-mail or password is wrong').waitFor();
    expect(await field('E-mail').inputValue()).toBe(owner.email);
    await signIn(page, owner.email, owner.password);
    await page.waitForURL(`${url}/settings/topics?archived=true`);
  });

  test('makes a topic, is offered its key, archives and restores it', async () => {
    await go('/settings/topics');
    await button('Create the first topic').click();
    await field('Name').fill('Très bon — News');
    expect(await field('Key').inputValue()).toBe('tres-bon-news');
    await button('Create topic').click();
    await button('Archive Très bon — News').click();
    await button('Archive topic').click();
    await page.getByText('No topics yet').waitFor();
    await go('/settings/topics?archived=true');
    await button('Restore Très bon — News').click();
    await page.getByText('Nothing matches').waitFor();
  });

  test('is asked before unsaved changes are lost', async () => {
    await go('/settings/workspace');
    await field('Postal address').fill('1 Harbour Road\nPortsmouth');
    await page.getByRole('navigation', { name: 'Rooms' }).getByRole('link', { name: 'API keys' }).click();
    await page.getByRole('dialog', { name: 'Leave without saving?' }).waitFor();
    await button('Stay').click();
    expect(await field('Postal address').inputValue()).toContain('Harbour Road');
    await button('Save workspace').click();
    await page.getByText('The workspace is saved.').waitFor();
    await page.reload();
    expect(await field('Postal address').inputValue()).toBe('1 Harbour Road\nPortsmouth');
  });

  test('makes an API key that works, sees it once, and revokes it by its name', async () => {
    await go('/settings/api-keys');
    await button('New API key').first().click();
    await field('Name').fill('Shop');
    await button('Make the key').click();
    await page.getByText('Choose at least one permission').waitFor();
    await button('Only see').click();
    await button('Make the key').click();
    await page.getByText('This is the only time it is shown').waitFor();
    const secret = (await page.getByRole('dialog').locator('code').textContent()) ?? '';
    const ask = () => fetch(`${url}/api/v1/topics`, { headers: { authorization: `Bearer ${secret}` } });
    expect((await ask()).status).toBe(200);
    await button('I have kept it').click();
    await button('Revoke Shop').click();
    expect(await button('Revoke key').isDisabled()).toBe(true);
    await field('Type “Shop” to confirm').fill('Shop');
    await button('Revoke key').click();
    await page.getByText('Shop is revoked.').waitFor();
    await expect.poll(async () => (await ask()).status, { timeout: 15_000 }).toBe(401);
    expect(await page.content()).not.toContain(secret);
  });

  test('adds an account, reads what its test found, and cannot remove it while mail goes through it', async () => {
    await go('/settings/accounts/new');
    await field('Name of the account').fill('Our server');
    await field('From: e-mail').fill('news@example.com');
    await field('Host').fill('127.0.0.1');
    await field('Port').fill('1');
    await field('User name').fill('parley');
    await field('Password').fill('a secret of the server');
    await button('Save account').click();
    await page.getByRole('heading', { level: 1, name: 'Our server' }).waitFor();
    await page.getByText('SPF', { exact: true }).waitFor();
    expect(await field('Password').inputValue()).toBe('');
    expect(await page.content()).not.toContain('a secret of the server');
    await button('Test').click();
    await page.getByText('It did not work:').waitFor();

    await go('/settings/accounts');
    await page.getByRole('combobox', { name: 'Add an account' }).click();
    await page.getByRole('option', { name: 'Our server' }).click();
    await button('Save order').click();
    await page.getByText('The order is saved.').waitFor();
    await page.getByRole('link', { name: 'Our server' }).click();
    await button('Remove').click();
    await field('Type “Our server” to confirm').fill('Our server');
    await button('Remove account').click();
    await page.getByText('A route still sends through this account').waitFor();
  });

  test('invites somebody, who joins by the link and sees only what the role shows', async () => {
    await go('/settings/team?tab=invitations');
    await button('Invite somebody').first().click();
    await field('E-mail').fill('grace@example.com');
    await page.getByRole('radio', { name: 'Analyst' }).check();
    await button('Make the invitation').click();
    await page.getByText('grace@example.com is invited').waitFor();
    const link = (await page.getByRole('dialog').locator('code').textContent()) ?? '';

    const hers = await browser.newContext();
    const her = await hers.newPage();
    await her.goto(link);
    await her.getByLabel('Your name').fill('Grace');
    await her.getByRole('textbox', { name: 'Password' }).fill('another horse battery staple');
    await her.getByRole('button', { name: 'Join' }).click();
    await her.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    const places = her.getByRole('navigation', { name: 'Rooms' });
    expect(await places.getByRole('link', { name: 'Campaigns' }).count()).toBe(1);
    expect(await places.getByRole('link', { name: 'API keys' }).count()).toBe(0);

    await go('/settings/team');
    await button('Actions for Grace').click();
    await page.getByRole('menuitem', { name: 'Shut out' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Shut out' }).click();
    await page.getByText('Grace is shut out.').waitFor();
    await her.goto(`${url}/campaigns`);
    await her.getByRole('heading', { name: 'Sign in' }).waitFor({ timeout: 20_000 });
    await hers.close();
  });

  test('looks up what a person said, and the withdrawal is in the ledger', async () => {
    await go('/consent?tab=suppressions');
    await button('Add an address').first().click();
    await field('E-mail or phone number').fill('never@');
    await button('Add to the list').click();
    await page.getByText('has nothing after the @').waitFor();
    await field('E-mail or phone number').fill('never@example.com');
    await button('Add to the list').click();
    await page.getByRole('cell', { name: 'Added by your team' }).waitFor();

    const body = {
      address: { kind: 'email', value: 'maria@example.com' },
      channel: 'email',
      topic: 'tres-bon-news',
      action: 'grant',
      basis: 'consent',
      evidence: { source: 'Fair in Vienna' },
    };
    const headers = { 'x-parley-csrf': '1', origin: url };
    expect((await context.request.post(`${url}/api/v1/compliance/consent`, { data: body, headers })).status()).toBe(
      201,
    );
    await page.getByRole('tab', { name: 'Look up an address' }).click();
    await field('E-mail or phone number').fill('maria@example.com');
    await button('Look up').click();
    await page.getByText('Fair in Vienna').waitFor();
    await button('Withdraw tres-bon-news').click();
    await page.getByRole('cell', { name: 'withdrawn' }).waitFor();
    expect(await page.content()).not.toContain('>maria@example.com<');
    await button('Verify the chain').click();
    await page.getByText('Every entry holds').waitFor();
  });

  test('finds every change in the audit log, with what it was before', async () => {
    await go('/settings/audit');
    await page.getByRole('combobox', { name: 'What' }).click();
    await page.getByRole('option', { name: 'workspace', exact: true }).click();
    await page.waitForURL(/targetKind=workspace/);
    await page
      .getByRole('button', { name: /Details of workspace/ })
      .first()
      .click();
    const row = page.getByRole('row', { name: /postalAddress/ });
    expect(await row.textContent()).toContain('+ 1 Harbour Road');
    await page.keyboard.press('Escape');
    await button('Verify the chain').click();
    await page.getByText('Every entry holds').waitFor();
  });

  test('turns on the second factor, needs it to sign in, and gets in with a backup code', async () => {
    await go('/settings/profile');
    await button('Turn on').click();
    await field('Your password').fill(owner.password);
    await button('Continue').click();
    await page.getByRole('img', { name: 'QR code for your authenticator app' }).waitFor();
    const secret = (await page.getByRole('dialog').locator('code').first().textContent()) ?? '';
    await button('I have scanned it').click();
    const codes = await page.getByRole('dialog').locator('code').allTextContents();
    expect(codes.length).toBeGreaterThanOrEqual(8);
    await page.getByLabel('I have kept the codes').check();
    await button('Continue').click();
    await field('Code from the app').fill(totp(secret, Date.now()));
    await page.getByRole('dialog').getByRole('button', { name: 'Turn on' }).click();
    await page.getByText('Two-factor sign-in is on.').waitFor();

    await button(/your account/).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await signIn(page, owner.email, owner.password);
    await button('Use a backup code').click();
    await field('Backup code').fill(codes[0] ?? '');
    await button('Continue').click();
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  });
});

test('the script of the first page stays under 300 kB, as it travels', async () => {
  const sizes: Promise<number>[] = [];
  const fresh = await browser.newContext({ storageState: await context.storageState() });
  const first = await fresh.newPage();
  first.on('response', (response) => {
    if (response.request().resourceType() === 'script') {
      sizes.push(response.body().then((body) => gzipSync(body).byteLength));
    }
  });
  await first.goto(url);
  await first.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  expect(total).toBeGreaterThan(10_000);
  expect(total).toBeLessThan(300_000);
  await fresh.close();
});

test('on a phone the keyboard does not wander through the closed menu', async () => {
  await page.setViewportSize({ width: 390, height: 900 });
  await go('/settings/topics');
  await page.getByRole('heading', { level: 1, name: 'Topics' }).waitFor();
  const menu = page.getByRole('navigation', { name: 'Rooms' });
  expect(await menu.isVisible()).toBe(false);
  await button('Open the menu').click();
  await menu.getByRole('link', { name: 'API keys' }).click();
  await page.getByRole('heading', { level: 1, name: 'API keys' }).waitFor();
  await expect.poll(() => menu.isVisible()).toBe(false);
});

const screens = [
  '/',
  '/consent',
  '/consent?tab=look-up',
  '/consent?tab=suppressions',
  '/settings/profile',
  '/settings/workspace',
  '/settings/team',
  '/settings/team?tab=invitations',
  '/settings/team?tab=roles',
  '/settings/api-keys',
  '/settings/topics',
  '/limits',
  '/settings/accounts',
  '/settings/accounts/new',
  '/settings/audit',
  '/messages?channel=sms&code=554',
  '/dead-letters',
  '/dead-letters?discarded=true',
  '/queues',
  '/nowhere',
  '/forgot-password',
  `/reset-password/${'a'.repeat(32)}`,
  `/join/${'a'.repeat(32)}`,
];

describe.each([
  // Contrast does not depend on the width, nor overflow on the colours: two of the four are enough.
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
    expect(await seriousFindings(page)).toEqual([]);
    expect(await sidewaysOverflow(page)).toBe(0);
  });
});
