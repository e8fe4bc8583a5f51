import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { afterEach, describe, expect, test } from 'vitest';
import { createDns } from './dns.ts';

/** A name server of one zone (RFC 1035), on the loopback: what each name has as TXT, or the code it is refused with. */
const zone: Readonly<Record<string, readonly (readonly string[])[] | 'NXDOMAIN' | 'SERVFAIL'>> = {
  'example.com': [['v=spf1 include:_spf.example.com ', '-all'], ['other=1']],
  'empty.example.com': [],
  'gone.example.com': 'NXDOMAIN',
  'broken.example.com': 'SERVFAIL',
};
const codes = { NXDOMAIN: 3, SERVFAIL: 2 } as const;

function answerTo(query: Buffer): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const question = query.subarray(12, at + 5);
  const found = zone[labels.join('.').toLowerCase()] ?? 'NXDOMAIN';
  const records = typeof found === 'string' ? [] : found;
  const head = Buffer.alloc(12);
  query.copy(head, 0, 0, 2);
  head.writeUInt16BE(0x8180 | (typeof found === 'string' ? codes[found] : 0), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length, 6);
  const bodies = records.map((parts) => {
    const data = Buffer.concat(parts.map((part) => Buffer.from([part.length, ...Buffer.from(part)])));
    const fixed = Buffer.from([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0, 0]);
    fixed.writeUInt16BE(data.length, 10);
    return Buffer.concat([fixed, data]);
  });
  return Buffer.concat([head, question, ...bodies]);
}

let socket: Socket | undefined;
afterEach(() => socket?.close());

async function nameServer(): Promise<string> {
  const opened = createSocket('udp4');
  socket = opened;
  opened.on('message', (query, from) => opened.send(answerTo(query), from.port, from.address));
  await new Promise<void>((resolve) => opened.bind(0, '127.0.0.1', resolve));
  return `127.0.0.1:${opened.address().port}`;
}

describe('asking for TXT', () => {
  test('gives each record whole, however many strings it came in', async () => {
    const dns = createDns([await nameServer()]);
    expect(await dns.txt('example.com')).toEqual(['v=spf1 include:_spf.example.com -all', 'other=1']);
  });

  test('gives nothing for a name without any, and for a name that does not exist', async () => {
    const dns = createDns([await nameServer()]);
    expect(await dns.txt('empty.example.com')).toEqual([]);
    expect(await dns.txt('gone.example.com')).toEqual([]);
  });

  test('is an error where the name server fails: that nothing is known is not that there is nothing', async () => {
    const dns = createDns([await nameServer()]);
    await expect(dns.txt('broken.example.com')).rejects.toMatchObject({ code: 'ESERVFAIL' });
  });
});

describe('asking for mail servers', () => {
  test('gives none for a name that does not exist, and no answer for a broken one', async () => {
    const dns = createDns([await nameServer()]);
    expect(await dns.mx('gone.example.com')).toEqual([]);
    expect(await dns.addresses('gone.example.com')).toEqual([]);
    await expect(dns.mx('broken.example.com')).rejects.toThrow();
  });
});
