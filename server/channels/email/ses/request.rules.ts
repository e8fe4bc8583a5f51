import type { OutgoingEmail } from '../../port.ts';
import { mailboxText } from '../fit.rules.ts';
import type { FitEmail } from '../fit.rules.ts';
import { literalsOf, mergedText, placesOf } from '../merge.rules.ts';
import type { ComposedEmail } from '../mime.rules.ts';
import type { SesSettings } from './settings.ts';

/** Bodies of `SendEmail` (raw) and `SendBulkEmail` of the SES v2 API. */

/** Tag under which our id travels; SES gives tags back with the events it publishes. */
export const idTag = 'parley-id';

type Ready = { readonly message: OutgoingEmail; readonly email: FitEmail };
type Options = Pick<SesSettings, 'configurationSet'>;

/** "TemplateData: maximum length 262144"; `ReplacementHeaders`: 15 of at most 995 characters. */
const maxDataBytes = 200_000;
const maxHeaders = 15;
const maxHeaderLength = 995;

function settingsOf({ configurationSet }: Options): object {
  return configurationSet === null ? {} : { ConfigurationSetName: configurationSet };
}

const tagsOf = (messageId: string) => [{ Name: idTag, Value: messageId }];

/** Pure: as it was composed; SES replaces Message-ID and Date, keeps the rest and signs it. */
export function rawBody(message: OutgoingEmail, composed: ComposedEmail, options: Options): string {
  return JSON.stringify({
    Destination: { ToAddresses: [composed.to] },
    Content: { Raw: { Data: composed.raw.toString('base64') } },
    EmailTags: tagsOf(message.messageId),
    ...settingsOf(options),
  });
}

/**
 * Pure: may share a request. SES fills places in with Handlebars and escapes nothing; what looks like Handlebars in the
 * text itself, or a brace or backslash beside a place, would be read as something else, so such a message goes alone.
 */
export function canMerge(message: OutgoingEmail): boolean {
  const { merge } = message;
  if (merge === undefined) return false;
  if (literalsOf(merge.shape).some((text) => text.includes('{{'))) return false;
  const { subject, text, html } = mergedText(merge.shape, () => '\u0000');
  if ([subject, text, html ?? ''].some((whole) => /[{\\]\u0000|\u0000\}/.test(whole))) return false;
  let bytes = 0;
  for (const value of merge.values) bytes += Buffer.byteLength(value) + 16;
  return subject !== '' && text !== '' && bytes <= maxDataBytes;
}

/** Pure: headers that `ReplacementHeaders` can carry. */
export function hasFewHeaders({ headers }: FitEmail): boolean {
  const all = Object.values(headers);
  return all.length <= maxHeaders && all.every((value) => value.length > 0 && value.length <= maxHeaderLength);
}

/** Pure: many that share shape and sender, with the template in the request itself: none is kept at Amazon's. */
export function bulkBody(all: readonly Ready[], options: Options): string {
  const [first] = all;
  const shape = first?.message.merge?.shape;
  if (first === undefined || shape === undefined) return '{}';
  const { subject, text, html } = mergedText(shape, (place) => `{{p${place}}}`);
  const places = placesOf(shape);
  return JSON.stringify({
    FromEmailAddress: mailboxText(first.email.from),
    ...(first.email.replyTo === undefined ? {} : { ReplyToAddresses: [mailboxText(first.email.replyTo)] }),
    DefaultContent: {
      Template: {
        TemplateContent: { Subject: subject, Text: text, ...(html === undefined ? {} : { Html: html }) },
        // Every place must have a value here, or the whole request is refused.
        TemplateData: JSON.stringify(dataOf(places, [])),
      },
    },
    BulkEmailEntries: all.map(({ message, email }) => ({
      Destination: { ToAddresses: [email.to] },
      ReplacementTags: tagsOf(message.messageId),
      ReplacementEmailContent: {
        ReplacementTemplate: { ReplacementTemplateData: JSON.stringify(dataOf(places, message.merge?.values ?? [])) },
      },
      ReplacementHeaders: Object.entries(email.headers).map(([Name, Value]) => ({ Name, Value })),
    })),
    ...settingsOf(options),
  });
}

function dataOf(places: ReadonlySet<number>, values: readonly string[]): Record<string, string> {
  return Object.fromEntries([...places].map((place) => [`p${place}`, values[place] ?? '']));
}
