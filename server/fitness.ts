import type { ContentSource } from '../contract/template-content.ts';
import { contentAllowed, whatsAppCategory, windowOf } from './channels/index.ts';
import type { OutgoingWhatsApp } from './channels/index.ts';
import type { Needs, Objects } from './delivery/index.ts';
import type { AnyRenderer } from './templates/index.ts';

/** Whether a template speaks of something that has to be read for it, beside what every message needs. */
export function needsOf({ channel, compiled }: AnyRenderer): Needs {
  const speaksOf = (key: 'phone' | 'email') =>
    // A path that is only known while rendering is "contact": it may be any.
    compiled.variables.some(
      ({ name }) => name === 'contact' || name === `contact.${key}` || name.startsWith(`contact.${key}.`),
    );
  const isPhone = channel === 'sms' || channel === 'whatsapp';
  return {
    ...(!isPhone && speaksOf('phone') ? { phone: true } : {}),
    ...(channel !== 'email' && speaksOf('email') ? { email: true } : {}),
    ...(channel === 'whatsapp' ? { lastInbound: true } : {}),
  };
}

/** What may stand between a message and its address although nothing is wrong with either; none for channels that never object. */
export function objectionsOf({ compiled, channel }: AnyRenderer, category: string): Objects | undefined {
  if (channel === 'sms') return ({ lineType }) => (lineType === 'fixed-line' ? 'landline' : undefined);
  const content = contentOf(compiled);
  if (content?.channel !== 'whatsapp') return undefined;
  const given = content.content as OutgoingWhatsApp['content'];
  const kind = whatsAppCategory(given, category);
  return ({ addressCountry, lastInboundAt }, now) => {
    const decision = contentAllowed(given, kind, {
      window: windowOf(lastInboundAt ?? undefined, now),
      ...(addressCountry === null ? {} : { country: addressCountry }),
    });
    return decision.kind === 'allowed' ? undefined : `whatsapp-${decision.reason}`;
  };
}

function contentOf(compiled: AnyRenderer['compiled']): ContentSource | undefined {
  return 'content' in compiled ? compiled.content : undefined;
}
