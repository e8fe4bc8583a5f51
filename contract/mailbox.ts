import { z } from 'zod';
import { line } from './endpoint.ts';

/** A sign-in or sender address: ASCII, as the mail transport takes it. Contacts' addresses are wider (see `contacts.ts`). */
export const email = z.email().max(254);

/** `From`: as an object, or written the usual way: `Ada of Acme <ada@example.com>`. */
export const mailboxGiven = z.union([line(320), z.strictObject({ email, name: line(100).optional() })]);
export const mailbox = z.strictObject({ email, name: z.string().max(100).optional() });
export type Mailbox = z.output<typeof mailbox>;

/** Reads either spelling; undefined when it is no mailbox. */
export function mailboxOf(given: z.output<typeof mailboxGiven>): Mailbox | undefined {
  if (typeof given !== 'string') return mailbox.safeParse(given).data;
  const written = /^(?:"?([^"<>]*?)"?\s*)<([^<>\s]+)>$/.exec(given);
  const name = written?.[1]?.trim();
  return mailbox.safeParse({ email: written?.[2] ?? given, ...(name ? { name } : {}) }).data;
}
