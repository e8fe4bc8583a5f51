import { newId } from '../../../platform/ids.ts';
import type { Provider, ProviderDeps, TestResult } from '../../port.ts';
import { apnsErrors } from './errors.rules.ts';
import { apnsLine, createApnsSender, tryApns } from './send.ts';
import type { ApnsAccount } from './send.ts';
import { apnsProblems, apnsSecrets, apnsSettings } from './settings.ts';

/** Apple Push Notification service, over HTTP/2 with token-based authentication. It tells nothing of deliveries. */
export const apnsProvider: Provider<typeof apnsSettings, typeof apnsSecrets> = {
  kind: 'apns',
  channel: 'push',
  settings: apnsSettings,
  secrets: apnsSecrets,
  problems: apnsProblems,
  create: createApnsSender,
  test: tryAccount,
  errors: apnsErrors,
  readiness: () => Promise.resolve([]),
};

async function tryAccount(account: ApnsAccount, deps: ProviderDeps): Promise<TestResult> {
  const line = apnsLine(account, deps);
  if (line === undefined)
    return { ok: false, steps: [{ name: 'sign in', ok: false, detail: 'The account has no key.' }] };
  try {
    const tried = await tryApns(line, newId(deps.clock), deps);
    return { ok: tried.ok, steps: [{ name: 'sign in', ...tried }] };
  } finally {
    await line.connection.close();
  }
}
