import type { HttpAnswer } from '../../../platform/http-client.ts';
import type { OutgoingPush, ProviderAccount, ProviderDeps, ResolveHost, Sender, SendResult } from '../../port.ts';
import { failureResult, malformedResult, refusalResult, resultOf, retryAfterMs } from '../../outcome.rules.ts';
import { createPushSender } from '../sender.ts';
import { createConnection } from './connection.ts';
import type { Connection } from './connection.ts';
import { apnsErrors } from './errors.rules.ts';
import { createProviderTokens } from './provider-token.ts';
import type { ProviderTokens } from './provider-token.ts';
import { apnsHeaders, apnsPayload, mostPayloadBytes, readApnsReason } from './request.rules.ts';
import type { SessionTimes } from './session.ts';
import type { ApnsSecrets, ApnsSettings } from './settings.ts';

export type ApnsAccount = ProviderAccount<ApnsSettings, ApnsSecrets>;

const capacity = 500;
const times: SessionTimes = { connectMs: 15_000, requestMs: 30_000, pingMs: 60_000, pongMs: 10_000 };
const hosts = {
  production: 'https://api.push.apple.com',
  development: 'https://api.sandbox.push.apple.com',
} as const;

export interface ApnsLine {
  readonly connection: Connection;
  readonly tokens: ProviderTokens;
  /** Before `/3/device/…`: empty at Apple's. */
  readonly path: string;
  readonly topic: string;
}

/** Undefined when the account has no key. */
export function apnsLine({ workspaceId, settings, secrets }: ApnsAccount, deps: ProviderDeps): ApnsLine | undefined {
  const { privateKey } = secrets;
  if (privateKey === undefined) return undefined;
  const url = new URL(settings.baseUrl ?? hosts[settings.environment ?? 'production']);
  return {
    connection: createConnection(url, { clock: deps.clock, resolveHost: guardFor(url, workspaceId, deps) }, times),
    tokens: createProviderTokens({ teamId: settings.teamId, keyId: settings.keyId, privateKey }, deps.clock),
    path: url.pathname.replace(/\/+$/, ''),
    topic: settings.topic,
  };
}

/** The sandbox of this very process is on the loopback, where no account may connect otherwise. */
function guardFor(url: URL, workspaceId: string, deps: ProviderDeps): ResolveHost {
  const sandbox = deps.sandbox?.()?.vendorUrl(workspaceId, 'apns');
  const isSandbox = sandbox !== undefined && new URL(sandbox).origin === url.origin;
  return isSandbox ? (host) => Promise.resolve([host]) : deps.resolveHost;
}

export function createApnsSender(account: ApnsAccount, deps: ProviderDeps): Sender {
  const line = apnsLine(account, deps);
  return createPushSender({
    capacity,
    hand: (message) =>
      line === undefined
        ? Promise.resolve(resultOf('account', 'not-configured', 'the account has no key'))
        : handOver(line, message, deps),
    end: () => line?.connection.close() ?? Promise.resolve(),
  });
}

async function handOver(line: ApnsLine, message: OutgoingPush, deps: ProviderDeps): Promise<SendResult> {
  const body = apnsPayload(message);
  if (body.length > mostPayloadBytes)
    return resultOf(
      'content',
      'PayloadTooLarge',
      `the message has ${body.length} bytes, APNs takes ${mostPayloadBytes}`,
    );
  if (!/^[0-9a-f]{32,200}$/i.test(message.token))
    return resultOf('address', 'BadDeviceToken', 'a device token is hexadecimal digits');
  const token = await line.tokens.get();
  const first = await ask(line, token, message, body, deps);
  if (!isExpired(first) || !line.tokens.renew(token)) return judge(first, message, deps);
  // Nothing was taken: once more with a new token.
  return judge(await ask(line, await line.tokens.get(), message, body, deps), message, deps);
}

type Answer = Awaited<ReturnType<Connection['call']>>;

function ask(
  { connection, path, topic }: ApnsLine,
  token: string,
  message: OutgoingPush,
  body: Buffer,
  deps: ProviderDeps,
): Promise<Answer> {
  return connection.call(
    {
      ':method': 'POST',
      ':path': `${path}/3/device/${message.token}`,
      authorization: `bearer ${token}`,
      'content-type': 'application/json',
      ...apnsHeaders(message, topic, deps.clock.now()),
    },
    body,
  );
}

function isExpired(answer: Answer): boolean {
  return answer.kind === 'answer' && reasonOf(answer) === 'ExpiredProviderToken';
}

const reasonOf = (answer: HttpAnswer) => readApnsReason(answer.body.toString('utf8'));

function judge(answer: Answer, message: OutgoingPush, deps: ProviderDeps): SendResult {
  if (answer.kind === 'failed') return failureResult(answer, [message.token]);
  if (answer.status === 200) {
    const ref = answer.headers['apns-id'];
    // Every answer of APNs carries the id.
    return ref === undefined ? malformedResult(200, 'the answer has no apns-id') : { kind: 'accepted', ref };
  }
  const reason = reasonOf(answer);
  if (reason === undefined || answer.status < 300) return malformedResult(answer.status, 'the answer is not APNs’s');
  const afterMs = retryAfterMs(answer.headers, deps.clock.now());
  return refusalResult(apnsErrors, {
    code: reason,
    reason: '',
    status: answer.status,
    ...(afterMs === undefined ? {} : { afterMs }),
  });
}

/** Hands over to a device that does not exist: APNs looks at the key and the topic first, and nobody is disturbed. */
export async function tryApns(
  line: ApnsLine,
  messageId: string,
  deps: ProviderDeps,
): Promise<{ readonly ok: boolean; readonly detail: string }> {
  const nobody: OutgoingPush = {
    channel: 'push',
    messageId,
    token: '0'.repeat(64),
    title: 'Test',
    body: 'Test',
    urgency: 'normal',
    ttlSeconds: 0,
  };
  const answer = await ask(line, await line.tokens.get(), nobody, apnsPayload(nobody), deps);
  if (answer.kind === 'failed') return { ok: false, detail: `${answer.code}: ${answer.reason}` };
  const reason = reasonOf(answer) ?? '';
  if (reason === 'BadDeviceToken' || reason === 'Unregistered' || answer.status === 200)
    return { ok: true, detail: 'APNs takes the key and the topic.' };
  return {
    ok: false,
    detail: `APNs answered ${answer.status} ${reason}: ${apnsErrors[reason]?.meaning ?? 'unknown'}.`,
  };
}
