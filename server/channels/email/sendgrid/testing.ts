import { createVirtualClock } from '../../../platform/clock.ts';
import { createSendGridVendor, sendGridCallback } from '../../../sandbox/vendors/sendgrid.ts';
import type { Desk } from '../../../sandbox/vendor.ts';
import { email } from '../../testing.ts';
import type { ProviderContract } from '../../testing-contract.ts';
import { callbackOf, playedCallbackUrl, playedDesk, playedWorkspace, startPlayedMail } from '../testing-http.ts';
import { sendGridSecrets, sendGridSettings } from './settings.ts';

const vendor = createSendGridVendor();

export function sendGridFields(baseUrl: string, desk: Desk) {
  const fields = vendor.accounts[0]?.fields(playedWorkspace, desk) ?? {};
  const { apiKey, ...settings } = fields;
  return { settings: sendGridSettings.parse({ ...settings, baseUrl }), secrets: sendGridSecrets.parse({ apiKey }) };
}

export const startSendGrid = () =>
  startPlayedMail({
    vendor: createSendGridVendor(),
    account: sendGridFields,
    script: (play) => {
      const refusal = (message: string, field: string | null) => ({ errors: [{ message, field, help: null }] });
      if (play === 'refuse-account')
        return { status: 401, body: refusal('The provided authorization grant is invalid', null) };
      if (play === 'refuse-content')
        return {
          status: 400,
          body: refusal('The content value must be a string at least one character', 'content.0.value'),
        };
      return undefined;
    },
  });

/** Checked against: the played vendor's head comment. */
export const contract: ProviderContract = {
  kind: 'sendgrid',
  start: startSendGrid,
  message: (messageId) => email('ada@example.com', { messageId }),
  callbacks: (_account, { messageId, ref, at }) => {
    const desk = playedDesk(createVirtualClock(at.toString()));
    const sent = {
      to: 'ada@example.com',
      messageId: `${ref}.recvd-1`,
      smtpId: `<${messageId}@example.com>`,
      args: { parley_id: messageId },
      fate: { kind: 'catch' },
    } as const;
    const made = (name: string) => callbackOf(sendGridCallback(playedWorkspace, playedCallbackUrl, sent, name, desk));
    return [
      { callback: made('processed'), receipt: 'accepted' },
      { callback: made('delivered'), receipt: 'delivered' },
      { callback: made('spamreport'), receipt: 'complained' },
    ];
  },
  without: {},
};
