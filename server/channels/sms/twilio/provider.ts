import type { Provider } from '../../port.ts';
import { createTwilioApi } from '../../twilio.ts';
import { smsReadiness } from '../readiness.rules.ts';
import { twilioErrors } from './errors.rules.ts';
import { twilioReceipts } from './receipts.ts';
import { createTwilioSender } from './send.ts';
import { twilioSecrets, twilioSettings, twilioSmsProblems } from './settings.ts';

/** SMS and MMS through Twilio, from numbers, names or a Messaging Service. */
export const twilioProvider: Provider<typeof twilioSettings, typeof twilioSecrets> = {
  kind: 'twilio',
  channel: 'sms',
  settings: twilioSettings,
  secrets: twilioSecrets,
  problems: twilioSmsProblems,
  create: createTwilioSender,
  test: ({ settings, secrets }, deps) => createTwilioApi(settings, secrets, twilioErrors, deps).test(),
  receipts: twilioReceipts,
  errors: twilioErrors,
  lookUp: ({ settings, secrets }, message, deps) =>
    createTwilioApi(settings, secrets, twilioErrors, deps).lookUp(message.to, message.sentAfter),
  readiness: ({ settings }, facts) => {
    const pool = settings.messagingServiceSid === null ? null : 'The Messaging Service';
    return Promise.resolve(smsReadiness(facts, { count: settings.senders.length, pool }));
  },
};
