import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient, each, until } from './client.ts';
import type { Client } from './client.ts';

let server: Server;
let api: Client;
const asked: { method: string; url: string; key: string; type: string; body: string }[] = [];
let answer: { status: number; body: string };
beforeAll(async () => {
  server = createServer((request: IncomingMessage, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      asked.push({ method, url, key: headers.authorization ?? '', type: headers['content-type'] ?? '', body });
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  api = createClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'secret');
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

describe('the client of the demo', () => {
  test('asks as any program would: with its key, JSON as JSON, forms as forms', async () => {
    answer = { status: 200, body: '{"id":"1"}' };
    expect(await api.get('/topics')).toEqual({ id: '1' });
    expect(await api.patch('/settings/workspace', { name: 'Orchard' })).toEqual({ id: '1' });
    const form = new FormData();
    form.append('file', new Blob(['a,b']), 'friends.csv');
    await api.post('/contacts/import', form);
    expect(asked).toMatchObject([
      { method: 'GET', url: '/api/v1/topics', key: 'Bearer secret', body: '' },
      { method: 'PATCH', type: 'application/json', body: '{"name":"Orchard"}' },
      { method: 'POST', type: expect.stringMatching(/^multipart\/form-data; boundary=/) },
    ]);
    expect(asked[2]?.body).toContain('filename="friends.csv"');
  });

  test('takes an empty answer for nothing', async () => {
    answer = { status: 204, body: '' };
    expect(await api.post('/campaigns/1/start')).toBeUndefined();
  });

  test('breaks off with what was asked and what was answered', async () => {
    answer = { status: 409, body: '{"code":"campaign/already-started"}' };
    await expect(api.post('/campaigns/1/start')).rejects.toThrow(
      'POST /campaigns/1/start: 409 {"code":"campaign/already-started"}',
    );
  });
});

describe('waiting and working', () => {
  test('until asks again as long as there is nothing, also when the answer is false', async () => {
    const answers = [undefined, undefined, false];
    let times = 0;
    expect(await until(async () => answers[times++], 1)).toBe(false);
    expect(times).toBe(3);
  });

  test('each takes every one once, several at a time, and passes on what goes wrong', async () => {
    const seen: number[] = [];
    let now = 0;
    let most = 0;
    await each([1, 2, 3, 4, 5, 6, 7], 3, async (n) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(n);
      now -= 1;
    });
    expect(seen.toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(most).toBe(3);
    await expect(
      each([1, 2], 2, (n) => (n === 2 ? Promise.reject(new Error('two')) : Promise.resolve())),
    ).rejects.toThrow('two');
  });
});
