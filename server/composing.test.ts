import { describe, expect, test } from 'vitest';
import type { ContentSource } from '../contract/template-content.ts';
import { outgoingOf } from './composing.ts';
import type { Envelope } from './composing.ts';
import { objectionsOf } from './fitness.ts';
import type { AnyRenderer } from './templates/index.ts';

const now = Temporal.Instant.from('2026-03-14T12:00:00Z');
const envelope: Envelope = {
  messageId: 'm',
  contactId: 'c',
  to: '+4915112345678',
  country: 'DE',
  category: 'otp',
  kind: 'fcm',
  now,
};
const template: ContentSource = {
  channel: 'whatsapp',
  content: { kind: 'template', name: 'n', language: 'en', body: [] },
  trackLinks: true,
};
const free: ContentSource = { channel: 'whatsapp', content: { kind: 'text', body: 'Hi' }, trackLinks: true };
const notice: ContentSource = {
  channel: 'push',
  title: 'T',
  body: 'B',
  imageUrl: null,
  url: 'https://x.example/',
  data: {},
  collapseKey: null,
  ttlSeconds: 0,
  urgency: 'high',
  trackLinks: true,
};

describe('a rendered content on its way out', () => {
  test('an SMS knows its country and its purpose', () => {
    const sms: ContentSource = { channel: 'sms', text: 'Hi', mediaUrls: [], trackLinks: true };
    expect(outgoingOf(sms, envelope)).toEqual({
      ok: true,
      outgoing: { channel: 'sms', messageId: 'm', to: '+4915112345678', country: 'DE', text: 'Hi', category: 'otp' },
    });
  });

  test.each([
    ['otp', template, 'authentication'],
    ['marketing', template, 'marketing'],
    ['transactional', template, 'utility'],
    ['utility', template, 'utility'],
    ['marketing', free, 'service'],
  ])('what is %s here has its category at WhatsApp', (category, source, theirs) => {
    expect(outgoingOf(source, { ...envelope, category })).toMatchObject({ outgoing: { category: theirs } });
  });

  test('a push goes to a token of the account’s platform, to no other', () => {
    expect(outgoingOf(notice, { ...envelope, to: 'fcm:a:b' })).toEqual({
      ok: true,
      outgoing: {
        channel: 'push',
        messageId: 'm',
        token: 'a:b',
        title: 'T',
        body: 'B',
        url: 'https://x.example/',
        ttlSeconds: 0,
        urgency: 'high',
      },
    });
    expect(outgoingOf(notice, { ...envelope, to: 'apns:00' })).toMatchObject({ ok: false, reason: 'no-push-account' });
  });

  test('an in-app message goes to the contact, and ends when it should', () => {
    const inApp: ContentSource = {
      channel: 'inapp',
      title: 'T',
      body: 'B',
      imageUrl: null,
      url: null,
      data: {},
      expiresAfterSeconds: 3600,
      trackLinks: true,
    };
    expect(outgoingOf(inApp, { ...envelope, to: '' })).toMatchObject({
      outgoing: { contactId: 'c', expiresAt: '2026-03-14T13:00:00Z' },
    });
  });
});

describe('what a channel objects to', () => {
  const reach = { lineType: 'mobile', addressCountry: 'DE', lastInboundAt: null };
  const objections = (content: ContentSource, category = 'transactional') =>
    objectionsOf(
      { channel: content.channel, compiled: { content, variables: [] } } as unknown as AnyRenderer,
      category,
    );

  test('SMS: landlines', () => {
    const objects = objections({ channel: 'sms', text: 'Hi', mediaUrls: [], trackLinks: true });
    expect(objects?.(reach, now)).toBeUndefined();
    expect(objects?.({ ...reach, lineType: 'fixed-line' }, now)).toBe('landline');
  });

  test('WhatsApp: free words outside of 24 hours, advertising to the United States', () => {
    const words = objections(free);
    expect(words?.(reach, now)).toBe('whatsapp-window-closed');
    expect(words?.({ ...reach, lastInboundAt: now.subtract({ hours: 23 }) }, now)).toBeUndefined();
    expect(words?.({ ...reach, lastInboundAt: now.subtract({ hours: 24 }) }, now)).toBe('whatsapp-window-closed');
    expect(objections(template)?.(reach, now)).toBeUndefined();
    const advertising = objections(template, 'marketing');
    expect(advertising?.({ ...reach, addressCountry: 'US' }, now)).toBe('whatsapp-marketing-to-us');
  });

  test('push and e-mail: nothing, so nothing is asked', () => {
    expect(objections(notice)).toBeUndefined();
  });
});
