import type { MergeShape, OutgoingEmail } from '../port.ts';

/** One request for many: which messages can share it, and the shape as a text with the vendor's own place holders. */

export interface MergedText {
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
}

/** Pure. */
export function mergedText(shape: MergeShape, place: (n: number) => string): MergedText {
  const print = (parts: readonly (string | number)[]) =>
    parts.map((part) => (typeof part === 'number' ? place(part) : part)).join('');
  return {
    subject: print(shape.subject),
    text: print(shape.text),
    ...(shape.html === undefined ? {} : { html: print(shape.html) }),
  };
}

/** Pure: all literal text, to be searched for what the vendor would take for a place holder of its own. */
export function literalsOf(shape: MergeShape): readonly string[] {
  return [...shape.subject, ...shape.text, ...(shape.html ?? [])].filter((part) => typeof part === 'string');
}

/** Pure: the places a shape has; values beyond them are not sent. */
export function placesOf(shape: MergeShape): ReadonlySet<number> {
  return new Set([...shape.subject, ...shape.text, ...(shape.html ?? [])].filter((part) => typeof part === 'number'));
}

interface Group {
  readonly first: OutgoingEmail;
  readonly indexes: number[];
  readonly recipients: Set<string>;
}

/**
 * Pure: indexes of messages that may go in one request, at most `most` each, in the order in which they came. The shape
 * (shared by identity), sender and reply address are the same; no address is in a request twice, since vendors key what
 * is personal by it. What fits nowhere stands alone.
 */
export function groupTogether(
  messages: readonly OutgoingEmail[],
  most: number,
  canMerge: (message: OutgoingEmail) => boolean,
): readonly (readonly number[])[] {
  const open = new Map<MergeShape, Group[]>();
  const all: Group[] = [];
  for (const [index, message] of messages.entries()) {
    const shape = message.merge !== undefined && canMerge(message) ? message.merge.shape : undefined;
    const recipient = message.to.toLowerCase();
    const groups = (shape === undefined ? undefined : open.get(shape)) ?? [];
    const found = groups.find(
      (group) => group.indexes.length < most && !group.recipients.has(recipient) && isAlike(group.first, message),
    );
    if (found !== undefined) {
      found.indexes.push(index);
      found.recipients.add(recipient);
      continue;
    }
    const group: Group = { first: message, indexes: [index], recipients: new Set([recipient]) };
    all.push(group);
    if (shape !== undefined) open.set(shape, [...groups, group]);
  }
  return all.map((group) => group.indexes);
}

function isAlike(a: OutgoingEmail, b: OutgoingEmail): boolean {
  return (
    a.from.address === b.from.address &&
    a.from.name === b.from.name &&
    a.replyTo?.address === b.replyTo?.address &&
    a.replyTo?.name === b.replyTo?.name
  );
}
