import { createHash } from 'node:crypto';
import type { Tx } from '../platform/db.ts';
import type { Vault } from '../platform/sealing.ts';
import type { Fields } from './account.rules.ts';
import type { Provider, ProviderAccount, ProviderDeps, SandboxAddress, Sender } from './port.ts';
import { findProvider } from './registry.ts';
import type { AccountRow } from './store.ts';

/** Sealed under the account's id: secrets copied into another account's row do not open. */
const contextOf = (accountId: string) => `provider-secrets:${accountId}`;

export async function sealSecrets(vault: Vault, tx: Tx, accountId: string, secrets: Fields): Promise<Buffer | null> {
  if (Object.keys(secrets).length === 0) return null;
  return (await vault.keys(tx)).seal(JSON.stringify(secrets), contextOf(accountId));
}

export async function openSecrets(vault: Vault, tx: Tx, row: Pick<AccountRow, 'id' | 'secrets'>): Promise<Fields> {
  if (row.secrets === null) return {};
  const parsed: unknown = JSON.parse((await vault.keys(tx)).open(row.secrets, contextOf(row.id)));
  return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
}

/** The account as its provider sees it; settings written by an older version are brought up to date by the schema. */
export async function providerAccount(
  vault: Vault,
  tx: Tx,
  row: AccountRow,
  sandbox: ProviderDeps['sandbox'],
): Promise<{ provider: Provider; account: ProviderAccount }> {
  const provider = findProvider(row.kind);
  if (provider === undefined) throw new Error(`account ${row.id} is of the unknown kind ${row.kind}`);
  const account = {
    workspaceId: tx.workspaceId,
    id: row.id,
    revision: row.revision,
    settings: provider.settings.parse(atSandbox(row, tx.workspaceId, sandbox?.())),
    secrets: provider.secrets.parse(await openSecrets(vault, tx, row)),
  };
  return { provider, account };
}

/**
 * A base URL of `http://sandbox.localhost/<vendor>` stands for the built-in sandbox: where that listens, each process and
 * each start decides anew.
 */
function atSandbox(
  { kind, id, settings }: AccountRow,
  workspaceId: string,
  sandbox: SandboxAddress | undefined,
): Fields {
  const vendor = sandboxVendor(settings);
  if (vendor === undefined || sandbox === undefined) return settings;
  return { ...settings, baseUrl: sandbox.vendorUrl(workspaceId, vendor, { kind, id }) };
}

/** Which vendor of the built-in sandbox an account is set to; undefined: none. */
export function sandboxVendor({ baseUrl }: Fields): string | undefined {
  if (typeof baseUrl !== 'string' || !URL.canParse(baseUrl)) return undefined;
  const { protocol, hostname, pathname } = new URL(baseUrl);
  if (protocol !== 'http:' || hostname !== 'sandbox.localhost') return undefined;
  return /^\/([a-z0-9-]+)\/?$/.exec(pathname)?.[1];
}

interface Kept {
  readonly fingerprint: string;
  readonly sender: Sender;
}

export interface Senders {
  /** The account's open line, made anew when its settings or secrets have changed. */
  senderFor(tx: Tx, row: AccountRow): Promise<Sender>;
  /** Lets go of an account's line. */
  drop(workspaceId: string, accountId: string): void;
  close(): Promise<void>;
}

/** One sender per account and process: connections are worth keeping between batches. */
export function createSenders(deps: ProviderDeps & { readonly vault: Vault }): Senders {
  const kept = new Map<string, Kept>();
  const closing = new Set<Promise<void>>();

  const letGo = (key: string) => {
    const old = kept.get(key);
    if (old === undefined) return;
    kept.delete(key);
    // What it has begun is finished by itself; nothing waits for that but the end of the process.
    const closed = old.sender.close().finally(() => closing.delete(closed));
    closing.add(closed);
  };
  const keyOf = (workspaceId: string, accountId: string) => `${workspaceId}:${accountId}`;

  return {
    senderFor: async (tx, row) => {
      const key = keyOf(tx.workspaceId, row.id);
      const fingerprint = fingerprintOf(row);
      const known = kept.get(key);
      if (known?.fingerprint === fingerprint) return known.sender;
      const { provider, account } = await providerAccount(deps.vault, tx, row, deps.sandbox);
      const meanwhile = kept.get(key);
      if (meanwhile?.fingerprint === fingerprint) return meanwhile.sender;
      letGo(key);
      const sender = provider.create(account, deps);
      kept.set(key, { fingerprint, sender });
      return sender;
    },
    drop: (workspaceId, accountId) => letGo(keyOf(workspaceId, accountId)),
    close: async () => {
      for (const key of kept.keys()) letGo(key);
      await Promise.all(closing);
    },
  };
}

/** Pausing or renaming raises the revision but must not break connections. */
function fingerprintOf(row: AccountRow): string {
  return createHash('sha256')
    .update(JSON.stringify([row.kind, row.settings]))
    .update(row.secrets ?? '')
    .digest('base64');
}
