import type { Provider, ProviderDeps, TestResult } from '../../port.ts';
import { webpushErrors } from './errors.rules.ts';
import { createWebpushSender } from './send.ts';
import type { WebpushAccount } from './send.ts';
import { webpushProblems, webpushSecrets, webpushSettings } from './settings.ts';
import { createVapid, makeVapidKeys, vapidPublicKey } from './vapid.ts';

/** Browsers, through the push service each of them brings (RFC 8030), encrypted end to end. There are no receipts. */
export const webpushProvider: Provider<typeof webpushSettings, typeof webpushSecrets> = {
  kind: 'webpush',
  channel: 'push',
  settings: webpushSettings,
  secrets: webpushSecrets,
  complete: (settings, secrets) => {
    const { privateKey = makeVapidKeys().privateKey } = secrets as { privateKey?: unknown };
    const publicKey = typeof privateKey === 'string' ? (vapidPublicKey(privateKey) ?? null) : null;
    return { settings: { ...settings, publicKey }, secrets: { ...secrets, privateKey } };
  },
  problems: webpushProblems,
  create: createWebpushSender,
  test: trySigning,
  errors: webpushErrors,
  readiness: () => Promise.resolve([]),
};

/** There is nothing to sign in to: each subscription names its service. So the keys are tried, and the services resolved. */
async function trySigning({ settings, secrets }: WebpushAccount, deps: ProviderDeps): Promise<TestResult> {
  const { privateKey } = secrets;
  const publicKey = privateKey === undefined ? undefined : vapidPublicKey(privateKey);
  if (privateKey === undefined || publicKey === undefined)
    return { ok: false, steps: [{ name: 'sign', ok: false, detail: 'The account has no keys.' }] };
  await createVapid({ privateKey, publicKey }, settings.subject, deps.clock)('https://push.example');
  return { ok: true, steps: [{ name: 'sign', ok: true, detail: `Subscribe browsers with the key ${publicKey}.` }] };
}
