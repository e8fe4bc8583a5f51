import { createHmac, randomBytes } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { systemClock } from '../../platform/clock.ts';
import { fateOfAddress } from '../../sandbox/behaviour.rules.ts';
import type { Desk, Fate, Vendor, VendorAnswer, VendorMail } from '../../sandbox/vendor.ts';
import type { OutgoingPush, ProviderAccount, ProviderDeps } from '../port.ts';
import { providerDeps } from '../testing.ts';
import type { Play, PlayedVendor } from '../testing-contract.ts';

/**
 * A push service of the sandbox on a port of its own, in HTTP/1.1 or HTTP/2, so that a test of the adapter is one of the
 * played vendor too. What it does with the next message is said by a play, or by the token as in the sandbox.
 */
export interface PlayedPush extends PlayedVendor {
  readonly kept: readonly VendorMail[];
  readonly requests: readonly { readonly path: string; readonly headers: Readonly<Record<string, string>> }[];
  readonly connections: () => number;
  /** What providers are given, with a client that may call this vendor. */
  open(change?: Partial<ProviderDeps>): ProviderDeps;
  /** The next answers, whatever is asked. */
  answer(...answers: VendorAnswer[]): void;
  /** The server goes away as servers do: no new streams, what has begun ends. Of HTTP/2. */
  goAway(): void;
}

export interface PlayedPushOptions {
  readonly vendor: Vendor;
  readonly http2?: true;
  account(origin: string, desk: Desk): Pick<ProviderAccount, 'settings' | 'secrets'>;
  /** A request that hands a message over; others (tokens) go on whatever is played. */
  isMessage(path: string): boolean;
  /** What no token can bring about, such as a wrong key. */
  script(play: Play): VendorAnswer | undefined;
}

export const playedWorkspace = '0198c1d2-0000-7000-8000-00000000000a';

const fates: Partial<Record<Play, Fate>> = {
  'refuse-address': { kind: 'refuse' },
  'refuse-content': { kind: 'block' },
  throttle: { kind: 'throttle', afterSeconds: 7 },
  down: { kind: 'burst', status: 503 },
  quiet: { kind: 'quiet' },
  malformed: { kind: 'malformed' },
};

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

export async function startPlayedPush(options: PlayedPushOptions): Promise<PlayedPush> {
  const kept: VendorMail[] = [];
  const heard: string[] = [];
  const requests: { path: string; headers: Record<string, string> }[] = [];
  const scripted: VendorAnswer[] = [];
  let play: Play | undefined;
  let count = 0;
  const desk: Desk = {
    clock: systemClock,
    hex: (digits) => randomBytes(digits).toString('hex').slice(0, digits),
    fateOf: (_workspace, token) => (play === undefined ? fateOfAddress(token) : (fates[play] ?? { kind: 'catch' })),
    keep: async (_workspace, mail) => void kept.push(mail),
    later: () => {},
    secret: (_workspace, use) => createHmac('sha256', 'played').update(use).digest(),
  };
  const serve = async (request: Request, response: Response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const url = new URL(request.url ?? '/', 'http://vendor');
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const body = Buffer.concat(chunks);
    const isMessage = options.isMessage(url.pathname);
    requests.push({ path: url.pathname, headers });
    if (isMessage) heard.push(body.toString());
    if (isMessage && play === 'hang-up') return void request.socket.destroy();
    const said = isMessage ? (scripted.shift() ?? (play === undefined ? undefined : options.script(play))) : undefined;
    const asked = { method: request.method ?? 'GET', path: url.pathname, query: url.searchParams, headers, body };
    const answer =
      said ??
      (await options.vendor.handle(
        { ...asked, workspaceId: playedWorkspace, baseUrl: `http://${headers['host'] ?? ''}` },
        desk,
      ));
    if ('fate' in answer) return;
    response.statusCode = answer.status;
    for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
    const { body: text = '' } = answer;
    response.end(typeof text === 'string' || Buffer.isBuffer(text) ? text : JSON.stringify(text));
  };
  const listener = (request: Request, response: Response) => void serve(request, response);
  const server = options.http2 === true ? createHttp2Server({}, listener) : createHttpServer(listener);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    count++;
    sockets.add(socket);
    socket.on('error', () => {});
  });
  const sessions = new Set<{ goaway(): void; close(): void }>();
  server.on('session', (session: { goaway(): void; close(): void }) => sessions.add(session));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const within = (deps: ProviderDeps): ProviderDeps => {
    deps.http.trust(origin);
    return deps;
  };
  return {
    kept,
    heard,
    requests,
    connections: () => count,
    account: () => ({
      workspaceId: playedWorkspace,
      id: '0198c1d2-0000-7000-8000-00000000000b',
      revision: 1,
      ...options.account(origin, desk),
    }),
    deps: within,
    open: ({ clock = systemClock, ...change } = {}) => within(providerDeps(clock, change)),
    plays: (next) => {
      play = next;
    },
    answer: (...answers) => void scripted.push(...answers),
    goAway: () => {
      for (const session of sessions) {
        session.goaway();
        session.close();
      }
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function push(token: string, change: Partial<OutgoingPush> = {}): OutgoingPush {
  return {
    channel: 'push',
    messageId: '0198c1d2-0000-7000-8000-000000000001',
    token,
    title: 'Hello',
    body: 'There is news',
    url: 'https://example.com/news',
    urgency: 'high',
    ...change,
  };
}

const noCallbacks = 'push services tell nothing of a message after they have taken it';

/** Promises that no push service can have. */
export const withoutReceipts = {
  'bad-signature': noCallbacks,
  'stale-callback': noCallbacks,
  'replayed-callback': noCallbacks,
  'out-of-order-callbacks': noCallbacks,
  'look-up': 'push services cannot be asked what became of a message',
} as const;
