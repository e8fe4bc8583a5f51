import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import iconv from 'iconv-lite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAudienceFixture } from './testing.ts';
import type { AudienceFixture } from './testing.ts';
import { counts, createDesk } from './testing-import.ts';
import type { Progress } from './testing-import.ts';

let fixture: AudienceFixture;
beforeAll(async () => {
  fixture = await createAudienceFixture();
});
afterAll(() => fixture.close());

const { get, text, upload, run, findOne, reveal } = createDesk(() => fixture);

const sample = '../shared/inputs/us-500.csv';
describe.skipIf(!existsSync(sample))('a real file of 500 people', () => {
  test('comes in whole as a plain body, without a word about it, telephones in E.164', async () => {
    const body = readFileSync(sample);
    const answer = await fixture.app.inject({
      method: 'POST',
      url: '/api/v1/contacts/import',
      headers: { authorization: 'test', 'content-type': 'text/csv' },
      payload: body,
    });
    expect(answer.statusCode).toBe(202);
    await fixture.work();
    const done = await get<Progress>(`/imports/${answer.json<{ id: string }>().id}`);
    expect(counts(done)).toEqual({ state: 'done', created: 500, updated: 0, unchanged: 0, rejected: 0 });
    const people = parse(body, { columns: true }) as Record<string, string>[];
    for (const person of [people[0], people[499]]) {
      const contact = await findOne(person?.['email'] ?? '');
      expect(contact.attributes['company_name']).toBe(person?.['company_name']);
      const values = (await reveal(contact.id)).map((one) => one.value);
      expect(values).toContain(person?.['email']);
      expect(values).toContain(`+1${person?.['phone1']?.replaceAll('-', '')}`);
      expect(values).toContain(`+1${person?.['phone2']?.replaceAll('-', '')}`);
    }
    expect((await findOne('jbutt@gmail.com')).addresses[0]?.masked).toBe('j•••@gmail.com');
  });

  test('the second time nothing is new and nothing is written', async () => {
    const before = await fixture.test.read((tx) =>
      tx.query('select sum(revision) as r, max(updated_at)::text as t from contact where workspace_id = $1', [
        tx.workspaceId,
      ]),
    );
    expect(counts(await run(readFileSync(sample)))).toEqual({
      state: 'done',
      created: 0,
      updated: 0,
      unchanged: 500,
      rejected: 0,
    });
    const after = await fixture.test.read((tx) =>
      tx.query('select sum(revision) as r, max(updated_at)::text as t from contact where workspace_id = $1', [
        tx.workspaceId,
      ]),
    );
    expect(after).toEqual(before);
  });

  test('nothing personal lies in the clear outside the attributes, and the upload is gone', async () => {
    const rows = await fixture.test.owner.query("select sealed, encode(hash, 'escape') as hash from address");
    for (const row of rows.rows.slice(0, 50) as { sealed: Buffer }[])
      expect(row.sealed.toString('latin1')).not.toMatch(/\.com|\.net|\.org|\+1\d{10}/);
    expect(readdirSync(join(fixture.folder, 'imports'))).toEqual([]);
  });
});

describe('every way a file may be written', () => {
  const people = [
    ['email', 'name', 'note'],
    ['zoe-{n}@example.com', 'Zoë', 'first line\nsecond line'],
    ['ase-{n}@example.com', 'Åse', 'a, b; c\td'],
    ['emile-{n}@example.com', 'Émile "le Grand"', '=1+1'],
  ];
  const encodings: [string, boolean][] = [
    ['utf-8', false],
    ['utf-8', true],
    ['utf-16le', true],
    ['utf-16be', false],
    ['windows-1252', false],
  ];
  let n = 0;
  for (const [encoding, mark] of encodings)
    for (const delimiter of [',', ';', '\t'])
      for (const lineEnd of ['\n', '\r\n', '\r'])
        test(`${encoding}${mark ? ' with mark' : ''}, ${JSON.stringify(delimiter)}, ${JSON.stringify(lineEnd)}`, async () => {
          n += 1;
          const rows = people.map((row) =>
            row
              .map((cell) => `"${cell.replace('{n}', String(n)).replaceAll('"', '""').replaceAll('\n', lineEnd)}"`)
              .join(delimiter),
          );
          const done = await run(iconv.encode(rows.join(lineEnd) + lineEnd, encoding, { addBOM: mark }));
          expect(counts(done)).toEqual({ state: 'done', created: 3, updated: 0, unchanged: 0, rejected: 0 });
          expect((await findOne(`zoe-${n}@example.com`)).attributes).toEqual({
            name: 'Zoë',
            note: `first line${lineEnd}second line`,
          });
          expect((await findOne(`emile-${n}@example.com`)).attributes).toEqual({
            name: 'Émile "le Grand"',
            note: '=1+1',
          });
        });

  test('a long ASCII file that turns out to be Western only after a megabyte', async () => {
    const start = `email,name\n${Array.from({ length: 300 }, (_, at) => `west${at}@example.com,${'Plain Name '.repeat(400)}`).join('\n')}\n`;
    const file = Buffer.concat([Buffer.from(start), iconv.encode('western-last@example.com,Jürgen\n', 'windows-1252')]);
    expect(file.length).toBeGreaterThan(1024 * 1024);
    expect((await run(file, { dryRun: true })).created).toBe(301);
    const preview = await upload(file, {}, '/contacts/import/preview');
    expect(preview.json()).toMatchObject({
      encoding: 'utf-8',
      delimiter: ',',
      columns: [
        { name: 'email', field: 'email' },
        { name: 'name', field: 'attributes.name', type: 'text' },
      ],
    });
  });
});

describe('dates and numbers as a country writes them', () => {
  const rows = (domain: string) =>
    `email;born;joined;seen;spent\nann@${domain};31.12.1990;25/12/2024;03/04/2025;1.234,5\nben@${domain};01.02.1985;01/02/2023;05/06/2025;7\n`;

  test('are taken for what they are when the file proves it, and say so before', async () => {
    const preview = (await upload(rows('preview.example'), undefined, '/contacts/import/preview')).json<{
      columns: { name: string; type: string | null; notation: string | null }[];
    }>();
    expect(preview.columns.map(({ name, type, notation }) => [name, type, notation])).toEqual([
      ['email', null, null],
      ['born', 'date', 'day-first'],
      ['joined', 'date', 'day-first'],
      ['seen', 'text', null],
      ['spent', 'number', 'decimal-comma'],
    ]);
    expect(counts(await run(rows('euro.example')))).toMatchObject({ created: 2, rejected: 0 });
    expect((await findOne('ann@euro.example')).attributes).toEqual({
      born: '1990-12-31',
      joined: '2024-12-25',
      seen: '03/04/2025',
      spent: 1234.5,
    });
    expect((await findOne('ben@euro.example')).attributes).toMatchObject({ joined: '2023-02-01', spent: 7 });
    expect(counts(await run(rows('euro.example')))).toMatchObject({ unchanged: 2, rejected: 0 });
  });

  test('are read into attributes that exist, each file in its own way; what proves nothing is refused, not guessed', async () => {
    const born = async (cells: readonly string[], domain: string) => {
      const done = await run(`email,joined\n${cells.map((cell, at) => `p${at}@${domain},${cell}`).join('\n')}\n`);
      return counts(done);
    };
    expect(await born(['12/31/2024', '01/02/2023'], 'us.example')).toMatchObject({ created: 2, rejected: 0 });
    expect((await findOne('p1@us.example')).attributes).toEqual({ joined: '2023-01-02' });
    expect(await born(['01/02/2023'], 'unclear.example')).toMatchObject({ created: 0, rejected: 1 });
  });
});

describe('rows that cannot be kept', () => {
  test('are listed with line, field, reason and their cells, harmless in a spreadsheet', async () => {
    const file = [
      'email,phone,age,name',
      'good-1@example.com,+4930901820,41,Anna',
      'not an address,,30,"=cmd|calc"',
      '"line\nbreak",,,',
      'good-2@example.com,123,41,Ben',
      'good-3@example.com,,forty,Carl',
      ',,,Nobody',
      '',
      'good-4@example.com,,,Dora',
    ].join('\n');
    const done = await run(file, { mapping: { age: 'attributes.age' }, attributeTypes: { age: 'number' } });
    expect(counts(done)).toEqual({ state: 'done', created: 2, updated: 0, unchanged: 0, rejected: 5 });
    expect(done.rowsRead).toBe(7);
    const refused = parse(await text(`/imports/${done.id}/errors`), { columns: true }) as Record<string, string>[];
    expect(refused.map(({ line, field, name }) => [line, field, name])).toEqual([
      ['3', 'email', "'=cmd|calc"],
      ['4', 'email', ''],
      ['6', 'phone', 'Ben'],
      ['7', 'age', 'Carl'],
      ['8', 'row', 'Nobody'],
    ]);
    expect(refused[3]?.['reason']).toContain('is not a number');
  });

  test('are shown page by page as the file has them, without the other cells', async () => {
    const bad = Array.from({ length: 5 }, (_, at) => `bad ${at},forty,Secret ${at}`);
    const file = ['email,age,name', 'shown@example.com,41,Ann', ...bad].join('\n');
    const mapping = { email: 'email', age: 'attributes.age' };
    const done = await run(file, { mapping, attributeTypes: { age: 'number' } });
    const inFile = parse(await text(`/imports/${done.id}/errors`), { columns: true }) as Record<string, string>[];
    const shown: Record<string, unknown>[] = [];
    for (let cursor = ''; ;) {
      const page = await get<{ data: Record<string, unknown>[]; nextCursor: string | null }>(
        `/imports/${done.id}/refused?limit=2${cursor}`,
      );
      expect(page.data.length).toBeLessThanOrEqual(2);
      shown.push(...page.data);
      if (page.nextCursor === null) break;
      cursor = `&cursor=${page.nextCursor}`;
    }
    expect(shown).toEqual(inFile.map(({ line, field, reason }) => ({ line: Number(line), field, reason })));
    expect(shown.map((one) => one['line'])).toEqual([3, 4, 5, 6, 7]);
    expect(shown[0]).toMatchObject({ field: 'age, email', reason: expect.stringContaining('is not a number') });
    expect(JSON.stringify(shown)).not.toContain('Secret');
    const far = Buffer.from('["999999999999999"]').toString('base64url');
    expect(await get(`/imports/${done.id}/refused?cursor=${far}`)).toEqual({ data: [], nextCursor: null });
  });

  test('an external id of one and an address of another are refused, both named', async () => {
    await run('customer_id,email\nC-1,conflict-1@example.com\nC-2,conflict-2@example.com\n');
    const done = await run('customer_id,email\nC-1,conflict-2@example.com\n');
    expect(done.rejected).toBe(1);
    const [one, two] = [await findOne('C-1'), await findOne('C-2')];
    const errors = await text(`/imports/${done.id}/errors`);
    expect(errors).toContain(one.id);
    expect(errors).toContain(two.id);
  });

  test('a row of 5,000 cells is one refused row', async () => {
    const done = await run(
      `email,name\nwide@example.com,${Array.from({ length: 5000 }, (_, at) => `x${at}`).join(',')}\nnarrow@example.com,ok\n`,
    );
    expect(counts(done)).toEqual({ state: 'done', created: 1, updated: 0, unchanged: 0, rejected: 1 });
  });

  test('a quote that is never closed costs its row only', async () => {
    const done = await run('email,name\nquote-1@example.com,ok\nquote-2@example.com,"open\n');
    expect(counts(done)).toEqual({ state: 'done', created: 1, updated: 0, unchanged: 0, rejected: 1 });
    expect(await text(`/imports/${done.id}/errors`)).toContain('3,row');
  });

  test('a quote that swallows a megabyte ends the import, saying where', async () => {
    const filler = `filler@example.com,${'filling text '.repeat(300)}\n`.repeat(300);
    const done = await run(`email,name\n${filler}open@example.com,"open\n${filler}${filler}\n`);
    expect(done).toMatchObject({ state: 'failed', created: 1, unchanged: 299 });
    expect(done.failure).toContain('Is a quote not closed?');
  });
});

describe('a person who stands in the file twice', () => {
  test('is created once; the later row counts', async () => {
    const rows = [
      'email,city',
      'twice@example.com,Rome',
      'once@example.com,Oslo',
      'TWICE@example.com,Bern',
      'twice@example.com,Bern',
    ];
    expect(counts(await run(rows.join('\n')))).toEqual({
      state: 'done',
      created: 2,
      updated: 1,
      unchanged: 1,
      rejected: 0,
    });
    expect((await findOne('twice@example.com')).attributes).toEqual({ city: 'Bern' });
  });

  test('is found across pages too', async () => {
    const rows = Array.from({ length: 250 }, (_, at) => `pages-${at % 125}@example.com,${at}`);
    expect(counts(await run(`email,number\n${rows.join('\n')}\n`))).toEqual({
      state: 'done',
      created: 125,
      updated: 125,
      unchanged: 0,
      rejected: 0,
    });
  });

  test('an empty cell does not erase what is known', async () => {
    await run('email,city,country\nkeep@example.com,Rome,Italy\n');
    expect((await run('email,city,country\nkeep@example.com,,\n')).unchanged).toBe(1);
    expect((await findOne('keep@example.com')).attributes).toEqual({ city: 'Rome' });
  });
});
