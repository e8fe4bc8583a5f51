import { randomBytes } from 'node:crypto';
import type { HttpAnswer, HttpFailure } from '../../../platform/http-client.ts';
import { createAwsSigner } from '../../aws.ts';
import type { AwsSigner } from '../../aws.ts';
import { failureResult, malformedResult, refusalResult, resultOf, retryAfterMs } from '../../outcome.rules.ts';
import type { OutgoingEmail, ProviderAccount, ProviderDeps, Sender, SendResult } from '../../port.ts';
import { jsonOf, parseJson, textOf } from '../event.rules.ts';
import { fitEmail } from '../fit.rules.ts';
import type { FitEmail } from '../fit.rules.ts';
import { createHttpSender } from '../http-sender.ts';
import { groupTogether } from '../merge.rules.ts';
import { createComposer } from '../mime.rules.ts';
import type { Composer } from '../mime.rules.ts';
import { narrowed, readRefusal, sesErrors } from './errors.rules.ts';
import { bulkBody, canMerge, hasFewHeaders, rawBody } from './request.rules.ts';
import { sesUrl } from './settings.ts';
import type { SesSecrets, SesSettings } from './settings.ts';

export type SesAccount = ProviderAccount<SesSettings, SesSecrets>;

/** "The SendBulkEmail operation: up to 50 destinations." */
const mostTogether = 50;
const sendTimeoutMs = 60_000;

interface Line {
  readonly account: SesAccount;
  readonly deps: ProviderDeps;
  readonly sign: AwsSigner;
  readonly composer: Composer;
}

type Ready = { readonly message: OutgoingEmail; readonly email: FitEmail; readonly index: number };

export function signerOf({ settings, secrets }: SesAccount, deps: ProviderDeps): AwsSigner {
  const { accessKeyId = '', secretAccessKey = '', sessionToken } = secrets;
  const scope = { service: 'ses', region: settings.region };
  return createAwsSigner({ accessKeyId, secretAccessKey, sessionToken }, scope, deps.clock);
}

export function createSesSender(account: SesAccount, deps: ProviderDeps): Sender {
  const composer = createComposer(randomBytes(6).toString('hex'));
  const line: Line = { account, deps, sign: signerOf(account, deps), composer };
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
  const made = line.composer.compose(message, line.deps.clock.now().epochMilliseconds);
  if (!made.ok) return resultOf(made.category, made.code, made.reason);
  // SES has no SMTPUTF8; another provider may reach the address.
  if (made.email.utf8) return resultOf('content', '5.6.7', 'SES takes no address beyond ASCII before the @');
  const answer = await post(line, '/v2/email/outbound-emails', rawBody(message, made.email, line.account.settings));
  const refused = refusal(line, answer, message);
  if (refused !== undefined) return refused;
  const id = answer.kind === 'answer' ? textOf(jsonOf(parseJson(answer.body))['MessageId']) : undefined;
  return id === undefined ? malformedResult(200, 'not an answer of SES’s') : { kind: 'accepted', ref: id };
}

async function sendTogether(line: Line, messages: readonly OutgoingEmail[]): Promise<readonly SendResult[]> {
  const results: (SendResult | undefined)[] = [];
  const ready: Ready[] = [];
  const alone: number[] = [];
  for (const [index, message] of messages.entries()) {
    const fit = fitEmail(message);
    if (!fit.ok) results[index] = fit.result;
    else if (hasFewHeaders(fit.email)) ready.push({ message, email: fit.email, index });
    else alone.push(index);
  }
  const singly = (index: number) => {
    const message = messages[index];
    return message === undefined ? undefined : sendOne(line, message).then((result) => (results[index] = result));
  };
  const bulk = async () => {
    const outcomes = ready.length === 0 ? [] : await sendBulk(line, ready);
    for (const [at, { index }] of ready.entries()) results[index] = outcomes[at];
  };
  await Promise.all([bulk(), ...alone.map(singly)]);
  return messages.map((_, index) => results[index] ?? malformedResult(200, 'no outcome'));
}

async function sendBulk(line: Line, ready: readonly Ready[]): Promise<readonly SendResult[]> {
  const body = bulkBody(ready, line.account.settings);
  const answer = await post(line, '/v2/email/outbound-bulk-emails', body);
  // None of a refused request was sent, and SES does not say which entry it was about: each goes alone.
  if (answer.kind === 'answer' && isAboutContent(answer))
    return Promise.all(ready.map(({ message }) => sendOne(line, message)));
  const entries = answer.kind === 'answer' ? jsonOf(parseJson(answer.body))['BulkEmailEntryResults'] : undefined;
  return ready.map(({ message }, at) => {
    const refused = refusal(line, answer, message);
    if (refused !== undefined) return refused;
    return entryResult(Array.isArray(entries) ? jsonOf(entries[at]) : {}, message);
  });
}

function isAboutContent(answer: HttpAnswer): boolean {
  if (answer.status === 413) return true;
  const code = answer.status >= 300 ? readRefusal(answer.status, answer.headers, answer.body)?.code : undefined;
  return code?.startsWith('BadRequestException') === true || code === 'MessageRejected';
}

function entryResult(entry: Readonly<Record<string, unknown>>, message: OutgoingEmail): SendResult {
  const status = textOf(entry['Status']);
  if (status === undefined) return malformedResult(200, 'the answer says nothing of this message');
  const id = textOf(entry['MessageId']);
  if (status === 'SUCCESS') return { kind: 'accepted', ref: id ?? message.messageId };
  const reason = textOf(entry['Error']) ?? '';
  const isUnverified = status === 'MESSAGE_REJECTED' && /not verified/i.test(reason);
  const code = isUnverified ? narrowed('MessageRejected', reason) : status;
  return refusalResult(sesErrors, { code, reason, addresses: [message.to] });
}

/** Undefined: a 200. */
function refusal(line: Line, answer: HttpAnswer | HttpFailure, message: OutgoingEmail): SendResult | undefined {
  const addresses = [message.to];
  if (answer.kind === 'failed') return failureResult(answer, addresses);
  const { status, headers, body } = answer;
  if (status === 200) return undefined;
  // A gateway in front may be the one that is too busy: how long to wait stands in its headers.
  const busy = status === 429 ? { code: 'TooManyRequestsException', reason: '', status } : undefined;
  const said = readRefusal(status, headers, body) ?? busy;
  if (said === undefined) return malformedResult(status, 'not an answer of SES’s');
  const afterMs = retryAfterMs(headers, line.deps.clock.now());
  return refusalResult(sesErrors, { ...said, addresses, ...(afterMs === undefined ? {} : { afterMs }) });
}

async function post({ account, deps, sign }: Line, path: string, body: string): Promise<HttpAnswer | HttpFailure> {
  const url = `${sesUrl(account.settings)}${path}`;
  const headers = await sign({ method: 'POST', url, headers: { 'content-type': 'application/json' }, body });
  return deps.http.call({ method: 'POST', url, headers, body, timeoutMs: sendTimeoutMs });
}
