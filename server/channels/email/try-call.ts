import type { HttpAnswer, HttpFailure } from '../../platform/http-client.ts';
import { reasonText } from '../outcome.rules.ts';
import type { TestResult } from '../port.ts';

type Step = TestResult['steps'][number];

/** What trying an account over HTTP tells, step by step: the line, the key, and what the vendor says of the account. */
export async function tryCall(
  call: Promise<HttpAnswer | HttpFailure>,
  judge: (answer: HttpAnswer) => Step,
): Promise<TestResult> {
  const answer = await call;
  if (answer.kind === 'failed') {
    return {
      ok: false,
      steps: [{ name: 'connect', ok: false, detail: reasonText(`${answer.code}: ${answer.reason}`) }],
    };
  }
  const connect: Step = { name: 'connect', ok: true, detail: `the server answered ${answer.status}` };
  if (answer.status !== 200) {
    const detail =
      answer.status === 401 || answer.status === 403 ? 'the credentials were refused' : 'an unexpected answer';
    return { ok: false, steps: [connect, { name: 'auth', ok: false, detail: `${detail} (${answer.status})` }] };
  }
  const last = judge(answer);
  const auth: Step = { name: 'auth', ok: true, detail: 'the credentials were taken' };
  return { ok: last.ok, steps: last.name === 'auth' ? [connect, last] : [connect, auth, last] };
}
