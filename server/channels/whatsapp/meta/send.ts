import type { HttpAnswer } from '../../../platform/http-client.ts';
import type { OutgoingWhatsApp, ProviderAccount, ProviderDeps, Sender, SendResult } from '../../port.ts';
import { failureResult, malformedResult, refusalResult } from '../../outcome.rules.ts';
import { createWhatsAppSender } from '../sender.ts';
import { askGraph, refusalOf } from './graph.ts';
import { metaErrors } from './errors.rules.ts';
import { objectsAt, parseObject, textAt } from '../json.rules.ts';
import { apiVersion, messageBody } from './request.rules.ts';
import type { MetaSecrets, MetaSettings } from './settings.ts';

export type MetaAccount = ProviderAccount<MetaSettings, MetaSecrets>;

export function createMetaSender(account: MetaAccount, deps: ProviderDeps): Sender {
  return createWhatsAppSender({
    capacity: account.settings.requestsAtOnce,
    log: deps.log,
    hand: (message) => handOver(account, deps, message),
  });
}

async function handOver(account: MetaAccount, deps: ProviderDeps, message: OutgoingWhatsApp): Promise<SendResult> {
  const { settings } = account;
  const isMarketing =
    settings.useMarketingApi && message.category === 'marketing' && message.content.kind === 'template';
  // The Marketing Messages API takes the same message at another place (facebook/openapi, marketing_messages).
  const body = isMarketing ? { ...messageBody(message), product_policy: 'CLOUD_API_FALLBACK' } : messageBody(message);
  const path = `/${apiVersion}/${settings.phoneNumberId}/${isMarketing ? 'marketing_messages' : 'messages'}`;
  const answer = await askGraph(account, deps, { method: 'POST', path, body: JSON.stringify(body) });
  return answer.kind === 'failed' ? failureResult(answer, [message.to]) : resultOfAnswer(answer, message, deps);
}

function resultOfAnswer(answer: HttpAnswer, message: OutgoingWhatsApp, deps: ProviderDeps): SendResult {
  const said = parseObject(answer.body);
  const refusal = refusalOf(answer, said, deps.clock.now());
  if (refusal !== undefined)
    return refusalResult(metaErrors, { ...refusal, addresses: [message.to], status: answer.status });
  const taken = objectsAt(said, 'messages')[0];
  const ref = textAt(taken, 'id');
  if (answer.status >= 300 || ref === undefined) return malformedResult(answer.status, 'the answer is not Meta’s');
  // `held_for_quality_assessment`: Meta keeps it until the first ones of the template were judged (pacing).
  const standing = textAt(taken, 'message_status');
  return { kind: 'accepted', ref, ...(standing === undefined || standing === 'accepted' ? {} : { detail: standing }) };
}
