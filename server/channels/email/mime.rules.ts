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

/** Of text and HTML together: more than any mailbox provider takes. */
const maxCharacters = 10 * 1024 * 1024;
/** A buffer larger than this is not kept for the next message. */
const keptBytes = 2 * 1024 * 1024;

interface Memory {
  readonly nonce: string;
  readonly sign: Sign | undefined;
  readonly senders: WeakMap<Mailbox, EncodedSender>;
  readonly replies: WeakMap<Mailbox, EncodedSender>;
  scratch: Buffer;
  subject: string;
  subjectHeader: string;
  second: number;
  dateHeader: string;
}

/** `<ledger id@domain of the sender>`: bounces and replies lead back to the message by it. */
export function rfcMessageId(messageId: string, fromAddress: string): string {
  return `<${messageId}@${wireAddress(fromAddress, 'content').domain}>`;
}

/**
 * Composes messages; keeps what is the same from one to the next (encoded senders, subject, date) and one buffer to
 * build bodies in, so it belongs to one sender and is not shared. `nonce` is random: nobody can guess a boundary.
 */
export function createComposer(nonce: string, sign?: Sign): Composer {
  const memory: Memory = {
    nonce,
    sign,
    senders: new WeakMap(),
    replies: new WeakMap(),
    scratch: Buffer.allocUnsafeSlow(64 * 1024),
    subject: '',
    subjectHeader: textHeader('Subject', ''),
    second: -1,
    dateHeader: '',
  };
  return {
    compose: (message, epochMs) => {
      try {
        return { ok: true, email: fill(memory, message, epochMs) };
      } catch (error) {
        if (!(error instanceof UnfitMessage)) throw error;
        return { ok: false, code: error.code, category: error.category, reason: error.message };
      }
    },
  };
}

function fill(memory: Memory, message: OutgoingEmail, epochMs: number): ComposedEmail {
  const from = remembered(memory.senders, message.from, 'From');
  const replyTo = message.replyTo === undefined ? undefined : remembered(memory.replies, message.replyTo, 'Reply-To');
  const to = wireAddress(message.to);
  const envelope = message.envelopeFrom === undefined ? from.wire : wireAddress(message.envelopeFrom, 'content');
  const utf8 = to.utf8 || from.wire.utf8 || envelope.utf8 || replyTo?.wire.utf8 === true;
  let head = `${dateOf(memory, epochMs)}${from.header}To: ${to.address}\r\n${replyTo?.header ?? ''}`;
  head += `${subjectOf(memory, message.subject)}Message-ID: <${ledgerId(message.messageId)}@${from.wire.domain}>\r\n`;
  if (message.unsubscribeUrl !== undefined) head += unsubscribeHeaders(message.unsubscribeUrl);
  if (message.feedbackId !== undefined) head += feedbackHeader(message.feedbackId);
  for (const name in message.headers) head += extraHeader(name, message.headers[name] ?? '');
  head += 'MIME-Version: 1.0\r\n';

  const scratch = roomFor(memory, message);
  const body = writeBody(message, `=_${memory.nonce}.${message.messageId}`, scratch);
  head += body.headers;
  if (memory.sign !== undefined) {
    head = memory.sign(head, scratch.subarray(0, body.end), Math.floor(epochMs / 1000)) + head;
  }
  return { raw: join(head, utf8, scratch, body.end), from: envelope.address, to: to.address, utf8 };
}

function remembered(known: WeakMap<Mailbox, EncodedSender>, mailbox: Mailbox, field: string): EncodedSender {
  let encoded = known.get(mailbox);
  if (encoded === undefined) {
    const wire = wireAddress(mailbox.address, 'content');
    encoded = { wire, header: mailboxHeader(field, mailbox.name, wire) };
    known.set(mailbox, encoded);
  }
  return encoded;
}

function dateOf(memory: Memory, epochMs: number): string {
  const second = Math.floor(epochMs / 1000);
  if (second !== memory.second) {
    memory.second = second;
    memory.dateHeader = `Date: ${new Date(second * 1000).toUTCString().replace('GMT', '+0000')}\r\n`;
  }
  return memory.dateHeader;
}

function subjectOf(memory: Memory, subject: string): string {
  if (subject !== memory.subject) {
    memory.subjectHeader = textHeader('Subject', subject);
    memory.subject = subject;
  }
  return memory.subjectHeader;
}

function roomFor(memory: Memory, message: OutgoingEmail): Buffer {
  const { html = '', text } = message;
  if (html.length + text.length > maxCharacters) {
    throw new UnfitMessage('5.3.4', 'content', 'The message is larger than any server takes');
  }
  const bound = encodedBound(text) + encodedBound(html) + 1024;
  if (memory.scratch.length >= bound) return memory.scratch;
  const larger = Buffer.allocUnsafeSlow(bound);
  if (bound <= keptBytes) memory.scratch = larger;
  return larger;
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
