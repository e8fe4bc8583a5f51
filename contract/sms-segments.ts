/**
 * How a text goes over the air (3GPP TS 23.038 and 23.040). A short message carries 140 bytes: 160 characters of seven
 * bits of the GSM alphabet, or 70 units of sixteen bits once there is one character outside it. A longer text is cut into
 * parts that give six bytes each to a header: 153 and 67. National shift tables are not used by the vendors.
 */

export interface Segments {
  readonly encoding: 'gsm7' | 'ucs2';
  /** What is billed. An empty text takes none. */
  readonly count: number;
  /** Characters of the encoding: septets, or UTF-16 units. */
  readonly length: number;
  /** Of the last part, and of every one. */
  readonly left: number;
  readonly perSegment: number;
  /** Those that make it UCS-2, each once: a curly quote is easily replaced, a language is not. */
  readonly outside: readonly string[];
}

const basic =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
  '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
/** Each takes two septets: an escape, and its place in the extension table. */
const extension = '\f^{}\\[~]|€';

const septets: ReadonlyMap<string, number> = new Map([
  ...Array.from(basic, (character) => [character, 1] as const),
  ...Array.from(extension, (character) => [character, 2] as const),
]);

const sizes = { gsm7: { single: 160, part: 153 }, ucs2: { single: 70, part: 67 } } as const;

/** Pure: in how many parts a text goes, and why. */
export function countSegments(text: string): Segments {
  const widths: number[] = [];
  const outside = new Set<string>();
  for (const character of text) {
    const width = septets.get(character);
    if (width === undefined) outside.add(character);
    else widths.push(width);
  }
  const encoding = outside.size === 0 ? 'gsm7' : 'ucs2';
  const units = encoding === 'gsm7' ? widths : Array.from(text, (character) => character.length);
  const length = units.reduce((sum, width) => sum + width, 0);
  const { single, part } = sizes[encoding];
  const common = { encoding, length, outside: [...outside] } as const;
  if (length <= single) return { ...common, count: length === 0 ? 0 : 1, left: single - length, perSegment: single };
  const { count, last } = fill(units, part);
  return { ...common, count, left: part - last, perSegment: part };
}

/** An escape stays with its character, and a surrogate with its other half, so that a part may end early. */
function fill(units: readonly number[], part: number): { count: number; last: number } {
  let count = 1;
  let last = 0;
  for (const width of units) {
    if (last + width > part) {
      count += 1;
      last = 0;
    }
    last += width;
  }
  return { count, last };
}
