import { z } from 'zod';
import type { ProviderKind } from '../../contract/providers.ts';
import type { Provider } from './port.ts';
import { allProviders } from './registry.ts';

/** As people call them; a kind that is not here is shown as it is. */
const titles: Readonly<Record<string, string>> = {
  smtp: 'SMTP',
  sandbox: 'Sandbox',
  sendgrid: 'SendGrid',
  ses: 'Amazon SES',
  mailgun: 'Mailgun',
  twilio: 'Twilio',
  sns: 'Amazon SNS',
  plivo: 'Plivo',
  meta: 'WhatsApp Cloud API (Meta)',
  'twilio-whatsapp': 'WhatsApp by Twilio',
  fcm: 'Firebase Cloud Messaging',
  apns: 'Apple Push Notifications',
  webpush: 'Web Push',
  inapp: 'In-app inbox',
};

/** What is checked by code alone (a refinement) has no place in JSON Schema: the server says it when it is given. */
function schemaOf(fields: z.ZodObject): Record<string, unknown> {
  const schema = z.toJSONSchema(fields, { io: 'input', unrepresentable: 'any' });
  // Through JSON, as it is answered: without what is undefined.
  return JSON.parse(JSON.stringify(schema)) as Record<string, unknown>;
}

function kindOf(provider: Provider): ProviderKind {
  return {
    kind: provider.kind,
    channel: provider.channel,
    title: titles[provider.kind] ?? provider.kind,
    settings: schemaOf(provider.settings),
    secrets: schemaOf(provider.secrets),
    callbacks: provider.receipts?.setUp ?? null,
  };
}

let kinds: readonly ProviderKind[] | undefined;

/** Made once: the schemas never change while the process runs. */
export function providerKinds(): readonly ProviderKind[] {
  kinds ??= allProviders().map(kindOf);
  return kinds;
}
