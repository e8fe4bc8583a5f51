import { apns } from '../../../sandbox/vendors/apns.ts';
import type { ProviderContract } from '../../testing-contract.ts';
import { playedWorkspace, push, startPlayedPush, withoutReceipts } from '../testing.ts';
import type { PlayedPush } from '../testing.ts';
import { apnsSecrets, apnsSettings } from './settings.ts';

export const apnsToken = 'a1b2c3d4'.repeat(8);

export function startApns(): Promise<PlayedPush> {
  return startPlayedPush({
    vendor: apns,
    http2: true,
    isMessage: (path) => path.startsWith('/3/device/'),
    account: (baseUrl, desk) => {
      const { privateKey, ...settings } = apns.accounts[0]?.fields(playedWorkspace, desk) ?? {};
      return { settings: apnsSettings.parse({ ...settings, baseUrl }), secrets: apnsSecrets.parse({ privateKey }) };
    },
    script: (play) => {
      if (play === 'refuse-account') return { status: 403, body: { reason: 'InvalidProviderToken' } };
      // Of one device APNs says TooManyRequests, which does not concern the account.
      if (play === 'throttle') return { status: 429, body: { reason: 'TooManyProviderTokenUpdates' } };
      return undefined;
    },
  });
}

/** Checked against: the played vendor's head comment. */
export const contract: ProviderContract = {
  kind: 'apns',
  start: startApns,
  message: (messageId) => push(apnsToken, { messageId }),
  without: {
    ...withoutReceipts,
    'retry-after': 'APNs never names a time; a provider token may be renewed after 20 minutes',
  },
};
