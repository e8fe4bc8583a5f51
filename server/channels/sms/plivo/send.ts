import { callbackAbout, failureResult, reasonText, resultOf, retryAfterMs } from '../../outcome.rules.ts';
import type { OutgoingSms, ProviderAccount, ProviderDeps, Sender, TestResult } from '../../port.ts';
import { chooseSender } from '../sender.rules.ts';
import { createSmsSender } from '../sender.ts';
import { errorText, parseObject, plivoResult } from './answer.rules.ts';
import type { PlivoSecrets, PlivoSettings } from './settings.ts';

export type PlivoAccount = ProviderAccount<PlivoSettings, PlivoSecrets>;

const defaultBaseUrl = 'https://api.plivo.com';
const limits = { maxLength: 1600, maxMedia: 10 };
/** What Plivo takes as the life of a message, in seconds. */
const expiry = { least: 5, most: 14_400 };
const answerMs = 30_000;

function accountUrl({ settings }: PlivoAccount): string {
  return `${settings.baseUrl ?? defaultBaseUrl}/v1/Account/${settings.authId}/`;
}

function loginHeaders({ settings, secrets }: PlivoAccount): Record<string, string> {
  const login = Buffer.from(`${settings.authId}:${secrets.authToken ?? ''}`, 'utf8').toString('base64');
  return { authorization: `Basic ${login}`, accept: 'application/json' };
}

export function createPlivoSender(account: PlivoAccount, deps: ProviderDeps): Sender {
  const { settings } = account;
  const url = `${accountUrl(account)}Message/`;
  const headers = { ...loginHeaders(account), 'content-type': 'application/json' };
  const callbackUrl = deps.callbackUrl?.('plivo', account.id);
  return createSmsSender({
    capacity: settings.maxConnections,
    limits,
    log: deps.log,
    hand: async (message, { country }) => {
      const choice = chooseSender(message, country, settings.senders);
      if (choice.kind === 'none' && settings.powerpackUuid === null)
        return resultOf('content', 'no-sender', choice.reason);
      const from = choice.kind === 'sender' ? { src: choice.from } : { powerpack_uuid: settings.powerpackUuid };
      const body = JSON.stringify({ ...from, ...messageFields(message, callbackUrl) });
      const answered = await deps.http.call({ method: 'POST', url, headers, body, timeoutMs: answerMs });
      if (answered.kind === 'failed') return failureResult(answered, [message.to]);
      const afterMs = retryAfterMs(answered.headers, deps.clock.now());
      return plivoResult({ status: answered.status, body: answered.body, afterMs, to: message.to });
    },
  });
}

function messageFields(message: OutgoingSms, callbackUrl: string | undefined) {
  const media = message.mediaUrls ?? [];
  const { validForSeconds: seconds } = message;
  return {
    dst: message.to,
    ...(message.text === '' ? {} : { text: message.text }),
    ...(media.length === 0 ? { type: 'sms' } : { type: 'mms', media_urls: media }),
    ...(seconds === undefined || seconds > expiry.most
      ? {}
      : { message_expiry: Math.max(expiry.least, Math.floor(seconds)) }),
    ...(callbackUrl === undefined ? {} : { url: callbackAbout(callbackUrl, message.messageId), method: 'POST' }),
  };
}

/** Signs in by reading the account. */
export async function testPlivo(account: PlivoAccount, deps: ProviderDeps): Promise<TestResult> {
  const answered = await deps.http.call({
    method: 'GET',
    url: accountUrl(account),
    headers: loginHeaders(account),
    timeoutMs: 10_000,
  });
  if (answered.kind === 'failed' && !answered.mayHaveArrived)
    return { ok: false, steps: [{ name: 'connect', ok: false, detail: answered.reason }] };
  const connected = { name: 'connect', ok: true, detail: 'Plivo answers' };
  const auth = (ok: boolean, detail: string): TestResult => ({ ok, steps: [connected, { name: 'auth', ok, detail }] });
  if (answered.kind === 'failed') return auth(false, answered.reason);
  const answer = parseObject(answered.body);
  if (answered.status === 200 && answer?.['auth_id'] === account.settings.authId) return auth(true, 'signed in');
  const said = answer === undefined ? undefined : errorText(answer);
  return auth(false, reasonText(`${answered.status}: ${said ?? 'not an answer of Plivo’s'}`));
}
