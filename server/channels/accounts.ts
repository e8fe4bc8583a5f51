import { AppError, invalidField, notFound } from '../platform/errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import type { Vault } from '../platform/sealing.ts';
import {
  changeSettings,
  checkSettings,
  givenLimits,
  partSettings,
  senderIdentity,
  withAbsent,
} from './account.rules.ts';
import type { Fields, GivenSender, AccountLimits } from './account.rules.ts';
import './errors.ts';
import type { Channel, Dns, Mailbox, ProviderDeps, ReadinessItem } from './port.ts';
import { findProvider } from './registry.ts';
import { openSecrets, providerAccount, sealSecrets } from './senders.ts';
import type { Senders } from './senders.ts';
import * as store from './store.ts';
import type { AccountRow } from './store.ts';

export interface AccountDraft {
  readonly channel: Channel;
  readonly kind: string;
  readonly name: string;
  readonly settings: Fields;
  readonly limits?: Parameters<typeof givenLimits>[0] | undefined;
  readonly sender?: GivenSender | undefined;
}

export interface AccountChange {
  readonly name?: string | undefined;
  readonly settings?: Fields | undefined;
  readonly limits?: AccountDraft['limits'];
  readonly sender?: GivenSender | null | undefined;
}

export interface AccountsDeps {
  readonly clock: Clock;
  readonly vault: Vault;
  readonly senders: Senders;
  readonly provide: ProviderDeps;
  readonly dns: Dns;
}

function providerOf(kind: string, channel: Channel) {
  const provider = findProvider(kind);
  if (provider === undefined) throw invalidField('/kind', 'is no provider that is known here');
  if (provider.channel !== channel)
    throw new AppError('provider/wrong-channel', `A ${kind} account sends ${provider.channel}.`);
  return provider;
}

export async function createAccount(deps: AccountsDeps, tx: Tx, id: string, draft: AccountDraft): Promise<AccountRow> {
  const provider = providerOf(draft.kind, draft.channel);
  const given = partSettings(provider, draft.settings);
  const { settings, secrets } = checkSettings(provider, { ...given, settings: withAbsent(provider, given.settings) });
  return store.insertAccount(tx, {
    id,
    channel: draft.channel,
    kind: draft.kind,
    name: draft.name,
    settings,
    secrets: await sealSecrets(deps.vault, tx, id, secrets),
    limits: givenLimits(draft.limits ?? {}),
    sender: draft.sender === undefined ? {} : senderIdentity(draft.sender),
    createdAt: deps.clock.now(),
  });
}

export async function createRoutedAccount(deps: AccountsDeps, tx: Tx, id: string, draft: AccountDraft): Promise<void> {
  await createAccount(deps, tx, id, draft);
  const found = await store.findRoute(tx, draft.channel);
  if (found === undefined || found.accountIds.length === 0)
    await store.writeRoute(tx, draft.channel, [id], deps.clock.now());
}

export async function getAccount(tx: Tx, id: string, lock = false): Promise<AccountRow> {
  const row = await store.findAccount(tx, id, lock);
  if (row === undefined) throw notFound('account');
  return row;
}

/** `row` is locked and of the revision the caller based the change on. */
export async function changeAccount(
  deps: AccountsDeps,
  tx: Tx,
  row: AccountRow,
  change: AccountChange,
): Promise<AccountRow> {
  const provider = providerOf(row.kind, row.channel);
  const stored = { settings: row.settings, secrets: await openSecrets(deps.vault, tx, row) };
  const next = change.settings === undefined ? undefined : changeSettings(provider, stored, change.settings);
  return store.updateAccount(tx, row.id, {
    name: change.name ?? row.name,
    settings: next?.settings ?? row.settings,
    secrets: next === undefined ? row.secrets : await sealSecrets(deps.vault, tx, row.id, next.secrets),
    limits: change.limits === undefined ? row.limits : givenLimits(change.limits),
    sender: change.sender === undefined ? row.sender : change.sender === null ? {} : senderIdentity(change.sender),
    updatedAt: deps.clock.now(),
  });
}

export async function archiveAccount(deps: AccountsDeps, tx: Tx, row: AccountRow): Promise<void> {
  const channels = await store.routesUsing(tx, row.id);
  if (channels.length > 0) {
    throw new AppError('provider/in-use', `Take it out of the route of ${channels.join(', ')} first.`);
  }
  await store.archiveAccount(tx, row.id, deps.clock.now());
  tx.afterCommit(() => deps.senders.drop(tx.workspaceId, row.id));
}

/** Which secrets exist, by name; their values never leave. */
export async function secretsSet(deps: AccountsDeps, tx: Tx, row: AccountRow): Promise<string[]> {
  return Object.keys(await openSecrets(deps.vault, tx, row));
}

export async function setLimits(
  deps: AccountsDeps,
  tx: Tx,
  id: string,
  limits: Parameters<typeof givenLimits>[0],
): Promise<{ before: AccountLimits; after: AccountLimits }> {
  const row = await getAccount(tx, id, true);
  const after = givenLimits(limits);
  await store.updateAccount(tx, id, { ...row, limits: after, updatedAt: deps.clock.now() });
  return { before: row.limits, after };
}

export async function setPaused(deps: AccountsDeps, tx: Tx, id: string, paused: boolean): Promise<void> {
  const row = await getAccount(tx, id, true);
  if ((row.pausedAt !== null) === paused) return;
  const now = deps.clock.now();
  await store.setPausedAt(tx, id, paused ? now : null, now);
}

export async function setRoute(
  deps: AccountsDeps,
  tx: Tx,
  channel: Channel,
  accountIds: readonly string[],
): Promise<void> {
  for (const [index, id] of accountIds.entries()) {
    const pointer = `/accountIds/${index}`;
    if (accountIds.indexOf(id) !== index) throw invalidField(pointer, 'is there twice');
    const row = await store.findAccount(tx, id);
    if (row === undefined) throw invalidField(pointer, 'is no account of this workspace');
    if (row.channel !== channel) throw invalidField(pointer, `sends ${row.channel}`);
  }
  await store.writeRoute(tx, channel, accountIds, deps.clock.now());
}

/** The account every new workspace starts with: it catches what is sent, so that nothing has to be set up first. */
export async function createSandboxAccount(deps: AccountsDeps, tx: Tx): Promise<string> {
  const { name } = await store.workspaceFacts(tx);
  const id = newId(deps.clock);
  // A reserved domain (RFC 2606): a caught message cannot be mistaken for one that was meant to leave.
  const from = {
    email: 'hello@example.com',
    ...(name.trim() === ''
      ? {}
      : {
          name: name
            .replace(/\p{Cc}+/gu, ' ')
            .trim()
            .slice(0, 100),
        }),
  };
  await createAccount(deps, tx, id, {
    channel: 'email',
    kind: 'sandbox',
    name: 'Sandbox',
    settings: {},
    sender: { from },
  });
  const route = await store.findRoute(tx, 'email');
  if (route === undefined) await store.writeRoute(tx, 'email', [id], deps.clock.now());
  return id;
}

/** What a mailbox provider would object to. Looks into the DNS, so outside of any transaction. */
export async function accountReadiness(
  deps: AccountsDeps,
  db: Db,
  query: { workspaceId: string; accountId: string; publicOrigin: string; from?: Mailbox },
): Promise<readonly ReadinessItem[]> {
  const found = await db.read(query.workspaceId, async (tx) => {
    const row = await getAccount(tx, query.accountId);
    const made = await providerAccount(deps.vault, tx, row, deps.provide.sandbox);
    return { row, made, facts: await store.workspaceFacts(tx) };
  });
  return found.made.provider.readiness(found.made.account, {
    from: query.from ?? found.row.sender.from,
    publicOrigin: query.publicOrigin,
    postalAddress: found.facts.postalAddress ?? undefined,
    dns: deps.dns,
  });
}
