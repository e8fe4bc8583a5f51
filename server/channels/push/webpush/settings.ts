import { z } from 'zod';
import type { FieldProblem } from '../../../platform/errors.ts';
import { baseUrl } from '../base-url.rules.ts';
import { vapidPublicKey } from './vapid.ts';

export const webpushSettings = z.strictObject({
  subject: z
    .string()
    .max(300)
    .regex(/^(?:mailto:[^\s@]+@[^\s@]+|https:\/\/[^\s]+)$/, 'must be mailto: and an address, or an https address')
    .meta({ title: 'Contact', description: 'Whom a push service may write to about trouble: mailto:you@example.com' }),
  /** Follows from the private key; what is given here is overwritten. */
  publicKey: z
    .string()
    .max(100)
    .nullable()
    .meta({ title: 'Public key', description: "The browser's applicationServerKey", readOnly: true }),
  services: z
    .array(
      z
        .string()
        .max(253)
        .regex(/^(?:\*\.)?[a-z0-9.-]+$/, 'must be a host name, or *. and a domain'),
    )
    .max(50)
    .nullable()
    .meta({
      title: 'Further push services',
      description: 'Hosts of push services beyond those of the well-known browsers',
    }),
  /** There is none at the vendors': each subscription names its service. With it, those of the sandbox are called, too. */
  baseUrl,
});
export type WebpushSettings = z.output<typeof webpushSettings>;

export const webpushSecrets = z.strictObject({
  privateKey: z
    .string()
    .refine((key) => vapidPublicKey(key) !== undefined, 'must be a private key on P-256: 32 bytes in base64url')
    .optional()
    .meta({ title: 'Private key', description: 'Leave empty for a new pair of keys' }),
});
export type WebpushSecrets = z.output<typeof webpushSecrets>;

export function webpushProblems(_settings: WebpushSettings, secrets: WebpushSecrets): readonly FieldProblem[] {
  return secrets.privateKey === undefined ? [{ pointer: '/settings/privateKey', message: 'is missing' }] : [];
}
