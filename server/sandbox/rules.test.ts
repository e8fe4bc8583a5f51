import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { behaviourOf, normalRecipient, refusalOf } from './behaviour.rules.ts';
import { confidential, findLinks, oneClickUrl, readSummary, summarise } from './mail.rules.ts';

describe('what the sandbox does with a recipient', () => {
  it.each([
    ['bounce@example.com', 550],
    ['Bounce+42@example.com', 550],
    ['block@example.com', 550],
    ['defer@example.com', 451],
    ['throttle@example.com', 451],
    ['quiet@example.com', undefined],
    ['slow@example.com', undefined],
    ['ada@example.com', undefined],
    ['bouncer@example.com', undefined],
    ['constructor@example.com', undefined],
  ])('%s: %s', (recipient, code) => {
    expect(refusalOf(behaviourOf(recipient))?.code).toBe(code);
  });

  it('finds a recipient however its case was written', () => {
    expect(normalRecipient(' Ada@Example.COM ')).toBe('ada@example.com');
  });
});

describe('the summary of a message', () => {
  const raw = Buffer.from(
    'Date: x\r\nSubject: =?UTF-8?B?R3LDvMOfZQ==?=\r\n =?UTF-8?B?IQ==?=\r\nMessage-ID: <0198c1d2-0000-7000-8000-000000000001@example.com>\r\n\r\nSubject: not this\r\n',
  );

  it('holds the envelope and what a list shows', () => {
    expect(readSummary(summarise({ from: 'a@example.com', to: 'b@example.com' }, raw))).toEqual({
      from: 'a@example.com',
      to: 'b@example.com',
      subject: '=?UTF-8?B?R3LDvMOfZQ==?= =?UTF-8?B?IQ==?=',
      messageId: '0198c1d2-0000-7000-8000-000000000001',
      reader: undefined,
    });
  });

  it('keeps whose a confidential mail is, however long its header section, and takes it for none of the ledger', () => {
    const envelope = { from: 'a@example.com', to: 'b@example.com' };
    const id = '0198c1d2-0000-7000-8000-000000000001';
    const [[name, reader] = []] = Object.entries(confidential(id));
    const padding = `X-Long: ${'x'.repeat(4000)}`;
    const raw = (mark: string) =>
      Buffer.from(`Message-ID: <${id}@example.com>\r\n${padding}\r\n${mark}\r\nSubject: Hi\r\n\r\nBody`);
    expect(readSummary(summarise(envelope, raw(`${name}: ${reader}`)))).toMatchObject({
      reader: id,
      messageId: undefined,
    });
    expect(confidential(null)).toEqual({ [String(name)]: 'nobody' });
    const inBody = Buffer.from(`Subject: Hi\r\n\r\n${name}: ${reader}\r\n`);
    expect(readSummary(summarise(envelope, inBody)).reader).toBeUndefined();
  });

  it('is made of anything', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
        const summary = readSummary(summarise({ from: 'a@example.com', to: 'b@example.com' }, Buffer.from(bytes)));
        expect(summary.to).toBe('b@example.com');
      }),
    );
    expect(
      readSummary(summarise({ from: '', to: 'b@example.com' }, Buffer.from('Message-ID: <other@x>\r\n\r\n'))),
    ).toMatchObject({ messageId: undefined, subject: undefined });
  });
});

describe('links', () => {
  it('are those a person can follow, once each and decoded', () => {
    const html =
      '<a href="https://x.example/?a=1&amp;b=2">1</a><A HREF=\'https://x.example/?a=1&amp;b=2\'>again</A><a href="mailto:a@b.c">m</a><a href="javascript:alert(1)">j</a><img src="https://x.example/t/o/abc"><img src="data:x">';
    expect(findLinks(html, 'See https://y.example/path. Or (http://z.example/)')).toEqual({
      links: ['https://x.example/?a=1&b=2', 'https://y.example/path', 'http://z.example/'],
      pictures: ['https://x.example/t/o/abc'],
    });
  });

  it('one-click needs both headers of RFC 8058', () => {
    const link = { 'list-unsubscribe': '<mailto:u@x.example>, <https://x.example/u/1>' };
    expect(oneClickUrl({ ...link, 'list-unsubscribe-post': 'List-Unsubscribe=One-Click' })).toBe(
      'https://x.example/u/1',
    );
    expect(oneClickUrl(link)).toBeUndefined();
    expect(oneClickUrl({ 'list-unsubscribe-post': 'List-Unsubscribe=One-Click' })).toBeUndefined();
  });
});
