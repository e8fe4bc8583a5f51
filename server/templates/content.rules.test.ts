import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ContentSource } from '../../contract/template-content.ts';
import { compileContent } from './content-compile.rules.ts';
import type { ContentInput } from './content-compile.rules.ts';
import { createContentRenderer } from './content-render.rules.ts';
import { fillContent, partsOf, titleOf } from './content.rules.ts';
import { mergeSource, sourceOf } from './source.rules.ts';
import { at, errorsOf, inputFor, warningsOf } from './testing.ts';

const sms = (text: string, more: Partial<Extract<ContentSource, { channel: 'sms' }>> = {}): ContentSource => ({
  channel: 'sms',
  text,
  mediaUrls: [],
  trackLinks: true,
  ...more,
});
const push: Extract<ContentSource, { channel: 'push' }> = {
  channel: 'push',
  title: 'Hello',
  body: '',
  imageUrl: null,
  url: null,
  data: {},
  collapseKey: null,
  ttlSeconds: null,
  urgency: 'normal',
  trackLinks: true,
};
const order: ContentSource = {
  channel: 'whatsapp',
  content: {
    kind: 'template',
    name: 'order_update',
    language: 'en_US',
    header: { kind: 'image', url: 'https://x.example/{{ variables.id }}.png' },
    body: ['{{ contact.first_name }}', 'See https://x.example/o/{{ variables.id }}'],
    buttons: [{ index: 0, kind: 'url', value: '{{ variables.id }}' }],
  },
  trackLinks: true,
};

const compile = (source: ContentSource, given: Partial<ContentInput> = {}) =>
  compileContent({ source, category: 'transactional', locale: 'en', ...given });

function rendered(source: ContentSource, input = inputFor(), given: Partial<ContentInput> = {}) {
  const { compiled, problems } = compile(source, given);
  if (compiled === undefined) throw new Error(JSON.stringify(problems));
  const renderer = createContentRenderer(compiled, () => at);
  return { renderer, result: renderer.render(input) };
}

function smsText(text: string, input = inputFor(), given: Partial<ContentInput> = {}): string {
  const { result } = rendered(sms(text), input, given);
  if (!('content' in result) || result.content.channel !== 'sms') throw new Error(JSON.stringify(result));
  return result.content.text;
}

describe('links in a text', () => {
  test('lead through us, and end before the sentence does', () => {
    const text = smsText('Look: https://x.example/a?b=1, or (https://y.example/z).');
    expect(text).toBe('Look: https://go.example/t/c/TOKEN.0, or (https://go.example/t/c/TOKEN.1).');
  });

  test('lead on with the values of the person, encoded for their place', () => {
    const { renderer } = rendered(
      sms('https://x.example/{{ contact.city }}?q={{ variables.q }}'),
      inputFor({ city: 'x' }, { q: 'y' }),
    );
    const data = inputFor({ city: 'São Paulo' }, { q: 'a&b' });
    expect(renderer.resolveLink(0, data)).toBe('https://x.example/S%C3%A3o%20Paulo?q=a%26b');
  });

  test('stay as they are where they are not to be counted, or only known while it renders', () => {
    const plain = rendered(sms('See https://x.example/a', { trackLinks: false })).result;
    expect(plain).toMatchObject({ content: { text: 'See https://x.example/a' } });
    const loop = '{% for item in variables.items %}https://x.example/{{ item }} {% endfor %}';
    const { problems } = compile(sms(loop));
    expect(warningsOf({ problems })).toEqual([expect.stringContaining('clicks on the link with item are not counted')]);
    expect(smsText(loop, inputFor({}, { items: ['a', 'b'] }))).toBe('https://x.example/a https://x.example/b');
  });

  test('a value never becomes a link of ours, nor Liquid', () => {
    const text = smsText('{{ variables.said }}', inputFor({}, { said: 'https://evil.example {{ contact.email }}' }));
    expect(text).toBe('https://evil.example {{ contact.email }}');
  });
});

describe('an SMS', () => {
  test('names a value that is missing, and takes its default', () => {
    expect(rendered(sms('Hi {{ contact.first_name }}')).result).toEqual({ missing: ['contact.first_name'] });
    expect(smsText('Hi {{ contact.first_name | default: "you" }}')).toBe('Hi you');
  });

  test('is not escaped: it is no HTML', () => {
    expect(smsText('{{ contact.name }}', inputFor({ name: 'A & B <C>' }))).toBe('A & B <C>');
  });

  test('that advertises says how to leave, in its language, unless its author did', () => {
    const marketing = (locale: string) => ({ category: 'marketing' as const, locale });
    expect(smsText('Sale', inputFor(), marketing('en'))).toBe('Sale\nReply STOP to opt out.');
    expect(smsText('Rabatt', inputFor(), marketing('de-AT'))).toBe('Rabatt\nAbmelden: STOP antworten.');
    expect(smsText('Sale. Text stop to end', inputFor(), marketing('en'))).toBe('Sale. Text stop to end');
    expect(smsText('Sale {{ unsubscribe_url }}', inputFor(), marketing('en'))).toBe('Sale https://go.example/u/TOKEN');
    expect(smsText('Unstoppable', inputFor(), marketing('en'))).toContain('Reply STOP');
    expect(warningsOf(compile(sms('Sale'), marketing('en')))).toEqual([expect.stringContaining('is put at its end')]);
    expect(smsText('Your code', inputFor(), { category: 'otp' })).toBe('Your code');
  });

  test('without words is refused; what renders to nothing is not sent', () => {
    expect(errorsOf(compile(sms('  ')))).toEqual(['text:- there is nothing to send: write a text']);
    expect(rendered(sms('{{ contact.a | default: "" }}')).result).toEqual({ failure: 'is empty', where: 'text' });
  });

  test('refuses what can never have a value, with the line', () => {
    expect(errorsOf(compile(sms('Hi\n{{ customer.name }}')))).toEqual([
      expect.stringMatching(/^text:2 there is no variable "customer"/),
    ]);
  });
});

describe('WhatsApp', () => {
  const input = inputFor({ first_name: 'Ada\nLovelace' }, { id: '7' });

  test('fills the gaps of a template, each on one line, and leaves its frame alone', () => {
    expect(rendered(order, input).result).toEqual({
      content: {
        ...order,
        content: {
          ...(order.channel === 'whatsapp' ? order.content : {}),
          header: { kind: 'image', url: 'https://x.example/7.png' },
          body: ['Ada Lovelace', 'See https://go.example/t/c/TOKEN.1'],
          buttons: [{ index: 0, kind: 'url', value: '7' }],
        },
      },
    });
  });

  test('says that free text needs an open window, and takes no code in it', () => {
    const free: ContentSource = { channel: 'whatsapp', content: { kind: 'text', body: 'Hi' }, trackLinks: true };
    expect(warningsOf(compile(free))).toEqual([expect.stringContaining('wrote within 24 hours')]);
    expect(errorsOf(compile(free, { category: 'otp' }))).toEqual([expect.stringContaining('a template that Meta')]);
  });
});

describe('a notification', () => {
  test('leads through us; its picture is fetched from where it lies', () => {
    const source = {
      ...push,
      url: 'https://x.example/',
      imageUrl: 'https://x.example/a.png',
      data: { id: '{{ variables.id }}' },
    };
    expect(rendered(source, inputFor({}, { id: '7' })).result).toMatchObject({
      content: { url: 'https://go.example/t/c/TOKEN.1', imageUrl: 'https://x.example/a.png', data: { id: '7' } },
    });
  });

  test('may lead to the way out; to anything but the web it may not', () => {
    expect(rendered({ ...push, url: '{{ unsubscribe_url }}' }).result).toMatchObject({
      content: { url: 'https://go.example/u/TOKEN' },
    });
    expect(errorsOf(compile({ ...push, url: 'javascript:alert(1)' }))).toEqual([expect.stringContaining('url:- must')]);
    const data = rendered(
      { ...push, imageUrl: '{{ variables.picture }}' },
      inputFor({}, { picture: 'file:///etc/passwd' }),
    );
    expect(data.result).toEqual({ failure: 'is not a web address', where: 'imageUrl' });
  });
});

test('a preview shows what it can, and names what is missing in each place', () => {
  const { compiled } = compile({ ...push, title: 'Hi {{ contact.first_name }}', body: 'There' });
  if (compiled === undefined) throw new Error('does not compile');
  const { content, faults } = createContentRenderer(compiled, () => at).preview(inputFor());
  expect(content).toMatchObject({ title: '', body: 'There' });
  expect(faults).toEqual([expect.objectContaining({ where: 'title', missing: 'contact.first_name' })]);
});

test('every place of a source is found and filled at its path', () => {
  const paths = partsOf(order).map((one) => one.path);
  expect(paths).toEqual(['content/header/url', 'content/body/0', 'content/body/1', 'content/buttons/0/value']);
  const filled = fillContent(order, new Map(paths.map((path) => [path, path])));
  expect(partsOf(filled).map((one) => one.source)).toEqual(paths);
  expect(titleOf(order)).toBe('order_update');
});

test('never throws, whatever is written and whatever the data', () => {
  const words = fc.array(
    fc.constantFrom(
      'a',
      ' ',
      '{{ contact.x }}',
      '{{',
      '{% if contact.x %}',
      '{% endif %}',
      'https://x.example/',
      '\n',
      '&',
      '}}',
    ),
  );
  fc.assert(
    fc.property(words, fc.option(fc.string()), (parts, x) => {
      const { compiled } = compile(sms(parts.join('')), { category: 'marketing' });
      if (compiled === undefined) return;
      const result = createContentRenderer(compiled, () => at).render(inputFor({ x }));
      expect(Object.keys(result).length).toBeGreaterThan(0);
    }),
  );
});

describe('a source of a call', () => {
  test('is whole, with nothing for what was left out', () => {
    expect(sourceOf('push', { title: 'T', body: 'B' })).toEqual({ ...push, title: 'T', body: 'B' });
    expect(sourceOf('email', { subject: 'S' })).toMatchObject({ channel: 'email', subject: 'S', mjml: null });
  });

  test('changes only in fields of its channel', () => {
    expect(mergeSource(sms('a'), { text: 'b' })).toEqual(sms('b'));
    expect(() => mergeSource(sms('a'), { title: 'b' })).toThrow(/title: is not in a template for sms/);
    expect(() => mergeSource(sourceOf('email', {}), { content: {} })).toThrow(
      /content: is not in a template for email/,
    );
    expect(() => mergeSource(sms('a'), { text: null })).toThrow(/text/);
  });
});
