import { createPublicKey } from 'node:crypto';
import { z } from 'zod';
import type { FieldProblem } from '../../../platform/errors.ts';
import { bareBase, baseUrlSetting } from '../settings.rules.ts';

export const sendGridSettings = z.strictObject({
  region: z.enum(['global', 'eu']).default('global').meta({
    title: 'Region',
    description: 'Where the SendGrid account is: subusers of the European Union have servers of their own.',
  }),
  ipPool: z.string().min(2).max(64).nullable().default(null).meta({
    title: 'IP pool',
    description: 'Of dedicated IP addresses to send from; empty: SendGrid chooses.',
  }),
  webhookPublicKey: z
    .string()
    .trim()
    .max(500)
    .refine((key) => eventKey(key) !== undefined, 'must be the verification key of the signed Event Webhook (base64)')
    .nullable()
    .default(null)
    .meta({
      title: 'Verification key of the Event Webhook',
      description: 'SendGrid shows it under Mail Settings, Event Webhook, once "Signed Event Webhook" is on.',
    }),
  vendorTracking: z.boolean().default(false).meta({
    title: 'Tracking by SendGrid too',
    description:
      'Parley tracks opens and clicks itself. On: SendGrid’s own settings apply on top, and links are wrapped twice.',
  }),
  emailActivity: z.boolean().default(false).meta({
    title: 'Email Activity API',
    description: 'The add-on is booked: Parley may ask SendGrid about messages whose answer never came.',
  }),
  maxConnections: z.int().min(1).max(100).default(16).meta({
    title: 'Requests at a time',
    description: 'How many requests are on their way at the same time.',
  }),
  baseUrl: baseUrlSetting,
});
export type SendGridSettings = z.output<typeof sendGridSettings>;

export const sendGridSecrets = z.strictObject({
  apiKey: z
    .string()
    .trim()
    .min(1)
    .max(500)
    .regex(/^[\x21-\x7e]+$/, 'must be an API key')
    .optional()
    .meta({
      title: 'API key',
      description: 'With the permission "Mail Send"; with "Email Activity" too where that is booked.',
    }),
});
export type SendGridSecrets = z.output<typeof sendGridSecrets>;

export function sendGridProblems(_settings: SendGridSettings, secrets: SendGridSecrets): readonly FieldProblem[] {
  return secrets.apiKey === undefined ? [{ pointer: '/settings/apiKey', message: 'is needed' }] : [];
}

export function sendGridUrl({ baseUrl, region }: SendGridSettings): string {
  return bareBase(baseUrl ?? (region === 'eu' ? 'https://api.eu.sendgrid.com' : 'https://api.sendgrid.com'));
}

/** Pure: the key that events are signed with (ECDSA over P-256, SPKI in base64); undefined when it is none. */
export function eventKey(base64: string) {
  try {
    const key = createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : undefined;
  } catch {
    return undefined;
  }
}
