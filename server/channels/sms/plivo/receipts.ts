import type { Receipts } from '../../port.ts';
import { readPlivo } from './receipts.rules.ts';
import type { PlivoSecrets, PlivoSettings } from './settings.ts';
import { plivoNonce } from './signature.rules.ts';

export const plivoReceipts: Receipts<PlivoSettings, PlivoSecrets> = {
  verify: ({ secrets }, callback) => {
    if (secrets.authToken === undefined)
      return Promise.resolve({ kind: 'forged', reason: 'the account has no auth token' });
    const nonce = plivoNonce(secrets.authToken, callback);
    return Promise.resolve(
      nonce === undefined ? { kind: 'forged', reason: 'the signature does not fit' } : { kind: 'genuine', once: nonce },
    );
  },
  read: readPlivo,
  setUp:
    'Nothing to do for receipts: each message names this address. For answers, enter it at Plivo as the message URL ' +
    '(HTTP POST) of the application that your numbers or Powerpack are attached to.',
};
