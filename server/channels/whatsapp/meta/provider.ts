import type { Provider, ProviderDeps, TestResult } from '../../port.ts';
import { qualityOf, throughputOf, tierLimit } from '../limits.rules.ts';
import { askGraph, refusalOf } from './graph.ts';
import { metaErrors } from './errors.rules.ts';
import { objectAt, parseObject, textAt } from '../json.rules.ts';
import { metaReceipts } from './receipts.ts';
import { apiVersion } from './request.rules.ts';
import { createMetaSender } from './send.ts';
import type { MetaAccount } from './send.ts';
import { metaProblems, metaSecrets, metaSettings } from './settings.ts';

/**
 * WhatsApp by Meta's Cloud API. There is no `lookUp`: Meta finds a message by its own id only, which is just what is missing
 * where the answer never came; its status webhook, which carries our id, settles such a message.
 */
export const metaProvider: Provider<typeof metaSettings, typeof metaSecrets> = {
  kind: 'meta',
  channel: 'whatsapp',
  settings: metaSettings,
  secrets: metaSecrets,
  problems: metaProblems,
  create: createMetaSender,
  test: tryNumber,
  receipts: metaReceipts,
  errors: metaErrors,
  readiness: () => Promise.resolve([]),
};

const numberFields = [
  'verified_name',
  'display_phone_number',
  'quality_rating',
  'throughput',
  'whatsapp_business_manager_messaging_limit',
].join(',');

/** Reads the number with the token: that it may be used, and how it stands. Then the account whose templates are listed. */
async function tryNumber(account: MetaAccount, deps: ProviderDeps): Promise<TestResult> {
  const steps: { name: string; ok: boolean; detail: string }[] = [];
  const ask = async (name: string, path: string, words: (body: Buffer) => string) => {
    const answer = await askGraph(account, deps, { method: 'GET', path: `/${apiVersion}/${path}`, timeoutMs: 10_000 });
    if (answer.kind === 'failed') {
      steps.push({ name: 'connect', ok: false, detail: `${answer.code}: ${answer.reason}` });
      return false;
    }
    if (steps.length === 0) steps.push({ name: 'connect', ok: true, detail: 'Meta answered.' });
    const refusal = refusalOf(answer);
    const ok = answer.status === 200 && refusal === undefined && parseObject(answer.body) !== undefined;
    const failed = refusal === undefined ? `answered ${answer.status}` : `${refusal.code}: ${refusal.reason}`;
    const isSignIn = refusal?.code === '190' || answer.status === 401;
    steps.push({ name: isSignIn ? 'auth' : name, ok, detail: ok ? words(answer.body) : failed });
    return ok;
  };
  const { phoneNumberId, businessAccountId } = account.settings;
  const ok =
    (await ask('number', `${phoneNumberId}?fields=${numberFields}`, wordsOfNumber)) &&
    (await ask(
      'templates',
      `${businessAccountId}/message_templates?fields=name&limit=1`,
      () => 'Templates can be read.',
    ));
  return { ok, steps };
}

function wordsOfNumber(body: Buffer): string {
  const said = parseObject(body);
  const limit = tierLimit(textAt(said, 'whatsapp_business_manager_messaging_limit'));
  const level = textAt(objectAt(said, 'throughput'), 'level');
  const people =
    limit === undefined ? 'an unknown number of' : Number.isFinite(limit) ? String(limit) : 'any number of';
  return [
    `${textAt(said, 'verified_name') ?? 'The number'} (${textAt(said, 'display_phone_number') ?? 'no number shown'})`,
    `quality ${qualityOf(textAt(said, 'quality_rating'))}`,
    `${throughputOf(level)} messages a second`,
    `${people} people in 24 hours`,
  ].join(', ');
}
