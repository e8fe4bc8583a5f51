import type { Mailbox, OutgoingEmail, SendResult } from '../port.ts';
import { extraHeader, mailboxHeader, refuseControl, textHeader, UnfitMessage } from './header.rules.ts';
import { unsubscribeHeaders, wireAddress } from './header.rules.ts';

/**
 * What is handed to vendors in parts (JSON, a form) instead of as a composed message. They are trusted with composing it,
 * not with judging it: what could smuggle in a header or is no address never leaves.
 */

export interface FitMailbox {
  readonly address: string;
  readonly name?: string;
}

export interface FitEmail {
  readonly to: string;
  readonly from: FitMailbox;
  readonly replyTo?: FitMailbox;
  /** `<ledger id@domain>`. */
  readonly messageIdHeader: string;
  /** Those that make the message what it is: one-click, feedback, the caller's own; encoded, on one line each. */
  readonly headers: Readonly<Record<string, string>>;
}

export type Fit = { readonly ok: true; readonly email: FitEmail } | { readonly ok: false; readonly result: SendResult };

/** Pure: never throws. Vendors behind an API take no local part beyond ASCII. */
export function fitEmail(message: OutgoingEmail): Fit {
  try {
    return { ok: true, email: fit(message) };
  } catch (error) {
    if (!(error instanceof UnfitMessage)) throw error;
    const { code, category, message: reason } = error;
    return { ok: false, result: { kind: 'refused', category, code, reason, permanent: true } };
  }
}

function fit(message: OutgoingEmail): FitEmail {
  const to = asciiAddress(message.to, 'address');
  const from = fitMailbox(message.from, 'From');
  refuseControl(message.subject, 'Subject');
  if (!/^[A-Za-z0-9.-]{1,64}$/.test(message.messageId))
    throw new UnfitMessage('invalid-header', 'content', 'The message id is not one of ours');
  const headers: Record<string, string> = {};
  if (message.unsubscribeUrl !== undefined) {
    for (const line of unsubscribeHeaders(message.unsubscribeUrl).trimEnd().split('\r\n')) keep(headers, line);
  }
  if (message.feedbackId !== undefined) keep(headers, textHeader('Feedback-ID', message.feedbackId));
  for (const name in message.headers) keep(headers, extraHeader(name, message.headers[name] ?? ''));
  return {
    to,
    from,
    ...(message.replyTo === undefined ? {} : { replyTo: fitMailbox(message.replyTo, 'Reply-To') }),
    messageIdHeader: `<${message.messageId}@${from.address.slice(from.address.lastIndexOf('@') + 1)}>`,
    headers,
  };
}

function keep(headers: Record<string, string>, line: string): void {
  const at = line.indexOf(': ');
  headers[line.slice(0, at)] = line
    .slice(at + 2)
    .replace(/\r\n[ \t]*/g, ' ')
    .trim();
}

function asciiAddress(address: string, category: 'address' | 'content'): string {
  const wire = wireAddress(address, category);
  // Of the content: another provider may reach the address, so it is not finished.
  if (wire.utf8) throw new UnfitMessage('5.6.7', 'content', 'The provider takes no address beyond ASCII before the @');
  return wire.address;
}

function fitMailbox({ address, name }: Mailbox, field: string): FitMailbox {
  const ascii = asciiAddress(address, 'content');
  if (name === undefined || name.trim() === '') return { address: ascii };
  refuseControl(name, `The name in ${field}`);
  return { address: ascii, name: name.trim().toWellFormed() };
}

/** Pure: `name <address>` on one line, in ASCII (RFC 2047): what is taken wherever a mailbox is a single text. */
export function mailboxText(mailbox: FitMailbox): string {
  const header = mailboxHeader('From', mailbox.name, wireAddress(mailbox.address, 'content'));
  return header
    .slice('From: '.length)
    .replace(/\r\n[ \t]*/g, ' ')
    .trim();
}
