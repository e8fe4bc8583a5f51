import type { SendResult } from '../../port.ts';
import { smtpError } from './errors.rules.ts';

/** Replies of SMTP servers: reading them (RFC 5321, 4.2) and what they mean for the ledger (RFC 3463 codes). */

export interface Reply {
  readonly code: number;
  /** RFC 3463, such as `5.1.1`; empty when the server gives none. */
  readonly enhanced: string;
  readonly lines: readonly string[];
}

const maxLineLength = 4096;
const maxLines = 128;

/** Thrown for an answer that is not SMTP. */
export class MalformedReply extends Error {}

export interface ReplyReader {
  /** Takes bytes as they come; gives each reply as it is complete. */
  feed(chunk: Buffer, onReply: (reply: Reply) => void): void;
  /** Bytes of a reply that is not complete yet: after STARTTLS there must be none. */
  pending(): boolean;
}

export function createReplyReader(): ReplyReader {
  let rest = '';
  let lines: string[] = [];
  let code = 0;

  const take = (line: string, onReply: (reply: Reply) => void) => {
    const found = Number(line.slice(0, 3));
    const mark = line.charCodeAt(3);
    // NaN: nothing after the code at all, which some servers send.
    const last = Number.isNaN(mark) || mark === 0x20;
    if (!/^[2-5][0-9][0-9]/.test(line) || !(last || mark === 0x2d)) throw new MalformedReply('not an SMTP reply');
    if (lines.length > 0 && found !== code) throw new MalformedReply('the lines of one reply differ in their code');
    if (lines.length >= maxLines) throw new MalformedReply('a reply with too many lines');
    code = found;
    lines.push(line.slice(4));
    if (!last) return;
    const whole = lines;
    lines = [];
    onReply({ code, enhanced: enhancedCode(whole[0] ?? ''), lines: whole });
  };

  return {
    feed: (chunk, onReply) => {
      rest += chunk.toString('latin1');
      let start = 0;
      for (let at = rest.indexOf('\n'); at >= 0; at = rest.indexOf('\n', start)) {
        const end = at > start && rest.charCodeAt(at - 1) === 0x0d ? at - 1 : at;
        if (end - start > maxLineLength) throw new MalformedReply('a reply line that is too long');
        const line = rest.slice(start, end);
        start = at + 1;
        take(line, onReply);
      }
      rest = rest.slice(start);
      if (rest.length > maxLineLength) throw new MalformedReply('a reply line that is too long');
    },
    pending: () => rest !== '' || lines.length > 0,
  };
}

function enhancedCode(text: string): string {
  return /^([245]\.\d{1,3}\.\d{1,3})(?:\s|$)/.exec(text)?.[1] ?? '';
}

/** Where in the conversation the reply came. `session` is all before the first MAIL. */
export type Phase = 'session' | 'auth' | 'mail' | 'rcpt' | 'data' | 'end';

/** What a server said, for people: addresses masked, one line, bounded. Servers like to quote the recipient. */
export function replyText(reply: Reply): string {
  const text = reply.lines.join(' ').replace(/[^\x20-\x7e]/g, '?');
  return `${reply.code} ${maskAddresses(text)}`.slice(0, 300).trim();
}

export function maskAddresses(text: string): string {
  return text.replace(/[^\s<>"'(),:;@]*@[^\s<>"'(),:;@]+/g, (address) => `•••${address.slice(address.indexOf('@'))}`);
}

/** The meaning of a reply that is not the one hoped for (4xx, 5xx, or out of place), or of 2xx to the final dot. */
export function classifyReply(phase: Phase, reply: Reply, messageId: string): SendResult {
  const code = reply.enhanced === '' ? String(reply.code) : reply.enhanced;
  const reason = replyText(reply);
  const family = Math.floor(reply.code / 100);
  if (family === 2 && phase === 'end') return { kind: 'accepted', ref: queueId(reply) ?? messageId, detail: reason };
  if (family === 4) return temporary(phase, reply, code, reason);
  if (family === 5) return { kind: 'refused', category: refusalCategory(phase, reply), code, reason, permanent: true };
  // 2xx or 3xx where neither belongs: after the final dot nobody knows what became of the message.
  if (phase === 'end') return { kind: 'unknown', code: 'malformed', cause: `unexpected answer: ${reason}` };
  return { kind: 'retry', category: 'provider-down', code: 'malformed', reason: `unexpected answer: ${reason}` };
}

/** The server's own name for the mail it took, as Postfix, Exim, Sendmail, Exchange and the large providers write it. */
function queueId(reply: Reply): string | undefined {
  const text = reply.lines.at(-1) ?? '';
  const found =
    /queued as ([A-Za-z0-9._-]{4,80})/i.exec(text) ??
    /\bid=([A-Za-z0-9._-]{4,80})/.exec(text) ??
    /^2\.\d\.\d ([A-Za-z0-9]{10,20}) Message accepted/.exec(text) ??
    /^2\.\d\.\d <?([^>\s@]+@[^>\s]+)>? Queued mail/.exec(text) ??
    /^(?:2\.\d\.\d )?OK\s+(?:\d+\s)?([A-Za-z0-9._-]{12,100})(?: - gsmtp)?$/i.exec(text);
  return found?.[1];
}

const greylisted = /gr[ae]y[ -]?list/i;
const tooFast =
  /throttl|rate.?limit|too many|too fast|too much|exceed|slow down|limit (?:reached|exceeded)|deferred due to|unusual rate/i;

function temporary(phase: Phase, reply: Reply, code: string, reason: string): SendResult {
  const afterMs = statedWait(reason);
  const category = temporaryCategory(phase, reply, reason);
  return { kind: 'retry', category, code, reason, ...(afterMs === undefined ? {} : { afterMs }) };
}

function temporaryCategory(phase: Phase, reply: Reply, reason: string): 'throttled' | 'transient' | 'provider-down' {
  // Greylisting asks this one message to come again; the lane is fine.
  if (greylisted.test(reason)) return 'transient';
  // A full mailbox is the recipient's, whatever its text says about limits.
  if (reply.enhanced.startsWith('4.2.')) return 'transient';
  if (tooFast.test(reason)) return 'throttled';
  if (phase === 'session' || phase === 'auth') return 'provider-down';
  const { category } = smtpError(reply.code, reply.enhanced);
  return category === 'throttled' || category === 'provider-down' ? category : 'transient';
}

/** "try again in 5 minutes", "retry after 60 seconds": the wish of the server, at most a day. */
function statedWait(text: string): number | undefined {
  const found = /(?:again|retry|wait|come back)\D{0,20}?(\d{1,6})\s*(s|sec|second|m|min|minute|h|hour)s?\b/i.exec(text);
  if (found === null) return undefined;
  const unit = (found[2] ?? 's').toLowerCase();
  const unitMs = unit.startsWith('h') ? 3_600_000 : unit.startsWith('m') ? 60_000 : 1000;
  return Math.min(Number(found[1]) * unitMs, 86_400_000);
}

function refusalCategory(phase: Phase, reply: Reply): 'address' | 'content' | 'account' {
  const { category } = smtpError(reply.code, reply.enhanced);
  if (phase === 'session' || phase === 'auth' || category === 'account') return 'account';
  const [, subject = ''] = reply.enhanced.split('.');
  // The sender's address is the account's matter, not the recipient's.
  if (phase === 'mail') return subject === '6' || subject === '3' || reply.code === 552 ? 'content' : 'account';
  if (phase === 'rcpt') {
    // Said of a recipient: it cannot be routed to, or it is refused without a word of what is wrong.
    if (subject === '4') return 'address';
    if (subject === '' || subject === '0') return reply.code === 554 ? 'content' : 'address';
  }
  return category === 'address' ? 'address' : 'content';
}
