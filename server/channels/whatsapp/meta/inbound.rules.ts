import type { AccountNews, InboundMessage } from '../../port.ts';
import { maskAddress } from '../../outcome.rules.ts';
import { buttonKeywordOf, keywordOf } from '../keyword.rules.ts';
import { e164Of } from '../number.rules.ts';
import { maybe, objectAt, objectsAt, textAt, timeAt } from '../json.rules.ts';
import type { Fields } from '../json.rules.ts';
import { apiVersion } from './request.rules.ts';

/** One entry of `messages`: what a person wrote, pressed, sent along or reacted with. */

type Said = Pick<InboundMessage, 'text'> & Partial<Pick<InboundMessage, 'media' | 'payload' | 'keyword' | 'inReplyTo'>>;

/**
 * Pure. A person who changed the number is news of the account; what has no number or time is not readable (undefined). A
 * kind that Meta or we cannot read is still a message, with no text: the person wrote, and so the window is open.
 */
export function readMessage(message: Fields, value: Fields): InboundMessage | AccountNews | undefined {
  const key = textAt(message, 'id');
  const from = e164Of(textAt(message, 'from'));
  const to = e164Of(textAt(objectAt(value, 'metadata'), 'display_phone_number'));
  const at = timeAt(message, 'timestamp');
  if (key === undefined || from === undefined || to === undefined || at === undefined) return undefined;
  if (textAt(message, 'type') === 'system') return systemNews(message, key, from, at);
  const context = objectAt(message, 'context');
  return {
    channel: 'whatsapp',
    key,
    from,
    to,
    at,
    ...maybe('inReplyTo', textAt(context, 'id')),
    ...maybe('name', nameOf(value, textAt(message, 'from') ?? '')),
    ...saidOf(message),
  };
}

function systemNews(message: Fields, key: string, from: string, at: string): AccountNews {
  const system = objectAt(message, 'system');
  const to = e164Of(textAt(system, 'wa_id') ?? textAt(system, 'new_wa_id'));
  if (to === undefined || to === from) return { key, kind: 'identity-changed', at, about: from, data: {} };
  return { key, kind: 'number-changed', at, about: from, data: { to: maskAddress(to) } };
}

function nameOf(value: Fields, from: string): string | undefined {
  const contacts = objectsAt(value, 'contacts');
  const own = contacts.find((contact) => textAt(contact, 'wa_id') === from);
  return textAt(objectAt(own, 'profile'), 'name')?.slice(0, 200);
}

function saidOf(message: Fields): Said {
  const type = textAt(message, 'type') ?? '';
  const part = objectAt(message, type);
  switch (type) {
    case 'text': {
      const text = textAt(part, 'body') ?? '';
      return { text, ...maybe('keyword', keywordOf(text)) };
    }
    case 'image':
    case 'video':
    case 'audio':
    case 'document':
    case 'sticker':
      return mediaOf(part);
    case 'button':
      return pressed(textAt(part, 'text'), textAt(part, 'payload'));
    case 'interactive':
      return answered(part);
    case 'reaction':
      // An emoji taken back comes without one.
      return { text: textAt(part, 'emoji') ?? '', ...maybe('inReplyTo', textAt(part, 'message_id')) };
    case 'location':
      return { text: placeOf(part) };
    case 'contacts':
      return { text: objectsAt(message, 'contacts').map(cardOf).join('\n') };
    case 'order':
      return { text: orderOf(part) };
    default:
      return { text: '' };
  }
}

function mediaOf(part: Fields | undefined): Said {
  const id = textAt(part, 'id');
  // Fetched with the account's token: the first answer names where the bytes lie, for five minutes.
  const url = textAt(part, 'url') ?? (id === undefined ? undefined : `https://graph.facebook.com/${apiVersion}/${id}`);
  const text = textAt(part, 'caption') ?? '';
  const media = url === undefined ? undefined : [{ url, ...maybe('contentType', textAt(part, 'mime_type')) }];
  return { text, ...maybe('media', media), ...maybe('keyword', keywordOf(text)) };
}

function pressed(text: string | undefined, payload: string | undefined): Said {
  return {
    text: text ?? payload ?? '',
    ...maybe('payload', payload),
    ...maybe('keyword', buttonKeywordOf(text, payload)),
  };
}

function answered(part: Fields | undefined): Said {
  const reply = objectAt(part, 'button_reply') ?? objectAt(part, 'list_reply');
  if (reply !== undefined) return pressed(textAt(reply, 'title'), textAt(reply, 'id'));
  // A form (flow) that was filled in: its answers are JSON in a text.
  const form = objectAt(part, 'nfm_reply');
  return { text: textAt(form, 'body') ?? '', ...maybe('payload', textAt(form, 'response_json')) };
}

function placeOf(part: Fields | undefined): string {
  const where = `${textAt(part, 'latitude') ?? '?'}, ${textAt(part, 'longitude') ?? '?'}`;
  const names = [textAt(part, 'name'), textAt(part, 'address')].filter((name) => name !== undefined);
  return names.length === 0 ? where : `${names.join(', ')} (${where})`;
}

function cardOf(contact: Fields): string {
  const name = textAt(objectAt(contact, 'name'), 'formatted_name') ?? '';
  const phones = objectsAt(contact, 'phones').map((phone) => textAt(phone, 'phone') ?? '');
  return [name, ...phones].filter((part) => part !== '').join(' ');
}

function orderOf(part: Fields | undefined): string {
  const items = objectsAt(part, 'product_items').map((item) => {
    const price = [textAt(item, 'item_price'), textAt(item, 'currency')].filter((one) => one !== undefined).join(' ');
    return `${textAt(item, 'quantity') ?? '1'} × ${textAt(item, 'product_retailer_id') ?? '?'}${price === '' ? '' : ` (${price})`}`;
  });
  return [textAt(part, 'text') ?? '', ...items].filter((line) => line !== '').join('\n');
}
