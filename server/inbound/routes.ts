import type { FastifyReply, FastifyRequest } from 'fastify';
import * as contract from '../../contract/pages.ts';
import type { Db } from '../platform/db.ts';
import { streamRoute } from '../platform/http.ts';
import type { Route } from '../platform/http.ts';
import { readClickToken, readToken } from '../platform/links.ts';
import type { LinkTarget } from '../platform/links.ts';
import type { Log } from '../platform/log.ts';
import type { Vault } from '../platform/sealing.ts';
import type { Hits } from './hits.ts';
import { askPage, deadLinkPage, donePage, pagePolicy, preferencePage, tryAgainPage } from './pages.rules.ts';
import type { Choices, Choosing, Person } from './choices.ts';
import { wordsFor } from './words.ts';

export interface InboundRoutesDeps {
  readonly hits: Hits;
  readonly choices: Choices;
  readonly vault: Pick<Vault, 'linkKey'>;
  readonly log: Log;
}

/** 1 × 1, transparent. */
const pixel = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');

function header(request: FastifyRequest, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}

function requestFacts(request: FastifyRequest) {
  const purpose = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz']
    .map((name) => header(request, name))
    .join(' ')
    .trim();
  return { method: request.method, userAgent: header(request, 'user-agent').slice(0, 500), purpose };
}

function sendPixel(reply: FastifyReply, status: number): void {
  void reply
    .code(status)
    .header('cache-control', 'no-store, max-age=0')
    .header('cross-origin-resource-policy', 'cross-origin')
    .type('image/gif')
    .send(pixel);
}

/** The token stands in the address: it is told to nobody, and the page is kept by nobody. */
function sendPage(reply: FastifyReply, status: number, html: string): void {
  void reply
    .code(status)
    .headers({
      'content-security-policy': pagePolicy,
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'x-robots-tag': 'noindex, nofollow',
    })
    .type('text/html; charset=utf-8')
    .send(html);
}

interface Asked {
  readonly raw: FastifyRequest;
  readonly reply: FastifyReply;
}

function sendDead({ raw, reply }: Asked, status: 404 | 410): void {
  sendPage(reply, status, deadLinkPage(wordsFor(null, header(raw, 'accept-language'))));
}

export function inboundRoutes(deps: InboundRoutesDeps): Route[] {
  return [openRoute(deps), clickRoute(deps), ...unsubscribeRoutes(deps), ...preferenceRoutes(deps)];
}

/** A mail shows a picture whatever happens here; without an event written down, the answer is not a success. */
function openRoute({ hits, vault, log }: InboundRoutesDeps): Route {
  return streamRoute(contract.openPixel, async ({ params, raw, reply }) => {
    const target = readToken(params.token, vault.linkKey);
    if (target === undefined) return sendPixel(reply, 200);
    try {
      await hits.take(target.workspaceId, {
        kind: 'open',
        messageId: target.messageId,
        n: 0,
        request: requestFacts(raw),
      });
      sendPixel(reply, 200);
    } catch (error) {
      log.warn({ err: error }, 'an open could not be written down');
      sendPixel(reply.header('retry-after', '5'), 503);
    }
  });
}

function clickRoute({ hits, vault, log }: InboundRoutesDeps): Route {
  return streamRoute(contract.clickLink, async ({ params, raw, reply }) => {
    const target = readClickToken(params.token, vault.linkKey);
    if (target === undefined) return sendDead({ raw, reply }, 404);
    const { workspaceId, messageId, n } = target;
    try {
      const { destination } = await hits.take(workspaceId, { kind: 'click', messageId, n, request: requestFacts(raw) });
      if (destination === undefined) return sendDead({ raw, reply }, 410);
      void reply
        .code(302)
        .headers({ location: destination, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' })
        .send();
    } catch (error) {
      log.warn({ err: error }, 'a click could not be written down');
      sendPage(reply.header('retry-after', '5'), 503, tryAgainPage(wordsFor(null, header(raw, 'accept-language'))));
    }
  });
}

interface PageCall extends Asked {
  readonly params: { readonly token: string };
  readonly ip: string;
  readonly userAgent: string;
}

/** Reads the token before anything else, finds the person, and keeps a failing database from showing as a stack of JSON. */
function personPage(
  deps: InboundRoutesDeps,
  act: (person: Person, target: LinkTarget, call: PageCall, db: Db) => Promise<void>,
) {
  return async (call: PageCall, db: Db): Promise<void> => {
    const target = readToken(call.params.token, deps.vault.linkKey);
    if (target === undefined) return sendDead(call, 404);
    try {
      const person = await db.read(target.workspaceId, (tx) => deps.choices.personOf(tx, target.messageId));
      if (person === undefined) return sendDead(call, 410);
      await act(person, target, call, db);
    } catch (error) {
      deps.log.error({ err: error }, "a contact's page failed");
      sendPage(
        call.reply.header('retry-after', '5'),
        503,
        tryAgainPage(wordsFor(null, header(call.raw, 'accept-language'))),
      );
    }
  };
}

function wordsOf(person: Person, { raw }: Asked) {
  return wordsFor(person.message.locale, header(raw, 'accept-language'));
}

function choosing(person: Person, call: PageCall): Choosing {
  return { ip: call.ip, userAgent: call.userAgent, locale: wordsOf(person, call).lang };
}

function unsubscribeRoutes(deps: InboundRoutesDeps): Route[] {
  const view = (person: Person, call: PageCall) => {
    return { sender: person.sender, topic: person.topicName, preferencesPath: `/p/${call.params.token}` };
  };
  return [
    streamRoute(
      contract.unsubscribePage,
      personPage(deps, async (person, _target, call) => {
        sendPage(call.reply, 200, askPage(wordsOf(person, call), view(person, call)));
      }),
    ),
    // RFC 8058: no cookies, no redirect, and the body says nothing that the token does not.
    streamRoute(
      contract.unsubscribeOneClick,
      personPage(deps, async (person, { workspaceId }, call, db) => {
        await db.transaction(workspaceId, (tx) => deps.choices.unsubscribe(tx, person, choosing(person, call)));
        sendPage(call.reply, 200, donePage(wordsOf(person, call), view(person, call)));
      }),
    ),
  ];
}

/** What a form of ours says; anything else on this address changes nothing. */
function wishOf(body: unknown): { kind: 'save'; topics: Set<string> } | { kind: 'leave' } | undefined {
  if (typeof body !== 'object' || body === null || !('do' in body)) return undefined;
  if (body.do === 'leave') return { kind: 'leave' };
  if (body.do !== 'save') return undefined;
  const ticked = Object.keys(body).filter((name) => name.startsWith('topic:'));
  return { kind: 'save', topics: new Set(ticked.map((name) => name.slice('topic:'.length))) };
}

function preferenceRoutes(deps: InboundRoutesDeps): Route[] {
  const show = async (person: Person, { workspaceId }: LinkTarget, call: PageCall, db: Db, saved: boolean) => {
    const topics = await db.read(workspaceId, (tx) => deps.choices.topicsOf(tx, person));
    sendPage(call.reply, 200, preferencePage(wordsOf(person, call), { sender: person.sender, saved, topics }));
  };
  return [
    streamRoute(
      contract.preferencePage,
      personPage(deps, (person, target, call, db) => show(person, target, call, db, false)),
    ),
    streamRoute(
      contract.savePreferences,
      personPage(deps, async (person, target, call, db) => {
        const wish = wishOf(call.raw.body);
        const how = choosing(person, call);
        if (wish?.kind === 'leave')
          await db.transaction(target.workspaceId, (tx) => deps.choices.leaveAll(tx, person, how));
        if (wish?.kind === 'save')
          await db.transaction(target.workspaceId, (tx) => deps.choices.choose(tx, person, how, wish.topics));
        await show(person, target, call, db, wish !== undefined);
      }),
    ),
  ];
}
