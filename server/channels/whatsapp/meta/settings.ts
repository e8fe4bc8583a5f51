import { z } from 'zod';
import type { FieldProblem } from '../../../platform/errors.ts';
import { baseUrl, requestsAtOnce } from '../fields.rules.ts';

const graphId = z
  .string()
  .trim()
  .regex(/^\d{5,32}$/, 'must be an id of Meta: digits only');

export const defaultBaseUrl = 'https://graph.facebook.com';

export const metaSettings = z.strictObject({
  phoneNumberId: graphId.meta({
    title: 'Phone number ID',
    description: 'From WhatsApp → API Setup in the Meta app; not the number itself.',
  }),
  businessAccountId: graphId.meta({
    title: 'WhatsApp Business Account ID',
    description: 'Whose templates are listed.',
  }),
  useMarketingApi: z.boolean().default(false).meta({
    title: 'Marketing Messages API',
    description:
      'Sends marketing templates through the Marketing Messages API, which must be accepted in WhatsApp Manager.',
  }),
  requestsAtOnce,
  baseUrl,
});
export type MetaSettings = z.output<typeof metaSettings>;

const secret = z
  .string()
  .trim()
  .max(2000)
  // Into a header they go as they are.
  .regex(/^[\u0021-\u007e]+$/, 'must not contain spaces or line breaks');

export const metaSecrets = z.strictObject({
  accessToken: secret
    .meta({
      title: 'Access token',
      description: 'Of a system user, with whatsapp_business_messaging and whatsapp_business_management.',
    })
    .optional(),
  appSecret: secret
    .meta({ title: 'App secret', description: 'From App settings → Basic: webhooks are signed with it.' })
    .optional(),
  verifyToken: secret
    .meta({
      title: 'Verify token',
      description: 'A word of your choice that Meta repeats when the callback address is entered.',
    })
    .optional(),
});
export type MetaSecrets = z.output<typeof metaSecrets>;

/** Without the app's secret no receipt could be believed, so none would come: it is asked for at once. */
export function metaProblems(_settings: MetaSettings, secrets: MetaSecrets): readonly FieldProblem[] {
  const needed = ['accessToken', 'appSecret', 'verifyToken'] as const;
  return needed
    .filter((name) => secrets[name] === undefined)
    .map((name) => ({ pointer: `/settings/${name}`, message: 'is needed' }));
}
