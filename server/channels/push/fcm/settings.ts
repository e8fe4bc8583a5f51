import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';
import type { FieldProblem } from '../../../platform/errors.ts';
import { baseUrl } from '../base-url.rules.ts';

export const fcmSettings = z.strictObject({
  projectId: z
    .string()
    .regex(/^[a-z][a-z0-9.:-]{2,60}[a-z0-9]$/, 'must be the id of a Firebase project')
    .nullable()
    .meta({ title: 'Project id', description: "Leave empty for the service account's own project" }),
  baseUrl,
});
export type FcmSettings = z.output<typeof fcmSettings>;

export const fcmSecrets = z.strictObject({
  serviceAccount: z
    .string()
    .max(20_000)
    .refine((json) => readServiceAccount(json) !== undefined, 'must be the JSON key file of a service account')
    .optional()
    .meta({
      title: 'Service account',
      description: 'The JSON file from Firebase, Project settings, Service accounts, Generate new private key',
    }),
});
export type FcmSecrets = z.output<typeof fcmSecrets>;

/** What of the key file is used. Its `token_uri` is not: where tokens are asked for is pinned. */
export interface ServiceAccount {
  readonly clientEmail: string;
  readonly privateKey: string;
  readonly keyId: string | undefined;
  readonly projectId: string | undefined;
}

const keyFile = z.looseObject({
  client_email: z.email(),
  private_key: z.string().refine(isRsaKey),
  private_key_id: z.string().optional(),
  project_id: z.string().optional(),
});

function isRsaKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}

/** Undefined when the text is no key file of a service account. */
export function readServiceAccount(json: string): ServiceAccount | undefined {
  let given: unknown;
  try {
    given = JSON.parse(json);
  } catch {
    return undefined;
  }
  const read = keyFile.safeParse(given).data;
  if (read === undefined) return undefined;
  return {
    clientEmail: read.client_email,
    privateKey: read.private_key,
    keyId: read.private_key_id,
    projectId: read.project_id,
  };
}

export function fcmProblems(settings: FcmSettings, secrets: FcmSecrets): readonly FieldProblem[] {
  if (secrets.serviceAccount === undefined)
    return [{ pointer: '/settings/serviceAccount', message: 'is needed: the JSON key file of a service account' }];
  if (settings.projectId === null && readServiceAccount(secrets.serviceAccount)?.projectId === undefined)
    return [{ pointer: '/settings/projectId', message: 'is needed: the key file names no project' }];
  return [];
}
