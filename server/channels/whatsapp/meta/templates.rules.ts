import { qualityOf } from '../limits.rules.ts';
import { categoryOf, placesIn } from '../templates.rules.ts';
import type { VendorTemplate, VendorTemplateButton } from '../templates.rules.ts';
import { maybe, objectAt, objectsAt, textAt } from '../json.rules.ts';
import type { Fields } from '../json.rules.ts';

/** Templates as Meta lists them (`GET /{waba}/message_templates`). */

const headerKinds = new Set(['text', 'image', 'video', 'document', 'location']);
type Header = NonNullable<VendorTemplate['header']>;

/** Pure: undefined for what lacks an id, a name, a language or a state. */
export function readTemplate(said: Fields): VendorTemplate | undefined {
  const id = textAt(said, 'id');
  const name = textAt(said, 'name');
  const language = textAt(said, 'language');
  const status = textAt(said, 'status')?.toUpperCase();
  if (id === undefined || name === undefined || language === undefined || status === undefined) return undefined;
  const reason = textAt(said, 'rejected_reason');
  return {
    id,
    name,
    language,
    status,
    ...maybe('category', categoryOf(textAt(said, 'category'))),
    ...maybe('quality', qualityIn(said)),
    ...maybe('reason', reason === 'NONE' ? undefined : reason),
    ...partsOf(said),
  };
}

function qualityIn(said: Fields): VendorTemplate['quality'] {
  const score = textAt(objectAt(said, 'quality_score'), 'score') ?? textAt(said, 'quality_score');
  return score === undefined ? undefined : qualityOf(score);
}

type Parts = Pick<VendorTemplate, 'header' | 'body' | 'footer' | 'buttons' | 'variables' | 'names'>;

function partsOf(said: Fields): Parts {
  const components = objectsAt(said, 'components');
  const part = (type: string) => components.find((one) => textAt(one, 'type')?.toUpperCase() === type);
  const header = headerOf(part('HEADER'));
  const body = textAt(part('BODY'), 'text');
  const buttons = objectsAt(part('BUTTONS'), 'buttons').map(buttonOf);
  // The text of a one-time code's template is Meta's own and may be left out of the list; it always has the code.
  const bodyPlaces =
    body === undefined && buttons.some(({ kind }) => kind === 'copy-code') ? ['1'] : placesIn(body ?? '');
  return {
    ...maybe('header', header),
    ...maybe('body', body),
    ...maybe('footer', textAt(part('FOOTER'), 'text')),
    buttons,
    variables: {
      header: header?.kind === 'text' ? placesIn(header.text ?? '').length : 0,
      body: bodyPlaces.length,
      buttons: buttons.map(valuesOfButton),
    },
    ...(bodyPlaces.some((name) => !/^\d+$/.test(name)) ? { names: bodyPlaces } : {}),
  };
}

function headerOf(part: Fields | undefined): Header | undefined {
  const kind = textAt(part, 'format')?.toLowerCase();
  if (kind === undefined || !headerKinds.has(kind)) return undefined;
  return { kind: kind as Header['kind'], ...maybe('text', textAt(part, 'text')) };
}

function buttonOf(button: Fields): VendorTemplateButton {
  const url = textAt(button, 'url');
  return { kind: kindOf(button), text: textAt(button, 'text') ?? '', ...maybe('url', url) };
}

function kindOf(button: Fields): VendorTemplateButton['kind'] {
  switch (textAt(button, 'type')?.toUpperCase()) {
    case 'URL':
      // The button of a one-time code is listed as a link to Meta's own page that copies it.
      return /\/otp\/code\//.test(textAt(button, 'url') ?? '') ? 'copy-code' : 'url';
    case 'QUICK_REPLY':
      return 'quick-reply';
    case 'COPY_CODE':
    case 'OTP':
      return 'copy-code';
    case 'PHONE_NUMBER':
      return 'phone';
    case 'FLOW':
      return 'flow';
    case undefined:
    default:
      return 'other';
  }
}

function valuesOfButton({ kind, url }: VendorTemplateButton): number {
  if (kind === 'copy-code') return 1;
  return kind === 'url' ? placesIn(url ?? '').length : 0;
}
