import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createServer as createPlainServer } from 'node:net';
import type { AddressInfo, Server as PlainServer, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createVirtualClock, systemClock } from './clock.ts';
import { createHttpClient } from './http-client.ts';
import type { HttpCall, HttpClient, HttpClientDeps } from './http-client.ts';
import { createHostResolver } from './network.ts';
import { testCertificate } from './testing-certificate.ts';

const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

function client(deps: Partial<HttpClientDeps> = {}): HttpClient {
  const made = createHttpClient({ resolveHost: (host) => Promise.resolve([host]), ...deps });
  opened.push(() => made.close());
  return made;
}

async function listening(server: Server | PlainServer): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

interface Site {
  readonly url: string;
  readonly port: number;
  readonly heard: { method: string; path: string; body: string; connection: number }[];
}

async function site(answer: (response: ServerResponse, request: IncomingMessage) => void): Promise<Site> {
  const heard: Site['heard'] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const connection = request.socket.remotePort ?? 0;
      heard.push({ method: request.method ?? '', path: request.url ?? '', body, connection });
      answer(response, request);
    });
  });
  const port = await listening(server);
  return { url: `http://127.0.0.1:${port}`, port, heard };
}

const post = (url: string, change: Partial<HttpCall> = {}): HttpCall => ({
  method: 'POST',
  url: `${url}/v1/send?now=1`,
  headers: { 'content-type': 'application/json' },
  body: '{"a":1}',
  ...change,
});

describe('an answer', () => {
  it('comes back whole, whatever its status, and connections serve again', async () => {
    const { url, heard } = await site((response, request) =>
      response.writeHead(request.method === 'GET' ? 503 : 202, { 'Retry-After': '7' }).end('grüße'),
    );
    const http = client();
    const first = await http.call(post(url));
    expect(first).toMatchObject({ kind: 'answer', status: 202, headers: { 'retry-after': '7' } });
    expect(first.kind === 'answer' && first.body.toString()).toBe('grüße');
    expect(await http.call({ method: 'GET', url })).toMatchObject({ kind: 'answer', status: 503 });
    expect(heard).toMatchObject([
      { method: 'POST', path: '/v1/send?now=1', body: '{"a":1}' },
      { method: 'GET', path: '/', body: '' },
    ]);
    for (let count = 0; count < 8; count++) await http.call(post(url));
    // A connection rests for a turn of the event loop before it serves again, so there are two.
    expect(new Set(heard.map((one) => one.connection)).size).toBeLessThanOrEqual(2);
  });

  it('of a redirect is told, not followed', async () => {
    const { url, heard } = await site((response) => response.writeHead(302, { location: '/elsewhere' }).end());
    expect(await client().call(post(url))).toMatchObject({ status: 302, headers: { location: '/elsewhere' } });
    expect(heard).toHaveLength(1);
  });

  it('takes as many connections as there are calls, up to the bound', async () => {
    const waiting: ServerResponse[] = [];
    const { url, heard } = await site((response) => void waiting.push(response));
    const http = client({ connectionsPerOrigin: 3 });
    const calls = Promise.all(Array.from({ length: 5 }, () => http.call(post(url))));
    await reached(() => waiting.length === 3);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(heard).toHaveLength(3);
    while (heard.length < 5 || waiting.length > 0) {
      waiting.shift()?.end('ok');
      await turn();
    }
    expect((await calls).every((one) => one.kind === 'answer')).toBe(true);
  });
});

describe('nothing has left when', () => {
  it('nobody listens', async () => {
    const server = createPlainServer();
    const port = await listening(server);
    await opened.pop()?.();
    expect(await client().call(post(`http://127.0.0.1:${port}`))).toMatchObject({
      kind: 'failed',
      code: 'connect',
      mayHaveArrived: false,
    });
  });

  it('the other side takes the connection and nothing more (a black hole before TLS)', async () => {
    const port = await listening(createPlainServer(() => {}));
    const failed = await client({ connectMs: 50 }).call(post(`https://127.0.0.1:${port}`));
    expect(failed).toMatchObject({ kind: 'failed', code: 'connect', mayHaveArrived: false });
  });

  it('the handshake fails', async () => {
    const noTls = await listening(createPlainServer((socket) => socket.end('HTTP/1.1 400 no\r\n\r\n')));
    expect(await client().call(post(`https://127.0.0.1:${noTls}`))).toMatchObject({
      code: 'tls',
      mayHaveArrived: false,
    });
    const hangsUp = await listening(createPlainServer((socket) => void socket.once('data', () => socket.destroy())));
    expect(await client().call(post(`https://127.0.0.1:${hangsUp}`))).toMatchObject({
      code: 'tls',
      mayHaveArrived: false,
    });
  });

  it('the certificate is of nobody who is trusted, or of another name', async () => {
    const { key, cert } = testCertificate();
    let asked = 0;
    const server = createSecureServer({ key, cert }, (_request, response) => {
      asked++;
      response.end('ok');
    });
    const port = await listening(server);
    const resolveHost = () => Promise.resolve(['127.0.0.1']);
    const strange = await client({ resolveHost }).call(post(`https://localhost:${port}`));
    expect(strange).toMatchObject({ code: 'tls', mayHaveArrived: false });
    const other = await client({ resolveHost, authorities: cert }).call(post(`https://other.example:${port}`));
    expect(other).toMatchObject({ code: 'tls', mayHaveArrived: false });
    expect(asked).toBe(0);
    // The name of the certificate, at the address that was judged.
    const good = await client({ resolveHost, authorities: cert }).call(post(`https://localhost:${port}`));
    expect(good).toMatchObject({ kind: 'answer', status: 200 });
  });

  it('the name has no address', async () => {
    const resolveHost = createHostResolver({
      allowPrivateNetworks: false,
      clock: systemClock,
      lookup: () => Promise.resolve([]),
    });
    expect(await client({ resolveHost }).call(post('https://nowhere.example'))).toMatchObject({
      code: 'dns',
      mayHaveArrived: false,
    });
  });

  it('the request cannot be sent', async () => {
    const { url, heard } = await site((response) => response.end());
    const http = client();
    const bad = { headers: { 'x-name': 'a\r\nx-other: b' } };
    expect(await http.call(post(url, bad))).toMatchObject({ code: 'invalid-request', mayHaveArrived: false });
    expect(await http.call(post('file:///etc/passwd'))).toMatchObject({ code: 'invalid-request' });
    expect(await http.call(post('nonsense'))).toMatchObject({ code: 'invalid-request' });
    expect(heard).toEqual([]);
  });

  it('a call was given up while it waited for a connection', async () => {
    const { url, heard } = await site(() => {});
    const http = client({ connectionsPerOrigin: 1 });
    const first = http.call(post(url, { timeoutMs: 200 }));
    await reached(() => heard.length === 1);
    const wish = new AbortController();
    const second = http.call(post(url, { signal: wish.signal }));
    const third = http.call(post(url, { timeoutMs: 60 }));
    wish.abort();
    expect(await second).toMatchObject({ code: 'aborted', mayHaveArrived: false });
    expect(await third).toMatchObject({ code: 'connect', mayHaveArrived: false });
    expect(await first).toMatchObject({ code: 'timeout', mayHaveArrived: true });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(heard).toHaveLength(1);
  });
});

describe('it may have arrived when', () => {
  it('no answer comes in time', async () => {
    const { url, heard } = await site(() => {});
    const clock = createVirtualClock();
    const call = client({ clock }).call(post(url));
    await reached(() => heard.length === 1);
    clock.advance(29_000);
    await turn();
    let done = false;
    void call.then(() => (done = true));
    while (!done) {
      clock.advance(50);
      await turn();
    }
    expect(await call).toMatchObject({ kind: 'failed', code: 'timeout', mayHaveArrived: true });
  });

  it('the answer begins and then only dribbles', async () => {
    const { url } = await site((response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('a');
      const drip = setInterval(() => response.write('b'), 10);
      response.on('close', () => clearInterval(drip));
    });
    expect(await client().call(post(url, { timeoutMs: 150 }))).toMatchObject({
      code: 'timeout',
      mayHaveArrived: true,
    });
  });

  it('the connection ends before the answer, or in its middle', async () => {
    const before = await site((response) => void response.socket?.destroy());
    expect(await client().call(post(before.url))).toMatchObject({ code: 'connection-lost', mayHaveArrived: true });
    const middle = await site((response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('half');
      setTimeout(() => response.socket?.destroy(), 20);
    });
    expect(await client().call(post(middle.url))).toMatchObject({ code: 'connection-lost', mayHaveArrived: true });
  });

  it('the answer is too large', async () => {
    const { url } = await site((response) => response.end('x'.repeat(5000)));
    expect(await client().call(post(url, { maxAnswerBytes: 4999 }))).toMatchObject({
      code: 'too-large',
      mayHaveArrived: true,
    });
    expect(await client().call(post(url, { maxAnswerBytes: 5000 }))).toMatchObject({ status: 200 });
  });

  it('the answer is no HTTP', async () => {
    const port = await listening(
      createPlainServer((socket) => void socket.once('data', () => socket.end('hello\r\n'))),
    );
    expect(await client().call(post(`http://127.0.0.1:${port}`))).toMatchObject({
      code: 'malformed',
      mayHaveArrived: true,
    });
  });

  it('a call is given up in the middle', async () => {
    const { url, heard } = await site(() => {});
    const wish = new AbortController();
    const call = client().call(post(url, { signal: wish.signal }));
    await reached(() => heard.length === 1);
    wish.abort();
    expect(await call).toMatchObject({ code: 'aborted', mayHaveArrived: true });
  });
});

describe('the guard', () => {
  it('lets nobody into private networks, but to an origin that is trusted', async () => {
    const { url, port, heard } = await site((response) => response.end('ok'));
    const resolveHost = createHostResolver({ allowPrivateNetworks: false, clock: systemClock });
    const http = client({ resolveHost });
    expect(await http.call(post(url))).toMatchObject({ code: 'refused-host', mayHaveArrived: false });
    expect(await http.call(post(`http://[::ffff:127.0.0.1]:${port}`))).toMatchObject({ code: 'refused-host' });
    expect(heard).toEqual([]);
    http.trust(url);
    expect(await http.call(post(url))).toMatchObject({ kind: 'answer', status: 200 });
    expect(await http.call(post(`http://localhost:${port}`))).toMatchObject({ kind: 'failed', code: 'refused-host' });
  });

  it('connects to the address it judged, and tries the next when one does not answer', async () => {
    const { port, heard } = await site((response) => response.end('ok'));
    const asked: string[] = [];
    const resolveHost = (host: string) => {
      asked.push(host);
      return Promise.resolve(['127.0.0.2', '127.0.0.1']);
    };
    const answer = await client({ resolveHost }).call(post(`http://vendor.example:${port}`));
    expect(answer).toMatchObject({ kind: 'answer', status: 200 });
    expect(asked).toEqual(['vendor.example']);
    expect(heard).toHaveLength(1);
  });
});

describe('closing', () => {
  it('lets what has begun end and takes nothing more', async () => {
    let finish = () => {};
    const { url, heard } = await site((response) => (finish = () => response.end('ok')));
    const http = client();
    const begun = http.call(post(url));
    await reached(() => heard.length === 1);
    const closed = http.close();
    expect(await http.call(post(url))).toMatchObject({ code: 'closed', mayHaveArrived: false });
    finish();
    expect(await begun).toMatchObject({ kind: 'answer' });
    await closed;
  });

  it('does not wait for ever', async () => {
    const { url, heard } = await site(() => {});
    const clock = createVirtualClock();
    const http = client({ clock });
    const begun = http.call(post(url));
    await reached(() => heard.length === 1);
    const closed = http.close();
    clock.advance(8_000);
    expect(await begun).toMatchObject({ code: 'closed', mayHaveArrived: true });
    await closed;
  });
});

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function reached(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}
