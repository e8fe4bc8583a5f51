import type { Callback, ProviderAccount } from '../../port.ts';
import type { ProviderContract } from '../../testing-contract.ts';
import { callbackAbout, parseForm, twilioSignature } from '../../twilio.rules.ts';
import { playedMessage, playedNumber, startPlaying } from '../testing.ts';
import type { PlayedAnswer, PlayedRequest } from '../testing.ts';
import { twilioWhatsAppSecrets, twilioWhatsAppSettings } from './settings.ts';

export const accountSid = `AC${'0'.repeat(31)}1`;
export const sender = '+14155552345';
export const sid = `SM${'b'.repeat(32)}`;
const authToken = 'auth-token-of-acme';

export function twilioWhatsAppAccount(origin: string, change: object = {}): ProviderAccount {
  return {
    workspaceId: '0198c1d2-0000-7000-8000-00000000000a',
    id: '0198c1d2-0000-7000-8000-00000000000b',
    revision: 1,
    settings: twilioWhatsAppSettings.parse({ accountSid, from: sender, baseUrl: origin, ...change }),
    secrets: twilioWhatsAppSecrets.parse({ authToken }),
  };
}

export function twilioError(status: number, code: number, message: string): PlayedAnswer {
  return { status, body: { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status } };
}

export function twilioAnswers(request: PlayedRequest): PlayedAnswer {
  if (request.method === 'GET' && request.path.includes('Messages.json'))
    return { status: 200, body: { messages: [] } };
  if (request.method === 'GET')
    return { status: 200, body: { sid: accountSid, status: 'active', friendly_name: 'Acme' } };
  return { status: 201, body: { sid, status: 'queued', error_code: null, error_message: null, num_segments: '1' } };
}

export const callbackUrl = (kind: string, id: string) => `https://parley.example/api/v1/callbacks/${kind}/${id}`;

export function twilioCallback(account: ProviderAccount, fields: Record<string, string>, messageId?: string): Callback {
  const bare = callbackUrl('twilio-whatsapp', account.id);
  const url = messageId === undefined ? bare : callbackAbout(bare, messageId);
  const body = Buffer.from(new URLSearchParams(fields).toString());
  const signature = twilioSignature(String(account.secrets['authToken']), url, parseForm(body));
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature };
  return { method: 'POST', url, headers, body };
}

export const contract: ProviderContract = {
  kind: 'twilio-whatsapp',
  start: () =>
    startPlaying((play, request) => {
      switch (play) {
        case 'accept':
          return twilioAnswers(request);
        case 'refuse-address':
          return twilioError(400, 21211, `The 'To' number whatsapp:${playedNumber} is not a valid phone number.`);
        case 'refuse-content':
          return twilioError(400, 21656, 'The ContentVariables Parameter is invalid');
        case 'refuse-account':
          return twilioError(401, 20003, 'Authenticate');
        case 'throttle':
          return { ...twilioError(429, 20429, 'Too Many Requests'), headers: { 'retry-after': '7' } };
        case 'down':
          return twilioError(503, 20503, 'Service unavailable');
        case 'malformed':
          return { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Welcome to the Wi-Fi</html>' };
      }
    }, twilioWhatsAppAccount),
  message: (messageId) => playedMessage(messageId),
  callbacks: (account, { messageId, ref }) =>
    (['sent', 'delivered', 'read'] as const).map((status) => {
      const [To, From] = [`whatsapp:${playedNumber}`, `whatsapp:${sender}`];
      const fields = {
        MessageSid: ref,
        SmsSid: ref,
        MessageStatus: status,
        SmsStatus: status,
        To,
        From,
        AccountSid: accountSid,
      };
      return { callback: twilioCallback(account, fields, messageId), receipt: status };
    }),
  without: {
    'stale-callback': 'Twilio signs no time: there is no window to be outside of.',
  },
};
