import type { Fate } from '../vendor.ts';

/** What a push service does with a message, in terms that each of them has its own words for. */
export type PushFate =
  | { readonly kind: 'take'; readonly afterMs: number }
  /** The device is gone. */
  | { readonly kind: 'gone'; readonly code?: string }
  /** The message is objected to. */
  | { readonly kind: 'object' }
  | { readonly kind: 'throttle'; readonly afterSeconds: number }
  | { readonly kind: 'fail'; readonly status: number }
  | { readonly kind: 'quiet' }
  | { readonly kind: 'malformed' };

/** Pure: push services say at once what they know; nothing is reported later. */
export function pushFate(fate: Fate): PushFate {
  switch (fate.kind) {
    case 'catch':
    case 'complain':
      return { kind: 'take', afterMs: 0 };
    case 'slow':
      return { kind: 'take', afterMs: fate.ms };
    case 'bounce':
    case 'refuse':
      return { kind: 'gone', ...(fate.code === undefined ? {} : { code: fate.code }) };
    case 'block':
      return { kind: 'object' };
    case 'burst':
      return { kind: 'fail', status: fate.status };
    case 'throttle':
    case 'quiet':
    case 'malformed':
      return fate;
  }
}

/** Pure: JSON that is an object, whatever else was sent. */
export function objectIn(body: Buffer | string): Readonly<Record<string, unknown>> | undefined {
  try {
    return objectOf(JSON.parse(body.toString()));
  } catch {
    return undefined;
  }
}

export function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
