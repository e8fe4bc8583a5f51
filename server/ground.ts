import { join, resolve } from 'node:path';
import type { Config } from './config.ts';
import type { MailDoor } from './inbound/index.ts';
import { createBell } from './platform/bell.ts';
import type { Bell } from './platform/bell.ts';
import type { Clock } from './platform/clock.ts';
import { createDb } from './platform/db.ts';
import type { Db } from './platform/db.ts';
import { createHttpClient } from './platform/http-client.ts';
import type { HttpClient } from './platform/http-client.ts';
import { createJobs } from './platform/jobs.ts';
import type { Jobs } from './platform/jobs.ts';
import type { Log } from './platform/log.ts';
import { createMetrics } from './platform/metrics.ts';
import type { Metrics } from './platform/metrics.ts';
import { createHostResolver } from './platform/network.ts';
import { createNewsDesk } from './platform/news.ts';
import type { NewsDesk } from './platform/news.ts';
import { createFolderStore } from './platform/objects.ts';
import type { ObjectStore } from './platform/objects.ts';
import type { Vault } from './platform/sealing.ts';
import type { SandboxServer } from './sandbox/index.ts';

export interface Foundations {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly vault: Vault;
  readonly serverUrl: string;
  /** Public origin; known once the port is. */
  readonly origin: () => string;
  /** Where this process listens. */
  readonly localOrigin: () => string;
}

/** What every slice stands on. */
export interface Ground extends Foundations {
  readonly db: Db;
  readonly hot: Db;
  readonly jobs: Jobs;
  readonly bell: Bell;
  readonly objects: ObjectStore;
  readonly news: NewsDesk;
  readonly metrics: Metrics;
  readonly stopping: AbortController;
  readonly resolveHost: ReturnType<typeof createHostResolver>;
  /** Calls to vendors: one for all, for its connections. */
  readonly http: HttpClient;
  /** Set when the built-in mail server listens. */
  readonly sandbox: { server: SandboxServer | undefined };
  /** Set when mail that comes back is taken in. */
  readonly door: { open: MailDoor | undefined };
  /** Set once everything that works in the background runs. */
  readonly running: { yes: boolean };
}

export function layGround(given: Foundations): Ground {
  const { serverUrl: url, log, config, clock } = given;
  const resolveHost = createHostResolver({ allowPrivateNetworks: config.allowPrivateNetworks, clock });
  const db = createDb({ url, log });
  return {
    ...given,
    db,
    bell: createBell({ url, db, clock, log }),
    hot: createDb({ url, log, pinned: true, maxConnections: 8 }),
    jobs: createJobs({ url, works: config.role !== 'api', log }),
    objects: createFolderStore(join(resolve(config.dataDir), 'objects')),
    news: createNewsDesk(),
    metrics: createMetrics(),
    stopping: new AbortController(),
    resolveHost,
    http: createHttpClient({ resolveHost, clock, log }),
    sandbox: { server: undefined },
    door: { open: undefined },
    running: { yes: false },
  };
}
