import type { HttpAnswer } from '../../../platform/http-client.ts';
import { reasonText } from '../../outcome.rules.ts';
import type { ProviderDeps } from '../../port.ts';
import { twilioHeaders } from '../../twilio.ts';
import { objectAt, objectsAt, parseObject, textAt } from '../json.rules.ts';
import type { TemplateList, VendorTemplate } from '../templates.rules.ts';
import type { TwilioWhatsAppAccount } from './send.ts';
import { readContent } from './templates.rules.ts';

const contentBaseUrl = 'https://content.twilio.com';
const pageSize = 500;
/** More pages than this are a loop. */
const mostPages = 200;

/** All Content templates of the account with their approval for WhatsApp, page by page. Never throws. */
export async function listTemplates(
  { settings, secrets }: Pick<TwilioWhatsAppAccount, 'settings' | 'secrets'>,
  deps: Pick<ProviderDeps, 'http'>,
): Promise<TemplateList> {
  const templates: VendorTemplate[] = [];
  let query = `PageSize=${pageSize}`;
  for (let page = 0; page < mostPages; page++) {
    const answer = await deps.http.call({
      method: 'GET',
      url: `${settings.baseUrl ?? contentBaseUrl}/v1/ContentAndApprovals?${query}`,
      headers: twilioHeaders(settings, secrets),
      // A page of hundreds of whole templates may be large.
      maxAnswerBytes: 16 * 1024 * 1024,
    });
    if (answer.kind === 'failed') return { kind: 'failed', code: answer.code, reason: reasonText(answer.reason) };
    const read = readPage(answer);
    if (read.kind === 'failed') return read;
    templates.push(...read.templates);
    if (read.query === undefined || read.query === query) return { kind: 'listed', templates };
    query = read.query;
  }
  return { kind: 'failed', code: 'endless', reason: 'the list of templates did not end' };
}

type Page =
  | { readonly kind: 'page'; readonly templates: readonly VendorTemplate[]; readonly query: string | undefined }
  | (TemplateList & { readonly kind: 'failed' });

function readPage(answer: HttpAnswer): Page {
  const said = parseObject(answer.body);
  if (answer.status !== 200 || !Array.isArray(said?.['contents'])) {
    const code = textAt(said, 'code') ?? (answer.status === 200 ? 'malformed' : String(answer.status));
    return { kind: 'failed', code, reason: reasonText(textAt(said, 'message') ?? 'the answer is not Twilio’s') };
  }
  const templates = objectsAt(said, 'contents').map(readContent);
  // Only the query of the next page's address is taken: it is asked for where the first one was.
  const next = textAt(objectAt(said, 'meta'), 'next_page_url');
  const query = next === undefined ? undefined : URL.parse(next)?.search.slice(1);
  return {
    kind: 'page',
    templates: templates.filter((one) => one !== undefined),
    query: query === '' ? undefined : query,
  };
}
