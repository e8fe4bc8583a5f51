import { randomBytes } from 'node:crypto';
import type { HttpAnswer, HttpFailure } from '../../../platform/http-client.ts';
import { failureResult, malformedResult, refusalResult, retryAfterMs } from '../../outcome.rules.ts';
import type { OutgoingEmail, ProviderAccount, ProviderDeps, Sender, SendResult } from '../../port.ts';
import { fitEmail } from '../fit.rules.ts';
import type { FitEmail } from '../fit.rules.ts';
import { createHttpSender } from '../http-sender.ts';
import { resetMs } from '../limit.rules.ts';
import { groupTogether } from '../merge.rules.ts';
import { readComplaints, refusalOf, refusedPlaces, sendGridErrors } from './errors.rules.ts';
import { canMerge, mergedBody, singleBody } from './request.rules.ts';
import { sendGridUrl } from './settings.ts';
import type { SendGridSecrets, SendGridSettings } from './settings.ts';

export type SendGridAccount = ProviderAccount<SendGridSettings, SendGridSecrets>;

/** SendGrid takes 1,000 in a request; more than a window would put more in doubt when an answer fails to come. */
const mostTogether = 64;
const sendTimeoutMs = 60_000;

interface Line {
  readonly account: SendGridAccount;
  readonly deps: ProviderDeps;
  readonly nonce: string;
}

type Ready = { readonly message: OutgoingEmail; readonly email: FitEmail };

export function createSendGridSender(account: SendGridAccount, deps: ProviderDeps): Sender {
  const line: Line = { account, deps, nonce: randomBytes(6).toString('hex') };
  return createHttpSender({
    capacity: account.settings.maxConnections,
    log: deps.log,
    one: (message) => sendOne(line, message),
    many: {
      most: mostTogether,
      groups: (messages) => groupTogether(messages, mostTogether, canMerge),
      together: (messages) => sendTogether(line, messages),
    },
  });
}

async function sendOne(line: Line, message: OutgoingEmail): Promise<SendResult> {
  const fit = fitEmail(message);
  if (!fit.ok) return fit.result;
  const answer = await post(line, singleBody({ message, email: fit.email }, line.account.settings));
  return judge(line, answer, message);
}

async function sendTogether(line: Line, messages: readonly OutgoingEmail[]): Promise<readonly SendResult[]> {
  const results: (SendResult | undefined)[] = [];
  const ready: (Ready & { index: number })[] = [];
  for (const [index, message] of messages.entries()) {
    const fit = fitEmail(message);
    if (fit.ok) ready.push({ message, email: fit.email, index });
    else results[index] = fit.result;
  }
  const [first] = ready;
  const shape = first?.message.merge?.shape;
  if (first === undefined || shape === undefined) return Promise.all(messages.map((one) => sendOne(line, one)));

  const body = mergedBody(first, ready, shape, line.nonce, line.account.settings);
  const answer = await post(line, body);
  const outcomes = isRefusedRequest(answer)
    ? await afterRefusal(line, answer, ready)
    : ready.map(({ message }) => judge(line, answer, message));
  for (const [at, { index }] of ready.entries()) results[index] = outcomes[at];
  return messages.map((_, index) => results[index] ?? malformedResult(200, 'no outcome'));
}

function isRefusedRequest(answer: HttpAnswer | HttpFailure): answer is HttpAnswer {
  return answer.kind === 'answer' && (answer.status === 400 || answer.status === 413);
}

/** None of a refused request was sent. Those that were complained about are refused; the others go again, without them. */
async function afterRefusal(line: Line, answer: HttpAnswer, ready: readonly Ready[]): Promise<readonly SendResult[]> {
  const complaints = readComplaints(answer.body) ?? [];
  const refused = refusedPlaces(complaints, ready.length);
  const rest = ready.filter((_, place) => !refused.has(place)).map(({ message }) => message);
  // Without a place named, each goes alone, so that one bad message cannot take the others down.
  const again =
    refused.size > 0 && rest.length > 1
      ? await sendTogether(line, rest)
      : await Promise.all(rest.map((message) => sendOne(line, message)));
  let next = 0;
  return ready.map(({ message }, place) => {
    const refusal = refused.get(place);
    if (refusal !== undefined) return refusalResult(sendGridErrors, { ...refusal, addresses: [message.to] });
    return again[next++] ?? malformedResult(200, 'no outcome');
  });
}

function post({ account, deps }: Line, body: string): Promise<HttpAnswer | HttpFailure> {
  return deps.http.call({
    method: 'POST',
    url: `${sendGridUrl(account.settings)}/v3/mail/send`,
    headers: { authorization: `Bearer ${account.secrets.apiKey ?? ''}`, 'content-type': 'application/json' },
    body,
    timeoutMs: sendTimeoutMs,
  });
}

function judge(line: Line, answer: HttpAnswer | HttpFailure, message: OutgoingEmail): SendResult {
  const addresses = [message.to];
  if (answer.kind === 'failed') return failureResult(answer, addresses);
  const { status, headers, body } = answer;
  const ref = headers['x-message-id'];
  // "202 Accepted" comes without a body; anything else is not SendGrid speaking.
  if (status === 202 && (ref !== undefined || body.length === 0))
    return { kind: 'accepted', ref: ref ?? message.messageId };
  // A gateway in front may be the one that is too busy: how long to wait stands in its headers.
  const complaints = status < 300 ? undefined : (readComplaints(body) ?? (status === 429 ? [] : undefined));
  if (complaints === undefined) return malformedResult(status, 'not an answer of SendGrid’s');
  const now = line.deps.clock.now();
  const afterMs =
    retryAfterMs(headers, now) ?? (status === 429 ? resetMs(headers['x-ratelimit-reset'], now) : undefined);
  return refusalResult(sendGridErrors, {
    ...refusalOf(status, complaints),
    addresses,
    ...(afterMs === undefined ? {} : { afterMs }),
  });
}
