import type { FastifyReply, FastifyRequest } from 'fastify';
import type { BodyOf, Endpoint, ParamsOf, QueryOf, ResponseOf } from '../../contract/endpoint.ts';
import type { Permission } from '../../contract/permissions.ts';
import type { Db, Tx } from './db.ts';
import { AppError } from './errors.ts';
import { unkeepable } from './http-text.rules.ts';
import { isId } from './ids.ts';

/** Who calls: always inside one workspace, with the permissions he has there. */
export interface Caller {
  readonly workspaceId: string;
  readonly kind: 'user' | 'key' | 'token';
  readonly id: string;
  readonly name: string;
  readonly permissions: ReadonlySet<Permission>;
}

/** Undefined when there are no credentials; throws `unauthenticated` when there are wrong ones. */
export type Authenticate = (request: FastifyRequest) => Promise<Caller | undefined>;

type CallerOf<E extends Endpoint> = E['permission'] extends 'public' ? Caller | undefined : Caller;

/** One request, as a handler sees it: parsed, permitted, with the id to give to what it creates. */
export interface Call<E extends Endpoint> {
  readonly params: ParamsOf<E>;
  readonly query: QueryOf<E>;
  readonly body: BodyOf<E>;
  readonly caller: CallerOf<E>;
  readonly requestId: string;
  readonly ip: string;
  readonly userAgent: string;
  /** Public origin, for links in answers; no slash at the end. */
  readonly origin: string;
  /** UUIDv7; with an `Idempotency-Key`, the same again when the request is repeated. */
  readonly mintedId: string;
  /** The caller's `Idempotency-Key`, when there is one. */
  readonly idempotencyKey: string | undefined;
  readonly ifMatch: string | undefined;
  setHeader(name: string, value: string): void;
  readonly raw: FastifyRequest;
  readonly reply: FastifyReply;
}

export type TransactionHandler<E extends Endpoint> = (tx: Tx, call: Call<E>) => Promise<ResponseOf<E>>;
export type StreamHandler<E extends Endpoint> = (call: Call<E>, db: Db) => Promise<ResponseOf<E> | void>;

/** What became of one call of a group: its answer, or why it is refused. */
export type GroupOutcome<Answer> = { readonly answer: Answer } | { readonly refusal: AppError };

/** Answers calls of one workspace together, an outcome each, in their order; what is refused must not have written anything. */
export type GroupHandler<E extends Endpoint> = (
  tx: Tx,
  calls: readonly Call<E>[],
) => Promise<readonly GroupOutcome<ResponseOf<E>>[]>;

/** An endpoint with what answers it. */
export interface Route {
  readonly endpoint: Endpoint;
  /** Set when the shell opens the transaction (read-only for GET), otherwise the handler does. */
  readonly inTransaction?: (tx: Tx, call: Call<Endpoint>) => Promise<unknown>;
  readonly withDb?: (call: Call<Endpoint>, db: Db) => Promise<unknown>;
  /** Set when calls that come at the same time are answered in one transaction; `weigh` says how much work one is. */
  readonly inGroup?: {
    readonly weigh: (call: Call<Endpoint>) => number;
    readonly handle: (tx: Tx, calls: readonly Call<Endpoint>[]) => Promise<readonly GroupOutcome<unknown>[]>;
  };
}

/** Answers in ONE transaction, together with idempotency and audit: all of it happens, or none. */
export function route<E extends Endpoint>(endpoint: E, handle: TransactionHandler<E>): Route {
  if (endpoint.permission === 'public')
    throw new Error(`${endpoint.path}: a public route has no workspace to open a transaction in`);
  // The shell parses with this very endpoint's schemas before it calls, so the call has this endpoint's types.
  return { endpoint, inTransaction: handle };
}

/**
 * For routes that are called thousands of times a second: calls of one workspace that come while others are being answered
 * share a transaction, and with it the round trips and the wait for the disk. To a caller it is like `route`: answered
 * after the commit, together with idempotency; what is wrong with one call touches no other.
 */
export function groupRoute<E extends Endpoint>(
  endpoint: E,
  handle: GroupHandler<E>,
  weigh: (call: Call<E>) => number = () => 1,
): Route {
  if (endpoint.permission === 'public' || endpoint.method === 'GET')
    throw new Error(`${endpoint.path}: only routes that write in a workspace are answered in groups`);
  return { endpoint, inGroup: { weigh, handle } };
}

/** Answers with transactions of its own: uploads, downloads, live streams, pages, work outside a workspace. */
export function streamRoute<E extends Endpoint>(endpoint: E, handle: StreamHandler<E>): Route {
  return { endpoint, withDb: handle };
}

/** Entity tag of an editable resource (RFC 9110, 8.8.3). Set by itself on answers that carry a `revision`. */
export function etag(revision: number): string {
  return `"r${revision}"`;
}

/** Refuses a change based on an older state than the stored one; a caller that sends no `If-Match` overwrites knowingly. */
export function requireMatch(call: { readonly ifMatch: string | undefined }, revision: number): void {
  if (call.ifMatch === undefined || call.ifMatch === '*' || call.ifMatch === etag(revision)) return;
  throw new AppError(
    'precondition-failed',
    'It was changed meanwhile. Read it again and apply your change to what is there now.',
    {
      headers: { etag: etag(revision) },
    },
  );
}

/** A cursor is the sort key of the last row, opaque to callers. */
export function encodeCursor(...parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** What a part of a cursor must be, so that a mangled one is the caller's mistake and never an error of the database. */
const cursorParts = {
  id: isId,
  time: (part: string) => /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/.test(part) && isInstant(part),
  count: (part: string) => /^\d{1,15}$/.test(part),
  text: (part: string) => unkeepable(part, '').length === 0,
} as const;

function isInstant(text: string): boolean {
  try {
    // PostgreSQL has no year 0.
    return Temporal.Instant.from(text).toZonedDateTimeISO('UTC').year > 0;
  } catch {
    return false;
  }
}

/** The parts of a cursor, each of the kind named; undefined when there is none. */
export function decodeCursor(
  cursor: string | undefined,
  ...kinds: readonly (keyof typeof cursorParts)[]
): string[] | undefined {
  if (cursor === undefined) return undefined;
  try {
    const given: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    const parts = Array.isArray(given) ? given.map(String) : [];
    if (parts.length === kinds.length && kinds.every((kind, at) => cursorParts[kind](parts[at] ?? ''))) return parts;
  } catch {
    // falls through to the refusal
  }
  throw new AppError('invalid-input', 'cursor: is not one that a list gave out.', {
    errors: [{ pointer: '/query/cursor', message: 'is not one that a list gave out' }],
  });
}

/** The one id in a cursor. */
export function decodeIdCursor(cursor: string | undefined): string | undefined {
  return decodeCursor(cursor, 'id')?.[0];
}
