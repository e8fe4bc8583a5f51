import { escapeText } from './engine.rules.ts';
import { expressionOf, protect } from './placeholders.rules.ts';
import type { Occurrence } from './markup.rules.ts';
import type { Piece } from './placeholders.rules.ts';

/** What is added to a part when its author left it out. */
interface Words {
  readonly unsubscribe: string;
  readonly preferences: string;
}

const words: Readonly<Record<string, Words>> = {
  en: { unsubscribe: 'Unsubscribe', preferences: 'Choose what you receive' },
  de: { unsubscribe: 'Abmelden', preferences: 'Einstellungen ändern' },
  fr: { unsubscribe: 'Se désabonner', preferences: 'Gérer mes préférences' },
  es: { unsubscribe: 'Darse de baja', preferences: 'Gestionar preferencias' },
  it: { unsubscribe: 'Annulla iscrizione', preferences: 'Gestisci preferenze' },
  pt: { unsubscribe: 'Cancelar subscrição', preferences: 'Gerir preferências' },
  nl: { unsubscribe: 'Afmelden', preferences: 'Voorkeuren aanpassen' },
  pl: { unsubscribe: 'Wypisz się', preferences: 'Zmień preferencje' },
  sv: { unsubscribe: 'Avregistrera dig', preferences: 'Ändra inställningar' },
  tr: { unsubscribe: 'Abonelikten çık', preferences: 'Tercihleri değiştir' },
  ar: { unsubscribe: 'إلغاء الاشتراك', preferences: 'تغيير التفضيلات' },
  ja: { unsubscribe: '配信停止', preferences: '配信設定' },
};
const english: Words = { unsubscribe: 'Unsubscribe', preferences: 'Choose what you receive' };

function wordsFor(locale: string): Words {
  return words[locale.toLowerCase().split(/[-_]/)[0] ?? 'en'] ?? english;
}

/** The sender's postal address, which the law of most countries wants in each marketing mail; nothing when it is not known. */
export const postalOutput = '{{ 1 | parley_postal }}';

export function footerHtml(locale: string): string {
  const say = wordsFor(locale);
  return (
    `<div class="parley-footer" style="margin:24px auto 0;padding:16px;max-width:600px;font-family:Arial,Helvetica,sans-serif;` +
    `font-size:12px;line-height:18px;color:#6b7280;text-align:center;">${postalOutput}` +
    `<a href="{{ unsubscribe_url }}" style="color:#6b7280;">${say.unsubscribe}</a> &middot; ` +
    `<a href="{{ preferences_url }}" style="color:#6b7280;">${say.preferences}</a></div>`
  );
}

export function footerText(locale: string): string {
  const say = wordsFor(locale);
  return (
    `\n\n-- \n${postalOutput}` +
    `${say.unsubscribe}: {{ unsubscribe_url }}\n${say.preferences}: {{ preferences_url }}\n`
  );
}

export const openOutput = '{{ 1 | parley_open }}';

export const pixelHtml = `<img class="parley-pixel" src="${openOutput}" width="1" height="1" alt="" style="display:block;border:0;width:1px;height:1px;">`;

/** Shown by the inbox after the subject, hidden in the mail; the filler keeps the body's own words out of that line. */
export function preheaderHtml(preheader: string): string {
  const source = protect(preheader);
  return (
    `<div class="parley-preheader" style="display:none;font-size:1px;line-height:1px;max-height:0;max-width:0;opacity:0;overflow:hidden;">` +
    `${source.restore(escapeText(source.text))}${'&#847;&zwnj;&nbsp;'.repeat(40)}</div>`
  );
}

const isUnsubscribe = (piece: Piece | undefined): boolean =>
  piece?.kind === 'output' && piece.depth === 0 && /^unsubscribe_url\b/.test(expressionOf(piece.text));

/** Whether everybody sees the link: outside of comments and of every condition, as a link's address or in the text. */
export function hasUnsubscribe(occurrences: readonly Occurrence[], pieces: readonly Piece[]): boolean {
  return occurrences.some(
    (one) =>
      isUnsubscribe(pieces[one.piece]) &&
      ((one.place === 'text' && one.element !== 'title') ||
        (one.place === 'url' && one.element === 'a' && one.attribute === 'href' && one.before.trim() === '')),
  );
}

export function textHasUnsubscribe(pieces: readonly Piece[]): boolean {
  return pieces.some(isUnsubscribe);
}
