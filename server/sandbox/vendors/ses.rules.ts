import type { MailParts } from '../compose.rules.ts';

/** Requests of SES, read as far as the sandbox needs them. */

export interface SesTag {
  readonly Name: string;
  readonly Value: string;
}

export interface SesSending {
  readonly to: string;
  readonly tags: readonly SesTag[];
  readonly raw: Buffer;
}

interface SendEmail {
  readonly Destination?: { readonly ToAddresses?: readonly string[] };
  readonly Content?: { readonly Raw?: { readonly Data?: string } };
  readonly EmailTags?: readonly SesTag[];
}

interface SendBulk {
  readonly FromEmailAddress?: string;
  readonly ReplyToAddresses?: readonly string[];
  readonly DefaultContent?: {
    readonly Template?: {
      readonly TemplateContent?: { readonly Subject?: string; readonly Text?: string; readonly Html?: string };
      readonly TemplateData?: string;
    };
  };
  readonly BulkEmailEntries?: readonly {
    readonly Destination?: { readonly ToAddresses?: readonly string[] };
    readonly ReplacementTags?: readonly SesTag[];
    readonly ReplacementEmailContent?: { readonly ReplacementTemplate?: { readonly ReplacementTemplateData?: string } };
    readonly ReplacementHeaders?: readonly SesTag[];
  }[];
}

function parse<T>(text: string): T | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as T) : undefined;
  } catch {
    return undefined;
  }
}

/** Pure: `SendEmail` with raw content; undefined: nothing that can be sent. */
export function readRaw(body: Buffer): SesSending | undefined {
  const request = parse<SendEmail>(body.toString('utf8'));
  const data = request?.Content?.Raw?.Data;
  const to = request?.Destination?.ToAddresses?.[0];
  if (data === undefined || to === undefined) return undefined;
  return { to, tags: request?.EmailTags ?? [], raw: Buffer.from(data, 'base64') };
}

/** Pure: `SendBulkEmail` with its template in the request: one message an entry, filled in as Handlebars would. */
export function readBulk(
  body: Buffer,
  by: { compose(parts: Omit<MailParts, 'date' | 'boundary'>): Buffer },
): readonly SesSending[] | undefined {
  const request = parse<SendBulk>(body.toString('utf8'));
  const template = request?.DefaultContent?.Template;
  const content = template?.TemplateContent;
  const from = request?.FromEmailAddress;
  if (content?.Subject === undefined || from === undefined) return undefined;
  const defaults = parse<Record<string, string>>(template?.TemplateData ?? '{}');
  if (defaults === undefined) return undefined;
  const replyTo = request?.ReplyToAddresses?.join(', ');
  return (request?.BulkEmailEntries ?? []).map((entry) => {
    const own = entry.ReplacementEmailContent?.ReplacementTemplate?.ReplacementTemplateData ?? '{}';
    const data = { ...defaults, ...parse<Record<string, string>>(own) };
    const fill = (text: string) => text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => data[name] ?? '');
    const to = entry.Destination?.ToAddresses?.[0] ?? '';
    const headers = Object.fromEntries((entry.ReplacementHeaders ?? []).map(({ Name, Value }) => [Name, Value]));
    return {
      to,
      tags: entry.ReplacementTags ?? [],
      raw: by.compose({
        from,
        to,
        subject: fill(content.Subject ?? ''),
        ...(content.Text === undefined ? {} : { text: fill(content.Text) }),
        ...(content.Html === undefined ? {} : { html: fill(content.Html) }),
        headers: { ...(replyTo === undefined ? {} : { 'Reply-To': replyTo }), ...headers },
      }),
    };
  });
}

/** Pure: a header of a message, unfolded and decoded; empty where it is missing. */
export function readHeader(raw: Buffer, name: string): string {
  const head = raw.toString('utf8', 0, Math.max(0, raw.indexOf('\r\n\r\n')));
  const line = head
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
    .find((one) => one.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  const value = line?.slice(name.length + 1).trim() ?? '';
  return value
    .replace(/\?= +=\?/g, '?==?')
    .replace(/=\?utf-8\?b\?([A-Za-z0-9+/=]*)\?=/gi, (_, data: string) => Buffer.from(data, 'base64').toString('utf8'));
}
