import cookie from '@fastify/cookie';
import multipart from '@fastify/multipart';
import { LogController, fastify } from 'fastify';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Endpoint } from '../../contract/endpoint.ts';
import type { Clock } from './clock.ts';
import type { Db, Tx } from './db.ts';
import { AppError } from './errors.ts';
import type { FieldProblem } from './errors.ts';
import { etag } from './http.ts';
import type { Authenticate, Call, Caller, Route } from './http.ts';
import { answerBroken, bodyStream, readPast } from './http-broken.ts';
import { createGroups } from './http-group.ts';
import type { Groups } from './http-group.ts';
import { claimKey, claimOf, rememberAnswer } from './http-idempotency.ts';
import { createRequestLimit } from './http-limit.ts';
import { fieldProblems, invalidInput, problemOf } from './http-problems.ts';
import { unkeepable } from './http-text.rules.ts';
import { newId } from './ids.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

export interface HttpDeps {
  readonly db: Db;
  /** Where groups of calls are answered: a pool with pinned plans. */
  readonly pinned: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly authenticate: Authenticate;
  readonly trustedProxies: readonly string[];
  /** Known only once the port is: asked for at each request. */
  readonly origin: () => string;
}

const maxBodyBytes = 5 * 1024 * 1024;

const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};

/** The HTTP shell: reads, authenticates, permits, validates, opens the transaction, answers. Handlers only decide. */
export async function createHttpServer(routes: readonly Route[], deps: HttpDeps): Promise<FastifyInstance> {
  const logger: FastifyBaseLogger = deps.log;
  const app: FastifyInstance = fastify({
    loggerInstance: logger,
    // Requests are counted in the metrics; a line each would be most of the log.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: maxBodyBytes,
    trustProxy: deps.trustedProxies.length === 0 ? false : [...deps.trustedProxies],
    // One for each request would cost more than most of what it logs; what is logged names its request itself.
    childLoggerFactory: (log) => log,
    genReqId: () => newId(deps.clock),
    requestIdHeader: false,
    routerOptions: { maxParamLength: 600, ignoreTrailingSlash: true },
    keepAliveTimeout: 75_000,
    forceCloseConnections: true,
    // A whole upload fits; whoever sends a byte now and then does not hold a connection for good.
    requestTimeout: 3_600_000,
    clientErrorHandler: answerBroken,
    frameworkErrors: (error, request, reply) => void answerProblem(error, request, reply.headers(securityHeaders)),
  });
  await app.register(cookie);
  await app.register(multipart, {
    limits: { files: 1, fields: 20, parts: 25, fieldSize: 256 * 1024, headerPairs: 50 },
    throwFileSizeLimit: true,
  });
  readBodies(app);
  app.setErrorHandler((error, request, reply) => answerProblem(error, request, reply));
  app.setNotFoundHandler((request, reply) =>
    answerProblem(new AppError('route-not-found', `There is no ${request.method} ${pathOf(request)}.`), request, reply),
  );
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ ...securityHeaders, 'x-request-id': request.id });
  });
  app.addHook('onResponse', async (request, reply) => {
    deps.metrics.request(
      request.routeOptions.url ?? 'unknown',
      request.method,
      reply.statusCode,
      reply.elapsedTime / 1000,
    );
  });
  const limit = createRequestLimit(deps.clock);
  const groups = createGroups({ db: deps.pinned, clock: deps.clock });
  const isRaw = ({ endpoint }: Route) => endpoint.consumes?.includes('*/*') === true;
  for (const one of routes) if (!isRaw(one)) mount(app, one, deps, limit, groups);
  await app.register(async (scope) => {
    readRaw(scope);
    for (const one of routes) if (isRaw(one)) mount(scope, one, deps, limit, groups);
  });
  return app;
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0]?.slice(0, 200) ?? '';
}

function readBodies(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser(['application/json', 'text/plain']);
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) => {
    if (text === '') return done(null, undefined);
    return parseJson(request, text.toString(), done);
  });
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: 64 * 1024 },
    (_request, text, done) => done(null, Object.fromEntries(new URLSearchParams(text.toString()))),
  );
  // Streams: the handler reads them, with limits of its own.
  app.addContentTypeParser(['text/csv', 'application/octet-stream'], (_request, payload, done) =>
    done(null, bodyStream(payload)),
  );
}

/** Signatures are made over the bytes that were sent: nothing is parsed before they are judged. */
function readRaw(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, bytes, done) => done(null, bytes));
}

function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { problem, refusal } = problemOf(error, request);
  if (refusal === undefined)
    request.log.error({ err: error, requestId: request.id, path: request.routeOptions.url }, 'a request failed');
  else if (refusal.cause !== undefined)
    request.log.warn(
      {
        code: refusal.code,
        requestId: request.id,
        reason: refusal.cause instanceof Error ? refusal.cause.message : JSON.stringify(refusal.cause),
      },
      'a request was refused',
    );
  if (reply.raw.headersSent) {
    reply.raw.destroy();
    return reply;
  }
  readPast(request, reply);
  return reply
    .code(problem.status)
    .headers(refusal?.headers ?? {})
    .type('application/problem+json')
    .send(JSON.stringify(problem));
}

export function urlOf(endpoint: Endpoint): string {
  return endpoint.absolute === true ? endpoint.path : `/api/v1${endpoint.path}`;
}

function mount(
  app: FastifyInstance,
  one: Route,
  deps: HttpDeps,
  limit: ReturnType<typeof createRequestLimit>,
  groups: Groups,
): void {
  const { endpoint } = one;
  app.route({
    method: endpoint.method,
    url: urlOf(endpoint),
    exposeHeadRoute: endpoint.absolute === true,
    handler: async (request, reply) => {
      const caller = await permit(endpoint, request, deps);
      for (const [name, value] of limit.take(caller?.id ?? request.ip, endpoint.permission === 'public'))
        reply.header(name, value);
      const call = await read(endpoint, caller, request, reply, deps);
      const answer = await perform(one, call, deps, groups);
      if (reply.sent || reply.raw.headersSent) return reply;
      return answer === undefined
        ? reply.code(endpoint.response === undefined ? endpoint.status : 204).send()
        : send(reply, endpoint, answer);
    },
  });
}

async function permit(endpoint: Endpoint, request: FastifyRequest, deps: HttpDeps): Promise<Caller | undefined> {
  if (endpoint.permission === 'public') return undefined;
  const caller = await deps.authenticate(request);
  if (caller === undefined)
    throw new AppError('unauthenticated', 'Sign in, or send "Authorization: Bearer <API key>".', {
      headers: { 'www-authenticate': 'Bearer' },
    });
  if (endpoint.permission !== 'signed-in' && !caller.permissions.has(endpoint.permission))
    throw new AppError('forbidden', `This needs the permission ${endpoint.permission}.`);
  return caller;
}

async function read(
  endpoint: Endpoint,
  caller: Caller | undefined,
  request: FastifyRequest,
  reply: FastifyReply,
  deps: HttpDeps,
): Promise<Call<Endpoint>> {
  // A page for contacts is shown whatever their mail program made of the link: of it, only the signed token is used.
  const isPage = endpoint.permission === 'public' && endpoint.produces !== undefined;
  const parts = {
    params: parse(endpoint.params, request.params, '/params', isPage),
    query: parse(endpoint.query, request.query, '/query', isPage),
    body:
      endpoint.consumes === undefined ? parse(endpoint.body, request.body, '') : { value: request.body, problems: [] },
  };
  const problems = Object.values(parts).flatMap((part) => part.problems);
  if (problems.length > 0) throw invalidInput(problems);
  return {
    // Parsed by the endpoint's own schemas just above; the endpoint's types say what they give.
    params: parts.params.value as never,
    query: parts.query.value as never,
    body: parts.body.value as never,
    caller: caller as Caller,
    requestId: request.id,
    ip: request.ip,
    userAgent: (request.headers['user-agent'] ?? '').slice(0, 500),
    origin: deps.origin(),
    mintedId: newId(deps.clock),
    idempotencyKey: endpoint.idempotent === true ? idempotencyKey(request) : undefined,
    ifMatch: request.headers['if-match'],
    setHeader: (name, value) => void reply.header(name, value),
    raw: request,
    reply,
  };
}

type Read = { value: unknown; problems: FieldProblem[] };

function parse(schema: Endpoint['body'], input: unknown, root: string, isPage = false): Read {
  const unkept = schema === undefined || isPage ? [] : unkeepable(input, root);
  if (unkept.length > 0) return { value: undefined, problems: unkept };
  if (schema === undefined) {
    const keys = root === '/query' && typeof input === 'object' && input !== null ? Object.keys(input) : [];
    return {
      value: undefined,
      problems: keys.map((key) => ({ pointer: `${root}/${key}`, message: 'is not known here' })),
    };
  }
  const result = schema.safeParse(input);
  return result.success
    ? { value: result.data, problems: [] }
    : { value: undefined, problems: fieldProblems(result.error, root) };
}

function idempotencyKey(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key))
    throw new AppError('malformed-request', 'Idempotency-Key: 1 to 255 visible ASCII characters.');
  return key;
}

async function perform(one: Route, call: Call<Endpoint>, deps: HttpDeps, groups: Groups): Promise<unknown> {
  const { inTransaction, withDb, endpoint } = one;
  if (one.inGroup !== undefined) return groups.answer({ endpoint, ...one.inGroup }, call);
  if (inTransaction === undefined) return withDb?.(call, deps.db);
  const { caller } = call;
  if (caller === undefined) throw new Error('a route in a transaction needs a caller');
  if (endpoint.method === 'GET') return deps.db.read(caller.workspaceId, (tx) => inTransaction(tx, call));
  return deps.db.transaction(caller.workspaceId, (tx) => once(tx, one, call, deps, inTransaction));
}

async function once(
  tx: Tx,
  one: Route,
  call: Call<Endpoint>,
  deps: HttpDeps,
  handle: NonNullable<Route['inTransaction']>,
): Promise<unknown> {
  const key = call.idempotencyKey;
  if (key === undefined) return handle(tx, call);
  const before = await claimKey(tx, claimOf(one.endpoint, call, key, deps.clock.now()));
  if (before !== undefined) {
    call.setHeader('idempotency-replayed', 'true');
    return before.response === '' ? undefined : JSON.parse(before.response);
  }
  const answer = await handle(tx, call);
  await rememberAnswer(tx, key, one.endpoint.status, answer === undefined ? '' : JSON.stringify(answer));
  return answer;
}

function send(reply: FastifyReply, endpoint: Endpoint, answer: unknown): FastifyReply {
  if (typeof answer === 'object' && answer !== null && 'revision' in answer && typeof answer.revision === 'number')
    reply.header('etag', etag(answer.revision));
  return reply
    .code(endpoint.status)
    .type('application/json; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(JSON.stringify(answer));
}
