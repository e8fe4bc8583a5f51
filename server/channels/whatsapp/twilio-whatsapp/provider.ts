import type { Provider } from '../../port.ts';
import { twilioWhatsAppErrors } from './errors.rules.ts';
import { twilioWhatsAppReceipts } from './receipts.ts';
import { whatsappAddress } from './request.rules.ts';
import { apiOf, createTwilioWhatsAppSender, kind } from './send.ts';
import { twilioWhatsAppProblems, twilioWhatsAppSecrets, twilioWhatsAppSettings } from './settings.ts';

/** WhatsApp by Twilio: Content templates, and texts and media within the 24 hours. */
export const twilioWhatsAppProvider: Provider<typeof twilioWhatsAppSettings, typeof twilioWhatsAppSecrets> = {
  kind,
  channel: 'whatsapp',
  settings: twilioWhatsAppSettings,
  secrets: twilioWhatsAppSecrets,
  problems: twilioWhatsAppProblems,
  create: createTwilioWhatsAppSender,
  test: (account, deps) => apiOf(account, deps).test(),
  receipts: twilioWhatsAppReceipts,
  errors: twilioWhatsAppErrors,
  lookUp: (account, { to, sentAfter }, deps) => apiOf(account, deps).lookUp(whatsappAddress(to), sentAfter),
  readiness: () => Promise.resolve([]),
};
