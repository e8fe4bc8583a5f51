import type { Protected } from './placeholders.rules.ts';
import { expressionOf } from './placeholders.rules.ts';

/** How the end of an advertising text says that one may leave; the word itself is read in every language on the way back. */
const sentences: Readonly<Record<string, string>> = {
  en: 'Reply STOP to opt out.',
  de: 'Abmelden: STOP antworten.',
  fr: 'STOP pour ne plus recevoir.',
  es: 'Responda STOP para darse de baja.',
  it: 'Rispondi STOP per non riceverne.',
  pt: 'Responda STOP para sair.',
  nl: 'Antwoord STOP om te stoppen.',
  pl: 'Rezygnacja: odpisz STOP.',
  sv: 'Svara STOP för att avsluta.',
  tr: 'Çıkmak için STOP yazın.',
};
const english = 'Reply STOP to opt out.';

export function optOutSentence(locale: string): string {
  return sentences[locale.toLowerCase().split(/[-_]/)[0] ?? 'en'] ?? english;
}

/** Whether everybody who reads the text is told how to leave: by the word, or by a link of ours. */
export function saysHowToLeave(source: Protected): boolean {
  if (/(?<![\p{L}\p{N}])STOP(?![\p{L}\p{N}])/iu.test(source.text)) return true;
  return source.pieces.some(
    (piece) =>
      piece.kind === 'output' &&
      piece.depth === 0 &&
      /^(?:unsubscribe_url|preferences_url)\b/.test(expressionOf(piece.text)),
  );
}
