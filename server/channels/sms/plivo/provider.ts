import type { Provider } from '../../port.ts';
import { smsReadiness } from '../readiness.rules.ts';
import { plivoErrors } from './errors.rules.ts';
import { plivoReceipts } from './receipts.ts';
import { createPlivoSender, testPlivo } from './send.ts';
import { plivoProblems, plivoSecrets, plivoSettings } from './settings.ts';

/** SMS and MMS through Plivo, from numbers, names or a Powerpack. Its messages carry no tag of ours to look them up by. */
export const plivoProvider: Provider<typeof plivoSettings, typeof plivoSecrets> = {
  kind: 'plivo',
  channel: 'sms',
  settings: plivoSettings,
  secrets: plivoSecrets,
  problems: plivoProblems,
  create: createPlivoSender,
  test: testPlivo,
  receipts: plivoReceipts,
  errors: plivoErrors,
  readiness: ({ settings }, facts) => {
    const pool = settings.powerpackUuid === null ? null : 'The Powerpack';
    return Promise.resolve(smsReadiness(facts, { count: settings.senders.length, pool }));
  },
};
