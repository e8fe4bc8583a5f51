import { createHmac, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../platform/clock.ts';
import type { Clock } from '../../platform/clock.ts';
import { createHttpClient } from '../../platform/http-client.ts';
import type { HttpClient } from '../../platform/http-client.ts';
import { fateOfAddress } from '../../sandbox/behaviour.rules.ts';
import type { CallbackDraft, Desk, Fate, Vendor, VendorAnswer, VendorMail } from '../../sandbox/vendor.ts';
import type { Callback, ProviderAccount, ProviderDeps } from '../port.ts';
import { providerDeps } from '../testing.ts';
import type { Play, PlayedVendor } from '../testing-contract.ts';

/**
 * A vendor of the sandbox on a port of its own, without the sandbox around it: so a test of the adapter is one of the
 * played vendor too. What it does with the next message is said by a play, or by the address as in the sandbox.
 */

export interface PlayedMail extends PlayedVendor {
  readonly origin: string;
  readonly kept: readonly VendorMail[];
  /** Callbacks as they would have been posted, in the order in which they are due. */
  callbacks(): readonly Callback[];
  readonly requests: readonly {
    readonly method: string;
    readonly path: string;
    readonly headers: IncomingMessage['headers'];
    readonly body: Buffer;
  }[];
  readonly desk: Desk;
  /** What providers are given, with a client that may call this vendor. */
  open(clock?: Clock): ProviderDeps;
}

export interface PlayedOptions {
  readonly vendor: Vendor;
  account(origin: string, desk: Desk): Pick<ProviderAccount, 'settings' | 'secrets'>;
  /** What no recipient can bring about, such as a wrong key. */
  script(play: Play): VendorAnswer | undefined;
  readonly clock?: Clock;
}

export const playedCallbackUrl = 'https://parley.example/api/v1/callbacks/vendor/account';
export const playedWorkspace = '0198c1d2-0000-7000-8000-00000000000a';

const fates: Partial<Record<Play, Fate>> = {
  'refuse-address': { kind: 'refuse' },
  throttle: { kind: 'throttle', afterSeconds: 7 },
  down: { kind: 'burst', status: 503 },
  quiet: { kind: 'quiet' },
  malformed: { kind: 'malformed' },
};

interface Playing {
  play: Play | undefined;
  readonly options: PlayedOptions;
  readonly desk: Desk;
  readonly kept: VendorMail[];
  readonly drafts: CallbackDraft[];
  readonly requests: { method: string; path: string; headers: IncomingMessage['headers']; body: Buffer }[];
}

/** Secrets are the same at every desk, so that what one signs another's account believes. */
export function playedDesk(clock: Clock): Desk {
  return {
    clock,
    hex: (digits) => randomBytes(digits).toString('hex').slice(0, digits),
    fateOf: () => ({ kind: 'catch' }),
    keep: () => Promise.resolve(),
    later: () => {},
    secret: (_workspace, use) => createHmac('sha256', 'played').update(use).digest(),
  };
}

export async function startPlayedMail(options: PlayedOptions): Promise<PlayedMail> {
  const kept: VendorMail[] = [];
  const drafts: CallbackDraft[] = [];
  const desk: Desk = {
    ...playedDesk(options.clock ?? systemClock),
    fateOf: (_workspace, recipient) =>
      playing.play === undefined ? fateOfAddress(recipient) : (fates[playing.play] ?? { kind: 'catch' }),
    keep: async (_workspace, mail) => void kept.push(mail),
    later: (_workspace, draft) => void drafts.push(draft),
  };
  const playing: Playing = { play: undefined, options, desk, kept, drafts, requests: [] };
  const server = createServer((request, response) => void serve(playing, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clients: HttpClient[] = [];
  const within = (deps: ProviderDeps): ProviderDeps => {
    const http = createHttpClient({ resolveHost: deps.resolveHost, clock: deps.clock });
    http.trust(origin);
    clients.push(http);
    return { ...deps, http };
  };
  return {
    origin,
    desk,
    kept,
    requests: playing.requests,
    callbacks: () => drafts.toSorted((a, b) => a.afterMs - b.afterMs).map(callbackOf),
    account: () => ({
      workspaceId: playedWorkspace,
      id: '0198c1d2-0000-7000-8000-00000000000b',
      revision: 1,
      ...options.account(origin, desk),
    }),
    deps: (deps) => {
      deps.http.trust(origin);
      return deps;
    },
    open: (clock = desk.clock) => within(providerDeps(clock)),
    plays: (play) => {
      playing.play = play;
    },
    get heard() {
      return playing.requests.filter(({ method }) => method === 'POST').map(({ body }) => body.toString('utf8'));
    },
    close: async () => {
      for (const client of clients) await client.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function callbackOf({ method, url, headers, body }: CallbackDraft): Callback {
  return { method, url, headers, body: Buffer.from(body) };
}

async function serve(playing: Playing, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const url = new URL(request.url ?? '/', 'http://vendor');
  const heard = {
    method: request.method ?? 'GET',
    path: url.pathname,
    headers: request.headers,
    body: Buffer.concat(chunks),
  };
  playing.requests.push(heard);
  if (playing.play === 'hang-up') return void request.socket.destroy();
  const scripted = playing.play === undefined ? undefined : playing.options.script(playing.play);
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  const answer =
    scripted ??
    (await playing.options.vendor.handle(
      {
        ...heard,
        query: url.searchParams,
        headers,
        workspaceId: playedWorkspace,
        baseUrl: `http://${request.headers.host ?? ''}`,
        callbackUrl: playedCallbackUrl,
      },
      playing.desk,
    ));
  if ('fate' in answer) return;
  const { body } = answer;
  const bytes = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
  response.end(bytes);
}
