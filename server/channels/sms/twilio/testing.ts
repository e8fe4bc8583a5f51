import type { Callback, ProviderAccount } from '../../port.ts';
import type { ProviderContract } from '../../testing-contract.ts';
import { callbackAbout, parseForm, twilioSignature } from '../../twilio.rules.ts';
import { accountId, callbackUrl, playedNumber, sms, startPlaying, workspaceId } from '../testing.ts';
import type { PlayedAnswer, PlayedRequest } from '../testing.ts';
import { twilioSecrets, twilioSettings } from './settings.ts';

export const accountSid = `AC${'0'.repeat(31)}1`;
export const messageSid = `SM${'b'.repeat(32)}`;
export const from = '+14155552345';
const authToken = 'auth-token-of-acme';

export function twilioAccount(origin: string, change: object = {}): ProviderAccount {
  return {
    workspaceId,
    id: accountId,
    revision: 1,
    settings: twilioSettings.parse({ accountSid, senders: [{ country: null, from }], baseUrl: origin, ...change }),
    secrets: twilioSecrets.parse({ authToken }),
  };
}

export function twilioError(status: number, code: number, message: string): PlayedAnswer {
  return { status, body: { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status } };
}

export function twilioAnswers(request: PlayedRequest): PlayedAnswer {
  if (request.method === 'GET' && request.path.includes('/Messages.json'))
    return { status: 200, body: { messages: [], next_page_uri: null } };
  if (request.method === 'GET') return { status: 200, body: { sid: accountSid, status: 'active' } };
  return {
    status: 201,
    body: { sid: messageSid, status: 'queued', error_code: null, error_message: null, num_segments: '1' },
  };
}

/** A form, signed as Twilio signs it. */
export function twilioCallback(fields: Readonly<Record<string, string>>, messageId?: string): Callback {
  const bare = callbackUrl('twilio', accountId);
  const url = messageId === undefined ? bare : callbackAbout(bare, messageId);
  const body = Buffer.from(new URLSearchParams(fields).toString());
  return {
    method: 'POST',
    url,
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
      'x-twilio-signature': twilioSignature(authToken, url, parseForm(body)),
    },
    body,
  };
}

export const contract: ProviderContract = {
  kind: 'twilio',
  start: () =>
    startPlaying((play, request) => {
      switch (play) {
        case 'accept':
          return twilioAnswers(request);
        case 'refuse-address':
          return twilioError(400, 21211, `Invalid 'To' Phone Number: ${playedNumber}`);
        case 'refuse-content':
          return twilioError(400, 21618, 'The message body cannot be sent');
        case 'refuse-account':
          return twilioError(401, 20003, 'Authenticate');
        case 'throttle':
          return { ...twilioError(429, 20429, 'Too Many Requests'), headers: { 'retry-after': '7' } };
        case 'down':
          return twilioError(503, 20503, 'Service unavailable');
        case 'malformed':
          return { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Welcome to the Wi-Fi</html>' };
      }
    }, twilioAccount),
  message: (messageId) => sms({ messageId }),
  callbacks: (_account, { messageId, ref }) =>
    (['queued', 'sent', 'delivered'] as const).map((status) => ({
      receipt: status === 'queued' ? 'accepted' : status,
      callback: twilioCallback(
        {
          MessageSid: ref,
          SmsSid: ref,
          MessageStatus: status,
          SmsStatus: status,
          To: playedNumber,
          From: from,
          AccountSid: accountSid,
          ApiVersion: '2010-04-01',
        },
        messageId,
      ),
    })),
  without: {
    'stale-callback': 'Twilio signs no time: there is no window to be outside of.',
  },
};
