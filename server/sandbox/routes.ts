import * as contract from '../../contract/sandbox.ts';
import { getSandboxScenario, setSandboxScenario } from '../../contract/sandbox-scenario.ts';
import type { Tx } from '../platform/db.ts';
import { AppError, invalidField } from '../platform/errors.ts';
import { decodeIdCursor, encodeCursor, route, streamRoute } from '../platform/http.ts';
import type { Call, Route } from '../platform/http.ts';
import type { Vault } from '../platform/sealing.ts';
import type { BodyOf, Endpoint } from '../../contract/endpoint.ts';
import { hiddenMail, listInbox, openCaught, requestOf } from './inbox.ts';
import type { InboxAction, Opened, OpenedMail } from './inbox.ts';
import type { Post } from './post.ts';
import type { Scenarios } from './scenarios.ts';
import { deleteCaught } from './store.ts';
import type { Desk, KeptMail, Vendor, VendorAct } from './vendor.ts';

export interface SandboxRoutesDeps {
  readonly vault: Vault;
  readonly fetch: typeof fetch;
  /** Where this server really listens; behind a proxy that is not the public origin. */
  localOrigin(): string;
  readonly scenarios: Scenarios;
  readonly vendors: readonly Vendor[];
  readonly post: Pick<Post, 'now'>;
  openDesk(workspaceId: string): Promise<Desk>;
  /** Hands a receipt in as a mail server would; gives what to tell. Absent: this kind of act is not possible over SMTP. */
  receipt?(workspaceId: string, messageId: string, kind: 'bounce' | 'complain'): Promise<string>;
  /** Written to the log of changes. */
  record(
    tx: Tx,
    call: Acting,
    entry: {
      action: string;
      target: { kind: string; id: string };
      before: Readonly<Record<string, unknown>>;
      after: Readonly<Record<string, unknown>>;
    },
  ): Promise<void>;
}

export type Acting = Pick<Call<Endpoint>, 'caller' | 'ip' | 'userAgent' | 'requestId'>;

/** In one transaction, which stays short. */
const deletedAtOnce = 5_000;
const answerMs = 10_000;

export function sandboxRoutes(deps: SandboxRoutesDeps): Route[] {
  return [...inboxRoutes(deps), ...scenarioRoutes(deps)];
}

function inboxRoutes(deps: SandboxRoutesDeps): Route[] {
  return [
    route(contract.listSandboxMessages, async (tx, { query, caller }) => {
      const before = decodeIdCursor(query.cursor);
      const since = query.since === undefined ? undefined : Temporal.Instant.from(query.since);
      const found = await listInbox(deps.vault, tx, caller, {
        to: query.to,
        channel: query.channel,
        vendor: query.vendor,
        since,
        before,
        most: query.limit + 1,
      });
      const data = found.slice(0, query.limit);
      const last = data.at(-1);
      return { data, nextCursor: found.length > data.length && last !== undefined ? encodeCursor(last.id) : null };
    }),
    route(contract.getSandboxMessage, async (tx, { params, caller }) => {
      const { mail } = await openCaught(deps.vault, tx, caller, params.id);
      return { ...mail, acts: mail.hidden ? [] : actsOf(deps, mail) };
    }),
    streamRoute(contract.actOnSandboxMessage, async (call, db) => {
      const opened = await db.read(call.caller.workspaceId, (tx) =>
        openCaught(deps.vault, tx, call.caller, call.params.id),
      );
      return { action: call.body.action, detail: await act(deps, opened, call.body, call) };
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

function scenarioRoutes(deps: SandboxRoutesDeps): Route[] {
  return [
    route(getSandboxScenario, (tx) => deps.scenarios.read(tx)),
    route(setSandboxScenario, async (tx, call) => {
      const before = await deps.scenarios.read(tx);
      await deps.scenarios.write(tx, call.body);
      await deps.record(tx, call, {
        action: 'sandbox.scenario-changed',
        target: { kind: 'workspace', id: tx.workspaceId },
        before,
        after: call.body,
      });
      return call.body;
    }),
  ];
}

type Body = BodyOf<typeof contract.actOnSandboxMessage>;
type Act = Body['action'];

/** What can be tried at all; a vendor may still have nothing to tell of it. */
function actsOf({ vendors, receipt }: SandboxRoutesDeps, mail: OpenedMail): Act[] {
  const own: Act[] =
    mail.channel === 'email' ? ['open', 'click', 'unsubscribe'] : mail.links.length > 0 ? ['click'] : [];
  if (mail.vendor === 'smtp')
    return receipt === undefined || mail.messageId === undefined ? own : [...own, 'bounce', 'complain'];
  if (vendors.find((one) => one.name === mail.vendor)?.act === undefined) return own;
  if (mail.channel === 'email') return [...own, 'bounce', 'complain'];
  const answers: Act[] =
    mail.channel === 'sms' || mail.channel === 'whatsapp' ? ['bounce', 'read', 'reply'] : ['bounce'];
  return [...own, ...answers];
}

async function act(
  deps: SandboxRoutesDeps,
  { mail, kept }: Opened,
  { action, url, text }: Body,
  call: { readonly origin: string; readonly caller: { readonly workspaceId: string } },
): Promise<string> {
  if (mail.hidden) throw hiddenMail();
  if (action === 'open' || action === 'click' || action === 'unsubscribe')
    return follow(deps, mail, action, url, call.origin);
  const { workspaceId } = call.caller;
  if (kept !== undefined) return tell(deps, kept, vendorAct(action, text));
  const canReport = action === 'bounce' || action === 'complain';
  if (!canReport || deps.receipt === undefined || mail.messageId === undefined)
    throw new AppError('sandbox/nothing-to-do', 'There is no message in the ledger that could report this.');
  return deps.receipt(workspaceId, mail.messageId, action);
}

function vendorAct(action: Exclude<Act, InboxAction>, text: string | undefined): VendorAct {
  if (action !== 'reply') return { kind: action };
  if (text === undefined) throw invalidField('/text', 'is what the recipient writes');
  return { kind: action, text };
}

/** By the vendor's own signed callback, so that what is tried is what would come from outside. */
async function tell(deps: SandboxRoutesDeps, kept: KeptMail, what: VendorAct): Promise<string> {
  const vendor = deps.vendors.find((one) => one.name === kept.vendor);
  const draft = await vendor?.act?.(kept, what, await deps.openDesk(kept.workspaceId));
  if (draft === undefined)
    throw new AppError(
      'sandbox/nothing-to-do',
      'This vendor tells nothing of the kind, or was given no address to tell.',
    );
  const status = await deps.post.now(draft);
  if (status === undefined) throw new AppError('sandbox/no-answer', 'The server did not answer the callback.');
  return `${draft.method} ${new URL(draft.url).pathname}: ${status}`;
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
