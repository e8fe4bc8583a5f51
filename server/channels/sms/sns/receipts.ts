import type { Receipts } from '../../port.ts';
import { verifyEnvelope } from '../../sns-envelope.ts';
import { readSns } from './receipts.rules.ts';
import type { SnsSecrets, SnsSettings } from './settings.ts';

export const snsReceipts: Receipts<SnsSettings, SnsSecrets> = {
  verify: ({ settings }, callback, deps) =>
    verifyEnvelope(callback, { topicArn: settings.topicArn, baseUrl: settings.baseUrl ?? undefined }, deps),
  read: readSns,
  byRef: true,
  setUp:
    'In AWS End User Messaging make a configuration set with an event destination for all text events, of kind SNS, and ' +
    'name it as the default of the sending numbers; for answers switch on two-way messages to the same topic. Enter the ' +
    'topic’s ARN here, and subscribe this address to it (HTTPS, without raw message delivery): it is confirmed by itself.',
};
