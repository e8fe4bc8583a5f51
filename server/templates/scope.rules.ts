import type { Rendering, rendering } from './filters.rules.ts';

/** Where the links of one message lead; made by who sends it. */
export interface MessageUrls {
  /** For tracked link `n`. */
  readonly click: (n: number) => string;
  readonly open: string;
  readonly unsubscribe: string;
  readonly preferences: string;
}

export interface RenderData {
  /** Attributes by key, and `email`, `locale`, `time_zone`, `external_id`; null counts as missing. */
  readonly contact: Readonly<Record<string, unknown>>;
  /** What the call gave. */
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
  readonly workspace: { readonly name: string; readonly postalAddress?: string | null | undefined };
}

export interface RenderInput extends RenderData {
  readonly urls: MessageUrls;
}

/** What the templates of one message see. */
export type Scope = Record<string, unknown> & { [rendering]?: Rendering };

/** Whether a template would find a value at this path. */
export function has(scope: Scope, path: string): boolean {
  let value: unknown = scope;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return false;
    value = (value as Record<string, unknown>)[key];
  }
  return value !== undefined;
}

/** Null is "no value": it must not print as nothing where a value was promised. Arrays keep their length. */
function withoutNulls(given: Readonly<Record<string, unknown>>, depth = 0): Record<string, unknown> {
  const clean: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const key of Object.keys(given)) {
    const value = given[key];
    if (value === null || value === undefined) continue;
    const nested = typeof value === 'object' && !Array.isArray(value) && depth < 8;
    clean[key] = nested ? withoutNulls(value as Record<string, unknown>, depth + 1) : value;
  }
  return clean;
}

const known = new Map<string, boolean>();

/** Locales and zones come from contacts; a wrong one must not stop the mail. */
export function usable(kind: 'locale' | 'zone', value: unknown): value is string {
  if (typeof value !== 'string' || value === '') return false;
  const key = `${kind} ${value}`;
  let answer = known.get(key);
  if (answer === undefined) {
    try {
      answer =
        Intl.DateTimeFormat(kind === 'locale' ? value : 'en', kind === 'zone' ? { timeZone: value } : {}) !== null;
    } catch {
      answer = false;
    }
    if (known.size > 5_000) known.clear();
    known.set(key, answer);
  }
  return answer;
}

/** What a message's templates see, without prototypes: nothing is found that was not given. */
export function scopeOf(input: RenderData, urls: Pick<MessageUrls, 'unsubscribe' | 'preferences'>): Scope {
  const scope = Object.create(null) as Scope;
  const workspace: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  workspace['name'] = input.workspace.name;
  if (input.workspace.postalAddress) workspace['postal_address'] = input.workspace.postalAddress;
  scope['contact'] = withoutNulls(input.contact);
  scope['variables'] = input.variables === undefined ? {} : withoutNulls(input.variables);
  scope['workspace'] = workspace;
  scope['unsubscribe_url'] = urls.unsubscribe;
  scope['preferences_url'] = urls.preferences;
  return scope;
}
