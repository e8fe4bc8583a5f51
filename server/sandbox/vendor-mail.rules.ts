import { z } from 'zod';
import { readerOf } from './mail.rules.ts';
import type { Summary } from './mail.rules.ts';
import type { VendorMail } from './vendor.ts';

/** How a message that came over a vendor's API is laid down: what a list shows beside it, the rest with its bytes. */

/** The first character tells it from the summary of a mail, which begins with an address. */
const mark = '\u0001';

export function summariseVendorMail(mail: VendorMail): string {
  const { from, to, title, messageId, ref } = mail;
  const reader = mail.channel === 'email' ? readerOf(mail.raw) : undefined;
  return mark + JSON.stringify({ from, to, title, messageId, ref, reader });
}

const summarised = z.object({
  from: z.string().optional(),
  to: z.string(),
  title: z.string(),
  messageId: z.string().optional(),
  ref: z.string(),
  reader: z.string().optional(),
});

/** Undefined: it is the summary of a mail that came over SMTP. */
export function readVendorSummary(summary: string): (Summary & { readonly ref: string }) | undefined {
  if (!summary.startsWith(mark)) return undefined;
  const { from, to, title, messageId, ref, reader } = summarised.parse(JSON.parse(summary.slice(1)));
  // A mail of Parley's own is in no ledger.
  return { from: from ?? '', to, subject: title, messageId: reader === undefined ? messageId : undefined, ref, reader };
}

const wrapped = z.object({
  from: z.string().optional(),
  messageId: z.string().optional(),
  memo: z.record(z.string(), z.string()).optional(),
  callbackUrl: z.string().optional(),
  shown: z
    .object({
      heading: z.string().optional(),
      text: z.string(),
      footer: z.string().optional(),
      pictures: z.array(z.string()).optional(),
      buttons: z.array(z.string()).optional(),
      url: z.string().optional(),
    })
    .optional(),
});

export type Wrapping = z.output<typeof wrapped>;

/** The length of what is about the message, that, and the message. */
export function wrap({ from, messageId, memo, shown, raw }: VendorMail, callbackUrl: string | undefined): Buffer {
  const about = Buffer.from(JSON.stringify({ from, messageId, memo, callbackUrl, shown }));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(about.length);
  return Buffer.concat([length, about, raw]);
}

export function unwrap(bytes: Buffer): { readonly about: Wrapping; readonly raw: Buffer } {
  const end = 4 + bytes.readUInt32BE(0);
  return { about: wrapped.parse(JSON.parse(bytes.toString('utf8', 4, end))), raw: bytes.subarray(end) };
}
