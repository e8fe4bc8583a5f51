import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Problem } from '../../contract/endpoint.ts';
import { AppError, databaseUnavailable, errorKind } from './errors.ts';
import type { FieldProblem } from './errors.ts';

type Issue = z.core.$ZodIssue;

/** A zod issue list as field problems; `root` is where the parsed part stands: '' for the body, '/query', '/params'. */
export function fieldProblems(error: z.ZodError, root: string): FieldProblem[] {
  return named(error.issues, root);
}

function named(issues: readonly Issue[], root: string): FieldProblem[] {
  return issues.slice(0, 50).flatMap((issue) => {
    const at = `${root}${issue.path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}`;
    if (issue.code === 'unrecognized_keys')
      return issue.keys.slice(0, 20).map((key) => ({ pointer: `${at}/${key}`, message: 'is not known here' }));
    const meant = issue.code === 'invalid_union' ? meantBranch(issue.errors) : undefined;
    if (meant !== undefined) return named(meant, at);
    return [{ pointer: at, message: messageOf(issue) }];
  });
}

/**
 * Of several shapes a value may have, the one its sender most likely meant: of the right type, and with the fewest
 * fields that are not known there. None when the value is of no shape's type.
 */
function meantBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const strangers = (issues: readonly Issue[]) =>
    issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 0), 0);
  return branches
    .filter((issues) => issues.every((issue) => issue.path.length > 0 || issue.code === 'unrecognized_keys'))
    .toSorted((a, b) => strangers(a) - strangers(b))[0];
}

function messageOf(issue: Issue): string {
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) return 'is missing';
  if (issue.code === 'too_small' && issue.origin === 'string' && issue.minimum === 1) return 'must not be empty';
  return lowerFirst(issue.message);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

export function invalidInput(errors: readonly FieldProblem[]): AppError {
  const first = errors
    .slice(0, 3)
    .map((one) => `${one.pointer.slice(1).replaceAll('/', '.') || 'body'}: ${one.message}`);
  return new AppError('invalid-input', first.join('; '), { errors });
}

const byFrameworkCode: Readonly<Record<string, [code: string, detail: string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['body-too-large', 'The body is larger than this route takes.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'unsupported-media-type',
    'This route takes application/json, or what its documentation says.',
  ],
  FST_ERR_CTP_INVALID_JSON_BODY: ['malformed-request', 'The body is not valid JSON.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['malformed-request', 'The body is empty.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['malformed-request', 'Content-Length does not fit the body.'],
  FST_REQ_FILE_TOO_LARGE: ['body-too-large', 'The file is larger than this route takes.'],
  FST_ERR_BAD_URL: ['malformed-request', 'The path is not a valid URL.'],
  FST_ERR_MAX_PARAM_LENGTH: ['malformed-request', 'A part of the path is too long.'],
  FST_INVALID_MULTIPART_CONTENT_TYPE: ['malformed-request', 'The multipart body has no boundary.'],
};

/** PostgreSQL and network errors that are nobody's bug: what to answer. */
const byDatabaseCode: Readonly<Record<string, [code: string, detail: string]>> = {
  '53100': ['storage-full', 'The disk of the database is full. Nothing was changed.'],
  '53300': ['database-unavailable', 'The database has no free connection. Try again.'],
  '57P01': ['database-unavailable', 'The database is stopping. Try again.'],
  '57P02': ['database-unavailable', 'The database is restarting. Try again.'],
  '57P03': ['database-unavailable', 'The database is starting. Try again.'],
  '40001': ['conflict', 'Two changes met. Try again.'],
  '40P01': ['conflict', 'Two changes met. Try again.'],
  ECONNREFUSED: ['database-unavailable', 'The database does not answer. Try again.'],
  EPIPE: ['database-unavailable', 'The connection to the database broke. Try again.'],
  ECONNRESET: ['database-unavailable', 'The connection to the database broke. Try again.'],
  ENOSPC: ['storage-full', 'The disk is full. Nothing was changed.'],
};

/** pg tells these by words alone. */
const brokenConnection =
  /timeout exceeded when trying to connect|Connection terminated|is not queryable|the transaction was rolled back/;

/** Whatever was thrown, as a refusal; undefined for a bug. */
export function asRefusal(error: unknown): AppError | undefined {
  if (error instanceof AppError) return error;
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const known = byFrameworkCode[code] ?? byDatabaseCode[code];
  if (known?.[0] === 'database-unavailable') return databaseUnavailable(known[1], error);
  if (known !== undefined) return new AppError(known[0], known[1], { cause: error });
  if (brokenConnection.test(error.message))
    return databaseUnavailable('The database does not answer. Try again.', error);
  if (error instanceof SyntaxError && 'statusCode' in error && error.statusCode === 400)
    return new AppError(
      'malformed-request',
      error.message.includes('forbidden prototype')
        ? 'The body has a field called __proto__ or constructor.prototype, which is not taken.'
        : 'The body is not valid JSON.',
    );
  if ('statusCode' in error && error.statusCode === 400) return new AppError('malformed-request', error.message);
  return undefined;
}

/** A refusal as RFC 9457 document; `instance` is the id of the request. */
export function problemDocument(refusal: AppError, instance: string): Problem {
  const { code, message: detail, errors } = refusal;
  const { status, title } = errorKind(code);
  const problem: Problem = { type: `urn:parley:problem:${code}`, title, status, detail, instance, code };
  if (errors.length > 0) problem.errors = [...errors];
  return problem;
}

/** RFC 9457 document. Nothing internal: a bug shows its request id, the log shows the rest. */
export function problemOf(
  error: unknown,
  request: FastifyRequest,
): { problem: Problem; refusal: AppError | undefined } {
  const refusal = asRefusal(error);
  const told = refusal ?? new AppError('internal-error', `It was logged as ${request.id}.`);
  return { problem: problemDocument(told, request.id), refusal };
}
