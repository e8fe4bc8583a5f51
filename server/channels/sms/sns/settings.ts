import { z } from 'zod';
import type { FieldProblem } from '../../../platform/errors.ts';
import { awsRegion } from '../../aws.ts';
import { senderKind } from '../sender.rules.ts';
import { baseUrl, senderProblems, senders } from '../settings.rules.ts';

export const snsSettings = z.strictObject({
  region: z
    .string()
    .trim()
    .regex(awsRegion, 'must be a region, such as eu-west-1')
    .meta({ title: 'Region', description: 'Such as eu-west-1; one in which Amazon SNS sends SMS' }),
  accessKeyId: z
    .string()
    .trim()
    .regex(/^[A-Z0-9]{16,128}$/, 'must be an access key ID, such as AKIA…')
    .meta({ title: 'Access key ID', description: 'Of a user who may sns:Publish and sns:GetSMSAttributes' }),
  senders: senders.meta({
    title: 'Senders',
    description: 'Names (Sender IDs) and numbers by country; without one Amazon chooses from the account’s numbers',
  }),
  maxPrice: z
    .number()
    .positive()
    .max(100)
    .nullable()
    .default(null)
    .meta({ title: 'Highest price', description: 'In US dollars for one message; dearer ones are not sent' }),
  topicArn: z
    .string()
    .trim()
    .regex(/^arn:aws(?:-[a-z]+)*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/, 'must be the ARN of an SNS topic')
    .nullable()
    .default(null)
    .meta({
      title: 'Topic of events (ARN)',
      description: 'Through which AWS End User Messaging tells what became of texts',
    }),
  maxConnections: z
    .int()
    .min(1)
    .max(100)
    .default(10)
    .meta({ title: 'Requests at a time', description: 'Amazon limits messages per second by region and number' }),
  baseUrl,
});
export type SnsSettings = z.output<typeof snsSettings>;

export const snsSecrets = z.strictObject({
  secretAccessKey: z.string().min(1).max(200).optional().meta({ title: 'Secret access key' }),
  sessionToken: z
    .string()
    .min(1)
    .max(4000)
    .optional()
    .meta({ title: 'Session token', description: 'Of temporary credentials only' }),
});
export type SnsSecrets = z.output<typeof snsSecrets>;

/** Narrower than other vendors' names: no spaces, no marks but hyphens. */
const senderId = /^[A-Za-z0-9-]{1,11}$/;

export function snsProblems(settings: SnsSettings, secrets: SnsSecrets): readonly FieldProblem[] {
  const problems: FieldProblem[] = [...senderProblems(settings.senders)];
  if (secrets.secretAccessKey === undefined)
    problems.push({ pointer: '/settings/secretAccessKey', message: 'is needed' });
  settings.senders.forEach(({ from }, index) => {
    if (senderKind(from) === 'name' && !senderId.test(from))
      problems.push({
        pointer: `/settings/senders/${index}/from`,
        message: 'is no name that Amazon takes: letters, digits and hyphens only',
      });
  });
  return problems;
}
