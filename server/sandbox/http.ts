import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { SandboxScenario } from '../../contract/sandbox-scenario.ts';
import type { Clock } from '../platform/clock.ts';
import { isId } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import type { Collector } from './collector.ts';
import type { Post } from './post.ts';
import { fateFor } from './scenario.rules.ts';
import type { Scenarios } from './scenarios.ts';
import type { Desk, Vendor, VendorAnswer } from './vendor.ts';

/** An account that is set to the sandbox: its callbacks go to its own address. */
export interface AccountName {
  readonly kind: string;
  readonly id: string;
}

export interface VendorServer {
  readonly origin: string;
  vendorUrl(workspaceId: string, vendor: string, account?: AccountName): string;
  close(): Promise<void>;
}

export interface VendorDeskDeps {
  readonly collector: Collector;
  readonly scenarios: Scenarios;
  readonly post: Post;
  readonly clock: Clock;
  /** What is secret here is derived from it. */
  readonly key: Buffer;
  readonly random: () => number;
}

export interface VendorServerDeps extends VendorDeskDeps {
  readonly vendors: readonly Vendor[];
  readonly log: Log;
  callbackUrl(kind: string, accountId: string): string | undefined;
}

const host = '127.0.0.1';
const maxBytes = 30 * 1024 * 1024;

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

/**
 * Listens on the loopback only, on a port the system chooses, and plays each vendor below
 * `/<workspace>[.<kind>.<account>].<token>/<vendor>`. HTTP/1.1 and, for those who begin with it (APNs), HTTP/2.
 */
export async function startVendorServer(deps: VendorServerDeps): Promise<VendorServer> {
  const listener = (request: Request, response: Response) => void serve(deps, request, response);
  const http = createHttpServer({ keepAliveTimeout: 30_000 }, listener);
  const http2 = createHttp2Server({}, listener);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // Clients that hang up are their own affair.
    socket.on('error', () => {});
    socket.setNoDelay(true);
    socket.once('readable', () => {
      const head: Buffer | null = socket.read() as Buffer | null;
      if (head === null) return;
      socket.unshift(head);
      // The first letters of the preface of HTTP/2 (RFC 9113, 3.4) are no method of HTTP/1.1.
      (head.toString('latin1', 0, 3) === 'PRI' ? http2 : http).emit('connection', socket);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  const origin = `http://${host}:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    vendorUrl: (workspaceId, vendor, account) => {
      const parts = account === undefined ? [workspaceId] : [workspaceId, account.kind, account.id];
      return `${origin}/${[...parts, tokenOf(deps.key, parts)].join('.')}/${vendor}`;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function tokenOf(key: Buffer, parts: readonly string[]): string {
  return createHmac('sha256', key)
    .update(`sandbox-http:${parts.join('.')}`)
    .digest('base64url')
    .slice(0, 22);
}

interface Guest {
  readonly workspaceId: string;
  readonly account: AccountName | undefined;
}

/** Who a first segment of a path is; undefined when the token does not fit. */
function guestOf(key: Buffer, segment: string): Guest | undefined {
  const parts = segment.split('.');
  const token = Buffer.from(parts.pop() ?? '');
  const wanted = Buffer.from(tokenOf(key, parts));
  if (token.length !== wanted.length || !timingSafeEqual(token, wanted)) return undefined;
  const [workspaceId = '', kind, id] = parts;
  if (!isId(workspaceId)) return undefined;
  return { workspaceId, account: kind === undefined || id === undefined ? undefined : { kind, id } };
}

async function serve(deps: VendorServerDeps, request: Request, response: Response): Promise<void> {
  try {
    const body = await bodyOf(request);
    const answer = body === undefined ? plain(413, 'too large') : await answerTo(deps, request, body);
    if (!('fate' in answer)) write(response, answer);
  } catch (error) {
    deps.log.warn({ err: error }, 'the sandbox could not play a vendor');
    write(response, plain(500, 'The sandbox failed'));
  }
}

async function answerTo(
  deps: VendorServerDeps,
  request: Request,
  body: Buffer,
): Promise<VendorAnswer | { readonly fate: 'quiet' }> {
  const url = new URL(request.url ?? '/', 'http://sandbox');
  const [, segment = '', name = '', ...rest] = url.pathname.split('/');
  const guest = guestOf(deps.key, segment);
  const vendor = deps.vendors.find((one) => one.name === name);
  const path = decoded(`/${rest.join('/')}`);
  if (guest === undefined || vendor === undefined || path === undefined) return plain(404, 'No such vendor');
  const callbackUrl = guest.account && deps.callbackUrl(guest.account.kind, guest.account.id);
  const desk = await openDesk(deps, guest.workspaceId, callbackUrl);
  return vendor.handle(
    {
      method: request.method ?? 'GET',
      path,
      query: url.searchParams,
      headers: headersOf(request),
      body,
      workspaceId: guest.workspaceId,
      baseUrl: `http://${request.headers.host ?? String(request.headers[':authority'] ?? host)}/${segment}/${name}`,
      ...(callbackUrl === undefined ? {} : { callbackUrl }),
    },
    desk,
  );
}

/** A desk for one request: what a vendor asks it without waiting was read before. */
export async function openDesk(deps: VendorDeskDeps, workspaceId: string, callbackUrl?: string): Promise<Desk> {
  return deskWith(deps, await deps.scenarios.of(workspaceId), callbackUrl);
}

export function deskWith(deps: VendorDeskDeps, scenario: SandboxScenario, callbackUrl?: string): Desk {
  return {
    clock: deps.clock,
    hex: (digits) =>
      randomBytes(Math.ceil(digits / 2))
        .toString('hex')
        .slice(0, digits),
    fateOf: (_workspaceId, recipient, vendor) => fateFor(scenario, { recipient, vendor }, deps.random),
    keep: async (owner, mail) => void (await deps.collector.keep(owner, mail, callbackUrl)),
    later: (owner, callback) => deps.post.later(owner, callback),
    secret: (owner, use) => createHmac('sha256', deps.key).update(`sandbox-secret:${owner}:${use}`).digest(),
  };
}

/** Undefined: it is larger than any vendor takes. */
async function bodyOf(request: Request): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

function headersOf(request: Request): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined && !name.startsWith(':')) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}

function plain(status: number, text: string): VendorAnswer {
  return { status, headers: { 'content-type': 'text/plain' }, body: text };
}

function write(response: Response, { status, headers = {}, body }: VendorAnswer): void {
  if (response.writableEnded || response.destroyed) return;
  const isBytes = body === undefined || typeof body === 'string' || Buffer.isBuffer(body);
  const bytes = isBytes ? Buffer.from(body ?? '') : Buffer.from(JSON.stringify(body));
  const type = isBytes ? {} : { 'content-type': 'application/json' };
  const length = status === 204 ? {} : { 'content-length': String(bytes.length) };
  for (const [name, value] of Object.entries({ ...type, ...headers, ...length })) response.setHeader(name, value);
  response.statusCode = status;
  response.end(bytes);
}
