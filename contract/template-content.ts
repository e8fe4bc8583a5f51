import { z } from 'zod';
import { line } from './endpoint.ts';

/**
 * What a template of each channel but e-mail holds. Every text of it is Liquid; limits are those of the channel where they
 * hold for the text as it is written, and generous where values still have to be filled in.
 */

const prose = (most: number) => z.string().max(most);
/** Fetched by the vendor: a picture and the like. Liquid is allowed in it. */
const mediaUrl = line(2000);
/** Where a tap leads; clicks on it are counted. Liquid is allowed in it. */
const link = line(2000);
const trackLinks = z
  .boolean()
  .describe('Web addresses lead through Parley, so that clicks are counted; without, they stay as they are.');
const data = z
  .record(line(100), prose(2000))
  .refine((given) => Object.keys(given).length <= 30, 'must have at most 30 entries');

/** 918 characters are six parts of an SMS; more than ten no operator puts together. */
const smsText = prose(1600);

export const smsSource = z.strictObject({
  channel: z.literal('sms'),
  text: smsText,
  mediaUrls: z.array(mediaUrl).max(10),
  trackLinks,
});

const button = z.strictObject({ id: line(256), title: line(200) });
const row = z.strictObject({ id: line(200), title: line(200), description: line(500).exactOptional() });
const frame = { body: prose(4096), header: line(500).exactOptional(), footer: line(500).exactOptional() };

export const whatsAppTemplateContent = z.strictObject({
  kind: z.literal('template'),
  name: z.string().regex(/^[a-z0-9_]{1,512}$/, 'must be small letters, digits and underscores, as Meta names it'),
  language: z.string().regex(/^[a-z]{2,3}(?:_[A-Za-z]{2,4})?$/, 'must be a language as Meta writes it, such as en_US'),
  contentSid: z
    .string()
    .regex(/^HX[0-9a-fA-F]{32}$/, 'must be a Content SID: HX and 32 hexadecimal digits')
    .exactOptional()
    .describe('Of the same template at Twilio.'),
  header: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('text'), values: z.array(line(500)).max(1) }),
      z.strictObject({ kind: z.literal('image'), url: mediaUrl, fileName: line(200).exactOptional() }),
      z.strictObject({ kind: z.literal('video'), url: mediaUrl, fileName: line(200).exactOptional() }),
      z.strictObject({ kind: z.literal('document'), url: mediaUrl, fileName: line(200).exactOptional() }),
    ])
    .exactOptional(),
  body: z.array(prose(2000)).max(50).describe('The values of {{1}}, {{2}}, … in their order.'),
  buttons: z
    .array(
      z.strictObject({
        index: z.int().min(0).max(9),
        kind: z.enum(['url', 'quick-reply', 'copy-code']),
        value: prose(2000).describe('Of a URL: what follows its fixed part.'),
      }),
    )
    .max(10)
    .exactOptional(),
});

const media = (kind: 'image' | 'video' | 'audio' | 'document' | 'sticker') =>
  z.strictObject({
    kind: z.literal(kind),
    url: mediaUrl,
    caption: prose(1024).exactOptional(),
    fileName: line(200).exactOptional(),
  });

export const whatsAppContent = z.discriminatedUnion('kind', [
  whatsAppTemplateContent,
  z.strictObject({ kind: z.literal('text'), body: prose(4096), previewUrl: z.boolean().exactOptional() }),
  media('image'),
  media('video'),
  media('audio'),
  media('document'),
  media('sticker'),
  z.strictObject({ kind: z.literal('buttons'), ...frame, buttons: z.array(button).min(1).max(3) }),
  z.strictObject({
    kind: z.literal('list'),
    ...frame,
    label: line(200),
    sections: z
      .array(z.strictObject({ title: z.string().trim().max(200), rows: z.array(row).min(1).max(10) }))
      .min(1)
      .max(10),
  }),
]);
export type WhatsAppTemplateContent = z.output<typeof whatsAppContent>;

export const whatsAppSource = z.strictObject({ channel: z.literal('whatsapp'), content: whatsAppContent, trackLinks });

export const pushSource = z.strictObject({
  channel: z.literal('push'),
  title: line(200),
  body: prose(2000),
  imageUrl: mediaUrl.nullable(),
  url: link.nullable(),
  data,
  collapseKey: line(64).nullable().describe('Replaces an earlier notification with the same key.'),
  ttlSeconds: z
    .int()
    .min(0)
    .max(2_419_200)
    .nullable()
    .describe('Kept so long for devices that are off; 0: now or never.'),
  urgency: z.enum(['high', 'normal']),
  trackLinks,
});

export const inAppSource = z.strictObject({
  channel: z.literal('inapp'),
  title: line(200),
  body: prose(4000),
  imageUrl: mediaUrl.nullable(),
  url: link.nullable(),
  data,
  expiresAfterSeconds: z.int().min(60).max(31_536_000).nullable().describe('Not shown any more after so long.'),
  trackLinks,
});

/** What may be left out when a template is made; `null` and empty stand for nothing. */
export const smsGiven = {
  text: smsSource.shape.text,
  mediaUrls: smsSource.shape.mediaUrls.optional(),
  trackLinks: trackLinks.optional(),
};
export const whatsAppGiven = { content: whatsAppContent, trackLinks: trackLinks.optional() };
export const pushGiven = {
  title: pushSource.shape.title,
  body: pushSource.shape.body,
  imageUrl: pushSource.shape.imageUrl.optional(),
  url: pushSource.shape.url.optional(),
  data: data.optional(),
  collapseKey: pushSource.shape.collapseKey.optional(),
  ttlSeconds: pushSource.shape.ttlSeconds.optional(),
  urgency: pushSource.shape.urgency.optional(),
  trackLinks: trackLinks.optional(),
};
export const inAppGiven = {
  title: inAppSource.shape.title,
  body: inAppSource.shape.body,
  imageUrl: inAppSource.shape.imageUrl.optional(),
  url: inAppSource.shape.url.optional(),
  data: data.optional(),
  expiresAfterSeconds: inAppSource.shape.expiresAfterSeconds.optional(),
  trackLinks: trackLinks.optional(),
};

export const contentSource = z.discriminatedUnion('channel', [smsSource, whatsAppSource, pushSource, inAppSource]);
export type ContentSource = z.output<typeof contentSource>;
export type ContentChannel = ContentSource['channel'];
