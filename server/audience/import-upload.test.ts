import { existsSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAudienceFixture } from './testing.ts';
import type { AudienceFixture } from './testing.ts';
import { boundary } from './testing-import.ts';

const limit = 2_000_000;
let fixture: AudienceFixture;
let origin = '';
beforeAll(async () => {
  fixture = await createAudienceFixture({ maxBytes: limit });
  await fixture.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = fixture.app.server.address() as AddressInfo;
  origin = `http://127.0.0.1:${port}`;
});
afterAll(() => fixture.close());

const url = () => `${origin}/api/v1/contacts/import`;
const left = () => {
  const folder = join(fixture.folder, 'imports');
  return existsSync(folder) ? readdirSync(folder) : [];
};

/** Rows without end, as a client that does not care sends them. */
async function* endless(bytes: number, before = '', after = ''): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`${before}email,name\n`);
  const chunk = Buffer.from('somebody@example.com,Somebody\n'.repeat(2000));
  for (let sent = 0; sent < bytes; sent += chunk.length) yield chunk;
  if (after !== '') yield Buffer.from(after);
}

const formEnd = `\r\n--${boundary}--\r\n`;
const formStart = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="x.csv"\r\n\r\n`;

async function send(body: AsyncIterable<Uint8Array>, contentType: string): Promise<{ status: number; code: string }> {
  const init = {
    method: 'POST',
    headers: { authorization: 'test', 'content-type': contentType },
    body: Readable.toWeb(Readable.from(body)) as ReadableStream<Uint8Array<ArrayBuffer>>,
    duplex: 'half',
  };
  const answer = await fetch(url(), init);
  return { status: answer.status, code: ((await answer.json()) as { code: string }).code };
}

describe('an upload over the wire', () => {
  test('that is too large and does not say so is refused with 413, and nothing is left behind', async () => {
    const refused = { status: 413, code: 'body-too-large' };
    expect(await send(endless(limit * 10), 'text/csv')).toEqual(refused);
    expect(await send(endless(limit * 10, formStart, formEnd), `multipart/form-data; boundary=${boundary}`)).toEqual(
      refused,
    );
    expect(left()).toEqual([]);
  });

  test('that says it is too large is refused before it comes', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const call = request(url(), {
        method: 'POST',
        headers: { authorization: 'test', 'content-type': 'text/csv', 'content-length': String(limit * 500) },
      });
      call.on('response', (answer) => {
        resolve(answer.statusCode);
        call.destroy();
      });
      call.on('error', reject);
      call.flushHeaders();
    });
    expect(status).toBe(413);
  });

  test('whose client goes away leaves nothing behind, and the next one works', async () => {
    await new Promise<void>((resolve) => {
      const call = request(url(), { method: 'POST', headers: { authorization: 'test', 'content-type': 'text/csv' } });
      call.on('error', () => resolve());
      call.write(`email,name\n${'gone@example.com,Gone\n'.repeat(5000)}`, () => call.destroy(new Error('gone')));
    });
    const answer = await fetch(url(), {
      method: 'POST',
      headers: { authorization: 'test', 'content-type': 'text/csv' },
      body: 'email\nnext@example.com\n',
    });
    expect(answer.status).toBe(202);
    await fixture.work();
    await expect.poll(left).toEqual([]);
  });

  test('that never was a form is refused', async () => {
    const answer = await send(endless(1000), `multipart/form-data; boundary=${boundary}`);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(left()).toEqual([]);
  });
});
