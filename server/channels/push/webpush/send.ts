import { createECDH } from 'node:crypto';
import { readSubscription } from '../../../../contract/push-address.ts';
import type { PushSubscription } from '../../../../contract/push-address.ts';
import type { HttpAnswer } from '../../../platform/http-client.ts';
import { random } from '../../../platform/ids.ts';
import type { OutgoingPush, ProviderAccount, ProviderDeps, Sender, SendResult } from '../../port.ts';
import { failureResult, malformedResult, refusalResult, resultOf, retryAfterMs } from '../../outcome.rules.ts';
import { createPushSender } from '../sender.ts';
import { encryptPush, mostPlainBytes } from './encryption.rules.ts';
import { webpushCode, webpushErrors } from './errors.rules.ts';
import { webpushHeaders, webpushPayload } from './payload.rules.ts';
import { isPushService } from './services.rules.ts';
import type { WebpushSecrets, WebpushSettings } from './settings.ts';
import { createVapid, vapidPublicKey } from './vapid.ts';

export type WebpushAccount = ProviderAccount<WebpushSettings, WebpushSecrets>;

const capacity = 100;

export function createWebpushSender(account: WebpushAccount, deps: ProviderDeps): Sender {
  const { settings, secrets } = account;
  const publicKey = secrets.privateKey === undefined ? undefined : vapidPublicKey(secrets.privateKey);
  const authorize =
    secrets.privateKey === undefined || publicKey === undefined
      ? undefined
      : createVapid({ privateKey: secrets.privateKey, publicKey }, settings.subject, deps.clock);
  const reach = (endpoint: string) => placeOf(new URL(endpoint), settings);
  return createPushSender({
    capacity,
    hand: (message) =>
      authorize === undefined
        ? Promise.resolve(resultOf('account', 'not-configured', 'the account has no keys'))
        : handOver(message, authorize, reach, deps),
  });
}

/**
 * Where an endpoint is called; undefined: nowhere. `http://sandbox.localhost/webpush/…` is found below the account's base
 * URL, which only an account for a test bed has.
 */
function placeOf(endpoint: URL, { services, baseUrl }: WebpushSettings): URL | undefined {
  if (endpoint.protocol === 'https:') return isPushService(endpoint.hostname, services ?? []) ? endpoint : undefined;
  const path = /^\/webpush(\/.*)$/.exec(endpoint.pathname)?.[1];
  if (endpoint.host !== 'sandbox.localhost' || baseUrl === null || path === undefined) return undefined;
  return new URL(`${baseUrl}${path}`);
}

const refusal = (code: string) => refusalResult(webpushErrors, { code, reason: '' });

async function handOver(
  message: OutgoingPush,
  authorize: (origin: string) => Promise<string>,
  reach: (endpoint: string) => URL | undefined,
  deps: ProviderDeps,
): Promise<SendResult> {
  const subscription = readSubscription(message.token);
  if (subscription === undefined) return refusal('invalid-subscription');
  const endpoint = reach(subscription.endpoint);
  if (endpoint === undefined) return refusal('unknown-service');
  const plain = webpushPayload(message);
  if (plain.length > mostPlainBytes)
    return resultOf('content', '413', `the message has ${plain.length} bytes, ${mostPlainBytes} fit in`);
  const body = encrypted(plain, subscription);
  if (body === undefined) return refusal('invalid-subscription');
  const headers = { ...webpushHeaders(message), authorization: await authorize(endpoint.origin) };
  const answer = await deps.http.call({ method: 'POST', url: endpoint.href, headers, body });
  if (answer.kind === 'failed') return failureResult(answer, [endpoint.href, endpoint.pathname]);
  return judge(answer, message, endpoint, deps);
}

/** Undefined when the browser's key is no point on the curve. */
function encrypted(plain: Buffer, { p256dh, auth }: PushSubscription): Buffer | undefined {
  const ephemeral = createECDH('prime256v1');
  ephemeral.generateKeys();
  const receiver = { publicKey: Buffer.from(p256dh, 'base64url'), authSecret: Buffer.from(auth, 'base64url') };
  try {
    return encryptPush(plain, receiver, { privateKey: ephemeral.getPrivateKey(), salt: random(16) });
  } catch {
    return undefined;
  }
}

function judge(answer: HttpAnswer, message: OutgoingPush, endpoint: URL, deps: ProviderDeps): SendResult {
  const { status, headers } = answer;
  const body = answer.body.toString('utf8');
  // RFC 8030, 5: 201, or 202 where a receipt was asked for. A page with 200 is somebody else's.
  if (status === 201 || status === 202 || status === 204 || (status === 200 && body === ''))
    return { kind: 'accepted', ref: (headers['location'] ?? message.messageId).slice(0, 500) };
  if (status < 300) return malformedResult(status, 'the answer is not a push service’s');
  const afterMs = retryAfterMs(headers, deps.clock.now());
  return refusalResult(webpushErrors, {
    code: webpushCode(status, body),
    reason: body.startsWith('<') ? '' : body,
    status,
    addresses: [endpoint.href, endpoint.pathname],
    ...(afterMs === undefined ? {} : { afterMs }),
  });
}
