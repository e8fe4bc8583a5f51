import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import * as contract from '../../../contract/inapp.ts';
import type { Clock } from '../../platform/clock.ts';
import { AppError, notFound } from '../../platform/errors.ts';
import { route, streamRoute } from '../../platform/http.ts';
import type { Route } from '../../platform/http.ts';
import type { NewsDesk } from '../../platform/news.ts';
import type { Vault } from '../../platform/sealing.ts';
import './errors.ts';
import type { Act, Inbox } from './inbox.ts';
import { createLive } from './live.ts';
import { makeInboxToken, readInboxToken } from './token.rules.ts';
import type { InboxPass } from './token.rules.ts';

export interface InAppRoutesDeps {
  readonly inbox: Inbox;
  readonly clock: Clock;
  readonly vault: Pick<Vault, 'linkKey'>;
  readonly news: Pick<NewsDesk, 'subscribe'>;
  readonly stop: AbortSignal;
}

/** What a browser's call carries; of no other kind of caller is anything believed. */
interface Asked {
  readonly raw: FastifyRequest;
  readonly reply: FastifyReply;
  readonly origin: string;
}

export function inAppRoutes(deps: InAppRoutesDeps): Route[] {
  return [mintRoute(deps), ...readingRoutes(deps), ...actingRoutes(deps), liveRoute(deps), scriptRoute()];
}

function mintRoute({ inbox, clock, vault }: InAppRoutesDeps): Route {
  return route(contract.mintInAppToken, async (tx, { params, body }) => {
    if (!(await inbox.mayOpen(tx, params.id))) throw notFound('contact');
    const seconds = body?.expiresInSeconds ?? 3600;
    // Whole seconds stand in the token.
    const until = clock.now().add({ seconds }).round({ smallestUnit: 'second', roundingMode: 'floor' });
    const { workspaceId } = tx;
    const token = makeInboxToken(vault.linkKey(workspaceId), { workspaceId, contactId: params.id, until });
    return { token, expiresAt: until.toString() };
  });
}

/**
 * Who calls, from which page. A browser says the origin with every call to another one; calls of the dashboard's own origin,
 * and of programs, which say none, are let in by the token alone.
 */
async function admit({ inbox, clock, vault }: InAppRoutesDeps, { raw, reply, origin }: Asked): Promise<InboxPass> {
  const { origin: from } = raw.headers;
  const token = /^Bearer ([\w-]+)$/i.exec(raw.headers.authorization ?? '')?.[1] ?? '';
  const pass = readInboxToken(token, (id) => vault.linkKey(id), clock.now());
  if (from !== undefined) reply.headers({ vary: 'origin' });
  if (pass === undefined) {
    // Its page may see that the token has ended, and ask for another; there is nothing else in the answer.
    if (from !== undefined) reply.header('access-control-allow-origin', from);
    throw new AppError(
      'inapp/token-refused',
      'Send "Authorization: Bearer <inbox token>"; ask your server for a new one.',
    );
  }
  if (from === undefined || from === origin) return pass;
  if (!(await inbox.allowedOrigins(pass.workspaceId)).includes(from))
    throw new AppError('inapp/origin-refused', 'Add the origin to the in-app account to let its pages show the inbox.');
  reply.header('access-control-allow-origin', from);
  return pass;
}

function readingRoutes(deps: InAppRoutesDeps): Route[] {
  return [
    streamRoute(contract.listInApp, async (call) => {
      const { show, limit, cursor } = call.query;
      return deps.inbox.list(await admit(deps, call), { show, limit, cursor });
    }),
    streamRoute(contract.countInApp, async (call) => deps.inbox.unread(await admit(deps, call))),
  ];
}

function actingRoutes(deps: InAppRoutesDeps): Route[] {
  const acting = (act: Act) => async (call: Asked & { readonly params: { readonly id: string } }) =>
    deps.inbox.act(await admit(deps, call), call.params.id, act);
  return [
    streamRoute(contract.readInApp, acting('read')),
    streamRoute(contract.clickInApp, acting('click')),
    streamRoute(contract.archiveInApp, acting('archive')),
    streamRoute(contract.readAllInApp, async (call) => deps.inbox.readAll(await admit(deps, call))),
  ];
}

function liveRoute(deps: InAppRoutesDeps): Route {
  const live = createLive(deps);
  return streamRoute(contract.streamInApp, async (call) => {
    const pass = await admit(deps, call);
    // Of an erased contact, refused while an answer can still say so.
    await deps.inbox.unread(pass);
    const leave = live.enter(pass);
    const { raw } = call.reply;
    const cors = call.reply.getHeaders();
    call.reply.hijack();
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      ...(cors['access-control-allow-origin'] === undefined
        ? {}
        : { 'access-control-allow-origin': String(cors['access-control-allow-origin']), vary: 'origin' }),
    });
    raw.write('retry: 2000\n\n');
    try {
      await live.pump(pass, raw);
    } finally {
      leave();
      raw.end();
    }
  });
}

function scriptRoute(): Route {
  const script = readFileSync(join(import.meta.dirname, 'parley-inbox.js'));
  const tag = `"${createHash('sha256').update(script).digest('base64url').slice(0, 22)}"`;
  return streamRoute(contract.inboxScript, async ({ raw, reply }) => {
    reply.headers({
      'cache-control': 'public, max-age=300',
      etag: tag,
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
    });
    if (raw.headers['if-none-match'] === tag) return void reply.code(304).send();
    await reply.type('text/javascript; charset=utf-8').send(script);
  });
}

/**
 * A browser asks before it sends a token to another origin. Which workspace it is going to be is not known yet, so the answer
 * is yes to all: without a cookie there is nothing to misuse, and the call itself is let in by token and origin.
 */
export function answerPreflights(app: FastifyInstance): void {
  app.options('/api/v1/inapp/*', async (request, reply) =>
    reply
      .code(204)
      .headers({
        'access-control-allow-origin': request.headers.origin ?? '*',
        'access-control-allow-methods': 'GET, POST',
        'access-control-allow-headers': 'authorization, content-type',
        'access-control-max-age': '600',
        vary: 'origin',
      })
      .send(),
  );
}
