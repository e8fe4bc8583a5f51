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

const anyService = 'https://fcm.googleapis.com/fcm/send';

/**
 * There is nothing to sign in to: each subscription names its service. So one of them is shown the account's signature, for a
 * browser that does not exist; whatever it says of that browser, the signature was let in.
 */
async function trySigning({ settings, secrets }: WebpushAccount, deps: ProviderDeps): Promise<TestResult> {
  const { privateKey } = secrets;
  const publicKey = privateKey === undefined ? undefined : vapidPublicKey(privateKey);
  if (privateKey === undefined || publicKey === undefined)
    return { ok: false, steps: [{ name: 'sign', ok: false, detail: 'The account has no keys.' }] };
  const url = new URL(`${settings.baseUrl === null ? anyService : `${settings.baseUrl}/push`}/parley-test`);
  const authorization = await createVapid({ privateKey, publicKey }, settings.subject, deps.clock)(url.origin);
  const signed = { name: 'sign', ok: true, detail: `Subscribe browsers with the key ${publicKey}.` };
  const headers = { authorization, ttl: '0' };
  const answer = await deps.http.call({ method: 'POST', url: url.href, headers, timeoutMs: 10_000 });
  if (answer.kind === 'failed')
    return { ok: false, steps: [signed, { name: 'reach', ok: false, detail: `${answer.code}: ${answer.reason}` }] };
  const isLetIn = answer.status < 500 && ![401, 403].includes(answer.status);
  const detail = isLetIn
    ? 'The push service takes the signature.'
    : `The push service answered ${answer.status}: ${webpushErrors[answer.status]?.meaning ?? 'unknown'}.`;
  return { ok: isLetIn, steps: [signed, { name: 'reach', ok: isLetIn, detail }] };
}
