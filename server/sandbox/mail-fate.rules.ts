import type { Fate } from './vendor.ts';

/** What vendors of e-mail over HTTP do with a request that may be for many. */

/** Fates that befall a request as a whole: one recipient is enough. In the order in which a server would notice. */
const whole = ['quiet', 'malformed', 'throttle', 'burst'] as const;
type WholeFate = Extract<Fate, { kind: (typeof whole)[number] }>;

/** Pure. */
export function fateOfRequest(fates: readonly Fate[]): WholeFate | undefined {
  for (const kind of whole) {
    const found = fates.find((fate): fate is WholeFate => fate.kind === kind);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Pure: the longest that a recipient makes the request wait. */
export function delayOf(fates: readonly Fate[]): number {
  return Math.max(0, ...fates.map((fate) => (fate.kind === 'slow' ? fate.ms : 0)));
}

/** Syntax as far as a vendor's front door looks at it. */
export function looksLikeAddress(address: unknown): address is string {
  return typeof address === 'string' && /^[^\s@<>"(),]+@[^\s@<>"(),]+\.[^\s@<>"(),.]+$/.test(address);
}

/** When a vendor tells of it: the time it takes to hand a message over, and for somebody to press a button. */
export const tellsAfterMs = { taken: 400, delivered: 1_500, complained: 4_000 } as const;
