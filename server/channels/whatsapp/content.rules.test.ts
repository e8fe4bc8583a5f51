import { describe, expect, it } from 'vitest';
import type { WhatsAppContent } from '../port.ts';
import { contentProblems } from './content.rules.ts';

const pointers = (content: WhatsAppContent) => contentProblems(content).map((problem) => problem.pointer);
const template = (change: Partial<WhatsAppContent & { kind: 'template' }> = {}): WhatsAppContent => ({
  kind: 'template',
  name: 'order_confirmation',
  language: 'en_US',
  body: ['Ada', '42'],
  ...change,
});
const buttons = (titles: readonly string[], ids = titles): WhatsAppContent => ({
  kind: 'buttons',
  body: 'Which?',
  buttons: titles.map((title, index) => ({ id: ids[index] ?? '', title })),
});
const rows = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: `row-${index}`, title: `Row ${index}` }));
const list = (change: Partial<WhatsAppContent & { kind: 'list' }> = {}): WhatsAppContent => ({
  kind: 'list',
  body: 'Choose',
  label: 'Options',
  sections: [{ title: 'All', rows: rows(10) }],
  ...change,
});

describe('what WhatsApp takes', () => {
  it.each<[string, WhatsAppContent]>([
    ['a text', { kind: 'text', body: 'x'.repeat(4096) }],
    ['as many emoji as characters', { kind: 'text', body: '👋'.repeat(4096) }],
    ['a picture', { kind: 'image', url: 'https://cdn.example/a.jpg', caption: 'A' }],
    ['a sticker', { kind: 'sticker', url: 'https://cdn.example/a.webp' }],
    ['a document', { kind: 'document', url: 'https://cdn.example/a.pdf', fileName: 'a.pdf' }],
    ['three buttons', buttons(['Yes', 'No', 'Later'])],
    ['a list of ten', list()],
    ['a single section without a title', list({ sections: [{ title: '', rows: rows(2) }] })],
    ['a template', template()],
    ['a template of Twilio, which has a name of its own', template({ name: 'Order Confirmation', contentSid: 'HX1' })],
    ['a code', template({ language: 'de', buttons: [{ index: 0, kind: 'copy-code', value: '123456' }] })],
  ])('%s', (_, content) => {
    expect(contentProblems(content)).toEqual([]);
  });
});

describe('what WhatsApp would refuse', () => {
  it.each<[string, WhatsAppContent, string]>([
    ['an empty text', { kind: 'text', body: '  ' }, '/body'],
    ['a text of more than 4,096 characters', { kind: 'text', body: 'x'.repeat(4097) }, '/body'],
    ['a picture that is not on the web', { kind: 'image', url: 'file:///etc/passwd' }, '/url'],
    ['a long caption', { kind: 'video', url: 'https://cdn.example/a', caption: 'x'.repeat(1025) }, '/caption'],
    ['a caption of a sound', { kind: 'audio', url: 'https://cdn.example/a', caption: 'x' }, '/caption'],
    ['no button', buttons([]), '/buttons'],
    ['four buttons', buttons(['a', 'b', 'c', 'd']), '/buttons'],
    ['two buttons that say the same', buttons(['Yes', 'Yes'], ['1', '2']), '/buttons'],
    ['two buttons of one id', buttons(['Yes', 'No'], ['1', '1']), '/buttons'],
    ['a long button', buttons(['x'.repeat(21)]), '/buttons/0/title'],
    ['a long header', { ...buttons(['Yes']), header: 'x'.repeat(61) } as WhatsAppContent, '/header'],
    ['a long footer', list({ footer: 'x'.repeat(61) }), '/footer'],
    [
      'eleven rows in two sections',
      list({
        sections: [
          { title: 'A', rows: rows(9) },
          {
            title: 'B',
            rows: [
              { id: 'x', title: 'X' },
              { id: 'y', title: 'Y' },
            ],
          },
        ],
      }),
      '/sections',
    ],
    ['no row', list({ sections: [{ title: 'A', rows: [] }] }), '/sections'],
    [
      'two sections, one without a title',
      list({
        sections: [
          { title: '', rows: rows(1) },
          { title: 'B', rows: [{ id: 'x', title: 'X' }] },
        ],
      }),
      '/sections/0/title',
    ],
    [
      'a long row',
      list({ sections: [{ title: 'A', rows: [{ id: 'x', title: 'x'.repeat(25) }] }] }),
      '/sections/0/rows/0/title',
    ],
    ['rows of one id', list({ sections: [{ title: 'A', rows: [...rows(1), ...rows(1)] }] }), '/sections'],
    ['a long label', list({ label: 'x'.repeat(21) }), '/label'],
    ['a name that is none', template({ name: 'Order confirmation' }), '/name'],
    ['a language that is none', template({ language: 'English' }), '/language'],
    ['an empty value', template({ body: ['Ada', ''] }), '/body/1'],
    ['a value with a line break', template({ body: ['Ada\nLovelace'] }), '/body/0'],
    ['a value with five spaces', template({ body: ['Ada     Lovelace'] }), '/body/0'],
    ['a header that is not on the web', template({ header: { kind: 'image', url: 'a.jpg' } }), '/header/url'],
    ['a header with an empty value', template({ header: { kind: 'text', values: [''] } }), '/header/values/0'],
    [
      'a code of more than 15 characters',
      template({ buttons: [{ index: 0, kind: 'copy-code', value: 'x'.repeat(16) }] }),
      '/buttons/0/value',
    ],
    ['an eleventh button', template({ buttons: [{ index: 10, kind: 'url', value: 'x' }] }), '/buttons/0/index'],
    [
      'two values for one button',
      template({
        buttons: [
          { index: 0, kind: 'url', value: 'x' },
          { index: 0, kind: 'url', value: 'y' },
        ],
      }),
      '/buttons',
    ],
  ])('%s', (_, content, pointer) => {
    expect(pointers(content)).toEqual([pointer]);
  });
});
