/**
 * Words by which people say on WhatsApp that they want no more, want again, or want help. Meta handles none of them: a STOP
 * is an ordinary message there. The words are those of Twilio, AWS, Plivo and the FCC's list (47 CFR 64.1200(a)(10)), which
 * is what people have learned; French is the only other language the vendors fix.
 */

export type Keyword = 'stop' | 'start' | 'help';

const words: Readonly<Record<string, Keyword>> = Object.fromEntries([
  ...[
    'stop',
    'stopall',
    'stop all',
    'unsubscribe',
    'cancel',
    'end',
    'quit',
    'revoke',
    'optout',
    'opt out',
    'opt-out',
    'remove',
    'td',
    'arret',
    'arrete',
    'arrett',
  ].map((word) => [word, 'stop'] as const),
  // Not "yes": on WhatsApp it answers whatever was asked last.
  ...['start', 'unstop'].map((word) => [word, 'start'] as const),
  ...['help', 'info'].map((word) => [word, 'help'] as const),
]);

/** Pure: the whole message is one of the words, whatever its case, accents, and punctuation at the end. "Stop please" is no such message. */
export function keywordOf(text: string): Keyword | undefined {
  if (text.length > 40) return undefined;
  const bare = bareText(text);
  return Object.hasOwn(words, bare) ? words[bare] : undefined;
}

/**
 * Pure: a button that was pressed, by its text or the payload we gave it. A business writes these itself, so the word stands
 * first ("Unsubscribe from all", "Stop promotions"); "Cancel" and "End" are ordinary choices on a button.
 */
export function buttonKeywordOf(...labels: readonly (string | undefined)[]): Keyword | undefined {
  return labels.some((label) => label !== undefined && stopButton.test(bareText(label))) ? 'stop' : undefined;
}

const stopButton =
  /^(?:unsubscribe|opt[- ]?out|stop(?:all)?(?=$| (?:all|promotions?|promos?|marketing|offers?|messages?|(?:\w+ )?updates?)\b))/;

function bareText(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[\s_]+/g, ' ')
    .replace(/^["'«“„‘ ]+|["'»”“’ .!?。]+$/gu, '')
    .toLowerCase();
}
