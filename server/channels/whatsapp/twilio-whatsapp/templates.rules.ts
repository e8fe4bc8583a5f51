import { maybe, objectAt, objectsAt, textAt } from '../json.rules.ts';
import type { Fields } from '../json.rules.ts';
import { categoryOf, placesIn } from '../templates.rules.ts';
import type { VendorTemplate, VendorTemplateButton } from '../templates.rules.ts';

/** Content templates as Twilio lists them with their approvals (`GET /v1/ContentAndApprovals`). */

/** Pure: undefined for what lacks an id, a name or a language, and for content that was never meant for WhatsApp. */
export function readContent(said: Fields): VendorTemplate | undefined {
  const approval = objectAt(said, 'approval_requests');
  const id = textAt(said, 'sid');
  const name = textAt(approval, 'name') ?? textAt(said, 'friendly_name');
  const language = textAt(said, 'language');
  const part = partOf(objectAt(said, 'types'), textAt(approval, 'content_type'));
  if (id === undefined || name === undefined || language === undefined || part === undefined) return undefined;
  return {
    id,
    name,
    language,
    status: (textAt(approval, 'status') ?? 'unsubmitted').toUpperCase(),
    ...maybe('category', categoryIn(textAt(approval, 'category'))),
    ...maybe('reason', textAt(approval, 'rejection_reason')),
    ...readPart(part),
  };
}

/** Meta's name for it until 2023. */
function categoryIn(said: string | undefined) {
  return said?.toLowerCase() === 'transactional' ? 'utility' : categoryOf(said);
}

/** What was submitted for approval; a template may have other forms for other channels beside it. */
function partOf(types: Fields | undefined, submitted: string | undefined): Fields | undefined {
  const kind = submitted ?? Object.keys(types ?? {})[0];
  const part = kind === undefined ? undefined : objectAt(types, kind);
  return part === undefined ? undefined : { ...part, isCode: kind === 'whatsapp/authentication' };
}

type Parts = Pick<VendorTemplate, 'header' | 'body' | 'footer' | 'buttons' | 'variables'>;

/** All places of a Content template are numbered together: one that has stood before needs no value again. */
function readPart(part: Fields): Parts {
  const seen = new Set<string>();
  const count = (text: string) => {
    const fresh = placesIn(text).filter((place) => !seen.has(place));
    for (const place of fresh) seen.add(place);
    return fresh.length;
  };
  const header = headerOf(part);
  const body = textAt(part, 'body') ?? textAt(part, 'title');
  const actions = objectsAt(part, 'actions');
  const buttons = actions.map(buttonOf);
  const headerValues = count(header?.source ?? '');
  // The text of a one-time code's template is Meta's own, and has the code; so has its button, without a value of its own.
  const bodyValues = part['isCode'] === true ? 1 : count(body ?? '');
  const buttonValues = actions.map((action) =>
    part['isCode'] === true ? 0 : count(`${textAt(action, 'url') ?? ''}${textAt(action, 'code') ?? ''}`),
  );
  return {
    ...maybe('header', header?.header),
    ...maybe('body', body),
    ...maybe('footer', textAt(part, 'footer') ?? textAt(part, 'subtitle')),
    buttons,
    variables: { header: headerValues, body: bodyValues, buttons: buttonValues },
  };
}

interface FoundHeader {
  readonly header: NonNullable<VendorTemplate['header']>;
  /** Where its places stand. */
  readonly source: string;
}

function headerOf(part: Fields): FoundHeader | undefined {
  const text = textAt(part, 'header_text');
  if (text !== undefined) return { header: { kind: 'text', text }, source: text };
  const media = part['media'];
  const url: unknown = Array.isArray(media) ? media[0] : media;
  return typeof url === 'string' ? { header: { kind: kindOfMedia(url) }, source: url } : undefined;
}

function kindOfMedia(url: string): 'image' | 'video' | 'document' {
  if (/\.(?:mp4|3gpp?)(?:$|[?#])/i.test(url)) return 'video';
  return /\.pdf(?:$|[?#])/i.test(url) ? 'document' : 'image';
}

function buttonOf(action: Fields): VendorTemplateButton {
  const text = textAt(action, 'title') ?? textAt(action, 'copy_code_text') ?? '';
  return { kind: kindOfAction(action), text, ...maybe('url', textAt(action, 'url')) };
}

function kindOfAction(action: Fields): VendorTemplateButton['kind'] {
  switch (textAt(action, 'type')?.toUpperCase()) {
    case 'URL':
      return 'url';
    case 'PHONE_NUMBER':
      return 'phone';
    case 'COPY_CODE':
      return 'copy-code';
    case 'FLOW':
      return 'flow';
    // `twilio/quick-reply` has no types.
    case undefined:
    case 'QUICK_REPLY':
      return textAt(action, 'copy_code_text') === undefined ? 'quick-reply' : 'copy-code';
    default:
      return 'other';
  }
}
