import type { HttpAnswer } from '../../../platform/http-client.ts';
import { reasonText } from '../../outcome.rules.ts';
import type { ProviderDeps } from '../../port.ts';
import type { TemplateList, VendorTemplate } from '../templates.rules.ts';
import { askGraph, refusalOf } from './graph.ts';
import { objectAt, objectsAt, parseObject, textAt } from '../json.rules.ts';
import { apiVersion } from './request.rules.ts';
import type { MetaAccount } from './send.ts';
import { readTemplate } from './templates.rules.ts';

const fields = 'id,name,language,status,category,components,quality_score,rejected_reason';
const pageSize = 100;
/** A WhatsApp Business Account may have 6,000 templates, each in several languages; more pages than this are a loop. */
const mostPages = 500;

/** All templates of the account's WhatsApp Business Account, page by page. Never throws. */
export async function listTemplates(account: MetaAccount, deps: Pick<ProviderDeps, 'http'>): Promise<TemplateList> {
  const templates: VendorTemplate[] = [];
  let after: string | undefined;
  for (let page = 0; page < mostPages; page++) {
    const query = new URLSearchParams({ fields, limit: String(pageSize), ...(after === undefined ? {} : { after }) });
    const path = `/${apiVersion}/${account.settings.businessAccountId}/message_templates?${query.toString()}`;
    // A page of a hundred whole templates may be large.
    const answer = await askGraph(account, deps, { method: 'GET', path, maxAnswerBytes: 8 * 1024 * 1024 });
    if (answer.kind === 'failed') return { kind: 'failed', code: answer.code, reason: reasonText(answer.reason) };
    const read = readPage(answer);
    if (read.kind === 'failed') return read;
    templates.push(...read.templates);
    // The cursor is given back to the same address; `next` itself is not followed: it holds the access token.
    if (read.after === undefined || read.after === after) return { kind: 'listed', templates };
    after = read.after;
  }
  return { kind: 'failed', code: 'endless', reason: 'the list of templates did not end' };
}

type Page =
  | { readonly kind: 'page'; readonly templates: readonly VendorTemplate[]; readonly after: string | undefined }
  | (TemplateList & { readonly kind: 'failed' });

function readPage(answer: HttpAnswer): Page {
  const said = parseObject(answer.body);
  const refusal = refusalOf(answer, said);
  if (refusal !== undefined) return { kind: 'failed', code: refusal.code, reason: refusal.reason };
  if (answer.status !== 200 || !Array.isArray(said?.['data']))
    return { kind: 'failed', code: 'malformed', reason: `${answer.status}: the answer is not Meta’s` };
  const templates = objectsAt(said, 'data').map(readTemplate);
  const paging = objectAt(said, 'paging');
  const isLast = textAt(paging, 'next') === undefined;
  const after = isLast ? undefined : textAt(objectAt(paging, 'cursors'), 'after');
  return { kind: 'page', templates: templates.filter((one) => one !== undefined), after };
}
