import { callbackAbout, resultOf } from '../../outcome.rules.ts';
import type { OutgoingSms, ProviderAccount, ProviderDeps, Sender, SendResult } from '../../port.ts';
import { createTwilioApi } from '../../twilio.ts';
import { chooseSender } from '../sender.rules.ts';
import type { SenderChoice } from '../sender.rules.ts';
import { createSmsSender } from '../sender.ts';
import { twilioErrors } from './errors.rules.ts';
import type { TwilioSecrets, TwilioSettings } from './settings.ts';

export type TwilioAccount = ProviderAccount<TwilioSettings, TwilioSecrets>;

/** Of all parts together (21617), and of pictures. */
const limits = { maxLength: 1600, maxMedia: 10 };
/** What Twilio takes as ValidityPeriod, in seconds; beyond the longest it is the same as none. */
const validity = { least: 1, most: 36_000 };

export function createTwilioSender(account: TwilioAccount, deps: ProviderDeps): Sender {
  const { settings, secrets } = account;
  const api = createTwilioApi(settings, secrets, twilioErrors, deps);
  const callbackUrl = deps.callbackUrl?.('twilio', account.id);
  return createSmsSender({
    capacity: settings.maxConnections,
    limits,
    log: deps.log,
    hand: async (message, { country }) => {
      const choice = chooseSender(message, country, settings.senders);
      const from = senderField(choice, settings.messagingServiceSid);
      if (from === undefined) return resultOf('content', 'no-sender', choice.kind === 'none' ? choice.reason : '');
      const result = await api.send([from, ...messageFields(message, callbackUrl)], [message.to]);
      return choice.kind === 'sender' && !choice.isGeneral ? blamedOnMessage(result) : result;
    },
  });
}

type Field = readonly [string, string];

/** A sender of ours, else the pool that chooses one. */
function senderField(choice: SenderChoice, messagingServiceSid: string | null): Field | undefined {
  if (choice.kind === 'sender') return ['From', choice.from];
  return messagingServiceSid === null ? undefined : ['MessagingServiceSid', messagingServiceSid];
}

const senderCodes = new Set(['21212', '21601', '21606', '30032']);

/** What is wrong with a sender that a message brought, or one country has, is no reason to stop the account. */
function blamedOnMessage(result: SendResult): SendResult {
  return result.kind === 'refused' && senderCodes.has(result.code) ? { ...result, category: 'content' } : result;
}

function messageFields(message: OutgoingSms, callbackUrl: string | undefined): Field[] {
  const { validForSeconds } = message;
  const fields: Field[] = [['To', message.to]];
  if (message.text !== '') fields.push(['Body', message.text]);
  for (const url of message.mediaUrls ?? []) fields.push(['MediaUrl', url]);
  if (validForSeconds !== undefined && validForSeconds <= validity.most)
    fields.push(['ValidityPeriod', String(Math.max(validity.least, Math.floor(validForSeconds)))]);
  if (callbackUrl !== undefined) fields.push(['StatusCallback', callbackAbout(callbackUrl, message.messageId)]);
  return fields;
}
