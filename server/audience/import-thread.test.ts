import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPages } from './import-pages.ts';
import type { Page, Started } from './import-pages.ts';
import { readPagesAside } from './import-thread.ts';
import { addressContext } from './upsert.ts';
import { counts, createDesk } from './testing-import.ts';
import { createAudienceFixture } from './testing.ts';
import type { AudienceFixture } from './testing.ts';

let fixture: AudienceFixture;
beforeAll(async () => {
  fixture = await createAudienceFixture({ pageRows: 50, asideBytes: 0 });
});
afterAll(() => fixture.close());

const desk = createDesk(() => fixture);

/** Every tenth row names somebody of the page before; every seventh has no readable address. */
function people(rows: number): string {
  const lines = Array.from({ length: rows }, (_, n) => {
    const who = n % 10 === 9 && n > 60 ? n - 55 : n;
    const email = n % 7 === 6 ? 'nonsense' : `person-${who}@example.com`;
    return `${email},+4930${String(1_234_000 + who)},Person ${who}\n`;
  });
  return `email,phone,first_name\n${lines.join('')}`;
}

async function started(file: string | Buffer): Promise<Started> {
  const key = `imports/${crypto.randomUUID()}.csv`;
  await fixture.objects.write(key, Readable.from([Buffer.from(file)]), 10_000_000);
  const start = { offset: 0, lines: 0 };
  const column = (name: string, field: string, type: 'text' | null = null) => ({ name, field, type, notation: null });
  return {
    // What the readers make use of; the rest of a row is told by the database.
    row: { objectKey: key, cursor: null, bytesTotal: file.length } as Started['row'],
    settings: {
      delimiter: ',',
      encoding: 'utf-8',
      lineEnds: ['\n'],
      start,
      columns: [
        column('email', 'email'),
        column('phone', 'phone'),
        column('first_name', 'attributes.first_name', 'text'),
      ],
      defaultCountry: null,
      dryRun: false,
      consent: null,
    },
    keys: await fixture.test.read((tx) => fixture.test.vault.keys(tx)),
  };
}

const inside = (import_: Started) =>
  readPages({ clock: fixture.test.clock, objects: fixture.objects, pageRows: 50 }, import_, () => true);
const aside = (import_: Started, mostlyNew = true) =>
  readPagesAside({ objects: fixture.objects, pageRows: 50 }, import_, () => mostlyNew);

/** What a page says, without what is random in it. */
function said({ prepared, rejections, refusedRows, end }: Page, { keys }: Started) {
  return {
    rejections,
    refusedRows,
    end,
    people: prepared.map(({ given, hashes, ahead }) => ({
      given,
      hashes: hashes.map(({ hash, version }) => [hash.toString('hex'), version]),
      opened: ahead?.sealed.map((sealed) => keys.openFor(ahead.salt, sealed, addressContext)),
    })),
  };
}

describe('a file that is read by a thread of its own', () => {
  it('gives the same pages as one that is not, sealed so that they open', async () => {
    const import_ = await started(people(330));
    const pages = (await Array.fromAsync(inside(import_))).map((page) => said(page, import_));
    const others = (await Array.fromAsync(aside(import_))).map((page) => said(page, import_));
    expect(pages).toHaveLength(7);
    expect(others).toEqual(pages);
    expect(others[0]?.people[0]?.opened).toEqual(['person-0@example.com', '+49301234000']);
    expect(others.flatMap((page) => page.rejections)).toHaveLength(47);
  });

  it('seals nothing ahead when the people before were known', async () => {
    const import_ = await started(people(20));
    const [page] = await Array.fromAsync(aside(import_, false));
    expect(page?.prepared.every((one) => one.ahead === undefined)).toBe(true);
    expect(page?.prepared[0]?.hashes).toHaveLength(2);
  });

  it('that cannot be read on fails as unreadable, with its line', async () => {
    const import_ = await started(`${people(10)}"${'x'.repeat(2_000_000)}`);
    await expect(Array.fromAsync(aside(import_))).rejects.toMatchObject({
      name: 'UnreadableFileError',
      message: expect.stringContaining('line 12'),
    });
  });

  it('that has gone fails, and the thread with it', async () => {
    const import_ = await started(people(3));
    await fixture.objects.remove(import_.row.objectKey);
    await expect(Array.fromAsync(aside(import_))).rejects.toThrow('ENOENT');
  });

  it('comes in whole, and once: the second time changes nothing', async () => {
    const file = people(400);
    const first = await desk.run(file);
    expect(counts(first)).toMatchObject({ state: 'done', rejected: 57 });
    expect(first.created + first.updated + first.unchanged).toBe(343);
    expect(await desk.countContacts()).toBe(first.created);
    const second = await desk.run(file);
    expect(counts(second)).toEqual({ state: 'done', created: 0, updated: 0, unchanged: 343, rejected: 57 });
  });
});
