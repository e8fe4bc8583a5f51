import { fcm } from '../../../sandbox/vendors/fcm.ts';
import type { ProviderContract } from '../../testing-contract.ts';
import { playedWorkspace, push, startPlayedPush, withoutReceipts } from '../testing.ts';
import type { PlayedPush } from '../testing.ts';
import { fcmSecrets, fcmSettings } from './settings.ts';

export const fcmToken = 'ada-phone:APA91bHq0_a_registration_token_of_a_device';

let fields: Readonly<Record<string, unknown>> | undefined;

export function startFcm(): Promise<PlayedPush> {
  return startPlayedPush({
    vendor: fcm,
    isMessage: (path) => path.endsWith('messages:send'),
    account: (baseUrl, desk) => {
      // Making an RSA key takes a moment: once is enough.
      fields ??= fcm.accounts[0]?.fields(playedWorkspace, desk) ?? {};
      const { serviceAccount, ...settings } = fields;
      return { settings: fcmSettings.parse({ ...settings, baseUrl }), secrets: fcmSecrets.parse({ serviceAccount }) };
    },
    script: (play) => {
      if (play !== 'refuse-account') return undefined;
      const error = { code: 403, message: 'Permission denied on resource project.', status: 'PERMISSION_DENIED' };
      return { status: 403, body: { error } };
    },
  });
}

/** Checked against: the played vendor's head comment. */
export const contract: ProviderContract = {
  kind: 'fcm',
  start: startFcm,
  message: (messageId) => push(fcmToken, { messageId }),
  without: withoutReceipts,
};
