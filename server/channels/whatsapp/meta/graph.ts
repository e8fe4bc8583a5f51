import type { HttpAnswer, HttpFailure } from '../../../platform/http-client.ts';
import type { ProviderAccount, ProviderDeps } from '../../port.ts';
import { retryAfterMs } from '../../outcome.rules.ts';
import { metaCode } from './errors.rules.ts';
import { objectAt, parseObject, textAt } from '../json.rules.ts';
import type { Fields } from '../json.rules.ts';
import { errorText } from './receipts.rules.ts';
import { defaultBaseUrl } from './settings.ts';
import type { MetaSecrets, MetaSettings } from './settings.ts';

/** Calls to Meta's Graph API, and what its refusals say. */

export interface GraphCall {
  readonly method: 'GET' | 'POST';
  /** With its query. */
  readonly path: string;
  readonly body?: string;
  readonly timeoutMs?: number;
  readonly maxAnswerBytes?: number;
}

export function askGraph(
  { settings, secrets }: Pick<ProviderAccount<MetaSettings, MetaSecrets>, 'settings' | 'secrets'>,
  deps: Pick<ProviderDeps, 'http'>,
  call: GraphCall,
): Promise<HttpAnswer | HttpFailure> {
  return deps.http.call({
    method: call.method,
    url: `${settings.baseUrl ?? defaultBaseUrl}${call.path}`,
    headers: {
      authorization: `Bearer ${secrets.accessToken ?? ''}`,
      // Meta's specification demands a name with a version of three parts.
      'user-agent': 'Parley/1.0.0',
      ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(call.body === undefined ? {} : { body: call.body }),
    ...(call.timeoutMs === undefined ? {} : { timeoutMs: call.timeoutMs }),
    ...(call.maxAnswerBytes === undefined ? {} : { maxAnswerBytes: call.maxAnswerBytes }),
  });
}

export interface GraphRefusal {
  /** As in the error table. */
  readonly code: string;
  readonly reason: string;
  readonly afterMs?: number;
}

/** Pure: the error of an answer; undefined where there is none of Meta's. */
export function refusalOf(
  answer: HttpAnswer,
  said: Fields | undefined = parseObject(answer.body),
  now?: Temporal.Instant,
): GraphRefusal | undefined {
  const error = objectAt(said, 'error');
  const code = textAt(error, 'code');
  if (error === undefined || code === undefined) return undefined;
  const afterMs = waitOf(answer, now);
  return {
    code: metaCode(code, textAt(error, 'error_subcode')),
    reason: errorText(error, []),
    ...(afterMs === undefined ? {} : { afterMs }),
  };
}

/** Retry-After, or what the usage header says is left until calls are taken again, in minutes. */
function waitOf(answer: HttpAnswer, now: Temporal.Instant | undefined): number | undefined {
  const stated = now === undefined ? undefined : retryAfterMs(answer.headers, now);
  if (stated !== undefined) return stated;
  const usage = answer.headers['x-business-use-case-usage'];
  const minutes = /"estimated_time_to_regain_access"\s*:\s*(\d{1,5})/.exec(usage ?? '')?.[1];
  return minutes === undefined || minutes === '0' ? undefined : Math.min(Number(minutes) * 60_000, 86_400_000);
}
