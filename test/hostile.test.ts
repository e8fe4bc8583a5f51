import { existsSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openRig, until } from '../bench/rig.ts';
import type { Rig, Server } from '../bench/rig.ts';
import { asker } from './world.ts';
import type { Answer, Ask } from './world.ts';

/**
 * What people and programs do to a server that is on the net, done to a real one over real HTTP: a clear refusal comes
 * back, the process stays up, nothing is half written.
 */
let rig: Rig;
let server: Server;
let ask: Ask;

beforeAll(async () => {
  rig = await openRig();
  server = await rig.startServer({ PARLEY_IMPORT_MAX_MB: '2', PARLEY_LOG_LEVEL: 'fatal' });
  ask = asker(server.url);
  await api('POST', '/topics', { key: 'news', name: 'News' });
}, 180_000);
afterAll(() => rig.close(), 60_000);
afterEach(async () => {
  // Whatever came: still there, still ready.
  const { status } = await ask('GET', '/readyz');
  if (server.process.exitCode !== null || status !== 200) throw new Error(`the server went down: ${status}`);
});

const api = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  ask(method, `/api/v1${path}`, { key: rig.key, body, headers });

function expectProblem(answer: Answer, status: number, code?: string): void {
  expect(answer.status, answer.text).toBe(status);
  expect(answer.type).toMatch(/^application\/problem\+json/);
  expect(answer.json).toMatchObject({ status, code: code ?? expect.stringMatching(/^[a-z0-9/-]+$/) });
}

function filesKept(): string[] {
  const folder = join(rig.dataDir, 'files', 'objects');
  return existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((one) => one.includes('.'))
    : [];
}

describe('an uploaded file', () => {
  const csv = { 'content-type': 'text/csv' };
  const form = (content: string | Uint8Array<ArrayBuffer>, options?: string) => {
    const body = new FormData();
    if (options !== undefined) body.set('options', options);
    body.set('file', new Blob([content]), 'contacts.csv');
    return body;
  };

  test('larger than is taken is refused, and nothing of it is kept', async () => {
    const large = `email\n${'somebody@example.com\n'.repeat(150_000)}`;
    expectProblem(await api('POST', '/contacts/import', large, csv), 413, 'body-too-large');
    expectProblem(await api('POST', '/contacts/import', form(large)), 413, 'body-too-large');
    expect(filesKept()).toEqual([]);
  });

  test('without end is cut off, not read to its end', async () => {
    const { status, sent } = await pour('/api/v1/contacts/import', 'text/csv', 'somebody@example.com\n'.repeat(3_000));
    expect(status).toBe(413);
    expect(sent).toBeLessThan(500_000_000);
    expect(filesKept()).toEqual([]);
  }, 60_000);

  test('of which only a refusal comes back is told so, though it is still being sent', async () => {
    const large = `email\n${'somebody@example.com\n'.repeat(4_000_000)}`;
    expectProblem(await api('POST', '/contacts/import', large, csv), 413, 'body-too-large');
    expectProblem(await api('POST', '/contacts/import', form(large)), 413, 'body-too-large');
    expectProblem(await ask('POST', '/api/v1/contacts/import', { body: large, headers: csv }), 401);
    const zip = `PK\x03\x04${'x'.repeat(2_000_000)}`;
    expectProblem(await api('POST', '/contacts/import', zip, csv), 422, 'import/not-csv');
  }, 60_000);

  test('that breaks off in the middle leaves nothing', async () => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `POST /api/v1/contacts/import HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${rig.key}\r\ncontent-type: text/csv\r\ncontent-length: 100000\r\n\r\nemail\na@example.com\n`,
    );
    await until(async () => (filesKept().length === 1 ? true : undefined), 20, 10_000);
    socket.destroy();
    await until(async () => (filesKept().length === 0 ? true : undefined), 20, 10_000);
    expect((await api('GET', '/imports')).json).toMatchObject({ data: [] });
  });

  test.each([
    ['a zip archive', Buffer.concat([Buffer.from('504b0304', 'hex'), Buffer.alloc(2000, 1)])],
    ['random bytes', Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7919 + (at >> 3)) % 256))],
    ['zeros', Buffer.alloc(10_000)],
    ['nothing', Buffer.alloc(0)],
    ['a page', Buffer.from('<!doctype html><html><body>Sign in</body></html>')],
    ['a row of 5,000 columns', Buffer.from(`${Array.from({ length: 5000 }, (_, at) => `c${at}`).join(',')}\n`)],
    ['one field of a megabyte', Buffer.from(`email\n"${'x'.repeat(1_500_000)}"\n`)],
  ])('that is %s, called .csv, is refused with words and leaves nothing', async (_what, bytes) => {
    const answer = await api('POST', '/contacts/import', form(new Uint8Array(bytes)));
    expectProblem(answer, 422);
    expectProblem(await api('POST', '/contacts/import/preview', form(new Uint8Array(bytes))), 422);
    expect(filesKept()).toEqual([]);
  });

  /** Imports a file to its end; answers how it went and the lines that were refused. */
  const imported = async (content: string) => {
    const { json, text } = await api('POST', '/contacts/import', content, csv);
    expect(json, text).toMatchObject({ state: 'running' });
    const id = String(json?.['id']);
    const done = await until(async () => {
      const now = (await api('GET', `/imports/${id}`)).json;
      return now?.['state'] === 'running' ? undefined : now;
    });
    const refused = await api('GET', `/imports/${id}/errors`);
    expect(refused.type).toMatch(/^text\/csv/);
    const lines = [...refused.text.matchAll(/^(\d+),/gm)].map((match) => match[1]);
    return { done, lines: [...new Set(lines)] };
  };

  test('with columns called __proto__ or constructor is refused, both named', async () => {
    const answer = await api('POST', '/contacts/import', 'email,__proto__,constructor\na@example.com,x,y\n', csv);
    expectProblem(answer, 422, 'invalid-input');
    const pointers = [{ pointer: '/options/mapping/__proto__' }, { pointer: '/options/mapping/constructor' }];
    expect(answer.json?.['errors']).toMatchObject(pointers);
  });

  test('is taken but for the rows that are bad, each told by its line', async () => {
    const { done, lines } = await imported(
      [
        'email,first_name,nick_name,shoe,note',
        'fine@example.com,Ada,x,y,plain',
        `wide@example.com,${Array.from({ length: 5000 }, () => 'x').join(',')}`,
        '"header@example.com\r\nBcc: victim@example.com",Eve,x,y,z',
        'formula@example.com,=cmd|calc,x,y,z',
        'quote@example.com,"Robert\'); DROP TABLE contact;--",x,y,z',
        'short@example.com',
      ].join('\n'),
    );
    expect(done).toMatchObject({ state: 'done', rowsRead: 6, created: 4, rejected: 2 });
    expect(lines).toEqual(['3', '4']);
    const contact = await api('GET', '/contacts?q=fine@example.com');
    expect(JSON.stringify(contact.json?.['data'])).toContain('"first_name":"Ada"');
  });

  test('that turns into something else after a megabyte is taken up to there, row by row', async () => {
    const plain = Array.from({ length: 1200 }, (_, at) => `p${at}@example.com,${'x'.repeat(1000)}`).join('\n');
    const { done, lines } = await imported(`email,first_name\n${plain}\nnul@example.com,a\0b\nlast@example.com,Zoe\n`);
    expect(done).toMatchObject({ state: 'done', rowsRead: 1202, created: 1201, rejected: 1 });
    expect(lines).toEqual(['1202']);
  }, 60_000);

  test.each([
    ['no boundary', 'multipart/form-data', 'x'],
    ['a boundary that never comes', 'multipart/form-data; boundary=abc', 'x'.repeat(5000)],
    [
      'a part that never ends',
      'multipart/form-data; boundary=a',
      '--a\r\nContent-Disposition: form-data; name="file"; filename="x.csv"\r\n\r\nemail\n',
    ],
    [
      'no file',
      'multipart/form-data; boundary=a',
      '--a\r\nContent-Disposition: form-data; name="options"\r\n\r\n{}\r\n--a--\r\n',
    ],
    [
      'options that are no JSON',
      'multipart/form-data; boundary=a',
      '--a\r\nContent-Disposition: form-data; name="options"\r\n\r\n{{{\r\n--a--\r\n',
    ],
    [
      'a form of other parts',
      'multipart/form-data; boundary=a',
      '--a\r\nContent-Disposition: form-data; name="__proto__"\r\n\r\nx\r\n--a--\r\n',
    ],
    ['another type', 'application/xml', '<a/>'],
  ])('in a form with %s is refused', async (_what, type, body) => {
    const answer = await api('POST', '/contacts/import', body, { 'content-type': type });
    expect([400, 415, 422], answer.text).toContain(answer.status);
    expectProblem(answer, answer.status);
    expect(filesKept().filter((name) => name.endsWith('.partial'))).toEqual([]);
  });

  test('may come with options that name what cannot be kept, and is refused for it', async () => {
    for (const options of [
      '{"mapping":{"a\\u0000b":"email"}}',
      '{"mapping":{"\\ud800":"email"}}',
      '{"__proto__":{"a":1}}',
      '{"consent":{"channel":"email","topic":"news","basis":"consent","evidence":{"source":"a\\u0000"}}}',
    ])
      expectProblem(await api('POST', '/contacts/import', form('email\na@example.com\n', options)), 422);
  });
});

/** Sends until the server answers or hangs up. */
function pour(path: string, type: string, chunk: string): Promise<{ status: number | 'cut'; sent: number }> {
  return new Promise((resolve) => {
    let sent = 0;
    let ended = false;
    const end = (status: number | 'cut') => {
      ended = true;
      resolve({ status, sent });
    };
    const call = request(`${server.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${rig.key}`, 'content-type': type },
    });
    call.on('response', (answer) => {
      end(answer.statusCode ?? 0);
      answer.destroy();
    });
    call.on('error', () => end('cut'));
    const more = () => {
      while (!ended) {
        sent += chunk.length;
        if (!call.write(chunk)) return void call.once('drain', more);
      }
    };
    more();
  });
}

describe('a key', () => {
  test.each([
    ['of nobody', `parley_${'x'.repeat(43)}`, 'auth/invalid-key'],
    ['of one letter', 'x', 'auth/invalid-key'],
    ['longer than any', 'x'.repeat(4000), 'auth/invalid-key'],
    ['that is SQL', "'or'1'='1", 'auth/invalid-key'],
    ['that looks like a token', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.x', 'auth/invalid-token'],
  ])('%s opens nothing', async (_what, key, code) => {
    expectProblem(await ask('GET', '/api/v1/contacts', { key }), 401, code);
  });

  test('that has expired or was revoked opens nothing more', async () => {
    const made = await api('POST', '/api-keys', {
      name: 'Short',
      scopes: ['topics:read'],
      expiresAt: new Date(Date.now() + 1500).toISOString(),
    });
    const revoked = await api('POST', '/api-keys', { name: 'Gone', scopes: ['topics:read'] });
    const [short, gone] = [made, revoked].map((one) => String(one.json?.['secret']));
    expect((await ask('GET', '/api/v1/topics', { key: gone ?? '' })).status).toBe(200);
    await api('DELETE', `/api-keys/${String(revoked.json?.['id'])}`);
    expectProblem(await ask('GET', '/api/v1/topics', { key: gone ?? '' }), 401, 'auth/key-revoked');
    const late = await until(
      async () => {
        const answer = await ask('GET', '/api/v1/topics', { key: short ?? '' });
        return answer.status === 200 ? undefined : answer;
      },
      200,
      30_000,
    );
    expectProblem(late, 401, 'auth/key-expired');
  });

  test('in another scheme, or with line breaks, is not taken', async () => {
    for (const authorization of ['Basic dXNlcjpwYXNz', 'Bearer', 'Bearer a b', rig.key, 'Bearer \u00ff'])
      expectProblem(await ask('GET', '/api/v1/contacts', { headers: { authorization } }), 401);
  });
});

describe('a link', () => {
  const tokens = [
    'x',
    'x'.repeat(66),
    `${'A'.repeat(66)}.1`,
    '..%2f..%2fetc%2fpasswd',
    '%00',
    '%ff%fe',
    '%F0%9F%92%A9',
    'a.b.c.d',
    '.1',
    '.',
    'x.99999999999999999999',
    '%0d%0aSet-Cookie:%20a=b',
    '-'.repeat(600),
  ];

  test.each(tokens)('with the token %s leads to a page that says so', async (token) => {
    for (const [method, path] of [
      ['GET', '/u/'],
      ['POST', '/u/'],
      ['GET', '/p/'],
      ['POST', '/p/'],
      ['GET', '/t/c/'],
    ] as const) {
      const answer = await ask(
        method,
        `${path}${token}`,
        method === 'POST' ? { body: 'do=leave', headers: { 'content-type': 'application/x-www-form-urlencoded' } } : {},
      );
      expect([400, 404], `${method} ${path}: ${answer.text}`).toContain(answer.status);
      expect(answer.type, path).toMatch(answer.status === 404 ? /^text\/html|problem\+json/ : /problem\+json/);
      expect(answer.headers.get('location')).toBeNull();
      expect(answer.headers.get('set-cookie')).toBeNull();
    }
    const pixel = await ask('GET', `/t/o/${token}`);
    expect([200, 400, 404]).toContain(pixel.status);
  });

  test('of endless length is refused', async () => {
    expectProblem(await ask('GET', `/u/${'x'.repeat(10_000)}`), 404);
    expectProblem(await ask('GET', `/t/c/${'x'.repeat(100_000)}`), 431);
  });

  test('may carry whatever mail programs add', async () => {
    for (const query of ['?utm_source=x', '?a=%00&b=%ff', `?${'x'.repeat(5000)}`, '?__proto__=1'])
      expect((await ask('GET', `/u/${'x'.repeat(66)}${query}`)).type).toMatch(/^text\/html/);
  });
});

describe('what is not HTTP', () => {
  /** What the server says to these bytes until it hangs up. */
  const say = (bytes: string) =>
    new Promise<string>((resolve) => {
      let heard = '';
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => socket.write(bytes));
      socket.on('data', (chunk) => (heard += chunk.toString()));
      socket.on('close', () => resolve(heard));
      socket.on('error', () => resolve(heard));
    });

  test.each([
    ['noise', '\x00\x01\x02\xff\xfe\r\n\r\n', 400],
    ['a TLS greeting', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['a space in a header name', 'GET / HTTP/1.1\r\nhost: x\r\nbad header: x\r\n\r\n', 400],
    ['two lengths', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello', 400],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['headers without end', `GET / HTTP/1.1\r\nhost: x\r\na: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
  ])('%s is answered as a problem', async (_what, bytes, status) => {
    const heard = await say(bytes);
    expect(heard).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(heard).toContain('application/problem+json');
    expect(JSON.parse(heard.slice(heard.indexOf('{')))).toMatchObject({ status });
  });

  test('or comes by the drop, keeps nobody else waiting', async () => {
    const port = Number(new URL(server.url).port);
    const sockets = Array.from({ length: 200 }, (_, at) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      const start =
        at % 2 === 0
          ? 'GET /api/v1/contacts HTTP/1.1\r\nhost: x\r\nx-a: '
          : `POST /api/v1/contacts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${rig.key}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"a`;
      socket.write(start);
      return socket;
    });
    for (let round = 0; round < 5; round++) {
      for (const socket of sockets) socket.write('x');
      expect((await api('GET', '/contacts')).status).toBe(200);
      await wait(20);
    }
    for (const socket of sockets) socket.destroy();
  });

  test('a body without end is cut at 5 MB', async () => {
    const { status } = await pour('/api/v1/contacts', 'application/json', ' '.repeat(65_536));
    expect(status).toBe(413);
  });
});

describe('JSON', () => {
  const post = (body: string, headers: Record<string, string> = {}) =>
    api('POST', '/contacts', body, { 'content-type': 'application/json', ...headers });

  test.each([
    ['broken', '{"addresses":', 400],
    ['nothing', '', 422],
    ['of another type', '[]', 422],
    ['with a key twice over its prototype', '{"attributes":{"__proto__":{"x":1}}}', 400],
    ['with an attribute called constructor', '{"attributes":{"constructor":"x"}}', 422],
    ['with an attribute in escaped letters', '{"attributes":{"\\u005f\\u005fproto\\u005f\\u005f":"x"}}', 400],
    ['nested 100,000 deep', `{"attributes":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 422],
    ['with a number beyond all', '{"attributes":{"n":1e400}}', 422],
    ['with a NUL', '{"externalId":"a\\u0000b"}', 422],
    ['with half a character', '{"attributes":{"first_name":"\\ud83d"}}', 422],
    ['of 10 MB', JSON.stringify({ externalId: 'x'.repeat(10_000_000) }), 413],
    ['with an unknown field', '{"addresses":[],"isAdmin":true}', 422],
    [
      'with more addresses than anybody has',
      JSON.stringify({ addresses: Array.from({ length: 5000 }, () => ({ kind: 'email', value: 'a@example.com' })) }),
      422,
    ],
  ])('%s is refused', async (_what, body, status) => {
    expectProblem(await post(body), status);
  });

  test('names the field that is wrong', async () => {
    const answer = await post('{"attributes":{"first_name":"a\\u0000"}}');
    expect(answer.json).toMatchObject({ code: 'invalid-input', errors: [{ pointer: '/attributes/first_name' }] });
  });

  test('called something else is not read', async () => {
    for (const type of [
      'text/plain',
      'application/xml',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      '*/*',
      'a',
    ])
      expect([400, 415, 422], type).toContain((await post('{"externalId":"x"}', { 'content-type': type })).status);
    expectProblem(await post('{"externalId":"x"}', { 'content-type': 'text/plain' }), 415, 'unsupported-media-type');
  });

  test.each([
    'limit=0',
    'limit=-1',
    'limit=1000000000000',
    'limit=abc',
    'cursor=abc',
    'cursor=WyJ4Il0',
    'colour=red',
    'limit=1&limit=2',
    'sort[$ne]=1',
  ])('is not needed to ask wrongly: ?%s', async (query) => {
    expectProblem(await api('GET', `/contacts?${query}`), 422, 'invalid-input');
  });
});
