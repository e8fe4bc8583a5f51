import PostalMime, { decodeWords } from 'postal-mime';
import { AppError, notFound } from '../platform/errors.ts';
import type { Tx } from '../platform/db.ts';
import type { Caller } from '../platform/http.ts';
import type { Vault, WorkspaceKeys } from '../platform/sealing.ts';
import { openMail, openSummary, recipientHash } from './collector.ts';
import './errors.ts';
import { findLinks, oneClickUrl, readSummary } from './mail.rules.ts';
import * as store from './store.ts';
import type { Channel, ListedRow } from './store.ts';
import { readVendorSummary, unwrap } from './vendor-mail.rules.ts';
import type { Wrapping } from './vendor-mail.rules.ts';
import type { KeptMail, Shown } from './vendor.ts';

export interface CaughtSummary {
  readonly id: string;
  readonly channel: Channel;
  /** `smtp`, or the vendor that was played. */
  readonly vendor: string;
  readonly from: string;
  readonly to: string;
  readonly subject?: string;
  readonly receivedAt: string;
  readonly sizeBytes: number;
  readonly messageId?: string;
  /** A mail of Parley's own that is not this viewer's to read: its content is left out. */
  readonly hidden: boolean;
}

export interface OpenedMail extends CaughtSummary {
  readonly headers: Record<string, string>;
  readonly html?: string;
  readonly text?: string;
  readonly raw?: string;
  readonly links: string[];
  /** Of what is no e-mail: as the recipient's device would show it. */
  readonly shown?: Shown;
}

/** With what its vendor needs to tell of it later; `kept` is undefined for mails over SMTP and hidden ones. */
export interface Opened {
  readonly mail: OpenedMail;
  readonly kept: KeptMail | undefined;
}

export interface InboxQuery {
  readonly to: string | undefined;
  readonly channel: string | undefined;
  readonly vendor: string | undefined;
  readonly since: Temporal.Instant | undefined;
  readonly before: string | undefined;
  readonly most: number;
}

/** Who looks. Only a person who signed in can be a reader: a key or a token must never come upon a link that opens an account. */
export type Viewer = Pick<Caller, 'kind' | 'id'>;

/** Newest first. */
export async function listInbox(vault: Vault, tx: Tx, viewer: Viewer, query: InboxQuery): Promise<CaughtSummary[]> {
  const keys = await vault.keys(tx);
  const rows = await store.listCaught(tx, {
    recipientHash: query.to === undefined ? undefined : recipientHash(keys, query.to),
    channel: query.channel,
    vendor: query.vendor,
    before: query.before,
    from: query.since === undefined ? undefined : firstIdAt(query.since),
    most: query.most,
  });
  return rows.map((row) => summaryOf(keys, viewer, row));
}

/** The least UUIDv7 of a moment: ids and times have one order. */
function firstIdAt(at: Temporal.Instant): string {
  const hex = Math.max(0, at.epochMilliseconds).toString(16).padStart(12, '0').slice(-12);
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

function summaryOf(keys: WorkspaceKeys, viewer: Viewer, row: ListedRow): CaughtSummary {
  const plain = openSummary(keys, row.id, row.summary);
  const summary = readVendorSummary(plain) ?? readSummary(plain);
  return {
    id: row.id,
    channel: row.channel,
    vendor: row.vendor,
    from: summary.from,
    to: summary.to,
    ...(summary.subject === undefined ? {} : { subject: decodeWords(summary.subject) }),
    receivedAt: row.receivedAt.toString(),
    sizeBytes: row.sizeBytes,
    ...(summary.messageId === undefined ? {} : { messageId: summary.messageId }),
    hidden: summary.reader !== undefined && !(viewer.kind === 'user' && viewer.id === summary.reader),
  };
}

export async function openCaught(vault: Vault, tx: Tx, viewer: Viewer, id: string): Promise<Opened> {
  const row = await store.findCaught(tx, id);
  if (row === undefined) throw notFound('message in the sandbox');
  const keys = await vault.keys(tx);
  const summary = summaryOf(keys, viewer, row);
  if (summary.hidden) return { mail: { ...summary, headers: {}, links: [] }, kept: undefined };
  const bytes = openMail(keys, row.id, row.sealed);
  const vendorSummary = readVendorSummary(openSummary(keys, row.id, row.summary));
  if (vendorSummary === undefined) return { mail: await parsedMail(summary, bytes), kept: undefined };
  const { about, raw } = unwrap(bytes);
  const mail = row.channel === 'email' ? await parsedMail(summary, raw) : shownMessage(summary, about, raw);
  const kept: KeptMail = {
    workspaceId: tx.workspaceId,
    channel: row.channel,
    vendor: row.vendor,
    to: vendorSummary.to,
    title: vendorSummary.subject ?? '',
    ref: vendorSummary.ref,
    raw,
    ...(about.from === undefined ? {} : { from: about.from }),
    ...(about.messageId === undefined ? {} : { messageId: about.messageId }),
    ...(about.memo === undefined ? {} : { memo: about.memo }),
    ...(about.callbackUrl === undefined ? {} : { callbackUrl: about.callbackUrl }),
  };
  return { mail, kept };
}

async function parsedMail(summary: CaughtSummary, raw: Buffer): Promise<OpenedMail> {
  const mail = await PostalMime.parse(raw);
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const { key, value } of mail.headers)
    headers[key] = headers[key] === undefined ? value : `${headers[key]}\n${value}`;
  return {
    ...summary,
    headers: { ...headers },
    ...(mail.html === undefined ? {} : { html: mail.html }),
    ...(mail.text === undefined ? {} : { text: mail.text }),
    raw: raw.toString('utf8'),
    links: [...findLinks(mail.html, mail.text).links],
  };
}

function shownMessage(summary: CaughtSummary, about: Wrapping, raw: Buffer): OpenedMail {
  const shown = shownOf(about, summary.subject ?? '');
  const links = findLinks(undefined, [shown.text, shown.url ?? ''].join('\n')).links;
  return { ...summary, headers: {}, text: shown.text, raw: raw.toString('utf8'), links: [...links], shown };
}

function shownOf({ shown }: Wrapping, title: string): Shown {
  if (shown === undefined) return { text: title };
  const { heading, text, footer, pictures, buttons, url } = shown;
  return {
    text,
    ...(heading === undefined ? {} : { heading }),
    ...(footer === undefined ? {} : { footer }),
    ...(pictures === undefined ? {} : { pictures }),
    ...(buttons === undefined ? {} : { buttons }),
    ...(url === undefined ? {} : { url }),
  };
}

export type InboxAction = 'open' | 'click' | 'unsubscribe';

/** Which request a recipient's act makes. Only to our own origin: the sandbox calls nobody else's server. */
export function requestOf(
  mail: OpenedMail,
  action: InboxAction,
  url: string | undefined,
  origin: string,
): { method: 'GET' | 'POST'; url: URL } {
  if (mail.hidden) throw hiddenMail();
  switch (action) {
    case 'open': {
      const picture = findLinks(mail.html, undefined).pictures.find((src) => isOwn(src, origin));
      return { method: 'GET', url: ownUrl(picture, origin, 'It has no picture that tells of its opening.') };
    }
    case 'click': {
      if (url !== undefined && !mail.links.includes(url)) throw nothing('It has no such link.');
      return {
        method: 'GET',
        url: ownUrl(url ?? mail.links.find((link) => isOwn(link, origin)), origin, 'It has no link to follow.'),
      };
    }
    case 'unsubscribe':
      return {
        method: 'POST',
        url: ownUrl(oneClickUrl(mail.headers), origin, 'It has no one-click header (RFC 8058).'),
      };
  }
}

export function hiddenMail(): AppError {
  return new AppError('sandbox/hidden', "It is a mail of Parley's own, and only the person it is for can use it.");
}

function nothing(detail: string): AppError {
  return new AppError('sandbox/nothing-to-do', detail);
}

function isOwn(url: string, origin: string): boolean {
  return URL.canParse(url) && new URL(url).origin === new URL(origin).origin;
}

function ownUrl(url: string | undefined, origin: string, missing: string): URL {
  if (url === undefined) throw nothing(missing);
  if (!isOwn(url, origin)) throw new AppError('sandbox/foreign-link', 'The sandbox follows only links to this server.');
  return new URL(url);
}
