import type { Provider } from '../../port.ts';
import { smsReadiness } from '../readiness.rules.ts';
import { snsErrors } from './errors.rules.ts';
import { snsReceipts } from './receipts.ts';
import { createSnsSender, testSns } from './send.ts';
import { snsProblems, snsSecrets, snsSettings } from './settings.ts';

/** SMS through Amazon SNS. It keeps no tag of ours and has no list of what it sent: what is in doubt cannot be looked up. */
export const snsProvider: Provider<typeof snsSettings, typeof snsSecrets> = {
  kind: 'sns',
  channel: 'sms',
  settings: snsSettings,
  secrets: snsSecrets,
  problems: snsProblems,
  create: createSnsSender,
  test: testSns,
  receipts: snsReceipts,
  errors: snsErrors,
  readiness: ({ settings }, facts) => {
    const items = smsReadiness(facts, { count: settings.senders.length, pool: 'Amazon' });
    if (settings.topicArn !== null) return Promise.resolve(items);
    return Promise.resolve([
      ...items.filter((item) => item.key !== 'callbacks'),
      {
        key: 'callbacks',
        title: 'The provider can report back',
        state: 'warning',
        detail: 'No topic of events is set: what becomes of texts is not heard of.',
        fix: 'Follow the account’s setting up of receipts, and enter the topic’s ARN.',
      },
    ]);
  },
};
