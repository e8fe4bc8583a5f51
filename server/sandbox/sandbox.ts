import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import { createHttpClient } from '../platform/http-client.ts';
import type { HttpClient } from '../platform/http-client.ts';
import type { Route } from '../platform/http.ts';
import type { Log } from '../platform/log.ts';
import type { Vault } from '../platform/sealing.ts';
import { accountRoutes } from './accounts.ts';
import type { AccountRoutesDeps } from './accounts.ts';
import { createCollector } from './collector.ts';
import { deskWith, openDesk, startVendorServer } from './http.ts';
import type { AccountName } from './http.ts';
import { createPost } from './post.ts';
import { sandboxRoutes } from './routes.ts';
import type { SandboxRoutesDeps } from './routes.ts';
import { emptyScenario } from './scenario.rules.ts';
import { createScenarios } from './scenarios.ts';
import { startMailServer } from './server.ts';
import type { Vendor } from './vendor.ts';
import { vendors as allVendors } from './vendors/index.ts';

/** Where the servers of the sandbox listen in this process. */
export interface SandboxServer {
  readonly host: string;
  /** Of the mail server. */
  readonly port: number;
  password(workspaceId: string): string;
  vendorUrl(workspaceId: string, vendor: string, account?: AccountName): string;
  close(): Promise<void>;
}

export interface SandboxDeps {
  readonly db: Db;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly log: Log;
  readonly http: HttpClient;
  readonly random: () => number;
  /** All that there are when left out. */
  readonly vendors?: readonly Vendor[];
  /** Public origin; vendors address their callbacks to it. */
  origin(): string;
  /** Where this process really listens; behind a proxy that is not the public origin. */
  localOrigin(): string;
  /** Of an account, at this Parley. */
  callbackUrl(kind: string, accountId: string): string | undefined;
  /** How many messages of a workspace are kept, and how often old ones are looked for. */
  readonly keep?: number;
  readonly dropEvery?: number;
}

export interface Sandbox {
  start(): Promise<SandboxServer>;
  routes(deps: SandboxPorts): Route[];
}

/** What the slices above lend. */
export interface SandboxPorts extends Pick<SandboxRoutesDeps, 'fetch' | 'receipt' | 'record'> {
  readonly createAccount: AccountRoutesDeps['createAccount'];
}

const refuseAll = () => Promise.reject(new AppError('network/forbidden', 'The sandbox calls nobody else.'));

export function createSandbox(deps: SandboxDeps): Sandbox {
  const { db, vault, clock, log, random } = deps;
  const key = vault.derive('sandbox');
  const vendors = deps.vendors ?? allVendors;
  const kept = {
    ...(deps.keep === undefined ? {} : { keep: deps.keep }),
    ...(deps.dropEvery === undefined ? {} : { dropEvery: deps.dropEvery }),
  };
  const collector = createCollector({ db, vault, clock, log, ...kept });
  const scenarios = createScenarios({ db, clock });
  const { origin, localOrigin } = deps;
  // Of its own, for nothing but this Parley's own address: the one that vendors are called with must not reach that.
  const homeward = createHttpClient({ resolveHost: refuseAll, clock, log });
  const post = createPost({ clock, log, http: homeward, scenarios, random, origin, localOrigin });
  const forDesks = { collector, scenarios, post, clock, key, random };
  return {
    routes: (given) => [
      ...sandboxRoutes({
        ...given,
        vault,
        localOrigin,
        scenarios,
        vendors,
        post,
        openDesk: (workspaceId) => openDesk(forDesks, workspaceId),
      }),
      ...accountRoutes({
        vendors,
        createAccount: given.createAccount,
        deskOf: () => deskWith(forDesks, emptyScenario),
      }),
    ],
    start: async () => {
      const mail = await startMailServer({ collector, scenarios, random, clock, log, key });
      const played = await startVendorServer({ ...forDesks, vendors, log, callbackUrl: deps.callbackUrl });
      deps.http.trust(played.origin);
      return {
        host: mail.host,
        port: mail.port,
        password: mail.password,
        vendorUrl: played.vendorUrl,
        close: async () => {
          post.close();
          await homeward.close();
          await played.close();
          await mail.close();
        },
      };
    },
  };
}
