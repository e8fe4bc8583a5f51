import type { OutgoingWhatsApp, ProviderAccount, ProviderDeps, Sender, SendResult } from '../../port.ts';
import { resultOf } from '../../outcome.rules.ts';
import { callbackAbout } from '../../twilio.rules.ts';
import { createTwilioApi } from '../../twilio.ts';
import type { TwilioApi } from '../../twilio.ts';
import { createWhatsAppSender } from '../sender.ts';
import { twilioWhatsAppErrors } from './errors.rules.ts';
import { messageRequest, whatsappAddress } from './request.rules.ts';
import type { TwilioWhatsAppSecrets, TwilioWhatsAppSettings } from './settings.ts';

export type TwilioWhatsAppAccount = ProviderAccount<TwilioWhatsAppSettings, TwilioWhatsAppSecrets>;

export const kind = 'twilio-whatsapp';

export function apiOf(account: TwilioWhatsAppAccount, deps: Pick<ProviderDeps, 'http' | 'clock'>): TwilioApi {
  return createTwilioApi(account.settings, account.secrets, twilioWhatsAppErrors, deps);
}

export function createTwilioWhatsAppSender(account: TwilioWhatsAppAccount, deps: ProviderDeps): Sender {
  const api = apiOf(account, deps);
  const callbackUrl = deps.callbackUrl?.(kind, account.id);
  return createWhatsAppSender({
    capacity: account.settings.requestsAtOnce,
    log: deps.log,
    hand: (message) => handOver(account, api, message, callbackUrl),
  });
}

async function handOver(
  { settings }: TwilioWhatsAppAccount,
  api: TwilioApi,
  message: OutgoingWhatsApp,
  callbackUrl: string | undefined,
): Promise<SendResult> {
  const callback = callbackUrl === undefined ? undefined : callbackAbout(callbackUrl, message.messageId);
  const request = messageRequest(message, settings, callback);
  if (request.kind === 'unfit') return resultOf('content', 'unfit-content', request.reason);
  return api.send(request.fields, [message.to, whatsappAddress(message.to)]);
}
