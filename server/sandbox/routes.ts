import * as contract from '../../contract/sandbox.ts';
import { AppError } from '../platform/errors.ts';
import { decodeIdCursor, encodeCursor, route, streamRoute } from '../platform/http.ts';
import type { Route } from '../platform/http.ts';
import type { Vault } from '../platform/sealing.ts';
import { listInbox, openCaught, requestOf } from './inbox.ts';
import type { InboxAction } from './inbox.ts';
import { deleteCaught } from './store.ts';

export interface SandboxRoutesDeps {
  readonly vault: Vault;
  readonly fetch: typeof fetch;
  /** Where this server really listens; behind a proxy that is not the public origin. */
  localOrigin(): string;
  /** Hands a receipt in as a provider would; gives what to tell. Absent: this kind of act is not possible. */
  receipt?(workspaceId: string, messageId: string, kind: 'bounce' | 'complain'): Promise<string>;
}

/** In one transaction, which stays short. */
const deletedAtOnce = 5_000;
const answerMs = 10_000;

export function sandboxRoutes(deps: SandboxRoutesDeps): Route[] {
  return [
    route(contract.listSandboxMessages, async (tx, { query, caller }) => {
      const before = decodeIdCursor(query.cursor);
      const since = query.since === undefined ? undefined : Temporal.Instant.from(query.since);
      const found = await listInbox(deps.vault, tx, caller, {
        to: query.to,
        channel: query.channel,
        since,
        before,
        most: query.limit + 1,
      });
      const data = found.slice(0, query.limit);
      const last = data.at(-1);
      return { data, nextCursor: found.length > data.length && last !== undefined ? encodeCursor(last.id) : null };
    }),
    route(contract.getSandboxMessage, (tx, { params, caller }) => openCaught(deps.vault, tx, caller, params.id)),
    streamRoute(contract.actOnSandboxMessage, async (call, db) => {
      const mail = await db.read(call.caller.workspaceId, (tx) =>
        openCaught(deps.vault, tx, call.caller, call.params.id),
      );
      const { action, url } = call.body;
      if (action !== 'bounce' && action !== 'complain')
        return { action, detail: await follow(deps, mail, action, url, call.origin) };
      if (deps.receipt === undefined || mail.messageId === undefined) {
        throw new AppError('sandbox/nothing-to-do', 'There is no message in the ledger that could report this.');
      }
      return { action, detail: await deps.receipt(call.caller.workspaceId, mail.messageId, action) };
    }),
    streamRoute(contract.clearSandbox, async (call, db) => {
      let deleted = 0;
      for (let more = true; more;) {
        const count = await db.transaction(call.caller.workspaceId, (tx) => deleteCaught(tx, deletedAtOnce));
        deleted += count;
        more = count === deletedAtOnce;
      }
      return { deleted };
    }),
  ];
}

/** Over real HTTP, so that what is tried is what a recipient's program does. Redirects are told, not followed. */
async function follow(
  deps: SandboxRoutesDeps,
  mail: Parameters<typeof requestOf>[0],
  action: InboxAction,
  url: string | undefined,
  origin: string,
): Promise<string> {
  const request = requestOf(mail, action, url, origin);
  const target = new URL(request.url.pathname + request.url.search, deps.localOrigin());
  const posted = {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'List-Unsubscribe=One-Click',
  };
  try {
    const answer = await deps.fetch(target, {
      method: request.method,
      redirect: 'manual',
      signal: AbortSignal.timeout(answerMs),
      ...(request.method === 'POST' ? posted : { headers: { 'user-agent': 'Mozilla/5.0 (Parley sandbox)' } }),
    });
    await answer.body?.cancel();
    const location = answer.headers.get('location');
    return `${request.method} ${request.url.pathname}: ${answer.status}${location === null ? '' : `, on to ${location}`}`;
  } catch {
    throw new AppError('sandbox/no-answer', 'The server did not answer its own link.');
  }
}
