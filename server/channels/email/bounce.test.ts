import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readLetter } from './bounce-mail.ts';
import { classify } from './bounce.rules.ts';
import { judge } from './bounce-words.rules.ts';
import { ordinaryMails } from './testing-ordinary.ts';

const contracts = join(process.env['PARLEY_CONTRACTS'] ?? '../shared/contracts', 'bounces');
const read = async (raw: Uint8Array) => classify(await readLetter(raw));

describe.skipIf(!existsSync(contracts))('real mail that came back', () => {
  interface Expected {
    readonly class: string;
    readonly deliveryStatus: string;
  }
  const { expected } = JSON.parse(readFileSync(join(contracts, 'expected.json'), 'utf8')) as {
    expected: Record<string, readonly Expected[]>;
  };

  it('is classed right, each recipient of it, in all but one of 43', async () => {
    const wrong: string[] = [];
    for (const [file, recipients] of Object.entries(expected)) {
      const found = (await read(readFileSync(join(contracts, file)))).map((one) => one.class).toSorted();
      const wanted = recipients.map((one) => one.class).toSorted();
      if (JSON.stringify(found) !== JSON.stringify(wanted)) wrong.push(file);
    }
    expect(Object.keys(expected)).toHaveLength(43);
    // Its headers end in the middle of a boundary; what is left of it says nothing.
    expect(wrong).toEqual(['lhost-messagingserver-03.eml']);
  });

  it('names its recipients, and the status where there is a telling one', async () => {
    const mail = (file: string) => read(readFileSync(join(contracts, file)));
    expect(await mail('lhost-outlook-04.eml')).toMatchObject([
      { class: 'hard', recipient: 'sabineko@example.co.jp', status: '5.1.1' },
      { class: 'soft', recipient: 'mikeneko@example.co.jp', status: '5.2.2' },
    ]);
    expect(await mail('arf-12.eml')).toMatchObject([{ class: 'complaint', feedback: 'opt-out' }]);
    expect(await mail('lhost-exim-02.eml')).toMatchObject([{ status: '5.1.1' }, { status: '5.2.1' }]);
  });
});

describe('ordinary mail', () => {
  it('is of more than fifty kinds here', () => {
    expect(ordinaryMails.length).toBeGreaterThanOrEqual(50);
    expect(new Set(ordinaryMails.map((one) => one.what)).size).toBe(ordinaryMails.length);
  });

  it.each(ordinaryMails.map((one) => [one.what, one] as const))(
    '%s is no bounce',
    async (_what, { raw, isAutoReply }) => {
      const classes = (await read(raw)).map((one) => one.class);
      expect(isAutoReply ? classes.filter((one) => one !== 'auto-reply') : classes).toEqual([]);
    },
  );
});

describe('the words of a failure', () => {
  it.each([
    ['5.1.1', '550 5.1.1 mailbox full, user unknown', 'soft'],
    ['5.1.1', '550 5.1.1 no such user', 'hard'],
    ['4.1.1', '450 4.1.1 no such user', 'soft'],
    ['5.7.1', '554 5.7.1 blocked by our policy: user unknown list', 'soft'],
    [undefined, 'The email account that you tried to reach does not exist', 'hard'],
    [undefined, 'nothing that we know', 'soft'],
  ] as const)('%s %s: %s', (status, words, verdict) => {
    expect(judge(status, status, words)).toBe(verdict);
  });
});

it('a mail made to keep its reader busy is read in linear time', async () => {
  const filler = [
    '<head>'.repeat(40_000),
    'a@'.repeat(100_000),
    '550 '.repeat(60_000),
    'user '.repeat(50_000),
    '\n\n'.repeat(100_000),
  ];
  for (const text of filler) {
    const html = `From: mailer-daemon@example.com\r\nContent-Type: text/html\r\n\r\n${text}`;
    const plain = `From: mailer-daemon@example.com\r\nSubject: delivery failed\r\n\r\nReporting-MTA: x\r\n${text}`;
    expect((await read(Buffer.from(html.slice(0, 128 * 1024)))).length).toBeLessThan(10);
    expect((await read(Buffer.from(plain.slice(0, 128 * 1024)))).length).toBeLessThan(10);
  }
});
