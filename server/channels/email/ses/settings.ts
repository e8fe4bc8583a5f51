import { z } from 'zod';
import type { FieldProblem } from '../../../platform/errors.ts';
import { awsBaseUrl, awsRegion } from '../../aws.ts';
import { asciiDomain } from '../header.rules.ts';
import { bareBase, baseUrlSetting } from '../settings.rules.ts';

export const sesSettings = z.strictObject({
  region: z
    .string()
    .trim()
    .regex(awsRegion, 'must be a region of AWS, such as eu-west-1')
    .meta({ title: 'Region', description: 'Where the sender is verified: us-east-1, eu-west-1, …' }),
  configurationSet: z
    .string()
    .trim()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be the name of a configuration set')
    .nullable()
    .default(null)
    .meta({
      title: 'Configuration set',
      description:
        'Needed for receipts by event publishing; it names the SNS topic, and the IP pool where there is one.',
    }),
  topicArn: z
    .string()
    .trim()
    .regex(/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/, 'must be the ARN of an SNS topic')
    .nullable()
    .default(null)
    .meta({
      title: 'SNS topic',
      description: 'The ARN of the topic that SES publishes its events to. Only this one is believed.',
    }),
  mailFromDomain: z
    .string()
    .trim()
    .max(253)
    .refine((domain) => asciiDomain(domain) !== undefined, 'must be a domain')
    .nullable()
    .default(null)
    .meta({ title: 'MAIL FROM domain', description: 'Where one of your own is set up in SES: its DNS is looked at.' }),
  maxConnections: z.int().min(1).max(100).default(16).meta({
    title: 'Requests at a time',
    description: 'How many requests are on their way at the same time.',
  }),
  baseUrl: baseUrlSetting,
});
export type SesSettings = z.output<typeof sesSettings>;

const key = z
  .string()
  .trim()
  .min(1)
  .max(4000)
  .regex(/^[\x21-\x7e]+$/, 'must not contain spaces or line breaks');

export const sesSecrets = z.strictObject({
  accessKeyId: key.optional().meta({
    title: 'Access key ID',
    description:
      'Of an IAM user that may do ses:SendEmail, ses:SendRawEmail and ses:SendBulkEmail, and ses:GetAccount to be tested.',
  }),
  secretAccessKey: key.optional().meta({ title: 'Secret access key' }),
  sessionToken: key.optional().meta({ title: 'Session token', description: 'Of temporary credentials only.' }),
});
export type SesSecrets = z.output<typeof sesSecrets>;

export function sesProblems(_settings: SesSettings, secrets: SesSecrets): readonly FieldProblem[] {
  return (['accessKeyId', 'secretAccessKey'] as const)
    .filter((name) => secrets[name] === undefined)
    .map((name) => ({ pointer: `/settings/${name}`, message: 'is needed' }));
}

export function sesUrl({ baseUrl, region }: SesSettings): string {
  return bareBase(baseUrl ?? awsBaseUrl('email', region));
}
