import { domainToASCII, domainToUnicode } from 'node:url';

/**
 * Host names as IDNA 2008 (RFC 5890 to 5893) allows them. The mapping (UTS #46, non-transitional: `ß` stays a
 * letter of its own), Punycode, the bidi rule and the joiner rule come from Node's URL parser; that one follows
 * WHATWG, which lets symbols and undecodable labels through, so the code points are checked here against the
 * derived property of RFC 5892, computed from the Unicode properties of the running ICU instead of a table.
 */
export interface HostName {
  /** What goes on the wire: A-labels, lower case. */
  readonly ascii: string;
  /** What people read: U-labels. */
  readonly unicode: string;
}

export type HostProblem = 'empty' | 'characters' | 'hyphen' | 'period' | 'too-long' | 'not-idna';

/** All four separators of UTS #46; a character that would expand to one of them is refused by the parser. */
const separators = /[.\u3002\uff0e\uff61]/u;
// oxlint-disable-next-line no-control-regex -- everything ASCII but letters, digits, hyphen and period is refused
const foreignAscii = /[\u0000-\u002c\u002f\u003a-\u0040\u005b-\u0060\u007b-\u007f]/u;
/** Letters, numbers, punctuation, symbols and marks; never control, format, private, unassigned or space. */
const unsafe = /[\p{C}\p{Z}]/u;
const ldhLabel = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/u;
const asciiOnly = /^[\u0020-\u007e]*$/u;

const exceptionallyValid = /[\u00df\u03c2\u06fd\u06fe\u0f0b\u3007]/u;
const exceptionallyDisallowed = /[\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b]/u;
const joiner = /[\u200c\u200d]/u;
const contextual = /[\u00b7\u0375\u05f3\u05f4\u30fb\u0660-\u0669\u06f0-\u06f9]/u;
/** Conjoining Jamo, whose sequences have precomposed forms (RFC 5892, 2.9). */
const oldHangulJamo = /[\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7c6\ud7cb-\ud7fb]/u;
const unstable = /\p{Changes_When_NFKC_Casefolded}/u;
const ignorable = /[\p{Default_Ignorable_Code_Point}\p{White_Space}\p{Noncharacter_Code_Point}]/u;
const ignorableBlock = /[\u20d0-\u20ff\u{1d100}-\u{1d1ff}\u{1d200}-\u{1d24f}]/u;
const letterDigit = /[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}]/u;

/** RFC 5892, section 3, in its order. Joiners were checked by the parser (RFC 5892, A.1 and A.2). */
function mayStandInLabel(character: string): boolean {
  if (exceptionallyValid.test(character)) return true;
  if (exceptionallyDisallowed.test(character)) return false;
  if (/[a-z0-9-]/u.test(character) || joiner.test(character) || contextual.test(character)) return true;
  if (oldHangulJamo.test(character) || unstable.test(character)) return false;
  if (ignorable.test(character) || ignorableBlock.test(character)) return false;
  return letterDigit.test(character);
}

/** The CONTEXTO rules of RFC 5892, appendix A.3 to A.9. */
function fitsContext(characters: readonly string[], at: number): boolean {
  const before = characters[at - 1] ?? '';
  const after = characters[at + 1] ?? '';
  const code = characters[at]?.codePointAt(0) ?? 0;
  if (code === 0xb7) return before === 'l' && after === 'l';
  if (code === 0x375) return /\p{Script=Greek}/u.test(after);
  if (code === 0x5f3 || code === 0x5f4) return /\p{Script=Hebrew}/u.test(before);
  if (code === 0x30fb)
    return characters.some(
      (one) => /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u.test(one) && one !== '\u30fb',
    );
  if (code >= 0x660 && code <= 0x669) return !characters.some((one) => /[\u06f0-\u06f9]/u.test(one));
  if (code >= 0x6f0 && code <= 0x6f9) return !characters.some((one) => /[\u0660-\u0669]/u.test(one));
  return true;
}

function isUnicodeLabel(label: string): boolean {
  const characters = [...label];
  return characters.every((one, at) => mayStandInLabel(one) && fitsContext(characters, at));
}

/** One label of any script, or undefined. Each label is a name of its own for the parser, as RFC 5891 wants it. */
function internationalLabel(label: string): HostName | undefined {
  const ascii = domainToASCII(label);
  if (!ldhLabel.test(ascii)) return undefined;
  if (!ascii.startsWith('xn--')) return { ascii, unicode: ascii };
  const unicode = domainToUnicode(ascii);
  // Undecodable Punycode comes back as it was; one that decodes to plain ASCII or to another A-label is a forgery.
  if (asciiOnly.test(unicode) || domainToASCII(unicode) !== ascii) return undefined;
  return isUnicodeLabel(unicode) ? { ascii, unicode } : undefined;
}

function parseLabel(label: string): HostName | HostProblem {
  const lower = label.toLowerCase();
  const plain = asciiOnly.test(lower);
  if (label.startsWith('-') || label.endsWith('-')) return 'hyphen';
  let name: HostName | undefined;
  if (plain && !lower.startsWith('xn--')) name = ldhLabel.test(lower) ? { ascii: lower, unicode: lower } : undefined;
  else name = internationalLabel(label);
  if (name === undefined) return 'not-idna';
  // RFC 5890, 2.3.1: "??--" is reserved, and only "xn--" was ever given out.
  if (/^(?!xn)..--/u.test(name.ascii)) return 'hyphen';
  return name.ascii.length > 63 ? 'too-long' : name;
}

/** Pure: a host name in both its forms, or what is wrong with it. Says nothing about whether it exists. */
export function parseHostName(input: string): HostName | HostProblem {
  if (input === '') return 'empty';
  if (foreignAscii.test(input) || unsafe.test(input) || /^\p{M}/u.test(input)) return 'characters';
  const ascii: string[] = [];
  const unicode: string[] = [];
  for (const label of input.normalize('NFC').split(separators)) {
    if (label === '') return 'period';
    const parsed = parseLabel(label);
    if (typeof parsed === 'string') return parsed;
    ascii.push(parsed.ascii);
    unicode.push(parsed.unicode);
  }
  const name = { ascii: ascii.join('.'), unicode: unicode.join('.') };
  return name.ascii.length > 253 ? 'too-long' : name;
}
