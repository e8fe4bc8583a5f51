/** One thing that is wrong with the input: where (JSON pointer, RFC 6901) and what. */
export interface FieldProblem {
  readonly pointer: string;
  readonly message: string;
}

export interface ErrorKind {
  readonly status: number;
  readonly title: string;
}

const kinds = new Map<string, ErrorKind>();

/** Each slice lists its refusals once: stable code, HTTP status, title. The only place where a code meets a status. */
export function defineErrors(table: Readonly<Record<string, ErrorKind>>): void {
  for (const [code, kind] of Object.entries(table)) kinds.set(code, kind);
}

export function errorKind(code: string): ErrorKind {
  return kinds.get(code) ?? { status: 500, title: 'Something went wrong' };
}

export interface AppErrorOptions {
  readonly errors?: readonly FieldProblem[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** A refusal: the caller was wrong in an expected way. Anything else that is thrown is a bug. */
export class AppError extends Error {
  readonly code: string;
  readonly errors: readonly FieldProblem[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: string, detail: string, options: AppErrorOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.errors = options.errors ?? [];
    this.headers = options.headers ?? {};
  }
}

defineErrors({
  'not-found': { status: 404, title: 'Not found' },
  'route-not-found': { status: 404, title: 'No such route' },
  'invalid-input': { status: 422, title: 'The input is not valid' },
  'malformed-request': { status: 400, title: 'The request cannot be read' },
  'headers-too-large': { status: 431, title: 'The headers are too large' },
  'request-timeout': { status: 408, title: 'The request took too long to arrive' },
  'unsupported-media-type': { status: 415, title: 'This content type is not taken here' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  unauthenticated: { status: 401, title: 'Sign in or send a valid key' },
  forbidden: { status: 403, title: 'Not allowed' },
  'csrf-refused': { status: 403, title: 'This request did not come from the dashboard' },
  conflict: { status: 409, title: 'In conflict with what is there' },
  'idempotency-key-reused': { status: 409, title: 'This Idempotency-Key was used for something else' },
  'precondition-failed': { status: 412, title: 'Changed by somebody else meanwhile' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  'internal-error': { status: 500, title: 'Something went wrong' },
  'storage-full': { status: 507, title: 'No space left on the disk' },
  'database-unavailable': { status: 503, title: 'The database does not answer' },
});

export function notFound(what: string): AppError {
  return new AppError('not-found', `There is no such ${what}.`);
}

/** A refusal that names one field. `pointer` is a JSON pointer such as `/addresses/0/value`. */
export function invalidField(pointer: string, message: string): AppError {
  return new AppError('invalid-input', `${pointer.slice(1) || 'body'}: ${message}`, { errors: [{ pointer, message }] });
}

export function databaseUnavailable(detail: string, cause: unknown): AppError {
  return new AppError('database-unavailable', detail, { cause, headers: { 'retry-after': '2' } });
}
