export interface Change {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** Moves with every change and says nothing about it. */
const bookkeeping = new Set(['revision', 'updatedAt']);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function flatten(value: unknown, path: string, into: Map<string, string>): void {
  if (isObject(value) && Object.keys(value).length > 0) {
    for (const [key, child] of Object.entries(value)) flatten(child, path === '' ? key : `${path}.${key}`, into);
  } else {
    into.set(path, typeof value === 'string' ? value : JSON.stringify(value));
  }
}

/** What differs between two states, field by field, in the order the fields come; unchanged fields and bookkeeping are left out. */
export function differences(before: Record<string, unknown> | null, after: Record<string, unknown> | null): Change[] {
  const old = new Map<string, string>();
  const fresh = new Map<string, string>();
  if (before) flatten(before, '', old);
  if (after) flatten(after, '', fresh);
  const paths = [...new Set([...old.keys(), ...fresh.keys()])].filter((path) => path !== '' && !bookkeeping.has(path));
  return paths
    .map((path) => ({ path, before: old.get(path), after: fresh.get(path) }))
    .filter((change) => change.before !== change.after);
}
