import fc from 'fast-check';
import { simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import type { OutgoingEmail } from '../port.ts';
import { textHeader } from './header.rules.ts';
import { createComposer, rfcMessageId } from './mime.rules.ts';

const messageId = '0198c1d2-0000-7000-8000-000000000001';
const at = Date.UTC(2026, 1, 3, 4, 5, 6);
const plain: OutgoingEmail = {
  channel: 'email',
  messageId,
  to: 'ada@example.com',
  from: { address: 'news@example.com', name: 'Acme News' },
  subject: 'Hello Ada',
  html: '<p>Hello Ada</p>\n',
  text: 'Hello Ada\n',
  unsubscribeUrl: 'https://mail.example.com/u/abc',
  feedbackId: 'camp1:acme:parley',
};

function raw(message: OutgoingEmail): Buffer {
  const made = createComposer('nonce').compose(message, at);
  if (!made.ok) throw new Error(`${made.code} ${made.reason}`);
  return made.email.raw;
}

function refusal(message: OutgoingEmail) {
  const made = createComposer('nonce').compose(message, at);
  return made.ok ? undefined : { code: made.code, category: made.category };
}

/** One header section, one blank line, no line break but CRLF, no line too long. */
function expectWellFormed(bytes: Buffer): void {
  const text = bytes.toString('latin1');
  expect(text.replace(/\r\n/g, '')).not.toMatch(/[\r\n]/);
  const head = text.slice(0, text.indexOf('\r\n\r\n'));
  for (const line of head.split('\r\n')) {
    expect(line).toMatch(/^(?:[A-Za-z-]+: |[ \t]+\S)/);
    expect(line.length).toBeLessThanOrEqual(998);
  }
}

describe('a composed e-mail', () => {
  it('is read by a mail parser as what was meant', async () => {
    const parsed = await simpleParser(raw(plain));
    expect(parsed.subject).toBe('Hello Ada');
    expect(parsed.from?.value).toEqual([{ address: 'news@example.com', name: 'Acme News' }]);
    expect(parsed.to).toMatchObject({ value: [{ address: 'ada@example.com' }] });
    expect(parsed.text).toBe('Hello Ada');
    expect(parsed.html).toBe('<p>Hello Ada</p>');
    expect(parsed.date).toEqual(new Date(at));
    expect(parsed.messageId).toBe(`<${messageId}@example.com>`);
    expect(parsed.messageId).toBe(rfcMessageId(messageId, plain.from.address));
  });

  it('carries the headers of one-click unsubscribe and feedback, as RFC 8058 writes them', () => {
    const head = raw(plain).toString('latin1').split('\r\n\r\n')[0]?.split('\r\n');
    expect(head).toEqual(
      expect.arrayContaining([
        'Date: Tue, 03 Feb 2026 04:05:06 +0000',
        'List-Unsubscribe: <https://mail.example.com/u/abc>',
        'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
        'Feedback-ID: camp1:acme:parley',
        'MIME-Version: 1.0',
      ]),
    );
  });

  it('has no one-click headers and one part when it has neither link nor HTML', async () => {
    const { channel, to, from, subject, text } = plain;
    const bytes = raw({ channel, messageId, to, from, subject, text });
    expect(bytes.toString()).not.toContain('List-Unsubscribe');
    const parsed = await simpleParser(bytes);
    expect(parsed.text?.trim()).toBe('Hello Ada');
    expect(parsed.html).toBe(false);
  });

  it('survives any subject, names and bodies without a control character', async () => {
    const anything = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      fc.string({ unit: 'binary', maxLength: 120 }),
    );
    // eslint-disable-next-line no-control-regex -- these are refused, see below
    const printable = anything.map((value) => value.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' '));
    await fc.assert(
      fc.asyncProperty(printable, printable, anything, anything, async (subject, name, html, text) => {
        const bytes = raw({
          ...plain,
          subject,
          from: { address: 'news@example.com', name },
          html: `<p>${html}</p>`,
          text,
        });
        expectWellFormed(bytes);
        const parsed = await simpleParser(bytes, { skipTextToHtml: true, skipImageLinks: true });
        expect((parsed.subject ?? '').replace(/\s+/g, ' ').trim()).toBe(
          subject.toWellFormed().replace(/\s+/g, ' ').trim(),
        );
        expect(parsed.from?.value[0]?.address).toBe('news@example.com');
        const lines = (value: string) =>
          value
            .toWellFormed()
            .replace(/\r\n|\r|\n/g, '\n')
            .replace(/\n$/, '');
        expect(lines(parsed.text ?? '')).toBe(lines(text));
        expect(lines(parsed.html === false ? '' : parsed.html)).toBe(`<p>${lines(html + '.').slice(0, -1)}</p>`);
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ['Grüße', 'Grüße aus Köln'],
    ['quotes', 'The "best" (really) <offer>, today; \\o/'],
    ['an encoded word in disguise', '=?UTF-8?Q?hello?='],
    ['long', 'word '.repeat(60).trim()],
    ['one long word', 'x'.repeat(1200)],
    ['emoji across words', '😀'.repeat(60)],
    ['right to left', 'مرحبا بالعالم '.repeat(8).trim()],
  ])('keeps a name and a subject whole: %s', async (_, value) => {
    const bytes = raw({
      ...plain,
      subject: value,
      from: { address: 'news@example.com', name: value.slice(0, 100).trim() },
    });
    expectWellFormed(bytes);
    const head = bytes.toString('latin1').split('\r\n\r\n')[0] ?? '';
    expect(Math.max(...head.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(113);
    const parsed = await simpleParser(bytes);
    expect(parsed.subject).toBe(value);
    expect(parsed.from?.value[0]?.name).toBe(value.slice(0, 100).trim().toWellFormed());
  });

  it.each([
    ['subject', { subject: 'Hi\r\nBcc: everybody@example.com' }],
    ['subject, bare LF', { subject: 'Hi\nBcc: x@example.com' }],
    ['subject, bare CR', { subject: 'Hi\rBcc: x@example.com' }],
    ['subject, NEL', { subject: 'Hi\u0085Bcc: x@example.com' }],
    ['name', { from: { address: 'a@example.com', name: 'x\r\nBcc: y@example.com' } }],
    ['reply-to name', { replyTo: { address: 'a@example.com', name: 'x\ny' } }],
    ['unsubscribe link', { unsubscribeUrl: 'https://x.example/\r\nBcc: y@example.com' }],
    ['unsubscribe link with a bracket', { unsubscribeUrl: 'https://x.example/>,<mailto:y@example.com' }],
    ['feedback id', { feedbackId: 'a:b\r\nX: y' }],
    ['extra header value', { headers: { 'X-Any': 'a\r\nBcc: b@example.com' } }],
    ['extra header name', { headers: { 'X-Any: a\r\nBcc': 'b@example.com' } }],
    ['extra header that is ours', { headers: { 'list-UNSUBSCRIBE': '<https://evil.example>' } }],
    ['message id', { messageId: 'x>\r\nBcc: y' }],
    ['sender address', { from: { address: 'a@example.com>\r\nBcc: <b@example.com' } }],
  ] as const)('refuses an injected header in %s', (_, change) => {
    expect(refusal({ ...plain, ...change })?.category).toBe('content');
  });

  it.each([
    'no-at',
    '@example.com',
    'a@',
    'a b@example.com',
    'a@b c.com',
    'a@example.com\r\nRCPT TO:<b@example.com>',
    'a@example.com> SIZE=1',
    'a..b@example.com',
    'a@[127.0.0.1]',
    'a@127.0.0.1',
    `${'x'.repeat(65)}@example.com`,
    'a@-x.com',
    '<a@example.com>',
    'a,b@example.com',
    '\ud800@example.com',
  ])('refuses the recipient %j before it becomes a command', (to) => {
    expect(refusal({ ...plain, to })).toEqual({ code: '5.1.3', category: 'address' });
  });

  it('writes domains as A-labels and asks for SMTPUTF8 only when the part before the @ needs it', () => {
    const idn = createComposer('nonce').compose({ ...plain, to: 'ada@bücher.example' }, at);
    expect(idn).toMatchObject({ ok: true, email: { to: 'ada@xn--bcher-kva.example', utf8: false } });
    const local = createComposer('nonce').compose({ ...plain, to: 'jürgen@bücher.example' }, at);
    expect(local).toMatchObject({ ok: true, email: { to: 'jürgen@xn--bcher-kva.example', utf8: true } });
    if (local.ok) expect(local.email.raw.toString('utf8')).toContain('\r\nTo: jürgen@xn--bcher-kva.example\r\n');
  });

  it('takes the addresses that are unusual but right', () => {
    for (const to of ["o'brien+news@example.com", '"with space"@example.com', 'a@b', 'x_y=z@sub.example.co.uk']) {
      expect(refusal({ ...plain, to })).toBeUndefined();
    }
  });

  it('does not let a body end its part', async () => {
    const known = /boundary="([^"]+)"/.exec(raw(plain).toString())?.[1] ?? '';
    const hostile = `--${known}--\r\n\r\n--${known}\r\nContent-Type: text/html\r\n\r\n<b>mine</b>`;
    const composer = createComposer('another-nonce');
    const made = composer.compose({ ...plain, text: hostile, html: `<pre>${hostile}</pre>` }, at);
    if (!made.ok) throw new Error(made.reason);
    const parsed = await simpleParser(made.email.raw);
    expect(parsed.text?.replace(/\n$/, '')).toBe(hostile.replace(/\r\n/g, '\n'));
  });

  it('refuses what is larger than any server takes', () => {
    expect(refusal({ ...plain, html: 'x'.repeat(11 * 1024 * 1024) })).toEqual({ code: '5.3.4', category: 'content' });
  });

  it('remembers senders by identity and still tells two apart', () => {
    const composer = createComposer('nonce');
    const first = composer.compose(plain, at);
    const second = composer.compose({ ...plain, from: { address: 'other@example.org' }, subject: 'Other' }, at + 5000);
    if (!first.ok || !second.ok) throw new Error('not composed');
    expect(first.email.from).toBe('news@example.com');
    expect(second.email.from).toBe('other@example.org');
    expect(second.email.raw.toString()).toContain('From: other@example.org\r\n');
    expect(second.email.raw.toString()).toContain('Subject: Other\r\n');
    expect(second.email.raw.toString()).toContain('04:05:11 +0000');
  });
});

describe('a folded header', () => {
  it('never has a line of white space only, and unfolds to what it was', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', ' ', '  ', 'word', 'x'.repeat(70), ''), { maxLength: 60 }), (parts) => {
        const value = parts.join(' ').trim();
        const header = textHeader('Subject', value);
        for (const line of header.trimEnd().split('\r\n').slice(1)) expect(line).toMatch(/^ \S/);
        if (!header.includes('=?')) expect(header.slice(9, -2).replace(/\r\n/g, '')).toBe(value);
      }),
    );
  });
});
