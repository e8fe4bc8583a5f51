import type { Fate } from './vendor.ts';

/** What the sandbox's vendors of SMS have in common. */

/** After how many milliseconds a vendor tells of it. */
export const smsTellsAfterMs = { queued: 100, sent: 500, delivered: 1_800, failed: 1_200, answered: 3_000 } as const;

/** 3GPP TS 23.038: the basic alphabet, and its extension, of which each takes two places. */
const basic =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿' +
  'abcdefghijklmnopqrstuvwxyzäöñüà';
const extension = '\f^{}\\[~]|€';

/** Pure: how many parts a vendor would bill. */
export function partsOf(text: string): number {
  const letters = Array.from(text);
  const isBasic = letters.every((letter) => basic.includes(letter) || extension.includes(letter));
  const length = isBasic ? letters.reduce((sum, letter) => sum + (extension.includes(letter) ? 2 : 1), 0) : text.length;
  const [single, part] = isBasic ? [160, 153] : [70, 67];
  return length <= single ? 1 : Math.ceil(length / part);
}

/** Pure: how a message ends, and what is told of it on the way. */
export function endOf(fate: Fate): 'delivered' | 'bounced' | 'blocked' {
  return fate.kind === 'bounce' ? 'bounced' : fate.kind === 'block' ? 'blocked' : 'delivered';
}

/** Pure: our id in the address of a callback. */
export function messageIdIn(url: string | undefined): string | undefined {
  const id = URL.parse(url ?? '')?.searchParams.get('message') ?? '';
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) ? id : undefined;
}

/** Pure: hexadecimal digits as the five groups of a UUID. */
export function uuidOf(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
