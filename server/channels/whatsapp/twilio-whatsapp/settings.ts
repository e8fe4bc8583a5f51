import { z } from 'zod';
import type { FieldProblem } from '../../../platform/errors.ts';
import { requestsAtOnce } from '../fields.rules.ts';
import { twilioProblems, twilioSecretsFields, twilioSettingsFields } from '../../twilio.ts';

export const twilioWhatsAppSettings = z.strictObject({
  accountSid: twilioSettingsFields.accountSid,
  from: z
    .string()
    .trim()
    .regex(/^\+[1-9]\d{5,14}$/, 'must be a number with its country code, such as +14155552345')
    .nullable()
    .default(null)
    .meta({
      title: 'WhatsApp number',
      description: 'The sender that is registered for WhatsApp, such as +14155552345',
    }),
  messagingServiceSid: z
    .string()
    .trim()
    .regex(/^MG[0-9a-fA-F]{32}$/, 'must be a Messaging Service SID: MG and 32 hexadecimal digits')
    .nullable()
    .default(null)
    .meta({ title: 'Messaging Service SID', description: 'Whose WhatsApp senders are used, where no number is set' }),
  apiKeySid: twilioSettingsFields.apiKeySid,
  requestsAtOnce,
  baseUrl: twilioSettingsFields.baseUrl,
});
export type TwilioWhatsAppSettings = z.output<typeof twilioWhatsAppSettings>;

export const twilioWhatsAppSecrets = z.strictObject(twilioSecretsFields);
export type TwilioWhatsAppSecrets = z.output<typeof twilioWhatsAppSecrets>;

export function twilioWhatsAppProblems(
  settings: TwilioWhatsAppSettings,
  secrets: TwilioWhatsAppSecrets,
): readonly FieldProblem[] {
  const noSender = settings.from === null && settings.messagingServiceSid === null;
  const message = 'is needed: a number that is registered for WhatsApp, or a Messaging Service';
  return [...twilioProblems(settings, secrets), ...(noSender ? [{ pointer: '/settings/from', message }] : [])];
}
