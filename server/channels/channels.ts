import type { Db, Tx } from '../platform/db.ts';
import type { Route } from '../platform/http.ts';
import type { Vault } from '../platform/sealing.ts';
import type { AccountLimits, SenderIdentity } from './account.rules.ts';
import * as accounts from './accounts.ts';
import type { AccountDraft } from './accounts.ts';
import { addressCheckRoutes } from './address-check.ts';
import { createDns } from './dns.ts';
import { createMailRoutes } from './email/mx.ts';
import type {
  Callback,
  Channel,
  Dns,
  Found,
  MailDns,
  Mailbox,
  Provider,
  ProviderAccount,
  ProviderDeps,
  ReadinessItem,
  Sender,
  Told,
  Verdict,
} from './port.ts';
import { findProvider } from './registry.ts';
import { accountRoutes } from './routes.ts';
import type { ChannelRoutesDeps } from './routes.ts';
import { createSenders, providerAccount, sandboxVendor } from './senders.ts';
import * as store from './store.ts';
import type { AccountRow } from './store.ts';

/** An account as the lane of the delivery slice sees it. */
export interface LaneAccount {
  readonly id: string;
  readonly name: string;
  readonly channel: Channel;
  readonly kind: string;
  /** The vendor tells of a message by its own id alone: it has to be kept beside ours. */
  readonly keepsRefs: boolean;
  /** Its vendor can be asked what became of a message, or tells of each by itself. */
  readonly tellsLater: boolean;
  /** What it is handed ends in the sandbox, where all who may look can read it. */
  readonly isSandbox: boolean;
  readonly paused: boolean;
  readonly pausedAt: Temporal.Instant | undefined;
  readonly limits: AccountLimits;
  /** From and Reply-To unless the campaign names its own; the objects are shared by all messages of one call. */
  readonly identity: SenderIdentity;
  readonly sender: Sender;
}

/** One account's way of being called back. */
export interface AccountReceipts {
  verify(callback: Callback): Promise<Verdict>;
  read(callback: Callback): Told;
}

export interface ChannelsDeps extends ProviderDeps {
  readonly vault: Vault;
  /** The system's own when left out. */
  readonly dns?: Dns;
  /** Of checks of e-mail addresses; the system's own when left out. */
  readonly mailDns?: MailDns;
}

export interface Channels {
  /** In the order of the channel's route; with `accountId`, that account alone (none when it is gone). */
  accountsFor(tx: Tx, channel: string, accountId?: string): Promise<readonly LaneAccount[]>;
  /** All live accounts, with the state a list of lanes shows. */
  listAccounts(tx: Tx): Promise<readonly AccountRow[]>;
  openSender(tx: Tx, accountId: string): Promise<Sender>;
  /** How the account's vendor calls back; undefined when there is no such account, or its vendor never calls. */
  receiptsFor(tx: Tx, accountId: string): Promise<AccountReceipts | undefined>;
  /** How to ask an account's vendor what became of a message; undefined where it cannot be asked. For use outside of transactions. */
  lookUpFor(
    tx: Tx,
    accountId: string,
  ): Promise<
    | ((message: {
        readonly messageId: string;
        readonly to: string;
        readonly sentAfter: Temporal.Instant;
      }) => Promise<Found>)
    | undefined
  >;
  setPaused(tx: Tx, accountId: string, paused: boolean): Promise<void>;
  /** The whole new set; answers what it was and is. */
  setLimits(
    tx: Tx,
    accountId: string,
    limits: Parameters<typeof accounts.setLimits>[3],
  ): ReturnType<typeof accounts.setLimits>;
  /** For a new workspace: an account that catches, and the route to it. Gives the account's id. */
  createSandboxAccount(tx: Tx): Promise<string>;
  /** Also into the route of its channel, when that has none. */
  createAccount(tx: Tx, id: string, draft: AccountDraft): Promise<void>;
  /** `from` when a campaign names its own. Looks into the DNS: call it outside of transactions. */
  readiness(
    db: Db,
    query: { workspaceId: string; accountId: string; publicOrigin: string; from?: Mailbox },
  ): Promise<readonly ReadinessItem[]>;
  routes(deps: ChannelRoutesDeps): Route[];
  /** Lets what has begun finish (8 s at most), then closes every connection. */
  close(): Promise<void>;
}

const most = 1000;

export function createChannels(deps: ChannelsDeps): Channels {
  const senders = createSenders(deps);
  const forAccounts: accounts.AccountsDeps = {
    clock: deps.clock,
    vault: deps.vault,
    senders,
    provide: deps,
    dns: deps.dns ?? createDns(),
  };
  const mailRoute = createMailRoutes({ dns: deps.mailDns ?? createDns(), clock: deps.clock });
  const laneOf = async (tx: Tx, row: AccountRow): Promise<LaneAccount> => ({
    id: row.id,
    name: row.name,
    channel: row.channel,
    kind: row.kind,
    keepsRefs: findProvider(row.kind)?.receipts?.byRef === true,
    tellsLater: tellsLater(row.kind),
    isSandbox: row.kind === 'sandbox' || sandboxVendor(row.settings) !== undefined,
    paused: row.pausedAt !== null,
    pausedAt: row.pausedAt ?? undefined,
    limits: row.limits,
    identity: row.sender,
    sender: await senders.senderFor(tx, row),
  });
  return {
    accountsFor: async (tx, channel, accountId) => {
      const rows = accountId === undefined ? await store.routeAccounts(tx, channel) : await one(tx, accountId);
      const lanes: LaneAccount[] = [];
      for (const row of rows) lanes.push(await laneOf(tx, row));
      return lanes;
    },
    listAccounts: (tx) => store.listAccounts(tx, { channel: undefined, after: undefined, most }),
    openSender: async (tx, accountId) => senders.senderFor(tx, await accounts.getAccount(tx, accountId)),
    receiptsFor: (tx, accountId) => receiptsFor(deps, tx, accountId),
    lookUpFor: async (tx, accountId) => {
      const [row] = await one(tx, accountId);
      if (row === undefined) return undefined;
      const { provider, account } = await providerAccount(deps.vault, tx, row, deps.sandbox);
      return provider.lookUp === undefined ? undefined : (message) => askProvider(provider, account, message, deps);
    },
    setPaused: (tx, accountId, paused) => accounts.setPaused(forAccounts, tx, accountId, paused),
    setLimits: (tx, accountId, limits) => accounts.setLimits(forAccounts, tx, accountId, limits),
    createAccount: (tx, id, draft) => accounts.createRoutedAccount(forAccounts, tx, id, draft),
    createSandboxAccount: (tx) => accounts.createSandboxAccount(forAccounts, tx),
    readiness: (db, query) => accounts.accountReadiness(forAccounts, db, query),
    routes: (routesDeps) => [
      ...accountRoutes({ ...routesDeps, accounts: forAccounts }),
      ...addressCheckRoutes(mailRoute),
    ],
    close: () => senders.close(),
  };
}

async function receiptsFor(deps: ChannelsDeps, tx: Tx, accountId: string): Promise<AccountReceipts | undefined> {
  const [row] = await one(tx, accountId);
  if (row === undefined) return undefined;
  const { provider, account } = await providerAccount(deps.vault, tx, row, deps.sandbox);
  const { receipts } = provider;
  if (receipts === undefined) return undefined;
  return {
    verify: (callback) => receipts.verify(account, callback, deps),
    read: (callback) => receipts.read(callback),
  };
}

/** Bounces of SMTP say what did not arrive, never what did: nothing is to be waited for there. */
function tellsLater(kind: string): boolean {
  const provider = findProvider(kind);
  return provider?.lookUp !== undefined || (provider?.receipts !== undefined && kind !== 'smtp' && kind !== 'sandbox');
}

async function askProvider(
  provider: Provider,
  account: ProviderAccount,
  message: { readonly messageId: string; readonly to: string; readonly sentAfter: Temporal.Instant },
  deps: ProviderDeps,
): Promise<Found> {
  return (await provider.lookUp?.(account, message, deps)) ?? { kind: 'unclear', reason: 'cannot be asked' };
}

async function one(tx: Tx, accountId: string): Promise<AccountRow[]> {
  const row = await store.findAccount(tx, accountId);
  return row === undefined ? [] : [row];
}
