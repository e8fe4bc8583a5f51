import { simpleParser } from 'mailparser';
import type { MergeShape, OutgoingEmail, Sender, SendResult } from '../port.ts';
import { email } from '../testing.ts';
import type { PlayedMail } from './testing-http.ts';

/** Messages of one shape, for tests of what goes in one request. */

export const idOf = (n: number) => `0198c1d2-0000-7000-8000-${String(n).padStart(12, '0')}`;

export const shape: MergeShape = {
  subject: ['Hello ', 0],
  html: ['<p>Hello ', 1, ', <a href="', 2, '">go</a></p>'],
  text: ['Hello ', 0, ': ', 2],
};
export const from = { address: 'news@example.com', name: 'Größe, Inc.' };

/** Values with what template engines and replacements give a meaning. */
export function merged(n: number, to = `person${n}@example.com`, change: Partial<OutgoingEmail> = {}): OutgoingEmail {
  const values = [`P${n} $& -x- {{p1}}`, `P${n} &amp; Co`, `https://go.example/${n}`];
  const print = (parts: readonly (string | number)[]) =>
    parts.map((part) => (typeof part === 'number' ? values[part] : part)).join('');
  return email(to, {
    messageId: idOf(n),
    from,
    subject: print(shape.subject),
    html: print(shape.html ?? []),
    text: print(shape.text),
    merge: { shape, values },
    unsubscribeUrl: `https://mail.example.com/u/${n}`,
    feedbackId: 'camp1:acme:parley',
    headers: { 'X-Campaign': 'größe' },
    ...change,
  });
}

export async function together(sender: Sender, messages: readonly OutgoingEmail[]): Promise<readonly SendResult[]> {
  return sender.many === undefined ? [] : sender.many.send(messages);
}

/** What is in the inbox of the played vendor, read by a parser of mail. */
export function inboxOf(vendor: PlayedMail) {
  return Promise.all(
    vendor.kept.map(async (mail) => {
      const parsed = await simpleParser(mail.raw);
      const line = (name: string) => parsed.headerLines.find(({ key }) => key === name)?.line;
      return { mail, parsed, line };
    }),
  );
}
