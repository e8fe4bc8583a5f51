import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import iconv from 'iconv-lite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAudienceFixture } from './testing.ts';
import type { AudienceFixture } from './testing.ts';

let fixture: AudienceFixture;
beforeAll(async () => {
  fixture = await createAudienceFixture();
});
afterAll(() => fixture.close());

interface Progress {
  readonly id: string;
  readonly state: string;
  readonly rowsRead: number;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly rejected: number;
  readonly failure: string | null;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

const boundary = 'parley-test-boundary';
function form(file: Buffer | string, options?: unknown, optionsFirst = false): Buffer {
  const filePart = Buffer.concat([
    Buffer.from(
      `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="people.csv"\r\ncontent-type: text/csv\r\n\r\n`,
    ),
    Buffer.from(file),
    Buffer.from('\r\n'),
  ]);
  const optionsPart =
    options === undefined
      ? Buffer.alloc(0)
      : Buffer.from(
          `--${boundary}\r\ncontent-disposition: form-data; name="options"\r\n\r\n${JSON.stringify(options)}\r\n`,
        );
  const parts = optionsFirst ? [optionsPart, filePart] : [filePart, optionsPart];
  return Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]);
}

const headers = { authorization: 'test', 'content-type': `multipart/form-data; boundary=${boundary}` };
const upload = (file: Buffer | string, options?: unknown, path = '/contacts/import') =>
  fixture.app.inject({ method: 'POST', url: `/api/v1${path}`, headers, payload: form(file, options) });
const get = async <T>(path: string): Promise<T> =>
  (await fixture.app.inject({ method: 'GET', url: `/api/v1${path}`, headers: { authorization: 'test' } })).json();
const text = async (path: string) =>
  (await fixture.app.inject({ method: 'GET', url: `/api/v1${path}`, headers: { authorization: 'test' } })).body;

async function run(file: Buffer | string, options?: unknown): Promise<Progress> {
  const answer = await upload(file, options);
  if (answer.statusCode !== 202) throw new Error(`${answer.statusCode} ${answer.body}`);
  await fixture.work();
  return get(`/imports/${answer.json<{ id: string }>().id}`);
}

const counts = ({ state, created, updated, unchanged, rejected }: Progress) => ({
  state,
  created,
  updated,
  unchanged,
  rejected,
});
const findOne = async (q: string) => {
  const { data } = await get<{
    data: { id: string; attributes: Record<string, unknown>; addresses: { kind: string; masked: string }[] }[];
  }>(`/contacts?q=${encodeURIComponent(q)}`);
  const [one] = data;
  if (one === undefined) throw new Error(`nobody has ${q}`);
  return one;
};
const reveal = async (id: string) => {
  const answer = await fixture.app.inject({
    method: 'POST',
    url: `/api/v1/contacts/${id}/reveal`,
    headers: { authorization: 'test' },
    payload: { reason: 'test' },
  });
  return answer.json<{ addresses: { kind: string; value: string }[] }>().addresses;
};
const countContacts = async () =>
  (
    await fixture.test.read((tx) =>
      tx.query<{ n: number }>('select count(*) as n from contact where workspace_id = $1', [tx.workspaceId]),
    )
  )[0]?.n ?? 0;

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

describe('a run that is interrupted', () => {
  const rows = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, at) => `crash-${from + at}@example.com,"n\n${at}"`).join('\n');
  const consent = { channel: 'email', topic: 'news', basis: 'consent', evidence: { source: 'fair 2026' } };

  test('goes on at the page it was at: nobody is missing, nobody is there twice', async () => {
    const answer = await upload(`email,note\n${rows(0, 950)}\n`, { consent });
    const { id } = answer.json<{ id: string }>();
    const job = { workspaceId: fixture.test.workspaceId, importId: id };
    fixture.waiting.length = 0;
    fixture.pages.length = 0;
    for (const page of [3, 5]) {
      fixture.settings.failConsentAt = page;
      await expect(fixture.audience.runImport(job, new AbortController().signal)).rejects.toThrow('dies here');
      expect(await get<Progress>(`/imports/${id}`)).toMatchObject({
        state: 'running',
        rowsRead: page * 100,
        created: page * 100,
      });
    }
    const stopping = new AbortController();
    stopping.abort(new Error('stopping'));
    await expect(fixture.audience.runImport(job, stopping.signal)).rejects.toThrow('stopping');
    await fixture.audience.runImport(job, new AbortController().signal);
    expect(counts(await get(`/imports/${id}`))).toEqual({
      state: 'done',
      created: 950,
      updated: 0,
      unchanged: 0,
      rejected: 0,
    });
    const addresses = fixture.pages.flatMap((page) => page.addresses.map((one) => one.addressId));
    expect(new Set(addresses).size).toBe(950);
    expect(addresses).toHaveLength(950);
    expect(fixture.pages[0]).toMatchObject({
      importId: id,
      channel: 'email',
      basis: 'consent',
      evidence: { source: 'fair 2026' },
    });
  });

  test('the page of the consent port holds keys that open what was sealed', async () => {
    const [touched] = fixture.pages[0]?.addresses ?? [];
    const [row] = await fixture.test.read((tx) =>
      tx.query<{ sealed: Buffer }>('select sealed from address where workspace_id = $1 and id = $2', [
        tx.workspaceId,
        touched?.addressId,
      ]),
    );
    expect(touched?.key().open(row?.sealed ?? Buffer.alloc(0), 'address')).toMatch(/^crash-\d+@example\.com$/);
  });

  test('that always stops at the same place ends, saying so', async () => {
    const answer = await upload(`email,note\n${rows(2000, 2010)}\n`, { consent });
    const { id } = answer.json<{ id: string }>();
    const job = { workspaceId: fixture.test.workspaceId, importId: id };
    fixture.waiting.length = 0;
    for (let time = 0; time < 5; time++) {
      fixture.settings.failConsentAt = fixture.pages.length;
      await expect(fixture.audience.runImport(job, new AbortController().signal)).rejects.toThrow('dies here');
    }
    await fixture.audience.runImport(job, new AbortController().signal);
    const progress = await get<Progress>(`/imports/${id}`);
    expect(progress).toMatchObject({ state: 'failed', created: 0 });
    expect(progress.failure).toContain('5 times');
  });

  test('two workers at the same import do not both count a page', async () => {
    const answer = await upload(`email,note\n${rows(3000, 3500)}\n`);
    const job = { workspaceId: fixture.test.workspaceId, importId: answer.json<{ id: string }>().id };
    fixture.waiting.length = 0;
    const signal = new AbortController().signal;
    await Promise.all([fixture.audience.runImport(job, signal), fixture.audience.runImport(job, signal)]);
    expect(counts(await get(`/imports/${job.importId}`))).toEqual({
      state: 'done',
      created: 500,
      updated: 0,
      unchanged: 0,
      rejected: 0,
    });
  });
});

describe('cancelling', () => {
  const cancel = (id: string) =>
    fixture.app.inject({ method: 'POST', url: `/api/v1/imports/${id}/cancel`, headers: { authorization: 'test' } });

  test('stops between two pages; what is in stays in', async () => {
    const rows = Array.from({ length: 1000 }, (_, at) => `cancel-${at}@example.com`).join('\n');
    const answer = await upload(`email\n${rows}\n`, {
      consent: { channel: 'email', topic: 'news', basis: 'consent', evidence: { source: 'x' } },
    });
    const { id } = answer.json<{ id: string }>();
    const job = { workspaceId: fixture.test.workspaceId, importId: id };
    fixture.waiting.length = 0;
    fixture.settings.failConsentAt = fixture.pages.length + 2;
    await expect(fixture.audience.runImport(job, new AbortController().signal)).rejects.toThrow();
    expect((await cancel(id)).statusCode).toBe(202);
    await fixture.audience.runImport(job, new AbortController().signal);
    expect(await get(`/imports/${id}`)).toMatchObject({ state: 'cancelled', created: 200 });
    expect((await cancel(id)).statusCode).toBe(409);
  });

  test('an import that no worker has taken up ends at once', async () => {
    const answer = await upload('email\ncancel-early@example.com\n');
    const { id } = answer.json<{ id: string }>();
    expect((await cancel(id)).json()).toMatchObject({ state: 'cancelled' });
    await fixture.work();
    expect(await get(`/imports/${id}`)).toMatchObject({ state: 'cancelled', created: 0 });
  });
});

test('a dry run judges every row and writes none', async () => {
  const before = await countContacts();
  const rows = [
    'email,fresh_attribute',
    ...Array.from({ length: 150 }, (_, at) => `dry-${at % 140}@example.com,${at}`),
    'broken,1',
  ];
  const done = await run(rows.join('\n'), {
    dryRun: true,
    consent: { channel: 'email', topic: 'news', basis: 'consent', evidence: { source: 'x' } },
  });
  expect(done).toMatchObject({ state: 'done', dryRun: true, created: 140, updated: 10, rejected: 1 });
  expect(await countContacts()).toBe(before);
  const { data } = await get<{ data: { key: string }[] }>('/attributes');
  expect(data.map((one) => one.key)).not.toContain('fresh_attribute');
});

describe('hostile and mistaken files', () => {
  test('SQL and HTML in names are names', async () => {
    const name = `Robert'); DROP TABLE contact;-- <img src=x onerror=alert(1)>`;
    await run(`email,name\nbobby@example.com,"${name}"\n`);
    expect((await findOne('bobby@example.com')).attributes).toEqual({ name });
  });

  test('a column called __proto__ is refused by name before anything is kept', async () => {
    const answer = await upload('email,__proto__\na@example.com,{"admin":true}\n');
    expect(answer.statusCode).toBe(422);
    expect(answer.json<{ detail: string }>().detail).toContain('__proto__');
  });

  test('what is no CSV is refused by its name, and nothing is left behind', async () => {
    const zip = Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(2000, 1)]);
    const answer = await upload(zip);
    expect(answer.statusCode).toBe(422);
    expect(answer.json()).toMatchObject({
      code: 'import/not-csv',
      detail: 'The file is not CSV but a zip archive; unpack it first.',
    });
    for (const wrong of ['', 'a\u0000b\u0001,c\n', `${Array.from({ length: 1200 }, (_, at) => `c${at}`).join(',')}\n`])
      expect((await upload(wrong)).statusCode).toBe(422);
  });

  test('a file over the limit is refused with 413 and nothing is left behind', async () => {
    const answer = await upload(`email\n${'x'.repeat(60)}\n`.repeat(90_000));
    expect(answer.statusCode).toBe(413);
    expect(answer.json()).toMatchObject({ code: 'body-too-large' });
    const body = `email\n${'a@example.com\n'.repeat(400_000)}`;
    const plain = await fixture.app.inject({
      method: 'POST',
      url: '/api/v1/contacts/import',
      headers: { authorization: 'test', 'content-type': 'text/csv' },
      payload: body,
    });
    expect(plain.statusCode).toBe(413);
  });

  test('options that cannot be are refused with the field named', async () => {
    const problem = async (options: unknown) =>
      (await upload('email\na@example.com\n', options)).json<{ errors: { pointer: string }[] }>().errors[0]?.pointer;
    expect(await problem({ mapping: { nothing: 'email' } })).toBe('/options/mapping/nothing');
    expect(await problem({ colour: 'red' })).toBe('/options/colour');
    expect(await problem({ defaultCountry: 'XX' })).toBe('/options/defaultCountry');
    expect((await upload('email\na@example.com\n', { mapping: { email: 'attributes.__proto__' } })).statusCode).toBe(
      422,
    );
  });

  test('a body that is neither a form nor CSV, and a form without a file, are refused', async () => {
    const json = await fixture.app.inject({
      method: 'POST',
      url: '/api/v1/contacts/import',
      headers: { authorization: 'test' },
      payload: { a: 1 },
    });
    expect(json.statusCode).toBe(415);
    const empty = await fixture.app.inject({
      method: 'POST',
      url: '/api/v1/contacts/import',
      headers,
      payload: Buffer.from(
        `--${boundary}\r\ncontent-disposition: form-data; name="options"\r\n\r\n{}\r\n--${boundary}--\r\n`,
      ),
    });
    expect(empty.statusCode).toBe(400);
  });

  test('after all of it only files of imports with refused rows, or that never ended, are kept', async () => {
    const kept = await fixture.test.read((tx) =>
      tx.query<{ key: string }>(
        'select object_key as key from contact_import where workspace_id = $1 and upload_kept',
        [tx.workspaceId],
      ),
    );
    const names = new Set(kept.map((one) => one.key.replace('imports/', '')));
    for (const file of readdirSync(join(fixture.folder, 'imports'))) expect(names).toContain(file);
  });
});

test('the options may come before the file', async () => {
  const answer = await fixture.app.inject({
    method: 'POST',
    url: '/api/v1/contacts/import',
    headers,
    payload: form('who;x\nbefore-1@example.com;1\n', { mapping: { who: 'email', x: 'ignore' }, delimiter: ';' }, true),
  });
  await fixture.work();
  expect(counts(await get(`/imports/${answer.json<{ id: string }>().id}`))).toMatchObject({ created: 1 });
  expect((await findOne('before-1@example.com')).attributes).toEqual({});
});

test('kept files go a week after the end; the list of refusals stays', async () => {
  const done = await run('email,name\nnot-an-address,x\n', { mapping: { email: 'email' } });
  expect(await text(`/imports/${done.id}/errors`)).toContain('email,name\r\n2,email');
  fixture.test.clock.advance(8 * 86_400_000);
  await fixture.audience.forgetUploads(fixture.test.workspaceId);
  expect(await text(`/imports/${done.id}/errors`)).toMatch(/^line,field,reason\r\n2,email,/);
});

test('imports are listed, a stranger sees none of them, and each start is in the audit once', async () => {
  const { data } = await get<{ data: Progress[] }>('/imports?limit=3&state=done');
  expect(data).toHaveLength(3);
  const other = await fixture.test.newWorkspace();
  const foreign = await fixture.app.inject({
    method: 'GET',
    url: `/api/v1/imports/${data[0]?.id}`,
    headers: { authorization: 'test', 'x-workspace': other },
  });
  expect(foreign.statusCode).toBe(404);
  expect(fixture.audit.filter((one) => one.action === 'import.started' && one.target.id === data[0]?.id)).toHaveLength(
    1,
  );
  expect(fixture.news.some((one) => one.kind === 'import' && one.id === data[0]?.id)).toBe(true);
});
