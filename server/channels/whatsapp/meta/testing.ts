import { createHmac } from 'node:crypto';
import type { Callback, ProviderAccount } from '../../port.ts';
import type { ProviderContract } from '../../testing-contract.ts';
import { playedMessage, playedNumber, startPlaying } from '../testing.ts';
import type { PlayedAnswer, PlayedRequest } from '../testing.ts';
import { metaSecrets, metaSettings } from './settings.ts';

export const metaKeys = {
  accessToken: 'EAAtoken-of-acme',
  appSecret: 'app-secret-of-acme',
  verifyToken: 'verify-acme',
};
export const phoneNumberId = '106540352242922';
export const businessAccountId = '102290129340398';

export function metaAccount(origin: string, change: object = {}): ProviderAccount {
  return {
    workspaceId: '0198c1d2-0000-7000-8000-00000000000a',
    id: '0198c1d2-0000-7000-8000-00000000000b',
    revision: 1,
    settings: metaSettings.parse({ phoneNumberId, businessAccountId, baseUrl: origin, ...change }),
    secrets: metaSecrets.parse(metaKeys),
  };
}

export function graphError(
  status: number,
  code: number,
  message: string,
  details?: string,
  subcode?: number,
): PlayedAnswer {
  const error = {
    message: `(#${code}) ${message}`,
    type: 'OAuthException',
    code,
    ...(subcode === undefined ? {} : { error_subcode: subcode }),
    ...(details === undefined ? {} : { error_data: { messaging_product: 'whatsapp', details } }),
    fbtrace_id: 'Az8or2yhqkZfEZ-_4Qn_Bam',
  };
  return { status, body: { error } };
}

const number = {
  verified_name: 'Acme',
  display_phone_number: '+1 555-078-3881',
  quality_rating: 'GREEN',
  throughput: { level: 'STANDARD' },
  whatsapp_business_manager_messaging_limit: 'TIER_2K',
  id: phoneNumberId,
};

export function metaAnswers(request: PlayedRequest): PlayedAnswer {
  if (request.method === 'GET')
    return { status: 200, body: request.path.includes('message_templates') ? { data: [] } : number };
  const contacts = [{ input: playedNumber, wa_id: playedNumber.slice(1) }];
  const messages = [{ id: 'wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBJCOTY3NDc0NDFDRUI3NTA0Q0UA', message_status: 'accepted' }];
  return { status: 200, body: { messaging_product: 'whatsapp', contacts, messages } };
}

export function metaCallback(account: ProviderAccount, payload: object): Callback {
  const body = Buffer.from(JSON.stringify(payload));
  const signature = createHmac('sha256', String(account.secrets['appSecret'])).update(body).digest('hex');
  return {
    method: 'POST',
    url: `https://parley.example/api/v1/callbacks/meta/${account.id}`,
    headers: { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` },
    body,
  };
}

export const contract: ProviderContract = {
  kind: 'meta',
  start: () =>
    startPlaying((play, request) => {
      switch (play) {
        case 'accept':
          return metaAnswers(request);
        case 'refuse-address':
          return graphError(
            400,
            131026,
            'Message undeliverable',
            `Receiver ${playedNumber.slice(1)} is incapable of receiving this message`,
          );
        case 'refuse-content':
          return graphError(404, 132001, 'Template name does not exist in the translation');
        case 'refuse-account':
          return graphError(401, 190, 'Error validating access token: the session has expired', undefined, 463);
        case 'throttle':
          return { ...graphError(400, 130429, 'Rate limit hit'), headers: { 'retry-after': '7' } };
        case 'down':
          return graphError(503, 131016, 'Service unavailable');
        case 'malformed':
          return { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Welcome to the Wi-Fi</html>' };
      }
    }, metaAccount),
  message: (messageId) => playedMessage(messageId),
  callbacks: (account, { messageId, ref, at }) =>
    (['sent', 'delivered', 'read'] as const).map((status, index) => {
      const timestamp = String(Math.floor(at.epochMilliseconds / 1000) + index);
      const said = {
        id: ref,
        status,
        timestamp,
        recipient_id: playedNumber.slice(1),
        biz_opaque_callback_data: messageId,
      };
      const metadata = { display_phone_number: '15550783881', phone_number_id: phoneNumberId };
      const value = { messaging_product: 'whatsapp', metadata, statuses: [said] };
      const entry = [{ id: businessAccountId, changes: [{ value, field: 'messages' }] }];
      return { callback: metaCallback(account, { object: 'whatsapp_business_account', entry }), receipt: status };
    }),
  without: {
    'stale-callback':
      'Meta signs no time and repeats a webhook for days until it is taken: there is no window to be outside of.',
    'look-up': 'Meta finds a message by its own id only, which is what is missing; the status webhook carries ours.',
  },
};
