import type { FieldProblem } from './errors.ts';

/** Deeper than anything a form or a program means; far below what would exhaust a stack on the way to the database. */
const deepest = 32;
const mostNamed = 20;

interface Node {
  readonly value: unknown;
  readonly parent: Node | undefined;
  readonly key: string;
  readonly depth: number;
}

/**
 * What JSON can say but PostgreSQL cannot keep: NUL in text (its text type has none), half a surrogate pair (not
 * encodable as UTF-8, refused in jsonb), nesting without end. Named here once, for every field of every route, instead
 * of failing in the database. Walks without recursion, so that depth itself does no harm.
 */
export function unkeepable(value: unknown, root: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const waiting: Node[] = [{ value, parent: undefined, key: '', depth: 0 }];
  for (let node = waiting.pop(); node !== undefined && problems.length < mostNamed; node = waiting.pop()) {
    const problem = problemWith(node);
    if (problem !== undefined) problems.push({ pointer: root + pointerTo(node), message: problem });
    else if (typeof node.value === 'object' && node.value !== null)
      for (const [key, child] of Object.entries(node.value))
        waiting.push({ value: child, parent: node, key, depth: node.depth + 1 });
  }
  return problems;
}

function problemWith({ value, key, depth }: Node): string | undefined {
  if (depth > deepest) return `is nested deeper than ${deepest} levels`;
  if (!isKeepable(key)) return 'has a name with a NUL character or half a character';
  if (typeof value === 'string' && !isKeepable(value)) return 'must not contain NUL characters or half characters';
  return undefined;
}

function isKeepable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** RFC 6901. A key that cannot be kept is shown in its keepable form. */
function pointerTo(node: Node): string {
  const parts: string[] = [];
  for (let at: Node | undefined = node; at?.parent !== undefined; at = at.parent)
    parts.push(`/${at.key.toWellFormed().replaceAll('\0', '\u{fffd}').replaceAll('~', '~0').replaceAll('/', '~1')}`);
  return parts.toReversed().join('');
}
