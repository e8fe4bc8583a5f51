import type { Provider, ProviderDeps, TestResult } from '../../port.ts';
import { fcmErrors } from './errors.rules.ts';
import { createFcmSender, fcmLine } from './send.ts';
import type { FcmAccount } from './send.ts';
import { fcmProblems, fcmSecrets, fcmSettings } from './settings.ts';

/** Firebase Cloud Messaging, HTTP v1. It tells nothing of deliveries to servers, so there are no receipts. */
export const fcmProvider: Provider<typeof fcmSettings, typeof fcmSecrets> = {
  kind: 'fcm',
  channel: 'push',
  settings: fcmSettings,
  secrets: fcmSecrets,
  problems: fcmProblems,
  create: createFcmSender,
  test: trySignIn,
  errors: fcmErrors,
  readiness: () => Promise.resolve([]),
};

/** Signs in, and asks FCM to judge a message without sending it: with `validateOnly`, to a topic nobody hears. */
async function trySignIn(account: FcmAccount, deps: ProviderDeps): Promise<TestResult> {
  const line = fcmLine(account, deps);
  if (line === undefined)
    return { ok: false, steps: [{ name: 'sign in', ok: false, detail: 'The account has no service account.' }] };
  const access = await line.tokens.get();
  if (!access.ok) return { ok: false, steps: [{ name: 'sign in', ok: false, detail: wordsOf(access.result) }] };
  const signedIn = { name: 'sign in', ok: true, detail: 'Google gave an access token.' };
  const answer = await deps.http.call({
    method: 'POST',
    url: line.sendUrl,
    headers: { authorization: `Bearer ${access.token}`, 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify({ validateOnly: true, message: { topic: 'parley-test', data: { test: '1' } } }),
    timeoutMs: 10_000,
  });
  const ok = answer.kind === 'answer' && answer.status === 200;
  const said = answer.kind === 'answer' ? `FCM answered ${answer.status}.` : `${answer.code}: ${answer.reason}`;
  const detail = ok ? 'FCM takes messages for this project.' : said;
  return { ok, steps: [signedIn, { name: 'validate', ok, detail }] };
}

function wordsOf(result: object): string {
  const { code, reason } = { code: '', reason: '', ...result };
  return `${code}: ${reason}`;
}
