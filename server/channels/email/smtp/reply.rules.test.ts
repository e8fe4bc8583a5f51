import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyReply, createReplyReader, MalformedReply, maskAddresses } from './reply.rules.ts';
import type { Phase, Reply } from './reply.rules.ts';

function read(...chunks: (string | Buffer)[]): Reply[] {
  const replies: Reply[] = [];
  const reader = createReplyReader();
  for (const chunk of chunks) reader.feed(Buffer.from(chunk), (reply) => replies.push(reply));
  return replies;
}

const judge = (phase: Phase, text: string) => classifyReply(phase, read(`${text}\r\n`)[0] as Reply, 'our-id');

describe('reading replies', () => {
  it('puts lines together however the bytes are cut', () => {
    const wire = '250-first\r\n250-second\r\n250 2.0.0 last\r\n354 go\r\n250\r\n220 bare\n';
    const whole = read(wire);
    expect(whole.map((reply) => reply.code)).toEqual([250, 354, 250, 220]);
    expect(whole[0]).toEqual({ code: 250, enhanced: '', lines: ['first', 'second', '2.0.0 last'] });
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: wire.length }), { maxLength: 6 }), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), wire.length];
        expect(read(...places.slice(1).map((end, index) => wire.slice(places[index], end)))).toEqual(whole);
      }),
    );
  });

  it.each([
    'hello\r\n',
    '25 short\r\n',
    '250_x\r\n',
    '600 x\r\n',
    '150 x\r\n',
    'HTTP/1.1 200 OK\r\n',
    '250-a\r\n251 b\r\n',
    `250 ${'x'.repeat(5000)}\r\n`,
    'x'.repeat(5000),
    '250-a\r\n'.repeat(200),
    '\r\n',
  ])('refuses what is no reply (%#)', (bytes) => {
    expect(() => read(bytes)).toThrow(MalformedReply);
  });

  it('knows when a reply is only half there', () => {
    const reader = createReplyReader();
    expect(reader.pending()).toBe(false);
    reader.feed(Buffer.from('250-a\r\n'), () => {});
    expect(reader.pending()).toBe(true);
    reader.feed(Buffer.from('250 b\r\n22'), () => {});
    expect(reader.pending()).toBe(true);
  });
});

describe('what a reply means', () => {
  it.each([
    ['250 2.0.0 Ok: queued as 4XyZ12abcd', '4XyZ12abcd'],
    ['250 OK id=1rT2aB-0001Xy-2k', '1rT2aB-0001Xy-2k'],
    ['250 2.0.0 OK  1708000000 d2e1a72fcca58-6e0f1a2b3c4si123.45 - gsmtp', 'd2e1a72fcca58-6e0f1a2b3c4si123.45'],
    ['250 2.0.0 41B3pQrS012345 Message accepted for delivery', '41B3pQrS012345'],
    ['250 thanks', 'our-id'],
  ])('%s is accepted as %s', (text, ref) => {
    expect(judge('end', text)).toMatchObject({ kind: 'accepted', ref });
  });

  it.each([
    ['rcpt', '550 5.1.1 <ada@example.com>: Recipient address rejected', 'address', '5.1.1'],
    ['rcpt', '550 No such user here', 'address', '550'],
    ['rcpt', '552 5.2.2 Mailbox full', 'address', '5.2.2'],
    ['rcpt', '550 5.7.1 Relaying denied', 'content', '5.7.1'],
    ['rcpt', '554 Blocked', 'content', '554'],
    ['rcpt', '530 5.7.0 Authentication required', 'account', '5.7.0'],
    ['rcpt', '550 5.1.8 Sender address rejected: domain not found', 'account', '5.1.8'],
    ['end', '550 5.1.1 User unknown', 'address', '5.1.1'],
    ['end', '554 5.7.1 Message rejected as spam', 'content', '5.7.1'],
    ['end', '552 5.3.4 Message too big', 'content', '5.3.4'],
    ['end', '550 spam', 'content', '550'],
    ['mail', '550 5.7.1 Sender not allowed', 'account', '5.7.1'],
    ['mail', '552 5.3.4 too big', 'content', '5.3.4'],
    ['mail', '530 Must issue STARTTLS', 'account', '530'],
    ['auth', '535 5.7.8 Bad credentials', 'account', '5.7.8'],
    ['session', '554 No service for you', 'account', '554'],
  ] as const)('%s: %s is refused for the %s', (phase, text, category, code) => {
    expect(judge(phase, text)).toMatchObject({ kind: 'refused', category, code, permanent: true });
  });

  it.each([
    ['rcpt', '450 4.2.0 Greylisted, try again in 5 minutes', 'transient', 300_000],
    ['rcpt', '451 4.7.1 Please try again later, greylisting in action', 'transient', undefined],
    ['rcpt', '451 4.7.0 Too many messages, retry after 30 seconds', 'throttled', 30_000],
    ['end', '421 4.7.28 Our system has detected an unusual rate of mail', 'throttled', undefined],
    ['rcpt', '452 4.2.2 Mailbox over quota, limit exceeded', 'transient', undefined],
    ['end', '452 4.3.1 Insufficient system storage', 'provider-down', undefined],
    ['session', '421 Service not available', 'provider-down', undefined],
    ['session', '421 4.7.0 Too many concurrent connections', 'throttled', undefined],
    ['auth', '454 4.7.0 Temporary authentication failure', 'provider-down', undefined],
    ['end', '451 Local error', 'transient', undefined],
    ['end', '451 wait 2 hours', 'transient', 7_200_000],
  ] as const)('%s: %s is for later: %s', (phase, text, category, afterMs) => {
    const result = judge(phase, text);
    expect(result).toMatchObject({ kind: 'retry', category });
    expect('afterMs' in result ? result.afterMs : undefined).toBe(afterMs);
  });

  it('is not known when the answer to the final dot makes no sense, and later when an earlier one does not', () => {
    expect(judge('end', '354 go on')).toMatchObject({ kind: 'unknown', code: 'malformed' });
    expect(judge('data', '250 sure')).toMatchObject({ kind: 'retry', category: 'provider-down', code: 'malformed' });
  });

  it('keeps no address in what is told', () => {
    const result = judge('rcpt', '550 5.1.1 <ada.lovelace@example.com>: unknown (see "ada@example.com")');
    expect(JSON.stringify(result)).not.toMatch(/ada/);
    expect(JSON.stringify(result)).toContain('•••@example.com');
    fc.assert(
      fc.property(fc.emailAddress(), (address) => {
        const local = address.slice(0, address.lastIndexOf('@'));
        expect(maskAddresses(`<${address}> unknown`)).not.toContain(`${local}@`);
      }),
    );
  });
});
