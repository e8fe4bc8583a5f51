import { z } from 'zod';
import type { Provider, ProviderAccount, ProviderDeps, Sender, SendResult } from '../../port.ts';
import { postalItem } from '../readiness.rules.ts';
import { smtpErrors } from './errors.rules.ts';
import { smtpSender, tryConnection } from './provider.ts';
import type { PoolConfig } from './sender.ts';

const nothing = z.strictObject({});

/** The built-in server that catches instead of sends, over the same SMTP client a real account uses. */
export const sandboxProvider: Provider<typeof nothing, typeof nothing> = {
  kind: 'sandbox',
  channel: 'email',
  settings: nothing,
  secrets: nothing,
  errors: smtpErrors,
  problems: () => [],
  create: (account, deps) => {
    const config = sandboxConfig(account, deps);
    return config === undefined ? absentSender : smtpSender(config, unguarded(deps));
  },
  test: (account, deps) => {
    const config = sandboxConfig(account, deps);
    if (config !== undefined) return tryConnection(config, unguarded(deps));
    return Promise.resolve({ ok: false, steps: [{ name: 'connect', ok: false, detail: absentReason }] });
  },
  readiness: (_account, facts) =>
    Promise.resolve([
      {
        key: 'sandbox',
        title: 'Nothing leaves this machine',
        state: 'ok',
        detail: 'The sandbox catches every message for you to look at.',
        fix: null,
      },
      postalItem(facts.postalAddress),
    ]),
};

/** The guard is for hosts that people type in; this one is our own. */
function unguarded(deps: ProviderDeps): ProviderDeps {
  return { ...deps, resolveHost: (host) => Promise.resolve([host]) };
}

/** Enough to keep one core busy with storing; each connection waits for its own commit. */
const connections = 12;

function sandboxConfig(account: Pick<ProviderAccount, 'workspaceId'>, deps: ProviderDeps): PoolConfig | undefined {
  const address = deps.sandbox?.();
  if (address === undefined) return undefined;
  return {
    host: address.host,
    port: address.port,
    security: 'none',
    auth: { user: account.workspaceId, password: address.password(account.workspaceId) },
    localName: 'localhost',
    connectMs: 5_000,
    commandMs: 30_000,
    acceptMs: 30_000,
    idleMs: 5_000,
    maxConnections: connections,
    maxMessagesPerConnection: 10_000,
    chunking: 'auto',
  };
}

const absentReason = 'the sandbox does not run in this process';
const absent: SendResult = { kind: 'retry', category: 'provider-down', code: 'sandbox-absent', reason: absentReason };
const absentSender: Sender = { capacity: 1, send: () => Promise.resolve(absent), close: () => Promise.resolve() };
