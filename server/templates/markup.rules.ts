import { QuoteType, Tokenizer } from 'htmlparser2';
import type { Protected } from './placeholders.rules.ts';

/** Where in HTML a piece of Liquid stands: it decides how a value is held inside. */
export type Place = 'text' | 'attribute' | 'url' | 'css' | 'script' | 'comment';

export interface Attribute {
  /** Lower case, words of Liquid taken out. */
  readonly name: string;
  /** As written, entities not decoded. */
  readonly value: string;
  readonly start: number;
  readonly end: number;
  readonly quoted: boolean;
}

export interface OpenTag {
  readonly name: string;
  readonly attributes: readonly Attribute[];
  /** Just behind its `>`. */
  readonly end: number;
}

export interface Occurrence {
  readonly piece: number;
  readonly start: number;
  readonly end: number;
  readonly place: Place;
  /** What has been written of the attribute before it; empty elsewhere. */
  readonly before: string;
  /** The element it stands in (its tag, or nearest text parent). */
  readonly element: string;
  readonly attribute: string;
}

export interface Fault {
  readonly at: number;
  readonly message: string;
}

export interface Markup {
  readonly tags: readonly OpenTag[];
  readonly occurrences: readonly Occurrence[];
  readonly faults: readonly Fault[];
  /** Before the last `</body>`, else the end. */
  readonly bodyEnd: number;
  /** Behind `<body …>`, else the start. */
  readonly bodyStart: number;
}

const urlAttributes = new Set(['href', 'src', 'action', 'formaction', 'background', 'cite', 'poster', 'xlink:href']);

function placeOf(attribute: string): Place {
  if (attribute === 'style') return 'css';
  return urlAttributes.has(attribute) ? 'url' : 'attribute';
}

interface Draft {
  name: string;
  rawName: string;
  nameStart: number;
  start: number;
  end: number;
}

interface Collector {
  readonly occurrences: Occurrence[];
  readonly faults: Fault[];
  find(start: number, end: number, where: Pick<Occurrence, 'place' | 'element' | 'attribute'>): void;
  /** Where a value would change what the markup means. */
  refuse(start: number, end: number, message: string): void;
}

function createCollector(source: Protected): Collector {
  const occurrences: Occurrence[] = [];
  const faults: Fault[] = [];
  return {
    occurrences,
    faults,
    find: (start, end, where) => {
      const text = source.text.slice(start, end);
      for (const match of text.matchAll(source.words())) {
        const at = start + match.index;
        const before = where.attribute === '' ? '' : text.slice(0, match.index);
        occurrences.push({ ...where, piece: Number(match[1]), start: at, end: at + match[0].length, before });
      }
    },
    refuse: (start, end, message) => {
      for (const match of source.text.slice(start, end).matchAll(source.words()))
        if (source.pieces[Number(match[1])]?.kind === 'output') faults.push({ at: start + match.index, message });
    },
  };
}

/** Follows one start tag's attributes; `take` hands over those gathered since the last call. */
function createAttributeReader(source: Protected, { find, refuse }: Collector) {
  const html = source.text;
  let attributes: Attribute[] = [];
  let draft: Draft | undefined;
  return {
    name: (start: number, end: number) => {
      const rawName = html.slice(start, end);
      const name = rawName.replace(source.words(), '').toLowerCase();
      draft = { name, rawName, nameStart: start, start: -1, end: -1 };
    },
    data: (start: number, end: number) => {
      if (draft === undefined) return;
      if (draft.start < 0) draft.start = start;
      draft.end = end;
    },
    close: (quote: QuoteType, end: number, element: string) => {
      if (draft === undefined) return;
      const { name, nameStart, rawName } = draft;
      refuse(nameStart, nameStart + rawName.length, 'a value cannot stand where an attribute is named');
      const quoted = quote === QuoteType.Single || quote === QuoteType.Double;
      const range = draft.start < 0 ? { start: end, end } : { start: draft.start, end: draft.end };
      if (!quoted) refuse(range.start, range.end, `put quotes around the value of ${name}`);
      if (name.startsWith('on')) refuse(range.start, range.end, `a value cannot stand in the script of ${name}`);
      find(range.start, range.end, { place: placeOf(name), element, attribute: name });
      attributes.push({ name, quoted, value: html.slice(range.start, range.end), ...range });
      draft = undefined;
    },
    take: () => {
      const taken = attributes;
      attributes = [];
      return taken;
    },
  };
}

const rawPlaces: Readonly<Record<string, Place>> = { style: 'css', script: 'script' };

/** Reads HTML with a real tokenizer, noting positions; nothing is rebuilt, so the source's bytes stay as they are. */
export function readMarkup(source: Protected): Markup {
  const html = source.text;
  const tags: OpenTag[] = [];
  const collector = createCollector(source);
  const attribute = createAttributeReader(source, collector);
  let element = '';
  let textPlace: Place = 'text';
  let bodyStart = 0;
  let bodyEnd = html.length;
  const closeTag = (end: number) => {
    tags.push({ name: element, attributes: attribute.take(), end: end + 1 });
    if (element === 'body' && bodyStart === 0) bodyStart = end + 1;
    textPlace = rawPlaces[element] ?? 'text';
  };
  const text = (place: Place) => (start: number, end: number) =>
    collector.find(start, end, { place, element, attribute: '' });
  const declaration = (start: number, end: number) =>
    collector.refuse(start, end, 'a value cannot stand in a declaration');
  const nothing = () => undefined;
  const tokenizer = new Tokenizer(
    { decodeEntities: false },
    {
      onopentagname: (start, end) => {
        element = html.slice(start, end).toLowerCase();
        collector.refuse(start, end, 'a value cannot stand where a tag is named');
      },
      onattribname: attribute.name,
      onattribdata: attribute.data,
      onattribend: (quote, end) => attribute.close(quote, end, element),
      onopentagend: closeTag,
      onselfclosingtag: closeTag,
      onclosetag: (start, end) => {
        textPlace = 'text';
        if (html.slice(start, end).toLowerCase() === 'body') bodyEnd = html.lastIndexOf('<', start);
      },
      ontext: (start, end) => text(textPlace)(start, end),
      oncomment: text('comment'),
      oncdata: text('text'),
      ondeclaration: declaration,
      onprocessinginstruction: declaration,
      onattribentity: nothing,
      ontextentity: nothing,
      onend: nothing,
    },
  );
  tokenizer.write(html);
  tokenizer.end();
  return { tags, occurrences: collector.occurrences, faults: collector.faults, bodyStart, bodyEnd };
}

export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Applies non-overlapping edits; of two at one place the first given comes first. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const ordered = [...edits].sort((a, b) => a.start - b.start || a.end - b.end);
  const parts: string[] = [];
  let at = 0;
  for (const edit of ordered) {
    if (edit.start < at) continue;
    parts.push(text.slice(at, edit.start), edit.text);
    at = edit.end;
  }
  parts.push(text.slice(at));
  return parts.join('');
}

export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}
