import type { OutgoingWhatsApp, WhatsAppContent, WhatsAppTemplate } from '../../port.ts';
import type { TwilioWhatsAppSettings } from './settings.ts';

/** Messages as Twilio's Messages API takes them for WhatsApp. */

export type Request =
  | { readonly kind: 'fields'; readonly fields: readonly (readonly [string, string])[] }
  /** Twilio has no form for it. */
  | { readonly kind: 'unfit'; readonly reason: string };

export function whatsappAddress(number: string): string {
  return `whatsapp:${number}`;
}

/** Pure: the fields of the form. `statusCallback` carries our id: Twilio gives back nothing else of ours. */
export function messageRequest(
  message: OutgoingWhatsApp,
  settings: Pick<TwilioWhatsAppSettings, 'from' | 'messagingServiceSid'>,
  statusCallback: string | undefined,
): Request {
  const content = contentFields(message.content, message.category === 'authentication');
  if (content.kind === 'unfit') return content;
  const fields: (readonly [string, string])[] = [['To', whatsappAddress(message.to)]];
  if (settings.from !== null) fields.push(['From', whatsappAddress(settings.from)]);
  if (settings.messagingServiceSid !== null) fields.push(['MessagingServiceSid', settings.messagingServiceSid]);
  fields.push(...content.fields);
  if (statusCallback !== undefined) fields.push(['StatusCallback', statusCallback]);
  return { kind: 'fields', fields };
}

/** Twilio's own limit of a text, whatever the channel (21617). */
const mostText = 1600;

function contentFields(content: WhatsAppContent, isAuthentication: boolean): Request {
  switch (content.kind) {
    case 'template': {
      if (content.contentSid === undefined) return unfit('the template has no Content SID of Twilio’s');
      if (!/^HX[0-9a-fA-F]{32}$/.test(content.contentSid)) return unfit('the Content SID of the template is none');
      const variables = contentVariables(content, isAuthentication);
      const given: [string, string][] =
        variables.length === 0 ? [] : [['ContentVariables', JSON.stringify(numbered(variables))]];
      return { kind: 'fields', fields: [['ContentSid', content.contentSid], ...given] };
    }
    case 'text':
      return textField(content.body, []);
    case 'image':
    case 'video':
    case 'audio':
    case 'document':
    case 'sticker':
      return textField(content.caption ?? '', [['MediaUrl', content.url]]);
    case 'buttons':
    case 'list':
      return unfit(`Twilio sends ${content.kind === 'list' ? 'lists' : 'buttons'} as Content templates only`);
  }
}

const unfit = (reason: string): Request => ({ kind: 'unfit', reason });

function textField(text: string, besides: readonly (readonly [string, string])[]): Request {
  if (text.length > mostText && [...text].length > mostText)
    return unfit(`the text has more than ${mostText} characters`);
  return { kind: 'fields', fields: [...(text === '' ? [] : [['Body', text] as const]), ...besides] };
}

/**
 * Pure: the values of a Content template in the order in which its places are numbered: header, body, buttons. The button
 * that copies a one-time code has no value of its own there: Twilio takes the body's.
 */
export function contentVariables(template: WhatsAppTemplate, isAuthentication: boolean): readonly string[] {
  const { header, body, buttons = [] } = template;
  const first = header === undefined ? [] : header.kind === 'text' ? header.values : [header.url];
  const own = buttons.filter(({ kind }) => !(isAuthentication && kind === 'copy-code'));
  const last = own.toSorted((one, other) => one.index - other.index).map(({ value }) => value);
  return [...first, ...body, ...last];
}

function numbered(values: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(values.map((value, index) => [String(index + 1), value]));
}
