import { callbackAbout, resultOf } from '../../outcome.rules.ts';
import type { OutgoingSms, ProviderAccount, ProviderDeps, Sender } from '../../port.ts';
import { createTwilioApi } from '../../twilio.ts';
import { chooseSender } from '../sender.rules.ts';
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
    hand: (message, { country }) => {
      const from = senderFields(message, country, settings);
      if (typeof from === 'string') return Promise.resolve(resultOf('content', 'no-sender', from));
      return api.send([...from, ...messageFields(message, callbackUrl)], [message.to]);
    },
  });
}

type Field = readonly [string, string];

/** A sender of ours, else the pool that chooses one. A text: why there is neither. */
function senderFields(message: OutgoingSms, country: string | undefined, settings: TwilioSettings): Field[] | string {
  const choice = chooseSender(message, country, settings.senders);
  if (choice.kind === 'sender') return [['From', choice.from]];
  return settings.messagingServiceSid === null
    ? choice.reason
    : [['MessagingServiceSid', settings.messagingServiceSid]];
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
