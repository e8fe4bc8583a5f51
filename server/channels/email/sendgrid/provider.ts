import type { Found, Provider, ProviderDeps, TestResult } from '../../port.ts';
import { jsonOf, parseJson } from '../event.rules.ts';
import { mailReadiness } from '../readiness.ts';
import { tryCall } from '../try-call.ts';
import { sendGridErrors } from './errors.rules.ts';
import { sendGridReceipts } from './receipts.ts';
import { idArgument } from './request.rules.ts';
import { createSendGridSender } from './send.ts';
import type { SendGridAccount } from './send.ts';
import { sendGridProblems, sendGridSecrets, sendGridSettings, sendGridUrl } from './settings.ts';

/** Twilio SendGrid, API v3. */
export const sendGridProvider: Provider<typeof sendGridSettings, typeof sendGridSecrets> = {
  kind: 'sendgrid',
  channel: 'email',
  settings: sendGridSettings,
  secrets: sendGridSecrets,
  problems: sendGridProblems,
  create: createSendGridSender,
  test: testAccount,
  receipts: sendGridReceipts,
  errors: sendGridErrors,
  lookUp,
  readiness: (account, facts) =>
    mailReadiness(
      {
        name: 'SendGrid',
        host: new URL(sendGridUrl(account.settings)).hostname,
        // Automated security: two CNAMEs, so that SendGrid can exchange its keys; set up by hand: one of them or `m1`.
        dkimSelectors: ['s1', 's2', 'm1', 'smtpapi'],
        spfInclude: 'sendgrid.net',
        // The return path is a name of its own below the sender's domain, and carries the SPF.
        spfIsOptional: true,
        fix: 'Authenticate the domain in SendGrid under Settings, Sender Authentication, and publish the records it shows.',
      },
      facts,
    ),
};

function get(account: SendGridAccount, deps: ProviderDeps, path: string) {
  return deps.http.call({
    method: 'GET',
    url: `${sendGridUrl(account.settings)}${path}`,
    headers: { authorization: `Bearer ${account.secrets.apiKey ?? ''}`, accept: 'application/json' },
    timeoutMs: 10_000,
  });
}

/** Asks what the key may do; sends nothing. */
function testAccount(account: SendGridAccount, deps: ProviderDeps): Promise<TestResult> {
  return tryCall(get(account, deps, '/v3/scopes'), (answer) => {
    const { scopes } = jsonOf(parseJson(answer.body));
    if (!Array.isArray(scopes)) return { name: 'auth', ok: false, detail: 'the answer is not SendGrid’s' };
    return scopes.includes('mail.send')
      ? { name: 'permission', ok: true, detail: 'the key may send' }
      : { name: 'permission', ok: false, detail: 'the key lacks the permission "Mail Send"' };
  });
}

/** Activity shows some minutes after the fact: before that, nothing found says nothing. */
const settledMs = 30 * 60_000;

async function lookUp(
  account: SendGridAccount,
  message: { readonly messageId: string; readonly to: string; readonly sentAfter: Temporal.Instant },
  deps: ProviderDeps,
): Promise<Found> {
  if (!account.settings.emailActivity)
    return { kind: 'unclear', reason: 'SendGrid tells only accounts with the Email Activity add-on' };
  const query = `unique_args['${idArgument}']="${message.messageId.replace(/[^0-9a-z-]/gi, '')}"`;
  const answer = await get(account, deps, `/v3/messages?limit=1&query=${encodeURIComponent(query)}`);
  if (answer.kind === 'failed') return { kind: 'unclear', reason: `no answer (${answer.code})` };
  const { messages } = jsonOf(parseJson(answer.body));
  if (answer.status !== 200 || !Array.isArray(messages))
    return { kind: 'unclear', reason: `SendGrid answered ${answer.status}` };
  const id = jsonOf(messages[0])['msg_id'];
  if (typeof id === 'string') return { kind: 'accepted', ref: id.replace(/\.(?:filter|recvd).*$/s, '') };
  const age = deps.clock.now().epochMilliseconds - message.sentAfter.epochMilliseconds;
  return age >= settledMs ? { kind: 'absent' } : { kind: 'unclear', reason: 'not seen yet, and too early to tell' };
}
