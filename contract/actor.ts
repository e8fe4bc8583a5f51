import { z } from 'zod';
import { time } from './endpoint.ts';

/** Who did something: a person of the team, an API key, a token made from one, Parley itself, or the contact (through a link). */
export const actor = z.strictObject({
  kind: z.enum(['user', 'key', 'token', 'system', 'contact']),
  id: z.string().max(100).nullable(),
  name: z.string().max(200),
});
export type Actor = z.output<typeof actor>;

/** What walking a hash-chained ledger (audit, consent) found; `broken` names the first entry that does not hold. */
export const chainReport = z.strictObject({
  ok: z.boolean(),
  checked: z.int().nonnegative(),
  head: z.strictObject({ seq: z.int().nonnegative(), at: time }).nullable(),
  broken: z
    .strictObject({
      seq: z.int().nonnegative(),
      id: z.string().nullable(),
      at: time.nullable(),
      reason: z.string(),
    })
    .nullable(),
});
export type ChainReport = z.output<typeof chainReport>;

/** What a mailbox provider (or the law) would object to before a send, with what to do about it. */
export const readinessItem = z.strictObject({
  /** Stable, e.g. `public-https-origin`, `spf`, `dkim`, `dmarc`, `postal-address`. */
  key: z.string(),
  title: z.string(),
  /** `unknown`: could not be looked up just now. Only `problem` stops a start. */
  state: z.enum(['ok', 'warning', 'problem', 'unknown']),
  detail: z.string(),
  fix: z.string().nullable(),
});
export const readiness = z.strictObject({
  /** False when an item is a `problem`. */
  ready: z.boolean(),
  checkedAt: time,
  items: z.array(readinessItem),
});
export type Readiness = z.output<typeof readiness>;
