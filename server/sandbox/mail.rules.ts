import { Parser } from 'htmlparser2';

/** Looking into what was caught: kept small, for lists; the whole message is parsed only when one is opened. */

export interface Envelope {
  readonly from: string;
  readonly to: string;
}

/** Envelope and header section, as it is sealed beside the message. */
export function summarise(envelope: Envelope, raw: Buffer): string {
  const found = raw.indexOf('\r\n\r\n');
  const end = found < 0 ? raw.length : found;
  const head = raw.subarray(0, Math.min(end, maxHead)).toString('utf8');
  // First, so that the cut below cannot lose it, however long the other headers are.
  return `${envelope.from}\n${envelope.to}\n${markOf(raw.subarray(0, end))}${head}`;
}

const confidentialHeader = 'X-Parley-Confidential';
const markStart = `\r\n${confidentialHeader}: `;

/**
 * The header that marks a mail of Parley's own: its link opens an account, so of all who see the sandbox only this user
 * may read it (null: nobody).
 */
export function confidential(readerId: string | null): Record<string, string> {
  return { [confidentialHeader]: readerId ?? 'nobody' };
}

/** The one who may read a mail of Parley's own, however its headers are ordered and written; undefined: it is none. */
export function readerOf(raw: Buffer): string | undefined {
  const end = raw.indexOf('\r\n\r\n');
  return headerOf(raw.toString('utf8', 0, end < 0 ? raw.length : end), confidentialHeader.toLowerCase());
}

/** The line of the mark, empty when there is none. */
function markOf(head: Buffer): string {
  const start = head.indexOf(markStart);
  if (start < 0) return '';
  const end = head.indexOf('\r\n', start + markStart.length);
  return `${head.subarray(start + 2, end < 0 ? head.length : end).toString('utf8')}\r\n`;
}

/** A longer header section is cut in the list; the message keeps it. */
const maxHead = 1500;

export interface Summary extends Envelope {
  /** As it stands in the header, unfolded, encoded words and all. */
  readonly subject: string | undefined;
  /** The ledger's id, when the message is one of ours. */
  readonly messageId: string | undefined;
  /** The one user who may read it, or `nobody`; undefined: whoever sees the sandbox. */
  readonly reader: string | undefined;
}

const uuid = /^<([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})@/i;

export function readSummary(summary: string): Summary {
  const [from = '', to = '', ...rest] = summary.split('\n');
  const head = rest.join('\n');
  const reader = headerOf(head, confidentialHeader.toLowerCase());
  return {
    from,
    to,
    subject: headerOf(head, 'subject'),
    // A mail of Parley's own is in no ledger.
    messageId: reader === undefined ? uuid.exec(headerOf(head, 'message-id') ?? '')?.[1] : undefined,
    reader,
  };
}

/** The value of the first header of that name, unfolded. */
function headerOf(head: string, name: string): string | undefined {
  for (const field of head.split(/\r?\n(?![ \t])/)) {
    const colon = field.indexOf(':');
    if (field.slice(0, colon).toLowerCase() === name)
      return field
        .slice(colon + 1)
        .replace(/\r?\n(?=[ \t])/g, '')
        .trim();
  }
  return undefined;
}

export interface Found {
  /** `href` of links, then web addresses of the plain text; each once. */
  readonly links: readonly string[];
  /** `src` of pictures. */
  readonly pictures: readonly string[];
}

const webAddress = /^https?:\/\//i;

export function findLinks(html: string | undefined, text: string | undefined): Found {
  const links = new Set<string>();
  const pictures = new Set<string>();
  const parser = new Parser({
    onopentag: (name, attributes) => {
      const { href, src } = attributes;
      if ((name === 'a' || name === 'area') && href !== undefined && webAddress.test(href)) links.add(href.trim());
      if (name === 'img' && src !== undefined && webAddress.test(src)) pictures.add(src.trim());
    },
  });
  parser.end(html ?? '');
  for (const [address] of (text ?? '').matchAll(/https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]/gi)) links.add(address);
  return { links: [...links], pictures: [...pictures] };
}

/** The one-click address of a message (RFC 8058), when it has both headers. */
export function oneClickUrl(headers: Readonly<Record<string, string>>): string | undefined {
  if (!/^\s*List-Unsubscribe=One-Click\s*$/i.test(headers['list-unsubscribe-post'] ?? '')) return undefined;
  return /<(https?:[^>\s]+)>/i.exec(headers['list-unsubscribe'] ?? '')?.[1];
}
