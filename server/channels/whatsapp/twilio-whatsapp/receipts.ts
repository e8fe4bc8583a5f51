import type { Receipts } from '../../port.ts';
import { verifyTwilio } from '../../twilio.ts';
import { readCallback } from './receipts.rules.ts';
import type { TwilioWhatsAppSecrets, TwilioWhatsAppSettings } from './settings.ts';

export const twilioWhatsAppReceipts: Receipts<TwilioWhatsAppSettings, TwilioWhatsAppSecrets> = {
  verify: (account, callback) => Promise.resolve(verifyTwilio(account.secrets, callback)),
  read: readCallback,
  byRef: true,
  setUp:
    'Receipts need nothing: each message names this address. For what people write, enter the callback address as the webhook of the WhatsApp sender (Messaging → Senders → WhatsApp senders) or of its Messaging Service, with POST.',
};
