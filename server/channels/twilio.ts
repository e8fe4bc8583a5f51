import { z } from 'zod';
import { failureResult, retryAfterMs } from './outcome.rules.ts';
import type { Callback, ErrorTable, Found, ProviderDeps, SendResult, TestResult, Verdict } from './port.ts';
import { isTwilioSigned, parseObject, twilioResult } from './twilio.rules.ts';

/** Twilio's REST API, for the channels that go through it. */

const defaultBaseUrl = 'https://api.twilio.com';
const sid = (prefix: string) => new RegExp(`^${prefix}[0-9a-fA-F]{32}$`);

/** Fields that every account at Twilio has, for the channel to spread into its own. */
export const twilioSettingsFields = {
  accountSid: z
    .string()
    .trim()
    .regex(sid('AC'), 'must be an Account SID: AC and 32 hexadecimal digits')
    .meta({ title: 'Account SID', description: 'Of the account or subaccount, from the Twilio console' }),
  apiKeySid: z
    .string()
    .trim()
    .regex(sid('SK'), 'must be an API key SID: SK and 32 hexadecimal digits')
    .nullable()
    .default(null)
    .meta({ title: 'API key SID', description: 'Leave empty to sign in with the auth token' }),
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .max(500)
    .overwrite((url) => url.replace(/\/+$/, ''))
    .nullable()
    .default(null)
    .meta({ title: 'Base URL', description: 'Leave empty for Twilio’s own servers' }),
};

export const twilioSecretsFields = {
  authToken: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .meta({ title: 'Auth token', description: 'Twilio signs its callbacks with it, also when an API key signs in' }),
  apiKeySecret: z.string().min(1).max(200).optional().meta({ title: 'API key secret' }),
};

export interface TwilioLogin {
  readonly accountSid: string;
  readonly apiKeySid: string | null;
  readonly baseUrl: string | null;
}

export interface TwilioKeys {
  readonly authToken?: string | undefined;
  readonly apiKeySecret?: string | undefined;
}

/** What is missing to sign in and to judge callbacks; pointers below `/settings`. */
export function twilioProblems(settings: TwilioLogin, secrets: TwilioKeys) {
  const problems: { pointer: string; message: string }[] = [];
  if (secrets.authToken === undefined)
    problems.push({ pointer: '/settings/authToken', message: 'is needed: Twilio signs its callbacks with it' });
  if (settings.apiKeySid !== null && secrets.apiKeySecret === undefined)
    problems.push({ pointer: '/settings/apiKeySecret', message: 'is needed with an API key' });
  return problems;
}

/** Twilio answers within seconds; what takes longer is in doubt. */
const answerMs = 30_000;

export interface TwilioApi {
  /** Creates a message of form fields, given as pairs since some names come more than once. */
  send(fields: readonly (readonly [string, string])[], addresses: readonly string[]): Promise<SendResult>;
  /** Signs in, sends nothing. */
  test(): Promise<TestResult>;
  /** Asks whether a message to a number was taken since. Twilio keeps no tag of ours, so that it can only say no for sure. */
  lookUp(to: string, sentAfter: Temporal.Instant): Promise<Found>;
}

/** Signs in with the API key, else with the auth token. */
export function twilioHeaders(settings: TwilioLogin, secrets: TwilioKeys): Readonly<Record<string, string>> {
  const login =
    settings.apiKeySid === null
      ? `${settings.accountSid}:${secrets.authToken ?? ''}`
      : `${settings.apiKeySid}:${secrets.apiKeySecret ?? ''}`;
  return {
    authorization: `Basic ${Buffer.from(login, 'utf8').toString('base64')}`,
    accept: 'application/json',
  };
}

export function createTwilioApi(
  settings: TwilioLogin,
  secrets: TwilioKeys,
  errors: ErrorTable,
  deps: Pick<ProviderDeps, 'http' | 'clock'>,
): TwilioApi {
  const base = `${settings.baseUrl ?? defaultBaseUrl}/2010-04-01/Accounts/${settings.accountSid}`;
  const headers = twilioHeaders(settings, secrets);
  const get = (path: string, timeoutMs = answerMs) =>
    deps.http.call({ method: 'GET', url: `${base}${path}`, headers, timeoutMs });

  return {
    send: async (fields, addresses) => {
      const answered = await deps.http.call({
        method: 'POST',
        url: `${base}/Messages.json`,
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields.map(([name, value]) => [name, value])).toString(),
        timeoutMs: answerMs,
      });
      if (answered.kind === 'failed') return failureResult(answered, addresses);
      const afterMs = retryAfterMs(answered.headers, deps.clock.now());
      return twilioResult(errors, { status: answered.status, body: answered.body, afterMs, addresses });
    },
    test: () => testTwilio(() => get('.json', 10_000)),
    lookUp: async (to, sentAfter) => {
      const answered = await get(`/Messages.json?${new URLSearchParams({ To: to, PageSize: '50' }).toString()}`);
      if (answered.kind === 'failed') return { kind: 'unclear', reason: `no answer: ${answered.code}` };
      if (answered.status !== 200) return { kind: 'unclear', reason: `answered ${answered.status}` };
      return foundIn(parseObject(answered.body), sentAfter, deps.clock.now());
    },
  };
}

async function testTwilio(ask: () => ReturnType<ProviderDeps['http']['call']>): Promise<TestResult> {
  const answered = await ask();
  if (answered.kind === 'failed' && !answered.mayHaveArrived)
    return { ok: false, steps: [{ name: 'connect', ok: false, detail: answered.reason }] };
  const connected = { name: 'connect', ok: true, detail: 'Twilio answers' };
  if (answered.kind === 'failed')
    return { ok: false, steps: [connected, { name: 'auth', ok: false, detail: answered.reason }] };
  const account = parseObject(answered.body);
  const status = account?.['status'];
  if (answered.status !== 200 || typeof status !== 'string') {
    const message = account?.['message'];
    const detail = `${answered.status}: ${typeof message === 'string' ? message : 'not an answer of Twilio’s'}`;
    return { ok: false, steps: [connected, { name: 'auth', ok: false, detail: detail.slice(0, 200) }] };
  }
  const signedIn = { name: 'auth', ok: true, detail: 'signed in' };
  return status === 'active'
    ? { ok: true, steps: [connected, signedIn] }
    : { ok: false, steps: [connected, signedIn, { name: 'account', ok: false, detail: `the account is ${status}` }] };
}

/** Lists are not up to date at once. */
const settledMs = 120_000;
/** Their clock and ours. */
const toleranceMs = 60_000;

function foundIn(body: Record<string, unknown> | undefined, sentAfter: Temporal.Instant, now: Temporal.Instant): Found {
  const messages = body?.['messages'];
  if (!Array.isArray(messages)) return { kind: 'unclear', reason: 'not an answer of Twilio’s' };
  const since = sentAfter.epochMilliseconds - toleranceMs;
  const times = messages.map((message: unknown) =>
    typeof message === 'object' && message !== null && 'date_created' in message
      ? Date.parse(String(message.date_created))
      : Number.NaN,
  );
  if (times.some((time) => Number.isNaN(time) || time >= since))
    return {
      kind: 'unclear',
      reason: 'a message to this number was taken since then; Twilio cannot say whether this one',
    };
  // Newest first: what lies on further pages is older still.
  if (now.epochMilliseconds - sentAfter.epochMilliseconds < settledMs)
    return { kind: 'unclear', reason: 'too early to say' };
  return { kind: 'absent' };
}

/** Judges a callback. Twilio signs neither time nor nonce; receipts told twice have the same key. */
export function verifyTwilio(secrets: TwilioKeys, callback: Callback): Verdict {
  if (secrets.authToken === undefined) return { kind: 'forged', reason: 'the account has no auth token' };
  if (!isTwilioSigned(secrets.authToken, callback)) return { kind: 'forged', reason: 'the signature does not fit' };
  return { kind: 'genuine' };
}
