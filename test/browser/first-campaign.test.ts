import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from 'vitest';
import { seriousFindings, sidewaysOverflow } from './axe.ts';
import { launchChromium } from './chromium.ts';
import {
  choose,
  draftCampaign,
  field,
  firstRun,
  importContacts,
  numberOf,
  openPlace,
  sampleFile,
  startCampaign,
  writeTemplate,
} from './journey.ts';
import { startOwnServer, type OwnServer } from './own-server.ts';

const people = 60;
const file = sampleFile(people);
const reader = 'reader7@example.com';

let server: OwnServer;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let shots: string;

beforeAll(async () => {
  shots = process.env['PARLEY_SCREENSHOTS'] ?? mkdtempSync(join(tmpdir(), 'parley-screens-'));
  mkdirSync(shots, { recursive: true });
  [server, browser] = await Promise.all([startOwnServer(), launchChromium()]);
  context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

const shot = (name: string) => page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
const keepShot = async (name: string) => {
  await shot(name);
};
const button = (name: string | RegExp) => page.getByRole('button', { name });
/** A number in the results of a campaign: people, then share. */
const resultOf = async (what: string) =>
  (
    await page
      .getByRole('row', { name: new RegExp(`^${what}`) })
      .getByRole('cell')
      .nth(1)
      .textContent()
  )?.trim();

/** The tests below are one way, in this order: each begins where the one before it ended. */
describe('from the first start to a finished campaign, by clicking only', () => {
  test('the owner is created and lands on what to do next', async () => {
    onTestFailed(() => keepShot('failed-first-run'));
    await firstRun(page, server.url);
    expect(
      await page
        .getByRole('navigation', { name: 'Rooms' })
        .getByRole('link', { name: 'Overview' })
        .getAttribute('aria-current'),
    ).toBe('page');
    await shot('overview-at-first');
  });

  test('a file is checked, then imported with consent; refused rows are counted and can be had', async () => {
    onTestFailed(() => keepShot('failed-import'));
    await importContacts(page, file, 'Newsletter');
    expect(await numberOf(page, 'Added')).toBe(file.good);
    expect(await numberOf(page, 'Refused')).toBe(file.bad);
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download the refused rows' }).click();
    expect((await download).suggestedFilename()).toContain('refused');
    // What it says survives a reload, with nothing but its address.
    await page.reload();
    await expect.poll(() => numberOf(page, 'Rows read')).toBe(file.good + file.bad);
  });

  test('a contact is found by the whole address, shown in full with a reason, and changed', async () => {
    onTestFailed(() => keepShot('failed-contact'));
    await openPlace(page, 'Contacts');
    await field(page, 'Find').fill(reader);
    await page.waitForURL(/q=reader7/);
    await expect.poll(() => page.getByRole('row').count()).toBe(2);
    await page.getByRole('row').nth(1).getByRole('link').click();
    await page.getByText('r•••@example.com').first().waitFor();
    await button('Show in full').click();
    await field(page, 'Why do you need to see them?').fill('They called about their order');
    await button('Show them').click();
    await page.getByText(reader, { exact: true }).waitFor();
    await field(page, 'City').fill('Graz');
    await button('Save').click();
    await page.getByText('Saved.').waitFor();
    await page.reload();
    await expect.poll(() => field(page, 'City').inputValue()).toBe('Graz');
    await shot('contact');
  });

  test('consent is withdrawn and given again, with its evidence in the history', async () => {
    onTestFailed(() => keepShot('failed-consent'));
    await button('Withdraw… Newsletter').click();
    await field(page, 'Where they said so').fill('By telephone');
    await button('Withdraw consent').click();
    await page.getByText('Unsubscribed', { exact: true }).waitFor();
    await button('Record consent… Newsletter').click();
    await page.getByText('Only record a consent that they gave themselves').waitFor();
    await field(page, 'Where they agreed').fill('Trade fair Vienna');
    await button('Record consent').last().click();
    await page.getByText('Subscribed', { exact: true }).waitFor();
    await button('History').click();
    const history = page.getByRole('dialog', { name: /Consent history/ });
    await history.getByText(/By telephone/).waitFor();
    // Newest first: given again, withdrawn, and where it all began.
    expect(await history.textContent()).toMatch(/Trade fair Vienna.*By telephone.*Sign-up form in the shop/s);
    await history.getByRole('button', { name: 'Close' }).click();
  });

  test('a template is written from a design, with a live preview', async () => {
    onTestFailed(() => keepShot('failed-template'));
    await writeTemplate(page, 'May news', 'News for {{ contact.first_name | default: "you" }}');
    await page.getByText('News for Ada').waitFor();
    const mail = page.frameLocator('iframe[title="Preview of the mail"]').locator('body');
    // The name of the workspace is filled in too, and marketing carries its way out.
    expect(await mail.textContent()).toMatch(/Harbour Books.*Hello Ada.*Unsubscribe/s);
    await shot('template');
  });

  test('unsaved work survives a closed tab, a mistake is named with its line, and nothing is saved by accident', async () => {
    onTestFailed(() => keepShot('failed-draft'));
    const template = page.url();
    await field(page, 'Subject').fill('News {{ contact.first_name | shout }}');
    await page
      .getByText(/undefined filter: shout/)
      .first()
      .waitFor();
    await page.getByText('kept in this browser').waitFor();
    await page.close({ runBeforeUnload: false });
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    await page.goto(template);
    await button('Take it up again').click();
    expect(await field(page, 'Subject').inputValue()).toContain('shout');
    await page.getByRole('navigation', { name: 'Rooms' }).getByRole('link', { name: 'Contacts' }).click();
    await page.getByRole('dialog', { name: 'Leave without saving?' }).getByRole('button', { name: 'Stay' }).click();
    await field(page, 'Subject').fill('Fresh news for {{ contact.first_name | default: "you" }}');
    await button('Save').click();
    await page.getByText('Version 2, saved').waitFor();
  });

  test('a test mail is caught by the sandbox', async () => {
    onTestFailed(() => keepShot('failed-test-send'));
    await button('Send a test…').click();
    const dialog = page.getByRole('dialog', { name: 'Send a test' });
    await dialog.getByText(/nothing leaves this server/).waitFor();
    await dialog.getByRole('button', { name: 'Send the test' }).click();
    await dialog.getByRole('link', { name: 'Open the sandbox inbox' }).click();
    await page
      .getByRole('navigation', { name: 'Caught messages' })
      .getByText(/Fresh news for/)
      .first()
      .click();
    const mail = page.frameLocator('iframe[title^="Mail:"]').locator('body');
    await mail.getByText('Hello').first().waitFor();
    expect(await mail.textContent()).toContain('Harbour Books');
  });

  test('before the start it says who will get it; afterwards everybody is accounted for', async () => {
    onTestFailed(() => keepShot('failed-campaign'));
    await draftCampaign(page, { name: 'May to everybody', template: /^May news/, topic: 'Newsletter' });
    await shot('campaign-draft');
    const said = await startCampaign(page);
    expect(said).toContain(`${people} people get “May news”`);
    expect(said).toContain('nothing leaves this server');
    await page.getByText(`${people} people in all`).waitFor();
    await expect
      .poll(() => page.getByRole('listitem').filter({ hasText: 'Sent' }).last().textContent())
      .toContain(`${people}`);
    await shot('campaign-finished');
  });

  test('what a reader does in the sandbox shows in the results', async () => {
    onTestFailed(() => keepShot('failed-sandbox'));
    const campaign = page.url();
    await openPlace(page, 'Sandbox inbox');
    await field(page, 'Recipient').fill(reader);
    await page.getByRole('navigation', { name: 'Caught messages' }).getByText(reader).click();
    const acts = page.getByRole('group', { name: 'Do what its reader might do' });
    await acts.getByRole('button', { name: 'Open' }).click();
    await acts.getByRole('button', { name: 'Click a link' }).click();
    await page.getByRole('menuitem').first().click();
    await acts.getByRole('button', { name: 'Unsubscribe' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Unsubscribe' }).click();
    await page.getByRole('tab', { name: 'Headers' }).click();
    await page.getByRole('cell', { name: 'list-unsubscribe-post' }).waitFor();
    await shot('sandbox');
    await page.goto(campaign);
    await expect.poll(() => resultOf('Opened'), { timeout: 20_000 }).toBe('1');
    await expect.poll(() => resultOf('Clicked'), { timeout: 20_000 }).toBe('1');
    await expect.poll(() => resultOf('Unsubscribed'), { timeout: 20_000 }).toBe('1');
  });

  test('the next campaign leaves out who unsubscribed, says why, and leads to the message', async () => {
    onTestFailed(() => keepShot('failed-second-campaign'));
    await draftCampaign(page, { name: 'June to everybody', template: /^May news/, topic: 'Newsletter' });
    await page.getByText('Unsubscribed from this topic').waitFor();
    const said = await startCampaign(page);
    expect(said).toContain(`${people - 1} people get`);
    expect(said).toContain('1 will not get it');
    await page.getByRole('link', { name: 'Unsubscribed from this topic' }).click();
    await page.waitForURL(/reason=withdrawn/);
    await expect.poll(() => page.getByRole('row').count()).toBe(2);
    await page.getByRole('row').nth(1).getByRole('link').first().click();
    await page.getByText('The person withdrew their consent to this topic.').first().waitFor();
    await page.getByText('only the person can agree again', { exact: false }).waitFor();
    await shot('message-not-sent');
  });
});

describe('every screen, on a laptop and on a phone', () => {
  // Those of the settings and of consent have a test of their own.
  const places = [
    '/',
    '/contacts',
    '/contacts/new',
    '/imports',
    '/imports/new',
    '/templates',
    '/templates/new',
    '/templates/new?starter=blank',
    '/campaigns',
    '/campaigns/new',
    '/messages',
    '/messages?state=failed&reason=withdrawn',
    '/sandbox',
  ];
  /** The first of each list, whatever its id is in this run. */
  async function details(): Promise<string[]> {
    const firstOf = async (list: string, place: (id: string) => string) => {
      const answer = await page.request.get(`${server.url}/api/v1${list}`);
      const { data } = (await answer.json()) as { data: { id: string }[] };
      return place(data[0]?.id ?? 'none');
    };
    return Promise.all([
      firstOf('/contacts', (id) => `/contacts/${id}`),
      firstOf('/imports', (id) => `/imports/${id}`),
      firstOf('/templates', (id) => `/templates/${id}`),
      firstOf('/campaigns', (id) => `/campaigns/${id}`),
      firstOf('/messages', (id) => `/messages/${id}`),
      firstOf('/sandbox/messages', (id) => `/sandbox?message=${id}`),
    ]);
  }

  test.each([
    { width: 1440, colorScheme: 'light' },
    { width: 390, colorScheme: 'light' },
    { width: 360, colorScheme: 'dark' },
  ] as const)('at $width px in $colorScheme, axe finds nothing serious and nothing sticks out', async (look) => {
    const storageState = await context.storageState();
    const visit = await browser.newContext({
      storageState,
      viewport: { width: look.width, height: 900 },
      colorScheme: look.colorScheme,
      reducedMotion: 'reduce',
    });
    const screen = await visit.newPage();
    const complaints: string[] = [];
    screen.on('pageerror', (error) => complaints.push(`${screen.url()}: ${error.message}`));
    for (const place of [...places, ...(await details())]) {
      await screen.goto(server.url + place, { waitUntil: 'load' });
      await screen
        .getByRole('heading', { level: 1 })
        .waitFor()
        .catch((error: unknown) => {
          throw new Error(`${place} shows no heading`, { cause: error });
        });
      // What is still loading has no text to judge: wait for the last skeleton to go.
      await expect
        .poll(() => screen.locator('.mantine-Skeleton-root[data-visible]').count(), { timeout: 20_000 })
        .toBe(0);
      const name = place.replaceAll(/[^a-z0-9]+/gi, '-').slice(0, 60);
      await screen.screenshot({ path: join(shots, `${look.width}-${look.colorScheme}${name}.png`), fullPage: true });
      for (const finding of await seriousFindings(screen)) complaints.push(`${place}: ${finding}`);
      if ((await sidewaysOverflow(screen)) > 0) complaints.push(`${place}: wider than ${look.width} px`);
    }
    await visit.close();
    expect(complaints).toEqual([]);
  });
});

test('a phone goes the way too: from the menu to a draft campaign', async () => {
  const phone = await browser.newContext({
    storageState: await context.storageState(),
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    reducedMotion: 'reduce',
  });
  const small = await phone.newPage();
  small.setDefaultTimeout(20_000);
  await small.goto(server.url);
  await openPlace(small, 'Campaigns');
  await small.getByRole('link', { name: 'New campaign' }).first().click();
  await field(small, 'Name').fill('From the train');
  await choose(small, 'Template', /^May news/);
  await choose(small, 'Topic', 'Newsletter');
  await small.getByRole('button', { name: 'Save the draft' }).click();
  await small.getByRole('heading', { name: 'Who will get it' }).waitFor();
  expect(await sidewaysOverflow(small)).toBe(0);
  await phone.close();
});
