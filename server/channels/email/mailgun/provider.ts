import type { Found, Provider, ProviderDeps, TestResult } from '../../port.ts';
import { jsonOf, ledgerIdOfHeader, parseJson, textOf } from '../event.rules.ts';
import { mailReadiness } from '../readiness.ts';
import { tryCall } from '../try-call.ts';
import { mailgunErrors } from './errors.rules.ts';
import { mailgunReceipts } from './receipts.ts';
import { idVariable } from './request.rules.ts';
import { bareId, createMailgunSender } from './send.ts';
import type { MailgunAccount } from './send.ts';
import {
  mailgunAuthorization,
  mailgunDomain,
  mailgunProblems,
  mailgunSecrets,
  mailgunSettings,
  mailgunUrl,
} from './settings.ts';

/** Mailgun, API v3, in both of its regions. */
export const mailgunProvider: Provider<typeof mailgunSettings, typeof mailgunSecrets> = {
  kind: 'mailgun',
  channel: 'email',
  settings: mailgunSettings,
  secrets: mailgunSecrets,
  problems: mailgunProblems,
  create: createMailgunSender,
  test: testAccount,
  receipts: mailgunReceipts,
  errors: mailgunErrors,
  lookUp,
  readiness: (account, facts) =>
    mailReadiness(
      {
        name: 'Mailgun',
        host: new URL(mailgunUrl(account.settings)).hostname,
        domain: mailgunDomain(account.settings),
        // Those Mailgun has given out over the years; a domain shows its own under Domain settings, DNS records.
        dkimSelectors: ['mx', 'pic', 'k1', 'smtp', 'mta', 'mg', 'email', 'krs', 's1', 'pdk1'],
        spfInclude: 'mailgun.org',
        spfIsOptional: false,
        fix: 'Publish the records that Mailgun shows for the domain under Domain settings, DNS records.',
      },
      facts,
    ),
};

function get(account: MailgunAccount, deps: ProviderDeps, path: string) {
  return deps.http.call({
    method: 'GET',
    url: `${mailgunUrl(account.settings)}${path}`,
    headers: { authorization: mailgunAuthorization(account.secrets), accept: 'application/json' },
    timeoutMs: 10_000,
  });
}

/** Asks about the domain; sends nothing. */
function testAccount(account: MailgunAccount, deps: ProviderDeps): Promise<TestResult> {
  const domain = mailgunDomain(account.settings);
  return tryCall(get(account, deps, `/v4/domains/${domain}`), (answer) => {
    const state = textOf(jsonOf(jsonOf(parseJson(answer.body))['domain'])['state']);
    if (state === undefined) return { name: 'auth', ok: false, detail: 'the answer is not Mailgun’s' };
    return { name: 'domain', ok: state === 'active', detail: `the domain is ${state.slice(0, 40)}` };
  });
}

/** Mailgun calls events trustworthy when they are half an hour old: before that, nothing found says nothing. */
const settledMs = 30 * 60_000;
const earlierSeconds = 300;

async function lookUp(
  account: MailgunAccount,
  message: { readonly messageId: string; readonly to: string; readonly sentAfter: Temporal.Instant },
  deps: ProviderDeps,
): Promise<Found> {
  const query = new URLSearchParams({
    begin: String(Math.floor(message.sentAfter.epochMilliseconds / 1000) - earlierSeconds),
    ascending: 'yes',
    limit: '300',
    recipient: message.to,
  });
  const path = `/v3/${mailgunDomain(account.settings)}/events?${query.toString()}`;
  const answer = await get(account, deps, path);
  if (answer.kind === 'failed') return { kind: 'unclear', reason: `no answer (${answer.code})` };
  const { items } = jsonOf(parseJson(answer.body));
  if (answer.status !== 200 || !Array.isArray(items))
    return { kind: 'unclear', reason: `Mailgun answered ${answer.status}` };
  for (const item of items) {
    const event = jsonOf(item);
    const header = textOf(jsonOf(jsonOf(event['message'])['headers'])['message-id']);
    const isOurs =
      jsonOf(event['user-variables'])[idVariable] === message.messageId ||
      ledgerIdOfHeader(header) === message.messageId;
    if (isOurs) return { kind: 'accepted', ref: header === undefined ? message.messageId : bareId(header) };
  }
  if (items.length >= 300) return { kind: 'unclear', reason: 'too many events of this recipient' };
  const age = deps.clock.now().epochMilliseconds - message.sentAfter.epochMilliseconds;
  return age >= settledMs ? { kind: 'absent' } : { kind: 'unclear', reason: 'not seen yet, and too early to tell' };
}
