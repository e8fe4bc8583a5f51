import { parseHostName } from './idna.rules.ts';
import type { HostProblem } from './idna.rules.ts';

/** An e-mail address that may be written to. */
export interface EmailAddress {
  /** Local part as given (its case may matter to the host), domain in lower case and in its own script. */
  readonly normalized: string;
  /** The domain as DNS and SMTP carry it. */
  readonly asciiDomain: string;
  /** The local part is not ASCII: only servers with SMTPUTF8 (RFC 6531) take it. */
  readonly needsSmtpUtf8: boolean;
}

export type EmailResult =
  { readonly ok: true; readonly email: EmailAddress } | { readonly ok: false; readonly reason: string };

const atext = "A-Za-z0-9!#$%&'*+\\-/=?^_`{|\\}~";
const asciiLocal = new RegExp(`^[${atext}]+(?:\\.[${atext}]+)*$`, 'u');
const anyLocal = new RegExp(`^[${atext}\\u0080-\\u{10ffff}]+(?:\\.[${atext}\\u0080-\\u{10ffff}]+)*$`, 'u');
/** The common case, decided by one expression: an import reads a million of them. */
const plainDomain = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z])?$/u;
const unsafe = /[\p{C}\p{Z}]/u;
/** Names that no public mail server can have (RFC 6761, 6762, 7686); `example.com` and its like stay allowed (RFC 6761, 6.5). */
const specialUse = /(?:^|\.)(?:arpa|invalid|local|localhost|onion|test)$/u;
/** Mailboxes whose names are the same in any case (RFC 2142). */
const roleMailboxes = new Set(
  'info marketing sales support abuse noc security postmaster hostmaster usenet news webmaster www uucp ftp'.split(' '),
);

const domainProblems: Readonly<Record<HostProblem, string>> = {
  empty: 'has nothing after the @',
  characters: 'has characters after the @ that no domain can have',
  hyphen: 'has a hyphen in the domain where none may stand',
  period: 'has an empty part in the domain (two periods, or one at an end)',
  'too-long': 'has a domain that is too long',
  'not-idna': 'has a domain that is not a valid (international) domain name',
};

const refuse = (reason: string): EmailResult => ({ ok: false, reason });
/** RFC 5321, 4.5.3.1.3 with erratum 1690: 254 octets for the path without its brackets. */
const maxOctets = 254;

function localProblem(local: string): string | undefined {
  if (local === '') return 'has nothing before the @';
  if ([...local].length > 64) return 'is longer than 64 characters before the @';
  if (local.startsWith('"')) return 'quotes the part before the @, which is not taken here';
  if (local.startsWith('.') || local.endsWith('.') || local.includes('..')) return 'has a period where none may stand';
  if (!anyLocal.test(local)) return 'has characters before the @ that are not allowed';
  if (unsafe.test(local) || /^\p{M}/u.test(local)) return 'has invisible or unsafe characters';
  return undefined;
}

interface Domain {
  readonly ascii: string;
  readonly unicode: string;
}

function parseDomain(text: string): Domain | string {
  const lower = text.toLowerCase();
  const isPlain = plainDomain.test(lower) && lower.length <= 253 && !lower.includes('--');
  const host = isPlain ? { ascii: lower, unicode: lower } : parseHostName(text);
  if (typeof host === 'string') return domainProblems[host];
  if (!host.ascii.includes('.')) return 'has a domain without a period';
  if (!/[a-z]$/u.test(host.ascii)) return 'does not end in a top-level domain';
  if (specialUse.test(host.ascii)) return 'has a domain that is reserved and cannot receive mail';
  return host;
}

/**
 * Pure: reads one address as RFC 5321, 5322 (dot-atom only) and 6531 allow it, with IDNA 2008 domains. Display
 * names, comments, quoted local parts and address literals are refused: they are mistakes in a list of contacts.
 * Nothing is trimmed; the caller decides what surrounds an address.
 */
export function parseEmail(input: string): EmailResult {
  if (input.length > 1000) return refuse('is far too long');
  const at = input.indexOf('@');
  if (at < 0) return refuse('has no @');
  if (/[<>]/u.test(input)) return refuse('must be the bare address, without a name or angle brackets');
  const given = input.slice(0, at);
  const isAscii = given.length <= 64 && asciiLocal.test(given);
  const problem = isAscii ? undefined : localProblem(given);
  if (problem !== undefined) return refuse(problem);
  const domain = parseDomain(input.slice(at + 1));
  if (typeof domain === 'string') return refuse(domain);
  let local = isAscii ? given : given.normalize('NFC');
  if (isAscii && roleMailboxes.has(given.toLowerCase())) local = given.toLowerCase();
  const normalized = `${local}@${domain.unicode}`;
  const wire = isAscii ? `${local}@${domain.ascii}` : normalized;
  if (Math.max(Buffer.byteLength(wire), Buffer.byteLength(normalized), Buffer.byteLength(input)) > maxOctets)
    return refuse('is longer than 254 octets');
  return { ok: true, email: { normalized, asciiDomain: domain.ascii, needsSmtpUtf8: !isAscii } };
}

/**
 * What the blind index is made of. The local part is compared without case although RFC 5321 would let a host
 * tell `Bob` from `bob`: none that matters does, and two consents for one mailbox would be worse.
 */
export function emailMatchKey(email: EmailAddress): string {
  const local = email.normalized.slice(0, email.normalized.lastIndexOf('@'));
  return `${local.toLowerCase().normalize('NFC')}@${email.asciiDomain}`;
}
