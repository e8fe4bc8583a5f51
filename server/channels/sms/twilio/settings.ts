import { z } from 'zod';
import type { FieldProblem } from '../../../platform/errors.ts';
import { twilioProblems, twilioSecretsFields, twilioSettingsFields } from '../../twilio.ts';
import { senderProblems, senders } from '../settings.rules.ts';

export const twilioSettings = z.strictObject({
  accountSid: twilioSettingsFields.accountSid,
  apiKeySid: twilioSettingsFields.apiKeySid,
  messagingServiceSid: z
    .string()
    .trim()
    .regex(/^MG[0-9a-fA-F]{32}$/, 'must be a Messaging Service SID: MG and 32 hexadecimal digits')
    .nullable()
    .default(null)
    .meta({ title: 'Messaging Service SID', description: 'Chooses the sender where none is set below' }),
  senders,
  maxConnections: z
    .int()
    .min(1)
    .max(100)
    .default(10)
    .meta({ title: 'Requests at a time', description: 'Twilio limits how many an account may have open' }),
  baseUrl: twilioSettingsFields.baseUrl,
});
export type TwilioSettings = z.output<typeof twilioSettings>;

export const twilioSecrets = z.strictObject(twilioSecretsFields);
export type TwilioSecrets = z.output<typeof twilioSecrets>;

export function twilioSmsProblems(settings: TwilioSettings, secrets: TwilioSecrets): readonly FieldProblem[] {
  const problems: FieldProblem[] = [...twilioProblems(settings, secrets), ...senderProblems(settings.senders)];
  if (settings.messagingServiceSid === null && settings.senders.length === 0)
    problems.push({ pointer: '/settings/senders', message: 'needs a sender, or a Messaging Service that has some' });
  return problems;
}
