import type { MergeShape, OutgoingEmail } from '../../port.ts';
import type { FitEmail, FitMailbox } from '../fit.rules.ts';
import { mergedText, placesOf } from '../merge.rules.ts';
import type { SendGridSettings } from './settings.ts';

/** Bodies of `POST /v3/mail/send`. */

/** Under this name our id travels with a message and comes back with its events. */
export const idArgument = 'parley_id';

/** "The collective size of your substitutions may not exceed 10,000 bytes per personalization object." */
const maxSubstitutionBytes = 9_500;

type Options = Pick<SendGridSettings, 'ipPool' | 'vendorTracking'>;
type Ready = { readonly message: OutgoingEmail; readonly email: FitEmail };

/** Pure: the tag of a place. `nonce` cannot be guessed, so that nothing anybody wrote is taken for one. */
export function tagOf(nonce: string, place: number): string {
  return `-${nonce}.${place}-`;
}

/** Pure: may share a request with others. */
export function canMerge(message: OutgoingEmail): boolean {
  const { merge } = message;
  if (merge === undefined) return false;
  let bytes = 0;
  for (const value of merge.values) bytes += Buffer.byteLength(value) + 32;
  // SendGrid wants a subject and parts that are not empty; single messages are told so one by one.
  return bytes <= maxSubstitutionBytes && merge.shape.subject.length > 0 && merge.shape.text.length > 0;
}

/** Pure: one message in a request of its own. */
export function singleBody({ message, email }: Ready, options: Options): string {
  const { subject, text, html } = message;
  return JSON.stringify({
    personalizations: [personal({ message, email })],
    ...shared(email, options),
    subject,
    content: contentOf(text, html),
  });
}

/** Pure: many that share shape and sender (`groupTogether`); `first` is one of them. */
export function mergedBody(
  first: Ready,
  all: readonly Ready[],
  shape: MergeShape,
  nonce: string,
  options: Options,
): string {
  const { subject, text, html } = mergedText(shape, (place) => tagOf(nonce, place));
  const places = placesOf(shape);
  return JSON.stringify({
    personalizations: all.map((one) => ({ ...personal(one), substitutions: substitutions(one, places, nonce) })),
    ...shared(first.email, options),
    subject,
    content: contentOf(text, html),
  });
}

function personal({ message, email }: Ready): object {
  return {
    to: [{ email: email.to }],
    headers: { 'Message-ID': email.messageIdHeader, ...email.headers },
    custom_args: { [idArgument]: message.messageId },
  };
}

function substitutions({ message }: Ready, places: ReadonlySet<number>, nonce: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const place of places) values[tagOf(nonce, place)] = message.merge?.values[place] ?? '';
  return values;
}

function shared(email: FitEmail, { ipPool, vendorTracking }: Options): object {
  return {
    from: mailbox(email.from),
    ...(email.replyTo === undefined ? {} : { reply_to: mailbox(email.replyTo) }),
    ...(ipPool === null ? {} : { ip_pool_name: ipPool }),
    // Left out, the account's own settings would wrap links that are ours already, or add a footer to unsubscribe.
    ...(vendorTracking
      ? {}
      : {
          tracking_settings: {
            click_tracking: { enable: false, enable_text: false },
            open_tracking: { enable: false },
            subscription_tracking: { enable: false },
          },
        }),
  };
}

function mailbox({ address, name }: FitMailbox): object {
  return name === undefined ? { email: address } : { email: address, name };
}

/** Plain text first, as SendGrid demands. */
function contentOf(text: string, html: string | undefined): object[] {
  const plain = { type: 'text/plain', value: text };
  return html === undefined ? [plain] : [plain, { type: 'text/html', value: html }];
}
