import type { Locator, Page } from 'playwright-core';

/**
 * What a marketer does in the first quarter of an hour, by clicking and typing only: each step is a function, so that
 * a test reads as the way itself. Texts are those on the screen; a changed word that confuses a reader breaks the test.
 */
export const owner = {
  workspace: 'Harbour Books',
  name: 'Ada Marsh',
  email: 'ada@example.com',
  password: 'correct horse battery staple',
};

export interface SampleFile {
  readonly csv: string;
  /** Rows that can be imported, and those that cannot. */
  readonly good: number;
  readonly bad: number;
}

/** A list as shops export them: quoted commas, accents, and two rows that are refused for different reasons. */
export function sampleFile(good: number): SampleFile {
  const names = ['Ada', 'Zoë', 'Jürgen', 'Mei', 'Olu', 'José'];
  const cities = ['"Vienna, AT"', 'Köln', 'Łódź', 'Lisbon'];
  const rows = Array.from({ length: good }, (_, at) => {
    const name = names[at % names.length];
    return `reader${at}@example.com,${name},Reader ${at},${cities[at % cities.length]},${at * 3}`;
  });
  const csv = [
    'E-mail,First name,Last name,City,Points',
    ...rows,
    'not-an-address,Broken,Row,Rome,1',
    ',No,Address,Rome,2',
  ].join('\r\n');
  return { csv, good, bad: 2 };
}

const heading = (page: Page, name: string | RegExp): Locator => page.getByRole('heading', { level: 1, name });

/** By its whole label: hidden parts of a page may hold fields whose label merely contains it. */
export const field = (page: Page, label: string): Locator => page.getByRole('textbox', { name: label, exact: true });

export async function firstRun(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await heading(page, 'Welcome to Parley').waitFor();
  await page.getByLabel('Company or team').fill(owner.workspace);
  await page.getByLabel('Your name').fill(owner.name);
  await page.getByLabel('Your e-mail').fill(owner.email);
  await page.getByRole('textbox', { name: 'Password' }).fill(owner.password);
  await page.getByRole('button', { name: 'Create and sign in' }).click();
  await page.getByText('Bring in your contacts').waitFor();
}

/** Imports with consent to a topic that is made on the way; ends on the finished import. */
export async function importContacts(page: Page, file: SampleFile, topic: string): Promise<void> {
  await page.getByRole('link', { name: 'Import contacts' }).first().click();
  await heading(page, 'Import contacts').waitFor();
  await page
    .locator('input[type=file]')
    .setInputFiles({ name: 'readers.csv', mimeType: 'text/csv', buffer: Buffer.from(file.csv) });
  await page.getByRole('heading', { name: '2. Columns' }).waitFor();
  await page.getByRole('switch', { name: /Everybody in this file agreed/ }).click();
  await page.getByText('An import never overrides a withdrawal').waitFor();
  await page.getByRole('button', { name: 'New topic…' }).click();
  const dialog = page.getByRole('dialog', { name: 'New topic' });
  await dialog.getByLabel('Name').fill(topic);
  await dialog.getByRole('button', { name: 'Make the topic' }).click();
  await dialog.waitFor({ state: 'hidden' });
  await page.getByLabel('Where they agreed').fill('Sign-up form in the shop');
  await page.getByLabel('Version of the text they saw').fill('2026-03');
  await page.getByRole('button', { name: 'Check first, write nothing' }).click();
  await page.getByText('Checked, nothing written').waitFor();
  await page.getByRole('button', { name: 'Start the import' }).click();
  await page.waitForURL(/\/imports\/[0-9a-f-]{36}$/);
  await page.getByText('Every row of the file is accounted for below.').waitFor({ timeout: 60_000 });
}

/** The number under a label of the import's outcome. */
export async function numberOf(page: Page, label: string): Promise<number> {
  const text = await page
    .locator('dl > div', { has: page.getByText(label, { exact: true }) })
    .locator('dd')
    .textContent();
  return Number((text ?? '').replaceAll(/\D/g, ''));
}

/** From a design of the gallery, with words of our own; ends on the saved template. */
export async function writeTemplate(page: Page, name: string, subject: string): Promise<void> {
  await openPlace(page, 'Templates');
  await page.getByRole('link', { name: 'New template' }).first().click();
  await page
    .getByRole('link', { name: /Use this design/ })
    .first()
    .click();
  await field(page, 'Name').fill(name);
  await field(page, 'Subject').fill(subject);
  await page.frameLocator('iframe[title="Preview of the mail"]').locator('body').waitFor();
  await page.getByRole('button', { name: 'Save the template' }).click();
  await page.waitForURL(/\/templates\/[0-9a-f-]{36}$/);
  await page.getByText('Version 1, saved').waitFor();
}

export async function draftCampaign(
  page: Page,
  given: { name: string; template: string | RegExp; topic: string },
): Promise<void> {
  await openPlace(page, 'Campaigns');
  await page.getByRole('link', { name: 'New campaign' }).first().click();
  await field(page, 'Name').fill(given.name);
  await choose(page, 'Template', given.template);
  await choose(page, 'Topic', given.topic);
  await page.getByRole('button', { name: 'Save the draft' }).click();
  await page.getByRole('heading', { name: 'Who will get it' }).waitFor();
}

/** Reads what is asked before it is answered; ends when the campaign has finished. */
export async function startCampaign(page: Page): Promise<string> {
  await page.getByRole('button', { name: 'Start the campaign…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Consent is asked once more').waitFor();
  const said = (await dialog.textContent()) ?? '';
  await dialog.getByRole('button', { name: 'Start sending' }).click();
  await page.getByRole('heading', { name: 'Finished' }).waitFor({ timeout: 120_000 });
  return said;
}

/** Through the sidebar, which on a phone has to be opened first. */
export async function openPlace(page: Page, name: string): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor();
  const menu = page.getByRole('button', { name: 'Open the menu' });
  if (await menu.isVisible()) await menu.click();
  await page.getByRole('navigation', { name: 'Rooms' }).getByRole('link', { name, exact: true }).click();
  await heading(page, name).waitFor();
}

/** Chooses in a Mantine Select by what is written in the list. */
export async function choose(page: Page, label: string, option: string | RegExp): Promise<void> {
  await page
    .getByRole('combobox', { name: label })
    .or(page.getByRole('textbox', { name: label }))
    .first()
    .click();
  await page.getByRole('option', { name: option }).first().click();
}
