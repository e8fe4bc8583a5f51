import type { z } from 'zod';
import type { apiKeyEndpoints } from '../contract/api-keys.ts';
import type { attributeEndpoints } from '../contract/attributes.ts';
import type { auditEndpoints } from '../contract/audit.ts';
import type { authEndpoints } from '../contract/auth.ts';
import type { campaignEndpoints } from '../contract/campaigns.ts';
import type { consentEndpoints } from '../contract/consent.ts';
import type { contactEndpoints } from '../contract/contacts.ts';
import type { deadLetterEndpoints } from '../contract/dead-letters.ts';
import type { Problem } from '../contract/endpoint.ts';
import type { importEndpoints } from '../contract/imports.ts';
import type { messageEndpoints } from '../contract/messages.ts';
import type { overviewEndpoints } from '../contract/overview.ts';
import type { providerEndpoints } from '../contract/providers.ts';
import type { queueEndpoints } from '../contract/queues.ts';
import type { rateLimitEndpoints } from '../contract/rate-limits.ts';
import type { sandboxAccountEndpoints } from '../contract/sandbox-accounts.ts';
import type { sandboxScenarioEndpoints } from '../contract/sandbox-scenario.ts';
import type { sandboxEndpoints } from '../contract/sandbox.ts';
import type { streamEndpoints } from '../contract/stream.ts';
import type { systemEndpoints } from '../contract/system.ts';
import type { teamEndpoints } from '../contract/team.ts';
import type { templateEndpoints } from '../contract/templates.ts';
import type { topicEndpoints } from '../contract/topics.ts';
import type { workspaceEndpoints } from '../contract/workspace.ts';

/**
 * The typed client. Only types come from the contract: a route is named as `'GET /contacts/:id'`, so that no schema
 * (and no zod) is in the dashboard's script.
 */
type All =
  | (typeof apiKeyEndpoints)[number]
  | (typeof attributeEndpoints)[number]
  | (typeof auditEndpoints)[number]
  | (typeof authEndpoints)[number]
  | (typeof campaignEndpoints)[number]
  | (typeof consentEndpoints)[number]
  | (typeof contactEndpoints)[number]
  | (typeof deadLetterEndpoints)[number]
  | (typeof importEndpoints)[number]
  | (typeof messageEndpoints)[number]
  | (typeof overviewEndpoints)[number]
  | (typeof providerEndpoints)[number]
  | (typeof queueEndpoints)[number]
  | (typeof rateLimitEndpoints)[number]
  | (typeof sandboxEndpoints)[number]
  | (typeof sandboxScenarioEndpoints)[number]
  | (typeof sandboxAccountEndpoints)[number]
  | (typeof streamEndpoints)[number]
  | (typeof systemEndpoints)[number]
  | (typeof teamEndpoints)[number]
  | (typeof templateEndpoints)[number]
  | (typeof topicEndpoints)[number]
  | (typeof workspaceEndpoints)[number];

type NameOf<E> = E extends { method: infer M extends string; path: infer P extends string } ? `${M} ${P}` : never;
export type RouteName = NameOf<All>;
type Find<N extends RouteName> = N extends `${infer M} ${infer P}` ? Extract<All, { method: M; path: P }> : never;

/** An object with no required key may be left out. */
type Part<Key extends string, S> = Record<string, never> extends S ? { [K in Key]?: S } : { [K in Key]: S };
type ParamsPart<E> = E extends { params: infer S extends z.ZodType } ? { params: z.input<S> } : unknown;
type QueryPart<E> = E extends { query: infer S extends z.ZodType } ? Part<'query', z.input<S>> : unknown;
type BodyPart<E> = E extends { body: infer S extends z.ZodType } ? { body: z.input<S> } : unknown;

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** The revision that was read: the change is refused (412) when somebody else was faster. */
  readonly ifMatch?: number;
  /** The same key again gives the same answer: a double click creates one thing. */
  readonly idempotencyKey?: string;
}
export type Given<N extends RouteName> = ParamsPart<Find<N>> & QueryPart<Find<N>> & BodyPart<Find<N>>;
export type Answer<N extends RouteName> =
  Find<N> extends { response: infer S extends z.ZodType } ? z.output<S> : undefined;
/** What may be left out when nothing is required. */
export type Args<N extends RouteName> =
  Record<string, never> extends Given<N>
    ? [given?: Given<N> & CallOptions]
    : unknown extends Given<N>
      ? [given?: CallOptions]
      : [given: Given<N> & CallOptions];

interface Loose {
  params?: Record<string, unknown>;
  query?: Record<string, string | number | boolean | null | undefined>;
  body?: unknown;
  signal?: AbortSignal;
  ifMatch?: number;
  idempotencyKey?: string;
}

/** An answer that is not what was asked for, as problem details; also when there was no answer at all (`status` 0). */
export class ApiProblem extends Error {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly code: string;
  readonly errors: readonly { pointer: string; message: string }[];
  readonly retryAfterSeconds: number | undefined;

  constructor(problem: Pick<Problem, 'status' | 'title' | 'detail' | 'code' | 'errors'>, retryAfterSeconds?: number) {
    super(`${problem.title}: ${problem.detail}`);
    this.name = 'ApiProblem';
    this.status = problem.status;
    this.title = problem.title;
    this.detail = problem.detail;
    this.code = problem.code;
    this.errors = problem.errors ?? [];
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The address of a route: for links to downloads, images and streams. */
export function urlOf<N extends RouteName>(name: N, ...[given]: Args<N>): string {
  return addressOf(name, given ?? {});
}

function addressOf(name: string, given: Loose): string {
  const path = name.slice(name.indexOf(' ') + 1);
  const filled = path.replace(/:([a-zA-Z]+)/g, (_, key: string) => encodeURIComponent(String(given.params?.[key])));
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(given.query ?? {})) {
    if (typeof value === 'string' ? value !== '' : typeof value === 'number' || typeof value === 'boolean') {
      query.set(key, String(value));
    }
  }
  return `/api/v1${filled}${query.size > 0 ? `?${query}` : ''}`;
}

let whenSignedOut: () => void = () => {};
/** Called when an answer says that there is no session (any more). */
export function onSignedOut(listener: () => void): void {
  whenSignedOut = listener;
}

/** Calls a route and gives its answer; throws an `ApiProblem` otherwise. */
export async function api<N extends RouteName>(name: N, ...[given]: Args<N>): Promise<Answer<N>> {
  const { body, signal, ifMatch, idempotencyKey, ...rest } = (given ?? {}) as Loose;
  const method = name.slice(0, name.indexOf(' '));
  const headers: Record<string, string> = { accept: 'application/json' };
  if (method !== 'GET') headers['x-parley-csrf'] = '1';
  if (ifMatch !== undefined) headers['if-match'] = `"r${ifMatch}"`;
  if (idempotencyKey !== undefined) headers['idempotency-key'] = idempotencyKey;
  if (body !== undefined && !(body instanceof Blob)) headers['content-type'] = 'application/json';
  const init: RequestInit = { method, headers, credentials: 'same-origin' };
  if (body !== undefined) init.body = body instanceof Blob ? body : JSON.stringify(body);
  if (signal) init.signal = signal;
  let response: Response;
  try {
    response = await fetch(addressOf(name, rest), init);
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw unreachable();
  }
  if (!response.ok) throw problemFrom(response.status, response.headers.get('retry-after'), await response.text());
  if (response.status === 204) return undefined as Answer<N>;
  return (await response.json()) as Answer<N>;
}

/** Uploads a form with its progress (which `fetch` cannot tell): `onProgress` gets a share from 0 to 1. */
export function upload<N extends RouteName>(
  name: N,
  form: FormData,
  options: { onProgress?: (share: number) => void; signal?: AbortSignal } = {},
): Promise<Answer<N>> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(name.slice(0, name.indexOf(' ')), addressOf(name, {}));
    request.setRequestHeader('accept', 'application/json');
    request.setRequestHeader('x-parley-csrf', '1');
    request.upload.addEventListener('progress', (event) => {
      if (event.lengthComputable) options.onProgress?.(event.loaded / event.total);
    });
    request.addEventListener('load', () => {
      if (request.status >= 200 && request.status < 300) resolve(JSON.parse(request.responseText) as Answer<N>);
      else reject(problemFrom(request.status, request.getResponseHeader('retry-after'), request.responseText));
    });
    request.addEventListener('error', () => reject(unreachable()));
    request.addEventListener('abort', () => reject(new DOMException('The upload was stopped.', 'AbortError')));
    options.signal?.addEventListener('abort', () => request.abort(), { once: true });
    request.send(form);
  });
}

function unreachable(): ApiProblem {
  return new ApiProblem({
    status: 0,
    title: 'Parley cannot be reached',
    detail: 'The server does not answer. Check your connection and try again; nothing you typed is lost.',
    code: 'network/unreachable',
  });
}

/** A wrong password is a 401 too, but no session ended by it. */
const attempts = new Set(['auth/wrong-credentials', 'auth/wrong-code', 'auth/sign-in-expired']);

function problemFrom(status: number, retryAfter: string | null, text: string): ApiProblem {
  const fallback = {
    status,
    title: `The server answered ${status}`,
    detail: 'It gave no reason.',
    code: 'network/no-problem',
  };
  let body: Partial<Problem> = {};
  try {
    body = JSON.parse(text) as Partial<Problem>;
  } catch {
    // A proxy's HTML page, or nothing: the status has to do.
  }
  const problem = new ApiProblem(
    { ...fallback, ...body, status },
    retryAfter ? Number(retryAfter) || undefined : undefined,
  );
  if (status === 401 && !attempts.has(problem.code)) whenSignedOut();
  return problem;
}
