import type { Mailbox, OutgoingEmail } from '../port.ts';
import { chooseEncoding, encodedBound, encodeText } from './body.rules.ts';
import {
  extraHeader,
  mailboxHeader,
  refuseControl,
  textHeader,
  UnfitMessage,
  unsubscribeHeaders,
  wireAddress,
} from './header.rules.ts';
import type { WireAddress } from './header.rules.ts';

/** One message as it goes over the wire, before dot-stuffing, ending in CRLF. */
export interface ComposedEmail {
  readonly raw: Buffer;
  readonly from: string;
  readonly to: string;
  /** An address is not ASCII in its local part: the server must offer SMTPUTF8. */
  readonly utf8: boolean;
}

export type Composition =
  { ok: true; email: ComposedEmail } | { ok: false; code: string; category: 'address' | 'content'; reason: string };

/** Signs: gets the header section and the body, gives the complete `DKIM-Signature` field. */
export type Sign = (headers: string, body: Buffer, epochSeconds: number) => string;

export interface Composer {
  compose(message: OutgoingEmail, epochMs: number): Composition;
}

interface EncodedSender {
  readonly header: string;
  readonly wire: WireAddress;
}

const maxBytes = 25 * 1024 * 1024;

/** `<ledger id@domain of the sender>`: bounces and replies lead back to the message by it. */
export function rfcMessageId(messageId: string, fromAddress: string): string {
  return `<${messageId}@${wireAddress(fromAddress, 'content').domain}>`;
}

/**
 * Composes messages; keeps what is the same from one to the next (encoded senders, subject, date) and one buffer to
 * build bodies in, so it belongs to one sender and is not shared. `nonce` is random: nobody can guess a boundary.
 */
export function createComposer(nonce: string, sign?: Sign): Composer {
  const senders = new WeakMap<Mailbox, EncodedSender>();
  const replies = new WeakMap<Mailbox, string>();
  let scratch = Buffer.allocUnsafeSlow(64 * 1024);
  let subject = '';
  let subjectHeader = textHeader('Subject', '');
  let second = -1;
  let dateHeader = '';

  const senderOf = (from: Mailbox) => {
    let known = senders.get(from);
    if (known === undefined) {
      const wire = wireAddress(from.address, 'content');
      known = { wire, header: mailboxHeader('From', from.name, wire) };
      senders.set(from, known);
    }
    return known;
  };
  const replyTo = (mailbox: Mailbox) => {
    let known = replies.get(mailbox);
    if (known === undefined) {
      known = mailboxHeader('Reply-To', mailbox.name, wireAddress(mailbox.address, 'content'));
      replies.set(mailbox, known);
    }
    return known;
  };
  const dateOf = (epochMs: number) => {
    const now = Math.floor(epochMs / 1000);
    if (now !== second) {
      second = now;
      dateHeader = `Date: ${new Date(now * 1000).toUTCString().replace('GMT', '+0000')}\r\n`;
    }
    return dateHeader;
  };
  const subjectOf = (text: string) => {
    if (text !== subject) {
      subjectHeader = textHeader('Subject', text);
      subject = text;
    }
    return subjectHeader;
  };

  const fill = (message: OutgoingEmail, epochMs: number): ComposedEmail => {
    const from = senderOf(message.from);
    const to = wireAddress(message.to);
    const envelope = message.envelopeFrom === undefined ? from.wire : wireAddress(message.envelopeFrom, 'content');
    const utf8 =
      to.utf8 ||
      from.wire.utf8 ||
      envelope.utf8 ||
      (message.replyTo !== undefined && !/^[\x20-\x7e]*@/.test(message.replyTo.address));
    let head = `${dateOf(epochMs)}${from.header}To: ${to.address}\r\n`;
    if (message.replyTo !== undefined) head += replyTo(message.replyTo);
    head += `${subjectOf(message.subject)}Message-ID: <${ledgerId(message.messageId)}@${from.wire.domain}>\r\n`;
    if (message.unsubscribeUrl !== undefined) head += unsubscribeHeaders(message.unsubscribeUrl);
    if (message.feedbackId !== undefined) head += feedbackHeader(message.feedbackId);
    for (const name in message.headers) head += extraHeader(name, message.headers[name] ?? '');
    head += 'MIME-Version: 1.0\r\n';

    const bound = encodedBound(message.text) + (message.html === undefined ? 0 : encodedBound(message.html)) + 1024;
    if (bound > maxBytes * 9) throw new UnfitMessage('5.3.4', 'content', 'The message is larger than any server takes');
    if (scratch.length < bound) scratch = Buffer.allocUnsafeSlow(bound);
    const body = writeBody(message, `=_${nonce}.${message.messageId}`, scratch);
    head += body.headers;
    if (sign !== undefined) head = sign(head, scratch.subarray(0, body.end), Math.floor(epochMs / 1000)) + head;
    return { raw: join(head, utf8, scratch, body.end), from: envelope.address, to: to.address, utf8 };
  };

  return {
    compose: (message, epochMs) => {
      try {
        return { ok: true, email: fill(message, epochMs) };
      } catch (error) {
        if (!(error instanceof UnfitMessage)) throw error;
        return { ok: false, code: error.code, category: error.category, reason: error.message };
      }
    },
  };
}

function join(head: string, utf8: boolean, body: Buffer, bodyLength: number): Buffer {
  const encoding = utf8 ? 'utf8' : 'latin1';
  const headLength = utf8 ? Buffer.byteLength(head) : head.length;
  const raw = Buffer.allocUnsafe(headLength + 2 + bodyLength);
  raw.write(head, 0, encoding);
  raw[headLength] = 0x0d;
  raw[headLength + 1] = 0x0a;
  body.copy(raw, headLength + 2, 0, bodyLength);
  return raw;
}

/** The entity's own headers come back, since the encoding is known after looking at the text. */
function writeBody(message: OutgoingEmail, boundary: string, out: Buffer): { headers: string; end: number } {
  if (message.html === undefined) {
    const encoding = chooseEncoding(message.text);
    return {
      headers: `Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n`,
      end: encodeText(message.text, encoding, out, 0),
    };
  }
  let end = writePart('plain', message.text, boundary, out, 0);
  end = writePart('html', message.html, boundary, out, end);
  end += out.write(`--${boundary}--\r\n`, end, 'latin1');
  return { headers: `Content-Type: multipart/alternative;\r\n boundary="${boundary}"\r\n`, end };
}

function writePart(subtype: 'plain' | 'html', text: string, boundary: string, out: Buffer, at: number): number {
  const encoding = chooseEncoding(text);
  const head = `--${boundary}\r\nContent-Type: text/${subtype}; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`;
  return encodeText(text, encoding, out, at + out.write(head, at, 'latin1'));
}

function ledgerId(id: string): string {
  if (!/^[A-Za-z0-9.-]{1,64}$/.test(id))
    throw new UnfitMessage('invalid-header', 'content', 'The message id is not one of ours');
  return id;
}

function feedbackHeader(value: string): string {
  refuseControl(value, 'Feedback-ID');
  if (!/^[\x21-\x7e]{1,200}$/.test(value))
    throw new UnfitMessage('invalid-header', 'content', 'Feedback-ID is not plain ASCII');
  return `Feedback-ID: ${value}\r\n`;
}
