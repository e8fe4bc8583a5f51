import { describe, expect, test } from 'vitest';
import { createTemplate, updateTemplate } from '../../../contract/templates.ts';
import {
  blankContent,
  changeContentBody,
  contentOfKind,
  contentValues,
  createContentBody,
  hasContent,
  isSameContent,
  shownOf,
} from './content.rules.ts';

const channels = ['sms', 'push', 'inapp'] as const;

describe('a template of another channel', () => {
  test.each(channels)('of %s begins as something the API takes', (channel) => {
    const draft = { ...blankContent(channel), name: 'Hello' };
    expect(createTemplate.body.safeParse(createContentBody(draft)).error).toBeUndefined();
    expect(contentValues(draft)).toEqual(['contact.first_name']);
    expect(hasContent(draft)).toBe(true);
  });

  test('changes only what changed, and the order of keys is no change', () => {
    const before = { ...blankContent('push'), name: 'Hello' };
    expect(changeContentBody(before, { ...before, name: 'Bye' })).toEqual({ name: 'Bye' });
    const { channel, ...rest } = before.source;
    const turned = { ...before, source: { ...rest, channel } as typeof before.source };
    expect(isSameContent(before, turned)).toBe(true);
    const change = changeContentBody(before, { ...before, source: { ...before.source, trackLinks: false } });
    expect(updateTemplate.body.safeParse(change).error).toBeUndefined();
    expect(change).toMatchObject({ trackLinks: false });
    expect(change).not.toHaveProperty('channel');
  });

  test('of WhatsApp is shown once it has a name at Meta; another kind keeps the words', () => {
    const draft = blankContent('whatsapp');
    expect(hasContent(draft)).toBe(false);
    expect(contentOfKind('buttons', { kind: 'text', body: 'Well?' })).toMatchObject({ body: 'Well?' });
    const content = { kind: 'template', name: 'order', language: 'en', body: ['Ada', '42'] } as const;
    expect(
      shownOf({ channel: 'whatsapp', content: { ...content, body: [...content.body] }, trackLinks: true }),
    ).toMatchObject({
      heading: 'Template order (en)',
      text: '{{1}} Ada\n{{2}} 42',
    });
  });
});
