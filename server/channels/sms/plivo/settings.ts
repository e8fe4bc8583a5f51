import { z } from 'zod';
import type { FieldProblem } from '../../../platform/errors.ts';
import { baseUrl, senderProblems, senders } from '../settings.rules.ts';

export const plivoSettings = z.strictObject({
  authId: z
    .string()
    .trim()
    .regex(/^(?:MA|SA)[A-Z0-9]{18}$/, 'must be an Auth ID: MA or SA and 18 letters and digits')
    .meta({ title: 'Auth ID', description: 'Of the account or subaccount, from the Plivo console' }),
  powerpackUuid: z
    .uuid()
    .nullable()
    .default(null)
    .meta({ title: 'Powerpack UUID', description: 'Chooses the sender where none is set below' }),
  senders,
  maxConnections: z
    .int()
    .min(1)
    .max(100)
    .default(10)
    .meta({ title: 'Requests at a time', description: 'Plivo limits requests to 300 in 5 seconds' }),
  baseUrl,
});
export type PlivoSettings = z.output<typeof plivoSettings>;

export const plivoSecrets = z.strictObject({
  authToken: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .meta({ title: 'Auth token', description: 'Signs in, and Plivo signs its callbacks with it' }),
});
export type PlivoSecrets = z.output<typeof plivoSecrets>;

export function plivoProblems(settings: PlivoSettings, secrets: PlivoSecrets): readonly FieldProblem[] {
  const problems: FieldProblem[] = [...senderProblems(settings.senders)];
  if (secrets.authToken === undefined) problems.push({ pointer: '/settings/authToken', message: 'is needed' });
  if (settings.powerpackUuid === null && settings.senders.length === 0)
    problems.push({ pointer: '/settings/senders', message: 'needs a sender, or a Powerpack that has some' });
  return problems;
}
