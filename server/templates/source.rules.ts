import { isDeepStrictEqual } from 'node:util';
import type { ContentSource } from '../../contract/template-content.ts';
import { inAppSource, pushSource, smsSource, whatsAppSource } from '../../contract/template-content.ts';
import type { EmailSource, TemplateSource } from '../../contract/templates.ts';
import { invalidField } from '../platform/errors.ts';
import { titleOf } from './content.rules.ts';

/** What a call gives of a source; fields of every channel, as the contract lets them in. */
export type SourceGiven = { readonly [field: string]: unknown };

export interface EmailGiven {
  readonly subject?: string | null | undefined;
  readonly preheader?: string | null | undefined;
  readonly mjml?: string | null | undefined;
  readonly html?: string | null | undefined;
  readonly text?: string | null | undefined;
}

const emailParts = ['subject', 'preheader', 'mjml', 'html', 'text'] as const;
const contentSchemas = { sms: smsSource, whatsapp: whatsAppSource, push: pushSource, inapp: inAppSource } as const;

/** What stands for nothing where a field is left out. */
const blanks: Readonly<Record<ContentSource['channel'], object>> = {
  sms: { mediaUrls: [], trackLinks: true },
  whatsapp: { trackLinks: true },
  push: {
    imageUrl: null,
    url: null,
    data: {},
    collapseKey: null,
    ttlSeconds: null,
    urgency: 'normal',
    trackLinks: true,
  },
  inapp: { imageUrl: null, url: null, data: {}, expiresAfterSeconds: null, trackLinks: true },
};

function emailSourceOf(given: EmailGiven): EmailSource {
  const { subject = null, preheader = null, mjml = null, html = null, text = null } = given;
  return { channel: 'email', subject, preheader, mjml, html, text };
}

/** Pure: a whole source from what was given; refused at its field where it does not hold together. */
export function sourceOf(channel: TemplateSource['channel'], given: SourceGiven): TemplateSource {
  // The contract has read every field.
  if (channel === 'email') return emailSourceOf(given);
  return contentOf(channel, { ...blanks[channel], ...defined(given) });
}

function defined(given: SourceGiven): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function contentOf(channel: ContentSource['channel'], fields: object): ContentSource {
  const read = contentSchemas[channel].safeParse({ ...fields, channel });
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const [unknown] = issue?.code === 'unrecognized_keys' ? issue.keys : [];
  if (unknown !== undefined) throw invalidField(`/${unknown}`, `is not in a template for ${channel}`);
  throw invalidField(`/${(issue?.path ?? []).join('/')}`, issue?.message ?? 'is not right');
}

/** Pure: a source with some fields changed. Of an e-mail, giving one of `mjml` and `html` clears the other. */
export function mergeSource(before: TemplateSource, given: SourceGiven): TemplateSource {
  const change = defined(given);
  if (before.channel !== 'email') return contentOf(before.channel, { ...before, ...change });
  const strange = Object.keys(change).find((field) => !emailParts.some((part) => part === field));
  if (strange !== undefined) throw invalidField(`/${strange}`, 'is not in a template for email');
  const merged: EmailSource = { ...before, ...change };
  if (typeof change['mjml'] === 'string' && change['html'] === undefined) merged.html = null;
  if (typeof change['html'] === 'string' && change['mjml'] === undefined) merged.mjml = null;
  return merged;
}

export function isSameSource(one: TemplateSource, other: TemplateSource): boolean {
  return isDeepStrictEqual(one, other);
}

/** Pure: the line a list shows of it. */
export function subjectOf(source: TemplateSource): string | null {
  return source.channel === 'email' ? source.subject : titleOf(source);
}
