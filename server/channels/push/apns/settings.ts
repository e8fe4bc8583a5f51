import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';
import type { FieldProblem } from '../../../platform/errors.ts';
import { baseUrl } from '../base-url.rules.ts';

const appleId = z.string().regex(/^[A-Z0-9]{10}$/, 'must be the ten letters and digits that Apple shows');

export const apnsSettings = z.strictObject({
  teamId: appleId.meta({ title: 'Team id', description: 'In the Apple developer account, Membership details' }),
  keyId: appleId.meta({ title: 'Key id', description: 'Of the key with Apple Push Notifications service enabled' }),
  topic: z
    .string()
    .regex(/^[A-Za-z0-9.-]{1,155}$/, 'must be a bundle id')
    .meta({ title: 'Topic', description: "The app's bundle id, such as com.example.app" }),
  environment: z
    .enum(['production', 'development'])
    .nullable()
    .meta({ title: 'Environment', description: 'Development for builds that run from Xcode; production otherwise' }),
  baseUrl,
});
export type ApnsSettings = z.output<typeof apnsSettings>;

export const apnsSecrets = z.strictObject({
  privateKey: z
    .string()
    .max(2000)
    .refine(isKey, 'must be the .p8 file of a key: a private key on P-256 in PEM')
    .optional()
    .meta({ title: 'Private key', description: 'What stands in the .p8 file' }),
});
export type ApnsSecrets = z.output<typeof apnsSecrets>;

function isKey(pem: string): boolean {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(pem);
    return asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1';
  } catch {
    return false;
  }
}

export function apnsProblems(_settings: ApnsSettings, secrets: ApnsSecrets): readonly FieldProblem[] {
  if (secrets.privateKey !== undefined) return [];
  return [{ pointer: '/settings/privateKey', message: 'is needed: what stands in the .p8 file' }];
}
