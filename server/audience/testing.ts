import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { createActivity } from '../activity/index.ts';
import { silentLog } from '../platform/log.ts';
import type { News } from '../platform/news.ts';
import { createFolderStore } from '../platform/objects.ts';
import type { ObjectStore } from '../platform/objects.ts';
import { createTestApp, createTestDb } from '../platform/testing.ts';
import type { TestDb } from '../platform/testing.ts';
import { createAudience } from './audience.ts';
import type { Audience } from './audience.ts';
import type { ImportJob } from './import-run.ts';
import type { AudiencePorts, Erasure, ImportPage } from './ports.ts';
import { audienceRoutes } from './routes.ts';

/** The audience on a real database, with the slices above it replaced by notebooks. */
export interface AudienceFixture {
  readonly test: TestDb;
  readonly app: FastifyInstance;
  readonly audience: Audience;
  readonly objects: ObjectStore;
  readonly folder: string;
  readonly audit: {
    readonly action: string;
    readonly target: { readonly kind: string; readonly id: string };
    readonly after?: unknown;
  }[];
  readonly pages: ImportPage[];
  readonly erasures: Erasure[];
  readonly news: News[];
  /** Jobs that were enqueued and not yet run. */
  readonly waiting: ImportJob[];
  settings: { defaultCountry: string | undefined; failConsentAt: number | undefined };
  /** Runs what waits; `signal` as a stopping process gives it. */
  work(signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export async function createAudienceFixture(
  options: { pageRows?: number; maxBytes?: number; asideBytes?: number } = {},
): Promise<AudienceFixture> {
  const test = await createTestDb();
  const folder = mkdtempSync(join(tmpdir(), 'parley-audience-'));
  const objects = createFolderStore(folder);
  const activity = createActivity({ db: test.db, clock: test.clock, log: silentLog });
  const waiting: ImportJob[] = [];
  const pages: ImportPage[] = [];
  const erasures: Erasure[] = [];
  const news: News[] = [];
  const audit: AudienceFixture['audit'] = [];
  const settings: AudienceFixture['settings'] = { defaultCountry: undefined, failConsentAt: undefined };
  const ports: AudiencePorts = {
    checkImport: async () => ({ topicId: '00000000-0000-7000-8000-000000000001', at: test.clock.now() }),
    afterImportPage: async (_tx, page) => {
      if (settings.failConsentAt === pages.length) {
        settings.failConsentAt = undefined;
        throw new Error('the process dies here');
      }
      pages.push(page);
    },
    erase: async (_tx, erasure) => void erasures.push(erasure),
    consentCondition: ({ state }) => (state === 'none' ? 'true' : 'false'),
  };
  const audience = createAudience({
    db: test.db,
    pinned: test.pinned,
    clock: test.clock,
    vault: test.vault,
    objects,
    activity,
    ports,
    log: silentLog,
    jobs: { define: () => undefined, enqueue: async (_tx, _queue, data) => void waiting.push(data as ImportJob) },
    news: { publish: (_workspaceId, item) => void news.push(item) },
    defaultCountry: async () => settings.defaultCountry,
    importMaxBytes: options.maxBytes ?? 5_000_000,
    importPageRows: options.pageRows ?? 100,
    ...(options.asideBytes === undefined ? {} : { importAsideBytes: options.asideBytes }),
  });
  const routes = audienceRoutes({
    audience,
    activity,
    objects,
    vault: test.vault,
    importMaxBytes: options.maxBytes ?? 5_000_000,
    audit: { record: async (_tx, entry) => void audit.push(entry) },
  });
  const app = await createTestApp(test, routes);
  return {
    test,
    app,
    audience,
    objects,
    folder,
    audit,
    pages,
    erasures,
    news,
    waiting,
    settings,
    work: async (signal = new AbortController().signal) => {
      for (const job of waiting.splice(0)) await audience.runImport(job, signal);
    },
    close: async () => {
      await app.close();
      await test.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
