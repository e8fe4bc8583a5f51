import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestApp, createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { createTemplates, templatesRoutes } from './index.ts';
import type { Templates, TestSend } from './index.ts';
import type { AuditEntry } from './routes.ts';

let db: TestDb;
let templates: Templates;
let app: FastifyInstance;
const audited: AuditEntry[] = [];
const sends: TestSend[] = [];
const ada = '01900000-0000-7000-8000-00000000ada0';

beforeAll(async () => {
  db = await createTestDb();
  templates = createTemplates({ clock: db.clock });
  app = await createTestApp(
    db,
    templatesRoutes({
      templates,
      audit: { record: (_tx, entry) => Promise.resolve(audited.push(entry)) },
      contactData: (_tx, id) =>
        Promise.resolve(id === ada ? { first_name: 'Ada', email: 'ada@example.com' } : undefined),
      workspaceData: () => Promise.resolve({ name: 'Acme', postalAddress: '1 Road' }),
      testSend: (_tx, send) => {
        sends.push(send);
        return Promise.resolve({ messageId: send.id, state: 'planned' });
      },
    }),
  );
});
afterAll(async () => {
  await app.close();
  await templates.close();
  await db.close();
});
beforeEach(() => {
  audited.length = 0;
  sends.length = 0;
});

async function call(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  url: string,
  body?: object,
  headers: Record<string, string> = {},
) {
  const answer = await app.inject({
    method,
    url: `/api/v1${url}`,
    headers: { authorization: 'test', ...headers },
    ...(body === undefined ? {} : { payload: body }),
  });
  return { status: answer.statusCode, headers: answer.headers, body: answer.body === '' ? undefined : answer.json() };
}

const given = {
  name: 'Welcome',
  channel: 'email',
  category: 'marketing',
  locale: 'en',
  subject: 'Hi {{ contact.first_name }}',
  html: '<p>Hi</p>',
};
const create = async (changes: object = {}) => (await call('POST', '/templates', { ...given, ...changes })).body;

describe('a template', () => {
  test('is compiled when made, and answered with its version, variables and warnings', async () => {
    const made = await call('POST', '/templates', { ...given, locale: 'pt-br', html: '<a href="example.com">x</a>' });
    expect(made.status).toBe(201);
    expect(made.headers['etag']).toBe('"r1"');
    expect(made.body).toMatchObject({
      name: 'Welcome',
      version: 1,
      status: 'ready',
      locale: 'pt-BR',
      source: {
        subject: 'Hi {{ contact.first_name }}',
        html: '<a href="example.com">x</a>',
        mjml: null,
        text: null,
        preheader: null,
      },
      variables: ['contact.first_name'],
      problems: [{ severity: 'warning', where: 'html', line: 1 }],
      revision: 1,
    });
    expect(audited).toMatchObject([
      { action: 'template.created', target: { id: made.body.id }, after: { name: 'Welcome', version: 1 } },
    ]);
    expect((await call('GET', `/templates/${made.body.id}`)).body).toEqual(made.body);
  });

  test('that cannot work is refused with part and line, and nothing is kept', async () => {
    const refused = await call('POST', '/templates', {
      ...given,
      name: 'Broken',
      html: 'a\n{{ contact.a | shout }}',
      subject: '{{ nothing }}',
    });
    expect(refused.status).toBe(422);
    expect(refused.body).toMatchObject({
      code: 'template/invalid',
      errors: [
        { pointer: '/subject', message: expect.stringContaining('line 1: there is no variable "nothing"') },
        { pointer: '/html', message: 'line 2: undefined filter: shout' },
      ],
    });
    expect((await call('GET', '/templates?q=Broken')).body.data).toEqual([]);
  });

  test.each([
    ['a header in the subject', { subject: 'x\r\nBcc: a@example.com' }, 422],
    ['10 MB of text', { html: 'x'.repeat(10_000_000) }, 413],
    ['more than 512 kB', { html: 'x'.repeat(600_000) }, 422],
    ['an unknown field', { body: 'x' }, 422],
    ['no language', { locale: 'not a locale' }, 422],
  ])('with %s is refused', async (_what, changes, status) => {
    const refused = await call('POST', '/templates', { ...given, ...changes });
    expect(refused.status).toBe(status);
    expect(refused.headers['content-type']).toContain('application/problem+json');
  });

  test('gets a new version when its content changes, and keeps the old one', async () => {
    const made = await create();
    const changed = await call(
      'PATCH',
      `/templates/${made.id}`,
      { mjml: '<mjml><mj-body></mj-body></mjml>' },
      { 'if-match': '"r1"' },
    );
    expect(changed.body).toMatchObject({
      version: 2,
      revision: 2,
      source: { html: null, mjml: '<mjml><mj-body></mj-body></mjml>' },
    });
    const renamed = await call('PATCH', `/templates/${made.id}`, { name: 'New name', subject: given.subject });
    expect(renamed.body).toMatchObject({ version: 2, revision: 3, name: 'New name' });
    expect((await call('GET', `/templates/${made.id}/versions/1`)).body.source).toEqual(made.source);
    const versions = (await call('GET', `/templates/${made.id}/versions?limit=1`)).body;
    expect(versions.data).toMatchObject([{ version: 2, createdBy: { kind: 'key', name: 'Test key' } }]);
    expect((await call('GET', `/templates/${made.id}/versions?cursor=${versions.nextCursor}`)).body).toMatchObject({
      data: [{ version: 1 }],
      nextCursor: null,
    });
  });

  test('changed by somebody else meanwhile is not overwritten', async () => {
    const made = await create();
    await call('PATCH', `/templates/${made.id}`, { name: 'Theirs' }, { 'if-match': '"r1"' });
    const late = await call('PATCH', `/templates/${made.id}`, { name: 'Mine' }, { 'if-match': '"r1"' });
    expect(late.status).toBe(412);
    expect((await call('GET', `/templates/${made.id}`)).body.name).toBe('Theirs');
  });

  test('deleted is archived: listed apart, not changed, and can come back', async () => {
    const made = await create({ name: 'Old' });
    expect((await call('DELETE', `/templates/${made.id}`)).status).toBe(204);
    expect((await call('GET', '/templates?q=Old')).body.data).toEqual([]);
    expect((await call('GET', '/templates?q=Old&status=archived')).body.data).toMatchObject([
      { id: made.id, status: 'archived' },
    ]);
    expect((await call('PATCH', `/templates/${made.id}`, { name: 'x' })).body.code).toBe('template/archived');
    expect((await call('PATCH', `/templates/${made.id}`, { archived: false })).body.status).toBe('ready');
  });

  test('of another workspace does not exist', async () => {
    const made = await create();
    const stranger = { 'x-workspace': await db.newWorkspace('Other') };
    for (const url of [`/templates/${made.id}`, `/templates/${made.id}/versions`, `/templates/${made.id}/versions/1`])
      expect((await call('GET', url, undefined, stranger)).status).toBe(404);
    expect((await call('PATCH', `/templates/${made.id}`, { name: 'x' }, stranger)).status).toBe(404);
    expect((await call('POST', `/templates/${made.id}/preview`, {}, stranger)).status).toBe(404);
    expect((await call('GET', '/templates', undefined, stranger)).body.data).toEqual([]);
  });

  test('lists page by page, last changed first, filtered', async () => {
    const ids: string[] = [];
    for (const n of [1, 2, 3]) {
      db.clock.advance(1000);
      ids.unshift((await create({ name: `Page_${n}`, category: 'utility' })).id);
    }
    const first = (await call('GET', '/templates?limit=2&category=utility')).body;
    expect(first.data.map((one: { id: string }) => one.id)).toEqual(ids.slice(0, 2));
    const second = (await call('GET', `/templates?limit=2&category=utility&cursor=${first.nextCursor}`)).body;
    expect(second).toMatchObject({ data: [{ id: ids[2] }], nextCursor: null });
    expect((await call('GET', '/templates?q=page_2')).body.data).toHaveLength(1);
    expect((await call('GET', '/templates?q=%25')).body.data).toEqual([]);
    expect((await call('GET', '/templates?cursor=nonsense')).status).toBe(422);
  });
});

describe('a version', () => {
  test('cannot be changed or removed by the server, whatever it tries', async () => {
    const made = await create();
    await expect(
      db.write((tx) => tx.query(`update template_version set source = '{}' where template_id = $1`, [made.id])),
    ).rejects.toThrow(/permission denied/);
    await expect(
      db.write((tx) => tx.query('delete from template_version where template_id = $1', [made.id])),
    ).rejects.toThrow(/permission denied/);
  });

  test('pinned by a send renders the same after the template has changed', async () => {
    const made = await create({ html: '<a href="https://a.example/{{ contact.first_name }}">one</a>' });
    await call('PATCH', `/templates/${made.id}`, { html: '<p>two</p>' });
    const renderer = await db.read((tx) => templates.renderer(tx, made.id, 1));
    expect(await db.read((tx) => templates.renderer(tx, made.id, 1))).toBe(renderer);
    const out = renderer.render({
      contact: { first_name: 'Ada' },
      workspace: { name: 'Acme' },
      urls: {
        click: (n) => `https://go/${n}`,
        open: 'https://go/o',
        unsubscribe: 'https://go/u',
        preferences: 'https://go/p',
      },
    });
    expect(out).toMatchObject({ subject: 'Hi Ada', html: expect.stringContaining('<a href="https://go/0">one</a>') });
    const data = { contact: { first_name: 'Ada' }, workspace: { name: 'Acme' } };
    expect(await db.read((tx) => templates.resolveLink(tx, made.id, 1, 0, data))).toBe('https://a.example/Ada');
    expect(await db.read((tx) => templates.variables(tx, made.id, 1))).toEqual([
      { name: 'contact.first_name', hasDefault: false },
    ]);
    await expect(db.read((tx) => templates.renderer(tx, made.id, 9))).rejects.toMatchObject({ code: 'not-found' });
  });

  test('of one workspace is never found in the cache by another', async () => {
    const made = await create();
    await db.read((tx) => templates.renderer(tx, made.id, 1));
    const other = await db.newWorkspace('Other');
    await expect(db.db.read(other, (tx) => templates.renderer(tx, made.id, 1))).rejects.toMatchObject({
      code: 'not-found',
    });
  });
});

describe('a preview', () => {
  test('shows a contact, links leading where they lead, nothing counted', async () => {
    const made = await create({ html: '<a href="https://a.example/{{ contact.first_name }}">x</a>' });
    const shown = (await call('POST', `/templates/${made.id}/preview`, { contactId: ada })).body;
    expect(shown).toMatchObject({ subject: 'Hi Ada', problems: [], variables: ['contact.first_name'] });
    expect(shown.html).toContain('href="https://a.example/Ada"');
    expect(shown.html).toContain('src="data:image/gif');
    expect((await call('POST', `/templates/${made.id}/preview`, { contactId: made.id })).status).toBe(404);
  });

  test('without a contact makes values up; with a sample that lacks one, names it', async () => {
    const made = await create({ html: '{{ contact.first_name }} {{ variables.code }} {{ variables.order.total }}' });
    expect((await call('POST', `/templates/${made.id}/preview`, {})).body).toMatchObject({
      subject: 'Hi Ada',
      html: expect.stringContaining('Ada 123456 49.9'),
      problems: [],
    });
    expect((await call('POST', `/templates/${made.id}/preview`, { sample: { last_name: 'x' } })).body).toMatchObject({
      subject: null,
      html: null,
      problems: [
        { severity: 'error', where: 'subject', message: 'contact.first_name has no value here and no default' },
        { severity: 'error', where: 'html' },
        { severity: 'error', where: 'text' },
      ],
    });
  });

  test('of source that is not saved answers its problems', async () => {
    const shown = await call('POST', '/templates/preview', {
      category: 'marketing',
      subject: 'x',
      mjml: '<mjml>\n<mj-body><mj-x/></mj-body></mjml>',
    });
    expect(shown.status).toBe(200);
    expect(shown.body).toMatchObject({ html: null, problems: [{ severity: 'error', where: 'mjml', line: 2 }] });
  });

  test('works for every design to start from', async () => {
    const { data } = (await call('GET', '/templates/starters')).body;
    expect(data).toHaveLength(3);
    for (const { mjml, subject, preheader, category, name } of data) {
      const shown = (await call('POST', '/templates/preview', { mjml, subject, preheader, category })).body;
      expect(shown.problems, name).toEqual([]);
      expect(shown.html, name).toContain('Acme');
      const saved = await call('POST', '/templates', {
        mjml,
        subject,
        preheader,
        category,
        name,
        channel: 'email',
        locale: 'en',
      });
      expect(saved.status, name).toBe(201);
    }
  });
});

test('a test is handed to the sender with the version and the data it is rendered with', async () => {
  const made = await create();
  const sent = await call('POST', `/templates/${made.id}/test-send`, {
    to: 'me@example.com',
    sample: { first_name: 'Bo' },
  });
  expect(sent).toMatchObject({ status: 202, body: { state: 'planned' } });
  expect(sends).toMatchObject([
    { id: sent.body.messageId, templateId: made.id, version: 1, to: 'me@example.com', contact: { first_name: 'Bo' } },
  ]);
});
