import { randomBytes } from 'node:crypto';
import type { HttpAnswer, HttpFailure } from '../../../platform/http-client.ts';
import { failureResult, malformedResult, refusalResult, resultOf, retryAfterMs } from '../../outcome.rules.ts';
import type { VendorRefusal } from '../../outcome.rules.ts';
import type { OutgoingEmail, ProviderAccount, ProviderDeps, Sender, SendResult } from '../../port.ts';
import { jsonOf, parseJson, textOf } from '../event.rules.ts';
import { fitEmail } from '../fit.rules.ts';
import type { FitEmail } from '../fit.rules.ts';
import { createHttpSender } from '../http-sender.ts';
import { resetMs } from '../limit.rules.ts';
import { groupTogether } from '../merge.rules.ts';
import { mailgunErrors, readRefusal } from './errors.rules.ts';
import { canMerge, headerNames, isOverOptions, mergedFields, multipart, singleFields } from './request.rules.ts';
import type { Fields } from './request.rules.ts';
import { mailgunAuthorization, mailgunDomain, mailgunUrl } from './settings.ts';
import type { MailgunSecrets, MailgunSettings } from './settings.ts';

export type MailgunAccount = ProviderAccount<MailgunSettings, MailgunSecrets>;

/** Mailgun takes 1,000 in a request; more than a window would put more in doubt when an answer fails to come. */
const mostTogether = 64;
const sendTimeoutMs = 60_000;

interface Line {
  readonly account: MailgunAccount;
  readonly deps: ProviderDeps;
  readonly boundary: string;
}

type Ready = { readonly message: OutgoingEmail; readonly email: FitEmail; readonly index: number };

export function createMailgunSender(account: MailgunAccount, deps: ProviderDeps): Sender {
  const line: Line = { account, deps, boundary: `parley-${randomBytes(16).toString('hex')}` };
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
  const fields = singleFields({ message, email: fit.email }, line.account.settings.vendorTracking);
  if (isOverOptions(fields)) return resultOf('content', '400', 'headers are longer than Mailgun takes (16 kB)');
  return judge(line, await post(line, fields), message);
}

async function sendTogether(line: Line, messages: readonly OutgoingEmail[]): Promise<readonly SendResult[]> {
  const results: (SendResult | undefined)[] = [];
  const ready: Ready[] = [];
  for (const [index, message] of messages.entries()) {
    const fit = fitEmail(message);
    if (fit.ok) ready.push({ message, email: fit.email, index });
    else results[index] = fit.result;
  }
  const names = headerNames(ready).join();
  const alike = ready.filter((one) => headerNames([one]).join() === names);
  const others = ready.filter((one) => !alike.includes(one));
  const outcomes = await Promise.all([
    alike.length > 1 ? sendMerged(line, alike) : Promise.all(alike.map((one) => sendOne(line, one.message))),
    ...others.map(async (one) => [await sendOne(line, one.message)] as const),
  ]);
  const flat = outcomes.flat();
  for (const [at, { index }] of [...alike, ...others].entries()) results[index] = flat[at];
  return messages.map((_, index) => results[index] ?? malformedResult(200, 'no outcome'));
}

async function sendMerged(line: Line, ready: readonly Ready[]): Promise<readonly SendResult[]> {
  const fields = mergedFields(ready, line.account.settings.vendorTracking);
  const answer = await post(line, fields);
  // None of a refused request was sent, and Mailgun does not say which recipient it was about: each goes alone.
  const isRefused = answer.kind === 'answer' && (answer.status === 400 || answer.status === 413);
  if (isRefused) return Promise.all(ready.map(({ message }) => sendOne(line, message)));
  return ready.map(({ message }) => judge(line, answer, message));
}

function post({ account, deps, boundary }: Line, fields: Fields): Promise<HttpAnswer | HttpFailure> {
  const { contentType, body } = multipart(fields, boundary);
  return deps.http.call({
    method: 'POST',
    url: `${mailgunUrl(account.settings)}/v3/${mailgunDomain(account.settings)}/messages`,
    headers: { authorization: mailgunAuthorization(account.secrets), 'content-type': contentType },
    body,
    timeoutMs: sendTimeoutMs,
  });
}

function judge(line: Line, answer: HttpAnswer | HttpFailure, message: OutgoingEmail): SendResult {
  const addresses = [message.to];
  if (answer.kind === 'failed') return failureResult(answer, addresses);
  const { status, headers, body } = answer;
  if (status === 200) {
    const id = textOf(jsonOf(parseJson(body))['id']);
    // Events name it without the brackets.
    return id === undefined
      ? malformedResult(status, 'not an answer of Mailgun’s')
      : { kind: 'accepted', ref: bareId(id) };
  }
  // A gateway in front may be the one that is too busy: how long to wait stands in its headers.
  const busy: VendorRefusal | undefined = status === 429 ? { code: '429', reason: '', status } : undefined;
  const refusal = readRefusal(status, body) ?? busy;
  if (refusal === undefined) return malformedResult(status, 'not an answer of Mailgun’s');
  const now = line.deps.clock.now();
  const header =
    retryAfterMs(headers, now) ?? (status === 429 ? resetMs(headers['x-ratelimit-reset'], now) : undefined);
  const afterMs = header ?? refusal.afterMs;
  return refusalResult(mailgunErrors, { ...refusal, addresses, ...(afterMs === undefined ? {} : { afterMs }) });
}

export function bareId(id: string): string {
  return id.replace(/^<|>$/g, '');
}
