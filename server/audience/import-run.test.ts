import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAudienceFixture } from './testing.ts';
import type { AudienceFixture } from './testing.ts';
import { boundary, counts, createDesk, form, formHeaders } from './testing-import.ts';
import type { Progress } from './testing-import.ts';

let fixture: AudienceFixture;
beforeAll(async () => {
  fixture = await createAudienceFixture();
});
afterAll(() => fixture.close());

const { get, text, upload, run, findOne, countContacts } = createDesk(() => fixture);

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
      headers: formHeaders,
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
    headers: formHeaders,
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
