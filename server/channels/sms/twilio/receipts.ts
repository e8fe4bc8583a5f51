import type { Receipts } from '../../port.ts';
import { verifyTwilio } from '../../twilio.ts';
import { readTwilio } from './receipts.rules.ts';
import type { TwilioSecrets, TwilioSettings } from './settings.ts';

export const twilioReceipts: Receipts<TwilioSettings, TwilioSecrets> = {
  verify: (account, callback) => Promise.resolve(verifyTwilio(account.secrets, callback)),
  read: readTwilio,
  byRef: true,
  setUp:
    'Nothing to do for receipts: each message names this address. For answers, enter it at Twilio as the webhook of ' +
    'incoming messages (HTTP POST) of each number, or of the Messaging Service.',
};
