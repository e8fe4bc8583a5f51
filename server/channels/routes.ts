import * as contract from '../../contract/providers.ts';
import type { Account } from '../../contract/providers.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { decodeIdCursor, encodeCursor, requireMatch, route, streamRoute } from '../platform/http.ts';
import type { Caller, Route } from '../platform/http.ts';
import { healthState } from './account.rules.ts';
import type { HealthFacts } from './account.rules.ts';
import { testAccount } from './account-test.ts';
import * as accounts from './accounts.ts';
import type { AccountsDeps } from './accounts.ts';
import { providerKinds } from './kinds.ts';
import type { Mailbox } from './port.ts';
import { findProvider } from './registry.ts';
import * as store from './store.ts';
import type { AccountRow } from './store.ts';

/** What the slice asks of those beside and above it. */
export interface ChannelRoutesDeps {
  readonly clock: Clock;
  readonly audit: {
    record(
      tx: Tx,
      entry: {
        actor: Caller;
        action: string;
        target: { kind: string; id: string };
        before?: object;
        after?: object;
        ip: string;
        userAgent: string;
        requestId: string;
      },
    ): Promise<unknown>;
  };
  /** Outcomes of an account's messages in the last hour: the ledger's to know. */
  accountHealth(tx: Tx, accountId: string): Promise<HealthFacts>;
}

type Deps = ChannelRoutesDeps & { readonly accounts: AccountsDeps };

export function accountRoutes(deps: Deps): Route[] {
  return [...reading(deps), ...writing(deps), ...trying(deps), ...routing(deps)];
}

interface Acting {
  readonly caller: Caller;
  readonly ip: string;
  readonly userAgent: string;
  readonly requestId: string;
}

function auditor({ audit }: Deps) {
  return (
    tx: Tx,
    call: Acting,
    action: string,
    target: { kind: string; id: string },
    change: { before?: object; after?: object } = {},
  ) =>
    audit.record(tx, {
      actor: call.caller,
      action,
      target,
      ...change,
      ip: call.ip,
      userAgent: call.userAgent,
      requestId: call.requestId,
    });
}

/** What the log of changes keeps: no secrets, only which are set. */
const audited = (shown: Account) => ({
  name: shown.name,
  settings: shown.settings,
  secretsSet: shown.secretsSet,
  limits: shown.limits,
  sender: shown.sender,
});

function reading(deps: Deps): Route[] {
  return [
    route(contract.listProviders, async (tx, { query }) => {
      const after = decodeIdCursor(query.cursor);
      const rows = await store.listAccounts(tx, { channel: query.channel, after, most: query.limit + 1 });
      const page = rows.slice(0, query.limit);
      const last = page.at(-1);
      return {
        data: await Promise.all(page.map((row) => present(deps, tx, row))),
        nextCursor: rows.length > page.length && last !== undefined ? encodeCursor(last.id) : null,
      };
    }),
    route(contract.listProviderKinds, () => Promise.resolve({ data: [...providerKinds()] })),
    route(contract.getProvider, async (tx, { params }) => present(deps, tx, await accounts.getAccount(tx, params.id))),
    route(contract.providerHealth, async (tx, { params }) => {
      const row = await accounts.getAccount(tx, params.id);
      const facts = await deps.accountHealth(tx, row.id);
      return {
        state: healthState(facts, row.pausedAt !== null),
        accepted: facts.accepted,
        failed: facts.failed,
        unknown: facts.unknown,
        lastAcceptedAt: facts.lastAcceptedAt?.toString() ?? null,
        lastFailureAt: facts.lastFailureAt?.toString() ?? null,
        lastFailure: facts.lastFailure ?? null,
      };
    }),
  ];
}

function writing(deps: Deps): Route[] {
  const record = auditor(deps);
  return [
    route(contract.createProvider, async (tx, call) => {
      const row = await accounts.createAccount(deps.accounts, tx, call.mintedId, call.body);
      const shown = await present(deps, tx, row);
      await record(tx, call, 'provider.created', { kind: 'provider', id: row.id }, { after: audited(shown) });
      return shown;
    }),
    route(contract.updateProvider, async (tx, call) => {
      const row = await accounts.getAccount(tx, call.params.id, true);
      requireMatch(call, row.revision);
      const before = await present(deps, tx, row);
      const shown = await present(deps, tx, await accounts.changeAccount(deps.accounts, tx, row, call.body));
      await record(
        tx,
        call,
        'provider.changed',
        { kind: 'provider', id: row.id },
        { before: audited(before), after: audited(shown) },
      );
      return shown;
    }),
    route(contract.deleteProvider, async (tx, call) => {
      const row = await accounts.getAccount(tx, call.params.id, true);
      requireMatch(call, row.revision);
      await accounts.archiveAccount(deps.accounts, tx, row);
      await record(tx, call, 'provider.removed', { kind: 'provider', id: row.id }, { before: { name: row.name } });
    }),
  ];
}

/** These wait for servers elsewhere, so they hold no transaction open meanwhile. */
function trying(deps: Deps): Route[] {
  return [
    streamRoute(contract.testProvider, async (call, db) => {
      const tested = await testAccount(deps.accounts, db, call.caller.workspaceId, call.params.id, call.body.to);
      return { ok: tested.ok, steps: tested.steps.map((step) => ({ ...step })) };
    }),
    streamRoute(contract.providerReadiness, async (call, db) => {
      const query = { workspaceId: call.caller.workspaceId, accountId: call.params.id, publicOrigin: call.origin };
      const items = await accounts.accountReadiness(deps.accounts, db, query);
      return {
        ready: !items.some((item) => item.state === 'problem'),
        checkedAt: deps.clock.now().toString(),
        items: items.map((item) => ({ ...item })),
      };
    }),
  ];
}

function routing(deps: Deps): Route[] {
  const record = auditor(deps);
  const shown = async (tx: Tx, channel: store.RouteRow['channel']) => {
    const found = await store.findRoute(tx, channel);
    return { channel, accountIds: [...(found?.accountIds ?? [])], updatedAt: found?.updatedAt.toString() ?? null };
  };
  return [
    route(contract.getRoute, (tx, { params }) => shown(tx, params.channel)),
    route(contract.putRoute, async (tx, call) => {
      const { channel } = call.params;
      const before = await shown(tx, channel);
      await accounts.setRoute(deps.accounts, tx, channel, call.body.accountIds);
      const after = await shown(tx, channel);
      const change = { before: { accountIds: before.accountIds }, after: { accountIds: after.accountIds } };
      await record(tx, call, 'route.changed', { kind: 'route', id: channel }, change);
      return after;
    }),
  ];
}

const written = (mailbox: Mailbox) => ({
  email: mailbox.address,
  ...(mailbox.name === undefined ? {} : { name: mailbox.name }),
});

async function present(deps: Deps, tx: Tx, row: AccountRow): Promise<Account> {
  const isCalledBack = findProvider(row.kind)?.receipts !== undefined;
  const callbackUrl = isCalledBack ? deps.accounts.provide.callbackUrl?.(row.kind, row.id) : undefined;
  return {
    id: row.id,
    channel: row.channel,
    kind: row.kind,
    name: row.name,
    settings: row.settings,
    secretsSet: await accounts.secretsSet(deps.accounts, tx, row),
    callbackUrl: callbackUrl ?? null,
    limits: row.limits,
    sender: {
      from: row.sender.from === undefined ? null : written(row.sender.from),
      replyTo: row.sender.replyTo?.address ?? null,
    },
    pausedAt: row.pausedAt?.toString() ?? null,
    createdAt: row.createdAt.toString(),
    updatedAt: row.updatedAt.toString(),
    revision: row.revision,
  };
}
