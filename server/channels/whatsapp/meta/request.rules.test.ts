import { describe, expect, it } from 'vitest';
import type { OutgoingWhatsApp, WhatsAppContent } from '../../port.ts';
import { contractFile, readContract } from '../../testing-spec.ts';
import { messageBody } from './request.rules.ts';

const messageId = '0198c1d2-0000-7000-8000-000000000001';

function made(content: WhatsAppContent, category: OutgoingWhatsApp['category'] = 'utility'): Record<string, unknown> {
  return messageBody({ channel: 'whatsapp', messageId, to: '+16505551234', category, content });
}

interface Example {
  id: string;
  payload: Record<string, unknown>;
}

const examples = readContract<{ samples: Example[] }>('payloads/meta/send_message_requests.json')?.samples ?? [];

/** What a person would have to say to us so that Meta's example comes out. */
const sources: Record<string, WhatsAppContent> = {
  'Send Audio Message by URL': { kind: 'audio', url: '<http(s)://audio-url>' },
  'Send Document Message by URL': {
    kind: 'document',
    url: '<http(s)://document-url>',
    caption: '<DOCUMENT-CAPTION-TEXT>',
  },
  'Send Sticker Message by URL': { kind: 'sticker', url: '<http(s)://sticker-url>' },
  'Send Video Message by URL': { kind: 'video', url: '<http(s)://video-url>', caption: '<VIDEO_CAPTION_TEXT>' },
  'Send Text Message': { kind: 'text', body: 'text-message-content' },
  'Send Text Message with Preview URL': {
    kind: 'text',
    body: 'Please visit https://youtu.be/hpltvTEiRrY.',
    previewUrl: true,
  },
  'Send Reply Button': {
    kind: 'buttons',
    body: '<BUTTON_TEXT>',
    buttons: [1, 2].map((n) => ({ id: `<UNIQUE_BUTTON_ID_${n}>`, title: `<BUTTON_TITLE_${n}>` })),
  },
  'Send List Message': {
    kind: 'list',
    header: '<HEADER_TEXT>',
    body: '<BODY_TEXT>',
    footer: '<FOOTER_TEXT>',
    label: '<BUTTON_TEXT>',
    sections: [1, 2].map((section) => ({
      title: `<LIST_SECTION_${section}_TITLE>`,
      rows: [1, 2].map((row) => ({
        id: `<LIST_SECTION_${section}_ROW_${row}_ID>`,
        title: `<SECTION_${section}_ROW_${row}_TITLE>`,
        description: `<SECTION_${section}_ROW_${row}_DESC>`,
      })),
    })),
  },
  'Send Message Template Text': templateOf(),
  'Send Sample Text Message': templateOf(),
  'Send Sample Shipping Confirmation Template': templateOf(),
  'Send Message Template Media': templateOf({ header: { kind: 'image', url: 'http(s)://the-image-url' } }),
};

function templateOf(change: Partial<WhatsAppContent & { kind: 'template' }> = {}): WhatsAppContent {
  return {
    kind: 'template',
    name: 'template-name',
    language: 'language-and-locale-code',
    body: ['text-string'],
    ...change,
  };
}

/** Meta's examples of what we have no word for: media by Meta's own id, places, cards, catalogues, forms, payments, quoting. */
const notSent = /by ID|Contact|Location|Reply to|Reaction|Flow|Catalog|Order|typing indicator/;

/** We fill in what the example leaves to its reader; prices and dates of a template are texts with us. */
function comparable(payload: Record<string, unknown>): unknown {
  return JSON.parse(JSON.stringify(payload), (_key, value: unknown) => {
    if (!Array.isArray(value)) return value;
    return value.filter(
      (one: { type?: string } | string) => typeof one !== 'object' || !/^(currency|date_time)$/.test(one.type ?? ''),
    );
  }) as unknown;
}

describe.skipIf(contractFile('payloads/meta/send_message_requests.json') === undefined)("Meta's own examples", () => {
  it('are each made by us, or of a kind that we do not send', () => {
    expect(examples.length).toBeGreaterThan(30);
    const rest = examples.map(({ id }) => id).filter((id) => !Object.hasOwn(sources, id) && !notSent.test(id));
    expect(rest).toEqual([]);
  });

  it.each(Object.entries(sources))('%s', (id, content) => {
    const example = examples.find((one) => one.id === id);
    if (example === undefined) throw new Error('the example is gone');
    const { biz_opaque_callback_data: carried, ...body } = made(content);
    expect(carried).toBe(messageId);
    // Two examples leave out what others have; both are the default.
    const filled = { recipient_type: 'individual', type: 'text', ...(comparable(example.payload) as object) };
    expect(body).toEqual({ ...filled, to: '+16505551234' });
  });
});

interface Marketing {
  samples: { id: string; payload: { template: Record<string, unknown> } }[];
}

describe.skipIf(contractFile('payloads/meta/marketing_messages_requests.json') === undefined)(
  'marketing messages',
  () => {
    it('have the same template as any other', () => {
      const samples = readContract<Marketing>('payloads/meta/marketing_messages_requests.json')?.samples;
      const simple = samples?.find((one) => one.id === 'Simple Template Message')?.payload;
      const body = made({ kind: 'template', name: 'hello_world', language: 'en', body: [] }, 'marketing');
      expect(body['template']).toEqual(simple?.template);
      expect(new Set(Object.keys(body))).toEqual(new Set([...Object.keys(simple ?? {}), 'biz_opaque_callback_data']));
    });
  },
);

describe('buttons of a template', () => {
  const buttons = (
    category: OutgoingWhatsApp['category'],
    kind: 'url' | 'quick-reply' | 'copy-code',
    value: string,
  ) => {
    const body = made(templateOf({ body: [], buttons: [{ index: 1, kind, value }] }), category);
    return (body['template'] as { components: unknown[] }).components;
  };

  it('of a one-time code are a link whose variable part is the code', () => {
    expect(buttons('authentication', 'copy-code', '123456')).toEqual([
      { type: 'button', sub_type: 'url', index: '1', parameters: [{ type: 'text', text: '123456' }] },
    ]);
  });

  it('of a coupon are a kind of their own', () => {
    expect(buttons('marketing', 'copy-code', '25OFF')).toEqual([
      {
        type: 'button',
        sub_type: 'copy_code',
        index: '1',
        parameters: [{ type: 'coupon_code', coupon_code: '25OFF' }],
      },
    ]);
  });

  it('carry what comes back when they are pressed, and where they lead', () => {
    expect(buttons('utility', 'quick-reply', 'yes')).toEqual([
      { type: 'button', sub_type: 'quick_reply', index: '1', parameters: [{ type: 'payload', payload: 'yes' }] },
    ]);
    expect(buttons('utility', 'url', 'orders/42')).toEqual([
      { type: 'button', sub_type: 'url', index: '1', parameters: [{ type: 'text', text: 'orders/42' }] },
    ]);
  });

  it('and the header come before and after the body', () => {
    const header = { kind: 'document', url: 'https://cdn.example/a.pdf', fileName: 'a.pdf' } as const;
    const body = made(templateOf({ header, buttons: [{ index: 0, kind: 'url', value: 'x' }] }));
    const { components } = body['template'] as { components: { type: string; parameters: unknown[] }[] };
    expect(components.map(({ type }) => type)).toEqual(['header', 'body', 'button']);
    expect(components[0]?.parameters).toEqual([
      { type: 'document', document: { link: 'https://cdn.example/a.pdf', filename: 'a.pdf' } },
    ]);
  });
});
