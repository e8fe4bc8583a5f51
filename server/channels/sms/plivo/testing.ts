import type { Callback, ProviderAccount } from '../../port.ts';
import { callbackAbout } from '../../outcome.rules.ts';
import type { ProviderContract } from '../../testing-contract.ts';
import { accountId, callbackUrl, playedNumber, sms, startPlaying, workspaceId } from '../testing.ts';
import type { PlayedAnswer, PlayedRequest } from '../testing.ts';
import { plivoSecrets, plivoSettings } from './settings.ts';
import { plivoSignatureV2, plivoSignatureV3 } from './signature.rules.ts';

export const authId = 'MAXXXXXXXXXXXXXXXXXX';
export const from = '+14155552345';
export const messageUuid = '5b40a428-bfc7-4daf-9d06-726c558bf3b8';
const authToken = 'auth-token-of-acme';
const apiId = '948b53a2-3f08-11e7-b6f4-061564b78b75';

export function plivoAccount(origin: string, change: object = {}): ProviderAccount {
  return {
    workspaceId,
    id: accountId,
    revision: 1,
    settings: plivoSettings.parse({ authId, senders: [{ country: null, from }], baseUrl: origin, ...change }),
    secrets: plivoSecrets.parse({ authToken }),
  };
}

export function plivoError(status: number, error: string): PlayedAnswer {
  return { status, body: { api_id: apiId, error } };
}

export function plivoAnswers(request: PlayedRequest): PlayedAnswer {
  if (request.method === 'GET') return { status: 200, body: { api_id: apiId, auth_id: authId, cash_credits: '10.0' } };
  return { status: 202, body: { api_id: apiId, message: 'message(s) queued', message_uuid: [messageUuid] } };
}

/** A form with the signature of version 3, or of version 2 alone. */
export function plivoCallback(
  fields: Readonly<Record<string, string>>,
  about: { readonly messageId?: string; readonly nonce?: string; readonly version?: 2 | 3 } = {},
): Callback {
  const bare = callbackUrl('plivo', accountId);
  const url = about.messageId === undefined ? bare : callbackAbout(bare, about.messageId);
  const nonce = about.nonce ?? '31627761595286130198';
  const pairs = Object.entries(fields);
  const signature =
    about.version === 2
      ? { 'x-plivo-signature-v2': plivoSignatureV2(authToken, url, nonce), 'x-plivo-signature-v2-nonce': nonce }
      : {
          'x-plivo-signature-v3': plivoSignatureV3(authToken, { method: 'POST', url, fields: pairs }, nonce),
          'x-plivo-signature-v3-nonce': nonce,
        };
  return {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...signature },
    body: Buffer.from(new URLSearchParams(fields).toString()),
  };
}

export const contract: ProviderContract = {
  kind: 'plivo',
  start: () =>
    startPlaying((play, request) => {
      switch (play) {
        case 'accept':
          return plivoAnswers(request);
        case 'refuse-address':
          return plivoError(400, `${playedNumber} is not a valid dst number`);
        case 'refuse-content':
          return plivoError(400, 'text parameter not present');
        case 'refuse-account':
          return { status: 401, body: 'Could not verify your access level for that URL.' };
        case 'throttle':
          return { ...plivoError(429, 'too many requests'), headers: { 'retry-after': '7' } };
        case 'down':
          return plivoError(500, 'internal server error');
        case 'malformed':
          return { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Welcome to the Wi-Fi</html>' };
      }
    }, plivoAccount),
  message: (messageId) => sms({ messageId }),
  callbacks: (_account, { messageId, ref }) =>
    (['queued', 'sent', 'delivered'] as const).map((status, index) => ({
      receipt: status === 'queued' ? 'accepted' : status,
      callback: plivoCallback(
        {
          From: from.slice(1),
          To: playedNumber.slice(1),
          Status: status,
          MessageUUID: ref,
          ParentMessageUUID: ref,
          PartInfo: '1 of 1',
          Units: '1',
        },
        { messageId, nonce: `3162776159528613019${index}` },
      ),
    })),
  without: {
    'stale-callback': 'Plivo signs no time: a nonce is taken once instead.',
    'look-up': 'Plivo finds a message by the id it gave, and keeps none of ours.',
  },
};
