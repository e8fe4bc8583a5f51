import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../platform/clock.ts';
import { createHttpClient } from '../../platform/http-client.ts';
import type { HttpClient } from '../../platform/http-client.ts';
import { silentLog } from '../../platform/log.ts';
import { createHostResolver } from '../../platform/network.ts';
import { createTestDb } from '../../platform/testing.ts';
import type { TestDb } from '../../platform/testing.ts';
import { openDesk } from '../../sandbox/http.ts';
import { createSandbox } from '../../sandbox/sandbox.ts';
import type { SandboxServer } from '../../sandbox/sandbox.ts';
import type { Desk } from '../../sandbox/vendor.ts';
import { vendors } from '../../sandbox/vendors/index.ts';
import type { Provider, ProviderDeps, Sender } from '../port.ts';
import { findProvider } from '../registry.ts';
import { providerDeps } from '../testing.ts';
import { apnsToken } from './apns/testing.ts';
import { fcmToken } from './fcm/testing.ts';
import { push } from './testing.ts';

/** The adapters against the sandbox as it runs, guarded connections and all, with accounts as it sets them up. */
let test: TestDb;
let http: HttpClient;
let server: SandboxServer;
let deps: ProviderDeps;
let desk: Desk;
const senders: Sender[] = [];

beforeAll(async () => {
  test = await createTestDb();
  const resolveHost = createHostResolver({ allowPrivateNetworks: false, clock: systemClock });
  http = createHttpClient({ resolveHost, clock: systemClock });
  const sandbox = createSandbox({
    db: test.db,
    vault: test.vault,
    clock: systemClock,
    log: silentLog,
    http,
    random: Math.random,
    origin: () => 'http://127.0.0.1:3000',
    localOrigin: () => 'http://127.0.0.1:3000',
    callbackUrl: () => undefined,
  });
  server = await sandbox.start();
  deps = { ...providerDeps(systemClock, { resolveHost, http }), sandbox: () => server };
  const nothing = () => Promise.reject(new Error('nothing is kept at this desk'));
  desk = await openDesk(
    {
      collector: { keep: nothing } as never,
      scenarios: { of: () => Promise.resolve({ rules: [], callbacks: {} }) } as never,
      post: {} as never,
      clock: systemClock,
      key: test.vault.derive('sandbox'),
      random: Math.random,
    },
    test.workspaceId,
  );
});
afterAll(async () => {
  for (const sender of senders) await sender.close();
  await server.close();
  await http.close();
  await test.close();
});

/** As the sandbox sets the account up in one click. */
function account(kind: string) {
  const provider = findProvider(kind) as Provider;
  const given = vendors.flatMap((vendor) => vendor.accounts).find((one) => one.kind === kind);
  const fields: Record<string, unknown> = {
    ...given?.fields(test.workspaceId, desk),
    baseUrl: server.vendorUrl(test.workspaceId, kind),
  };
  const secretNames = new Set(Object.keys(provider.secrets.shape));
  const part = (isSecret: boolean) =>
    Object.fromEntries(Object.entries(fields).filter(([name]) => secretNames.has(name) === isSecret));
  const absent = Object.fromEntries(Object.keys(provider.settings.shape).map((name) => [name, null]));
  const whole = { settings: { ...absent, ...part(false) }, secrets: part(true) };
  const { settings, secrets } = provider.complete?.(whole.settings, whole.secrets) ?? whole;
  const made = {
    workspaceId: test.workspaceId,
    id: '0198c1d2-0000-7000-8000-00000000000b',
    revision: 1,
    settings: provider.settings.parse(settings),
    secrets: provider.secrets.parse(secrets),
  };
  return { provider, account: made };
}

async function caught(): Promise<number> {
  const { rows } = await test.owner.query<{ count: number }>(
    `select count(*)::int as count from sandbox_message where channel = 'push'`,
  );
  return rows[0]?.count ?? 0;
}

type Token = () => string | Promise<string>;
const devices: readonly (readonly [kind: string, alive: Token, dead: Token])[] = [
  ['fcm', () => fcmToken, () => `bounce-${fcmToken}`],
  ['apns', () => apnsToken, () => `dead${apnsToken.slice(4)}`],
  ['webpush', () => subscription('ada'), () => subscription('bounce-1')],
];

describe.each(devices)('%s', (kind, alive, dead) => {
  it('is tried, sends, and is refused a device that is gone', async () => {
    const { provider, account: made } = account(kind);
    expect(provider.problems(made.settings, made.secrets)).toEqual([]);
    expect(await provider.test(made, deps)).toMatchObject({ ok: true });
    const sender = provider.create(made, deps);
    senders.push(sender);
    const before = await caught();
    expect(await sender.send(push(await alive()))).toMatchObject({ kind: 'accepted' });
    expect(await caught()).toBe(before + 1);
    expect(await sender.send(push(await dead()))).toMatchObject({ kind: 'refused', category: 'address' });
    expect(await caught()).toBe(before + 1);
  });
});

async function subscription(name: string): Promise<string> {
  const url = `${server.vendorUrl(test.workspaceId, 'webpush')}/subscription/${name}`;
  const answer = await http.call({ method: 'GET', url });
  if (answer.kind === 'failed') throw new Error(answer.reason);
  return answer.body.toString();
}
