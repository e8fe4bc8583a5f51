import type { OutgoingWhatsApp, WhatsAppContent, WhatsAppTemplate } from '../../port.ts';

/** Messages as Meta's Graph takes them (`POST /v23.0/{phone-number-id}/messages`). */

export const apiVersion = 'v23.0';

type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };

/** Pure: the body of the request. Our id travels as `biz_opaque_callback_data` and comes back with every status. */
export function messageBody(message: OutgoingWhatsApp): { readonly [key: string]: Json } {
  return {
    messaging_product: 'whatsapp',
    recipient_type: 'individual',
    to: message.to,
    biz_opaque_callback_data: message.messageId,
    ...contentOf(message.content, message.category === 'authentication'),
  };
}

function contentOf(content: WhatsAppContent, isAuthentication: boolean): { readonly [key: string]: Json } {
  switch (content.kind) {
    case 'template':
      return { type: 'template', template: templateOf(content, isAuthentication) };
    case 'text':
      return { type: 'text', text: { body: content.body, preview_url: content.previewUrl ?? false } };
    case 'image':
    case 'video':
      return { type: content.kind, [content.kind]: { link: content.url, ...given('caption', content.caption) } };
    case 'audio':
    case 'sticker':
      return { type: content.kind, [content.kind]: { link: content.url } };
    case 'document': {
      const names = { ...given('caption', content.caption), ...given('filename', content.fileName) };
      return { type: 'document', document: { link: content.url, ...names } };
    }
    case 'buttons': {
      const buttons = content.buttons.map(({ id, title }) => ({ type: 'reply', reply: { id, title } }));
      return { type: 'interactive', interactive: { type: 'button', ...frameOf(content), action: { buttons } } };
    }
    case 'list': {
      const action = { button: content.label, sections: content.sections.map(sectionOf) };
      return { type: 'interactive', interactive: { type: 'list', ...frameOf(content), action } };
    }
  }
}

function given(key: string, value: string | undefined): { readonly [key: string]: string } {
  return value === undefined || value === '' ? {} : { [key]: value };
}

function frameOf(frame: { readonly body: string; readonly header?: string; readonly footer?: string }) {
  return {
    ...(frame.header === undefined ? {} : { header: { type: 'text', text: frame.header } }),
    body: { text: frame.body },
    ...(frame.footer === undefined ? {} : { footer: { text: frame.footer } }),
  };
}

function sectionOf(section: (WhatsAppContent & { kind: 'list' })['sections'][number]) {
  return {
    ...given('title', section.title),
    rows: section.rows.map(({ id, title, description }) => ({ id, title, ...given('description', description) })),
  };
}

const texts = (values: readonly string[]) => values.map((text) => ({ type: 'text', text }));

function templateOf(template: WhatsAppTemplate, isAuthentication: boolean): { readonly [key: string]: Json } {
  const components: Json[] = [
    ...headerOf(template.header),
    ...(template.body.length === 0 ? [] : [{ type: 'body', parameters: texts(template.body) }]),
    ...(template.buttons ?? []).map((button) => buttonOf(button, isAuthentication)),
  ];
  return {
    name: template.name,
    language: { code: template.language },
    ...(components.length === 0 ? {} : { components }),
  };
}

function headerOf(header: WhatsAppTemplate['header']): Json[] {
  if (header === undefined) return [];
  if (header.kind === 'text')
    return header.values.length === 0 ? [] : [{ type: 'header', parameters: texts(header.values) }];
  const media = { link: header.url, ...(header.kind === 'document' ? given('filename', header.fileName) : {}) };
  return [{ type: 'header', parameters: [{ type: header.kind, [header.kind]: media }] }];
}

/**
 * The button that copies a one-time code is a link to Meta, whose variable part is the code; a coupon's is a kind of its
 * own (authentication-templates and coupon-templates of Meta's documentation).
 */
function buttonOf(button: NonNullable<WhatsAppTemplate['buttons']>[number], isAuthentication: boolean): Json {
  const { value } = button;
  const made = (sub_type: string, parameter: Json): Json => ({
    type: 'button',
    sub_type,
    index: String(button.index),
    parameters: [parameter],
  });
  switch (button.kind) {
    case 'url':
      return made('url', { type: 'text', text: value });
    case 'quick-reply':
      return made('quick_reply', { type: 'payload', payload: value });
    case 'copy-code':
      return isAuthentication
        ? made('url', { type: 'text', text: value })
        : made('copy_code', { type: 'coupon_code', coupon_code: value });
  }
}
