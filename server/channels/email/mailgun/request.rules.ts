import type { OutgoingEmail } from '../../port.ts';
import { mailboxText } from '../fit.rules.ts';
import type { FitEmail } from '../fit.rules.ts';
import { literalsOf, mergedText, placesOf } from '../merge.rules.ts';

/** Bodies of `POST /v3/<domain>/messages`: forms (multipart), whose fields may repeat. */

export type Fields = readonly (readonly [name: string, value: string])[];

export const idVariable = 'parley-id';

type Ready = { readonly message: OutgoingEmail; readonly email: FitEmail };

/** "Options (parameters starting with o:, h:, v:, or t:) are limited to 16 kB total." */
const maxOptionBytes = 15_000;

/** Mailgun replaces these wherever they stand, so a text that has one of its own goes alone. */
const placeHolder = /%(?:recipient|tag_unsubscribe|unsubscribe|mailing_list)/i;

/** Pure: may share a request with others: nothing in it would be taken for a place holder. */
export function canMerge(message: OutgoingEmail): boolean {
  const { merge } = message;
  if (merge === undefined) return false;
  if (literalsOf(merge.shape).some((text) => placeHolder.test(text))) return false;
  // A place beside a percent sign would read as another place.
  const { subject, text, html } = mergedText(merge.shape, () => '\u0000');
  if ([subject, text, html ?? ''].some((whole) => /%\u0000|\u0000%/.test(whole))) return false;
  return !merge.values.some((value) => placeHolder.test(value));
}

/** Pure: one message in a request of its own. */
export function singleFields({ message, email }: Ready, vendorTracking: boolean): Fields {
  return [
    ['from', mailboxText(email.from)],
    ['to', email.to],
    ['subject', message.subject],
    ...contentFields(message.text, message.html),
    // Ours, so that an answer that never comes can be asked after.
    ['h:Message-Id', email.messageIdHeader],
    ...optionFields(email, vendorTracking),
    ...Object.entries(email.headers).map(([name, value]) => [`h:${name}`, value] as const),
    [`v:${idVariable}`, message.messageId],
  ];
}

/**
 * Pure: many that share shape and sender; what differs goes in `recipient-variables`, headers and our id too. Every
 * recipient gets a message of his own because of it: without, all would read each other's addresses.
 */
export function mergedFields(all: readonly Ready[], vendorTracking: boolean): Fields {
  const [first] = all;
  const shape = first?.message.merge?.shape;
  if (first === undefined || shape === undefined) return [];
  const { subject, text, html } = mergedText(shape, (place) => `%recipient.p${place}%`);
  const names = headerNames(all);
  const places = placesOf(shape);
  const variables = Object.fromEntries(all.map((one) => [one.email.to, variablesOf(one, places, names)]));
  return [
    ['from', mailboxText(first.email.from)],
    ...all.map((one) => ['to', one.email.to] as const),
    ['subject', subject],
    ...contentFields(text, html),
    ...optionFields(first.email, vendorTracking),
    ...names.map((name, index) => [`h:${name}`, `%recipient.h${index}%`] as const),
    [`v:${idVariable}`, '%recipient.id%'],
    ['recipient-variables', JSON.stringify(variables)],
  ];
}

/** Pure: messages that have the same headers (by name) can be merged; another header would be empty for the rest. */
export function headerNames(all: readonly { readonly email: FitEmail }[]): readonly string[] {
  return Object.keys(all[0]?.email.headers ?? {});
}

function variablesOf({ message, email }: Ready, places: ReadonlySet<number>, names: readonly string[]) {
  const variables: Record<string, string> = { id: message.messageId };
  for (const place of places) variables[`p${place}`] = message.merge?.values[place] ?? '';
  for (const [index, name] of names.entries()) variables[`h${index}`] = email.headers[name] ?? '';
  return variables;
}

function contentFields(text: string, html: string | undefined): Fields {
  return html === undefined
    ? [['text', text]]
    : [
        ['text', text],
        ['html', html],
      ];
}

function optionFields(email: FitEmail, vendorTracking: boolean): Fields {
  return [
    ...(email.replyTo === undefined ? [] : [['h:Reply-To', mailboxText(email.replyTo)] as const]),
    // The domain's own settings would wrap links that are ours already.
    ...(vendorTracking ? [] : [['o:tracking', 'no'] as const]),
  ];
}

/** Pure: over the limit Mailgun refuses the whole request. */
export function isOverOptions(fields: Fields): boolean {
  let bytes = 0;
  for (const [name, value] of fields)
    if (/^[ohvt]:/.test(name)) bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  return bytes > maxOptionBytes;
}

/** Pure: multipart/form-data (RFC 7578). The boundary cannot be guessed, so that no text ends its part early. */
export function multipart(fields: Fields, boundary: string): { readonly contentType: string; readonly body: string } {
  const parts = fields.map(
    ([name, value]) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name.replace(/["\r\n]/g, '')}"\r\n\r\n${value}\r\n`,
  );
  return { contentType: `multipart/form-data; boundary=${boundary}`, body: `${parts.join('')}--${boundary}--\r\n` };
}
