import type { InboundMessage } from '../port.ts';

/**
 * Words by which people stop, start or ask for help by SMS. The vendors act on their own lists; these are all of them
 * together (Twilio, AWS, Plivo; French for Canada) and those of the FCC's rule (47 CFR 64.1200(a)(10)). A whole message is
 * one word: "STOP PLEASE" is for a person to read.
 */
const words: Readonly<Record<string, NonNullable<InboundMessage['keyword']>>> = Object.fromEntries([
  ...[
    'STOP STOPALL UNSUBSCRIBE CANCEL END QUIT REVOKE OPTOUT OPT-OUT REMOVE TD ARRET ARRETE ARRETT'.split(' '),
    ['OPT OUT', 'STOP ALL'],
  ]
    .flat()
    .map((word) => [word, 'stop'] as const),
  // Not YES, though Twilio takes it so: it answers whatever was asked last. Where Twilio did, it says so itself.
  ...['START', 'UNSTOP'].map((word) => [word, 'start'] as const),
  ...['HELP', 'INFO'].map((word) => [word, 'help'] as const),
]);

/** Pure: undefined where the text is not such a word alone. */
export function keywordOf(text: string): InboundMessage['keyword'] {
  if (text.length > 40) return undefined;
  const bare = text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toUpperCase()
    .replace(/\s+/g, ' ')
    .replace(/^[\s"'“”‘’]+|[\s.!"'“”‘’]+$/g, '');
  return Object.hasOwn(words, bare) ? words[bare] : undefined;
}
