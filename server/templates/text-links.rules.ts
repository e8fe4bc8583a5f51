import type { CompiledLink } from './links.rules.ts';
import { safeUrl, urlSource } from './links.rules.ts';
import type { LocalNames } from './links.rules.ts';
import type { Protected } from './placeholders.rules.ts';

/** Where a web address ends in a text: at white space, quotes and brackets, and before the marks of a sentence. */
const address = /https?:\/\/[^\s<>"'“”„«»‘’]+/gi;
const sentenceEnd = /[.,;:!?…\])}]+$/;

export interface FoundLinks {
  /** Liquid, with `{{ n | parley_link }}` in the place of each link. */
  readonly text: string;
  readonly links: readonly CompiledLink[];
  readonly warnings: readonly string[];
}

/**
 * Takes the web addresses out of a plain text, numbered from `first` on. Values in them are encoded for their place. One
 * whose parts depend on what only exists while it renders (a loop, a condition) stays as it is.
 */
export function takeTextLinks(source: Protected, first: number, tracked: boolean, locals: LocalNames): FoundLinks {
  const links: CompiledLink[] = [];
  const warnings: string[] = [];
  const text = source.text.replace(address, (found) => {
    const bare = withoutEnd(found);
    const isPlain = [...bare.matchAll(source.words())].every((one) => source.pieces[Number(one[1])]?.kind === 'output');
    const url = urlSource(bare, source);
    const local = isPlain ? locals(url) : ['a condition in it'];
    if (local.length > 0) {
      warnings.push(
        `clicks on the link with ${local.join(', ')} are not counted: its address is only known inside the text`,
      );
      return found;
    }
    if (!tracked) return found;
    const n = first + links.length;
    links.push({ n, url, tracked: true });
    return `${source.add({ kind: 'output', text: `{{ ${n} | parley_link }}`, depth: 0 })}${found.slice(bare.length)}`;
  });
  return { text: source.restore(text), links, warnings };
}

/** A closing bracket belongs to the address when its opening one does. */
function withoutEnd(found: string): string {
  let bare = found.replace(sentenceEnd, '');
  if (bare.includes('(') && !bare.includes(')') && found[bare.length] === ')') bare += ')';
  return bare;
}

/** A place that is an address as a whole: what is wrong with it as far as it can be known now. */
export function addressProblem(source: Protected): string | undefined {
  const text = source.text.trim();
  if (source.words().test(text)) {
    const head = text.slice(0, text.search(source.words()));
    return head === '' || /^https?:\/\//i.test(head) ? undefined : 'must begin with https://';
  }
  return safeUrl(text) === undefined ? 'must be a web address, such as https://example.com/' : undefined;
}
