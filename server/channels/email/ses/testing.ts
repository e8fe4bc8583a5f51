import { createVirtualClock, systemClock } from '../../../platform/clock.ts';
import { createSnsAuthority } from '../../../sandbox/sns.ts';
import type { Desk } from '../../../sandbox/vendor.ts';
import { createSesVendor, sesCallback } from '../../../sandbox/vendors/ses.ts';
import { email } from '../../testing.ts';
import type { ProviderContract } from '../../testing-contract.ts';
import { callbackOf, playedCallbackUrl, playedDesk, playedWorkspace, startPlayedMail } from '../testing-http.ts';
import { sesSecrets, sesSettings } from './settings.ts';

/** What signs the envelopes of all played vendors; each serves its certificate. */
export const authority = await createSnsAuthority(systemClock);
const vendor = createSesVendor(authority);

export function sesFields(baseUrl: string, desk: Desk) {
  const { accessKeyId, secretAccessKey, ...settings } = vendor.accounts[0]?.fields(playedWorkspace, desk) ?? {};
  return {
    settings: sesSettings.parse({ ...settings, baseUrl }),
    secrets: sesSecrets.parse({ accessKeyId, secretAccessKey }),
  };
}

export const startSes = () =>
  startPlayedMail({
    vendor: createSesVendor(authority),
    account: sesFields,
    script: (play) => {
      const refusal = (status: number, name: string, message: string) => ({
        status,
        headers: { 'x-amzn-errortype': `${name}:http://internal.amazon.com/coral/com.amazonaws.services.sesv2/` },
        body: { message },
      });
      if (play === 'refuse-account')
        return refusal(403, 'UnrecognizedClientException', 'The security token is invalid.');
      if (play === 'refuse-content') return refusal(400, 'MessageRejected', 'Transaction failed: Expected ‘;’');
      return undefined;
    },
  });

export const contract: ProviderContract = {
  kind: 'ses',
  start: startSes,
  message: (messageId) => email('ada@example.com', { messageId }),
  callbacks: (account, { messageId, ref, at }) => {
    const desk = playedDesk(createVirtualClock(at.toString()));
    const where = { url: playedCallbackUrl, baseUrl: String(account.settings['baseUrl']) };
    const sent = {
      to: 'ada@example.com',
      from: 'news@example.com',
      messageId: ref,
      tags: [{ Name: 'parley-id', Value: messageId }],
      fate: { kind: 'catch' },
    } as const;
    const made = (name: string) => callbackOf(sesCallback(authority, where, sent, name, desk, 0));
    return [
      { callback: made('Send'), receipt: 'accepted' },
      { callback: made('Delivery'), receipt: 'delivered' },
      { callback: made('Complaint'), receipt: 'complained' },
    ];
  },
  without: {
    'look-up': 'SES finds a message only by an id of its own, which the lost answer took along',
  },
};
