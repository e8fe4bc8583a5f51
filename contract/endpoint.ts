import { z } from 'zod';
import type { Permission } from './permissions.ts';

/**
 * Who may call: a permission; `signed-in` for any known caller; `public` for pages and links that carry
 * their own proof (a signed token) or none (sign-in, health).
 */
export type Access = Permission | 'signed-in' | 'public';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One route of the API: what goes in, what comes out, who may. The server, the OpenAPI document and the dashboard's client all read it. */
export interface Endpoint {
  readonly method: Method;
  /** With `:params`; below `/api/v1` unless `absolute`. */
  readonly path: string;
  readonly absolute?: boolean;
  readonly permission: Access;
  readonly summary: string;
  /** What a caller must know beyond the summary. */
  readonly description?: string;
  readonly tag: string;
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly status: number;
  /** The JSON answer; absent when the answer is a file, a page or a stream (then `produces` says which type). */
  readonly response?: z.ZodType;
  readonly produces?: string;
  /** Request bodies that are not JSON: `multipart/form-data`, `text/csv`; the handler reads the stream itself. */
  readonly consumes?: readonly string[];
  /** Takes `Idempotency-Key`. */
  readonly idempotent?: boolean;
}

type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined;
type Given<S> = S extends z.ZodType ? z.input<S> : undefined;

export type ParamsOf<E extends Endpoint> = Parsed<E['params']>;
export type QueryOf<E extends Endpoint> = Parsed<E['query']>;
export type BodyOf<E extends Endpoint> = Parsed<E['body']>;
export type ResponseOf<E extends Endpoint> = E['response'] extends z.ZodType ? z.input<E['response']> : void;
/** What a client sends (defaults may be left out) and gets. */
export type QueryGiven<E extends Endpoint> = Given<E['query']>;
export type BodyGiven<E extends Endpoint> = Given<E['body']>;
export type Answer<E extends Endpoint> = E['response'] extends z.ZodType ? z.output<E['response']> : void;

/** Declares a route; the type parameter keeps the exact schemas. */
export function endpoint<const E extends Endpoint>(definition: E): E {
  return definition;
}

export const id = z.uuid();
export const idParams = z.strictObject({ id });
/** RFC 3339, UTC. Bounded to years that every part keeps: PostgreSQL has no year 0, and past 9999 the notation changes. */
export const time = z.iso
  .datetime({ offset: true })
  .refine((text) => text >= '1900' && text < '3000', 'must lie between the years 1900 and 2999');
/** RFC 9110 entity tags are made from it; rises with each change. */
export const revision = z.int().positive();

export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(500).optional(),
};

/** A page of a list: `nextCursor` is null on the last one. */
export function page<Item extends z.ZodType>(item: Item) {
  return z.strictObject({ data: z.array(item), nextCursor: z.string().nullable() });
}

export const addressKind = z.enum(['email', 'phone', 'push']);
export const channel = z.enum(['email', 'sms', 'whatsapp', 'push', 'inapp']);
export const legalBasis = z.enum(['consent', 'contract', 'legitimate-interest']);
export const category = z.enum(['marketing', 'transactional', 'otp', 'utility']);

/** Bounded to what one line of a form holds; no control characters (they become header injections downstream). */
export const line = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    // eslint-disable-next-line no-control-regex -- control characters are exactly what is refused
    .regex(/^[^\u0000-\u001f\u007f]*$/, 'must not contain line breaks or other control characters');

/** RFC 9457 problem details, with our stable `code` and the list of what is wrong with the input. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  instance: z.string().optional(),
  code: z.string(),
  errors: z.array(z.object({ pointer: z.string(), message: z.string() })).optional(),
});
export type Problem = z.output<typeof problem>;
