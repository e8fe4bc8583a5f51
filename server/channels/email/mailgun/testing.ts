import { createVirtualClock } from '../../../platform/clock.ts';
import type { Desk } from '../../../sandbox/vendor.ts';
import { createMailgunVendor, mailgunCallback } from '../../../sandbox/vendors/mailgun.ts';
import { email } from '../../testing.ts';
import type { ProviderContract } from '../../testing-contract.ts';
import { callbackOf, playedCallbackUrl, playedDesk, playedWorkspace, startPlayedMail } from '../testing-http.ts';
import { mailgunSecrets, mailgunSettings } from './settings.ts';

const vendor = createMailgunVendor();

export function mailgunFields(baseUrl: string, desk: Desk) {
  const { apiKey, webhookSigningKey, ...settings } = vendor.accounts[0]?.fields(playedWorkspace, desk) ?? {};
  return {
    settings: mailgunSettings.parse({ ...settings, baseUrl }),
    secrets: mailgunSecrets.parse({ apiKey, webhookSigningKey }),
  };
}

export const startMailgun = () =>
  startPlayedMail({
    vendor: createMailgunVendor(),
    account: mailgunFields,
    script: (play) => {
      if (play === 'refuse-account')
        return { status: 401, headers: { 'content-type': 'text/plain' }, body: 'Forbidden' };
      if (play === 'refuse-content')
        return { status: 400, body: { message: "Need at least one of 'text' or 'html' parameters specified" } };
      return undefined;
    },
  });

export const contract: ProviderContract = {
  kind: 'mailgun',
  start: startMailgun,
  message: (messageId) => email('ada@example.com', { messageId }),
  callbacks: (_account, { messageId, ref, at }) => {
    const desk = playedDesk(createVirtualClock(at.toString()));
    const sent = {
      to: 'ada@example.com',
      domain: 'mg.sandbox.example',
      messageId: ref,
      variables: { 'parley-id': messageId },
      subject: 'Hello',
      fate: { kind: 'catch' },
    } as const;
    const made = (name: string) => callbackOf(mailgunCallback(playedWorkspace, playedCallbackUrl, sent, name, desk));
    return [
      { callback: made('accepted'), receipt: 'accepted' },
      { callback: made('delivered'), receipt: 'delivered' },
      { callback: made('complained'), receipt: 'complained' },
    ];
  },
  without: {},
};
