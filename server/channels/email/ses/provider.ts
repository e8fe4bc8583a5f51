import type { HttpAnswer, HttpFailure } from '../../../platform/http-client.ts';
import type { Provider, ProviderDeps, TestResult } from '../../port.ts';
import { jsonOf, parseJson } from '../event.rules.ts';
import { mailReadiness } from '../readiness.ts';
import { tryCall } from '../try-call.ts';
import { sesErrors } from './errors.rules.ts';
import { sesReceipts } from './receipts.ts';
import { createSesSender, signerOf } from './send.ts';
import type { SesAccount } from './send.ts';
import { sesProblems, sesSecrets, sesSettings, sesUrl } from './settings.ts';

/** Amazon SES, API v2. There is no look-up: SES finds a message only by an id of its own, which a lost answer took along. */
export const sesProvider: Provider<typeof sesSettings, typeof sesSecrets> = {
  kind: 'ses',
  channel: 'email',
  settings: sesSettings,
  secrets: sesSecrets,
  problems: sesProblems,
  create: createSesSender,
  test: testAccount,
  receipts: sesReceipts,
  errors: sesErrors,
  readiness: (account, facts) => {
    const { mailFromDomain } = account.settings;
    return mailReadiness(
      {
        name: 'Amazon SES',
        host: new URL(sesUrl(account.settings)).hostname,
        dkimSelectors: [],
        spfInclude: 'amazonses.com',
        ...(mailFromDomain === null ? {} : { spfDomain: mailFromDomain }),
        // Without a MAIL FROM domain of one's own the return path is Amazon's.
        spfIsOptional: mailFromDomain === null,
        fix: 'Look at the identity in the SES console: it shows the records to publish, and whether they were found.',
      },
      facts,
    );
  },
};

async function getAccount(account: SesAccount, deps: ProviderDeps): Promise<HttpAnswer | HttpFailure> {
  const url = `${sesUrl(account.settings)}/v2/email/account`;
  const headers = await signerOf(account, deps)({ method: 'GET', url });
  return deps.http.call({ method: 'GET', url, headers, timeoutMs: 10_000 });
}

/** Asks about the account; sends nothing. */
function testAccount(account: SesAccount, deps: ProviderDeps): Promise<TestResult> {
  return tryCall(getAccount(account, deps), (answer) => {
    const told = jsonOf(parseJson(answer.body));
    if (typeof told['SendingEnabled'] !== 'boolean')
      return { name: 'auth', ok: false, detail: 'the answer is not SES’s' };
    if (!told['SendingEnabled'])
      return { name: 'sending', ok: false, detail: 'sending is switched off for the account' };
    const detail =
      told['ProductionAccessEnabled'] === false
        ? 'the account is in the SES sandbox: it reaches verified addresses only'
        : 'the account may send';
    return { name: 'sending', ok: true, detail };
  });
}
