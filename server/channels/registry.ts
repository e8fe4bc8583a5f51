import { mailgunProvider } from './email/mailgun/provider.ts';
import { sendGridProvider } from './email/sendgrid/provider.ts';
import { sesProvider } from './email/ses/provider.ts';
import { sandboxProvider } from './email/smtp/sandbox-provider.ts';
import { smtpProvider } from './email/smtp/provider.ts';
import { inAppProvider } from './inapp/provider.ts';
import type { Provider } from './port.ts';
import { apnsProvider } from './push/apns/provider.ts';
import { fcmProvider } from './push/fcm/provider.ts';
import { webpushProvider } from './push/webpush/provider.ts';
import { metaProvider } from './whatsapp/meta/provider.ts';
import { twilioWhatsAppProvider } from './whatsapp/twilio-whatsapp/provider.ts';
import { plivoProvider } from './sms/plivo/provider.ts';
import { snsProvider } from './sms/sns/provider.ts';
import { twilioProvider } from './sms/twilio/provider.ts';

/**
 * Every provider there is; one line each. An account's settings are parsed by the schemas of the provider that its kind
 * names, so the pairing of types that this list forgets holds wherever they are used.
 */
const providers = [
  smtpProvider,
  sandboxProvider,
  sendGridProvider,
  sesProvider,
  mailgunProvider,
  twilioProvider,
  snsProvider,
  plivoProvider,
  fcmProvider,
  apnsProvider,
  webpushProvider,
  inAppProvider,
  metaProvider,
  twilioWhatsAppProvider,
] as unknown as readonly Provider[];

export function findProvider(kind: string): Provider | undefined {
  return providers.find((provider) => provider.kind === kind);
}

export function allProviders(): readonly Provider[] {
  return providers;
}
