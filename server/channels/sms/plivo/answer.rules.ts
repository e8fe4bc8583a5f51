import { malformedResult, refusalResult } from '../../outcome.rules.ts';
import type { ErrorTable, SendResult } from '../../port.ts';
import { plivoErrors } from './errors.rules.ts';

export interface PlivoSaid {
  readonly status: number;
  readonly body: Buffer;
  readonly afterMs?: number | undefined;
  readonly to: string;
}

/** Pure: the outcome of `POST /Message/`: 202 with an id for each number, or a status and a text. */
export function plivoResult({ status, body, afterMs, to }: PlivoSaid): SendResult {
  const answer = parseObject(body);
  if (status >= 200 && status < 300) {
    const uuids = answer?.['message_uuid'];
    const ref: unknown = Array.isArray(uuids) ? uuids[0] : undefined;
    if (typeof ref === 'string' && ref !== '') return { kind: 'accepted', ref };
    // Numbers it does not know are listed apart, and nothing is queued for them.
    if (Array.isArray(answer?.['invalid_number']) && answer['invalid_number'].length > 0)
      return refusalResult(plivoErrors, { code: '50', reason: 'the number is not valid' });
    return malformedResult(status, 'without the id of a message');
  }
  const reason = answer === undefined ? undefined : errorText(answer);
  const wait = afterMs === undefined ? {} : { afterMs };
  if (reason === undefined && status !== 429) return malformedResult(status, 'not an answer of Plivo’s');
  const code = String(status);
  // One status for all parameters: the number is the recipient's matter, the rest the message's.
  const errors: ErrorTable =
    status === 400 && aboutNumber.test(reason ?? '') ? { 400: { category: 'address', meaning: '' } } : plivoErrors;
  return refusalResult(errors, { code, reason: reason ?? '', status, ...wait, addresses: [to] });
}

const aboutNumber = /\b(?:dst|destination)\b/i;

/** Pure: `{"error": "…"}`, or an object that names the parameters. */
export function errorText(answer: Record<string, unknown>): string | undefined {
  const { error, message } = answer;
  if (typeof error === 'string') return error;
  if (typeof error === 'object' && error !== null) return JSON.stringify(error);
  return typeof message === 'string' ? message : undefined;
}

export function parseObject(body: Buffer): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
