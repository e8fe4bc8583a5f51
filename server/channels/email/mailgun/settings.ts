import { z } from 'zod';
import type { FieldProblem } from '../../../platform/errors.ts';
import { asciiDomain } from '../header.rules.ts';
import { bareBase, baseUrlSetting } from '../settings.rules.ts';

export const mailgunSettings = z.strictObject({
  domain: z
    .string()
    .trim()
    .max(253)
    .refine((domain) => asciiDomain(domain) !== undefined && domain.includes('.'), 'must be a domain')
    .meta({ title: 'Domain', description: 'The sending domain as it is set up in Mailgun, such as mg.example.com.' }),
  region: z
    .enum(['us', 'eu'])
    .default('us')
    .meta({ title: 'Region', description: 'Where the domain was created; the other region does not know it.' }),
  vendorTracking: z.boolean().default(false).meta({
    title: 'Tracking by Mailgun too',
    description:
      'Parley tracks opens and clicks itself. On: Mailgun’s own settings apply on top, and links are wrapped twice.',
  }),
  maxConnections: z.int().min(1).max(100).default(10).meta({
    title: 'Requests at a time',
    description: 'How many requests are on their way at the same time.',
  }),
  baseUrl: baseUrlSetting,
});
export type MailgunSettings = z.output<typeof mailgunSettings>;

const key = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .regex(/^[\x21-\x7e]+$/, 'must not contain spaces or line breaks');

export const mailgunSecrets = z.strictObject({
  apiKey: key.optional().meta({
    title: 'API key',
    description: 'A sending key of the domain is enough to send; looking up events needs a key of the account.',
  }),
  webhookSigningKey: key.optional().meta({
    title: 'Webhook signing key',
    description: 'Mailgun shows it under Settings, API Security: webhooks are signed with it.',
  }),
});
export type MailgunSecrets = z.output<typeof mailgunSecrets>;

export function mailgunProblems(_settings: MailgunSettings, secrets: MailgunSecrets): readonly FieldProblem[] {
  return secrets.apiKey === undefined ? [{ pointer: '/settings/apiKey', message: 'is needed' }] : [];
}

export function mailgunUrl({ baseUrl, region }: MailgunSettings): string {
  return bareBase(baseUrl ?? (region === 'eu' ? 'https://api.eu.mailgun.net' : 'https://api.mailgun.net'));
}

export function mailgunDomain({ domain }: MailgunSettings): string {
  return asciiDomain(domain) ?? domain;
}

/** Basic authentication with the user name every key has. */
export function mailgunAuthorization({ apiKey }: MailgunSecrets): string {
  return `Basic ${Buffer.from(`api:${apiKey ?? ''}`).toString('base64')}`;
}
