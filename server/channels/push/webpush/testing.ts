import { webpush } from '../../../sandbox/vendors/webpush.ts';
import { createECDH, createHmac } from 'node:crypto';
import type { ProviderContract } from '../../testing-contract.ts';
import { push, startPlayedPush, withoutReceipts } from '../testing.ts';
import type { PlayedPush } from '../testing.ts';
import { webpushProvider } from './provider.ts';
import { webpushSecrets, webpushSettings } from './settings.ts';

/** What the played browser of this name gives when it subscribes. */
export function subscriptionOf(name: string): string {
  const secret = (use: string) => createHmac('sha256', 'played').update(use).digest();
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(secret(`webpush-key:${name}`));
  return JSON.stringify({
    endpoint: `http://sandbox.localhost/webpush/push/${name}`,
    keys: {
      p256dh: pair.getPublicKey('base64url'),
      auth: secret(`webpush-auth:${name}`).subarray(0, 16).toString('base64url'),
    },
  });
}

const made = webpushProvider.complete?.({ subject: 'mailto:ops@example.com', services: null }, {});

export function startWebpush(): Promise<PlayedPush> {
  return startPlayedPush({
    vendor: webpush,
    isMessage: (path) => path.startsWith('/push/'),
    account: (baseUrl) => ({
      settings: webpushSettings.parse({ ...made?.settings, baseUrl }),
      secrets: webpushSecrets.parse(made?.secrets ?? {}),
    }),
    script: (play) => (play === 'refuse-account' ? { status: 403, body: 'invalid JWT provided' } : undefined),
  });
}

/** Checked against: the played vendor's head comment. */
export const contract: ProviderContract = {
  kind: 'webpush',
  start: startWebpush,
  message: (messageId) => push(subscriptionOf('ada'), { messageId }),
  without: withoutReceipts,
};
