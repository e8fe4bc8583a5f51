import { awsBaseUrl, createAwsSigner } from '../../aws.ts';
import { failureResult, reasonText, retryAfterMs } from '../../outcome.rules.ts';
import type { ProviderAccount, ProviderDeps, Sender, TestResult } from '../../port.ts';
import { chooseSender } from '../sender.rules.ts';
import { createSmsSender } from '../sender.ts';
import { publishForm, publishResult, readError } from './query.rules.ts';
import type { SnsSecrets, SnsSettings } from './settings.ts';

export type SnsAccount = ProviderAccount<SnsSettings, SnsSecrets>;

/** "The total size limit for a single SMS publish action is 1,600 characters" (Amazon SNS Developer Guide); no pictures. */
const limits = { maxLength: 1600, maxMedia: 0 };
const answerMs = 30_000;

type Fields = readonly (readonly [string, string])[];

function createQuery({ settings, secrets }: SnsAccount, deps: ProviderDeps) {
  const { region, accessKeyId } = settings;
  const credentials = {
    accessKeyId,
    secretAccessKey: secrets.secretAccessKey ?? '',
    sessionToken: secrets.sessionToken,
  };
  const sign = createAwsSigner(credentials, { service: 'sns', region }, deps.clock);
  const url = `${settings.baseUrl ?? awsBaseUrl('sns', region)}/`;
  return async (fields: Fields, timeoutMs = answerMs) => {
    const body = new URLSearchParams(fields.map(([name, value]) => [name, value])).toString();
    const headers = await sign({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body,
    });
    return deps.http.call({ method: 'POST', url, headers, body, timeoutMs });
  };
}

export function createSnsSender(account: SnsAccount, deps: ProviderDeps): Sender {
  const { settings } = account;
  const query = createQuery(account, deps);
  return createSmsSender({
    capacity: settings.maxConnections,
    limits,
    log: deps.log,
    hand: async (message, { country }) => {
      // Without one of ours Amazon takes a number of the account, or a shared one where the country allows it.
      const choice = chooseSender(message, country, settings.senders);
      const from = choice.kind === 'sender' ? choice.from : undefined;
      const answered = await query(publishForm(message, from, settings.maxPrice));
      if (answered.kind === 'failed') return failureResult(answered, [message.to]);
      const afterMs = retryAfterMs(answered.headers, deps.clock.now());
      return publishResult({ status: answered.status, body: answered.body, afterMs, to: message.to });
    },
  });
}

/** Signs in by asking for the account's SMS settings. */
export async function testSns(account: SnsAccount, deps: ProviderDeps): Promise<TestResult> {
  const answered = await createQuery(account, deps)(
    [
      ['Action', 'GetSMSAttributes'],
      ['Version', '2010-03-31'],
    ],
    10_000,
  );
  if (answered.kind === 'failed' && !answered.mayHaveArrived)
    return { ok: false, steps: [{ name: 'connect', ok: false, detail: answered.reason }] };
  const connected = { name: 'connect', ok: true, detail: 'Amazon SNS answers' };
  const auth = (ok: boolean, detail: string): TestResult => ({ ok, steps: [connected, { name: 'auth', ok, detail }] });
  if (answered.kind === 'failed') return auth(false, answered.reason);
  const text = answered.body.toString('utf8');
  if (answered.status === 200 && text.includes('<GetSMSAttributesResponse')) return auth(true, 'signed in');
  const error = readError(text);
  // The signature was right; that the user may send can only be tried by sending.
  if (error?.code === 'AuthorizationError' || error?.code === 'AccessDenied')
    return auth(true, 'signed in, though not permitted to read the settings (sns:GetSMSAttributes)');
  return auth(false, reasonText(`${answered.status}: ${error?.code ?? ''} ${error?.message ?? ''}`));
}
