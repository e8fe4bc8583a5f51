import type { HttpAnswer } from '../../../platform/http-client.ts';
import type { OutgoingPush, ProviderAccount, ProviderDeps, Sender, SendResult } from '../../port.ts';
import { failureResult, malformedResult, refusalResult, resultOf, retryAfterMs } from '../../outcome.rules.ts';
import { createPushSender } from '../sender.ts';
import { createAccessTokens } from './access-token.ts';
import type { AccessTokens } from './access-token.ts';
import { fcmErrors, fcmPatienceMs } from './errors.rules.ts';
import { fcmBody, readFcmAnswer, reservedField } from './request.rules.ts';
import { readServiceAccount } from './settings.ts';
import type { FcmSecrets, FcmSettings } from './settings.ts';

export type FcmAccount = ProviderAccount<FcmSettings, FcmSecrets>;

const capacity = 100;
const vendor = { api: 'https://fcm.googleapis.com', token: 'https://oauth2.googleapis.com/token' };

export interface FcmLine {
  readonly sendUrl: string;
  readonly tokens: AccessTokens;
}

/** Where an account sends to and how it signs in. Tokens come from Google's own server, whatever the key file says. */
export function fcmLine({ settings, secrets }: FcmAccount, deps: ProviderDeps): FcmLine | undefined {
  const account = secrets.serviceAccount === undefined ? undefined : readServiceAccount(secrets.serviceAccount);
  const projectId = settings.projectId ?? account?.projectId;
  if (account === undefined || projectId === undefined) return undefined;
  const tokenUrl = settings.baseUrl === null ? vendor.token : `${settings.baseUrl}/token`;
  return {
    sendUrl: `${settings.baseUrl ?? vendor.api}/v1/projects/${encodeURIComponent(projectId)}/messages:send`,
    tokens: createAccessTokens(account, tokenUrl, deps),
  };
}

export function createFcmSender(account: FcmAccount, deps: ProviderDeps): Sender {
  const line = fcmLine(account, deps);
  return createPushSender({
    capacity,
    hand: (message) =>
      line === undefined
        ? Promise.resolve(resultOf('account', 'not-configured', 'the account has no service account'))
        : handOver(line, message, deps),
  });
}

async function handOver(line: FcmLine, message: OutgoingPush, deps: ProviderDeps): Promise<SendResult> {
  const reserved = reservedField(message.data);
  if (reserved !== undefined)
    return resultOf('content', 'reserved-field', `FCM keeps the data field "${reserved}" to itself`);
  const body = JSON.stringify(fcmBody(message, deps.clock.now()));
  const first = await attempt(line, body, message, deps);
  if (first.kind !== 'stale') return first;
  // The access token was revoked before its time: nothing was taken, so it may be tried with a new one, once.
  line.tokens.drop(first.token);
  const second = await attempt(line, body, message, deps);
  if (second.kind !== 'stale') return second;
  return refusalResult(fcmErrors, { code: 'UNAUTHENTICATED', reason: '' });
}

type Attempt = SendResult | { readonly kind: 'stale'; readonly token: string };

async function attempt(line: FcmLine, body: string, message: OutgoingPush, deps: ProviderDeps): Promise<Attempt> {
  const access = await line.tokens.get();
  if (!access.ok) return access.result;
  const headers = { authorization: `Bearer ${access.token}`, 'content-type': 'application/json; charset=utf-8' };
  const answer = await deps.http.call({ method: 'POST', url: line.sendUrl, headers, body });
  if (answer.kind === 'failed') return failureResult(answer, [message.token]);
  const read = readFcmAnswer(answer.body.toString('utf8'));
  if (answer.status === 401 && read?.code === 'UNAUTHENTICATED') return { kind: 'stale', token: access.token };
  return judge(answer, read, message, deps);
}

function judge(
  answer: HttpAnswer,
  read: ReturnType<typeof readFcmAnswer>,
  message: OutgoingPush,
  deps: ProviderDeps,
): SendResult {
  if (answer.status === 200 && read?.name !== undefined) return { kind: 'accepted', ref: read.name };
  if (read?.code === undefined || answer.status < 300) return malformedResult(answer.status, 'the answer is not FCM’s');
  const afterMs = retryAfterMs(answer.headers, deps.clock.now()) ?? fcmPatienceMs(answer.status);
  return refusalResult(fcmErrors, {
    code: read.code,
    reason: read.reason ?? '',
    status: answer.status,
    addresses: [message.token],
    ...(afterMs === undefined ? {} : { afterMs }),
  });
}
