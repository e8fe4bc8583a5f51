import type { Activity } from '../activity/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db, Tx } from '../platform/db.ts';
import type { Jobs } from '../platform/jobs.ts';
import type { Log } from '../platform/log.ts';
import type { NewsDesk } from '../platform/news.ts';
import type { ObjectStore } from '../platform/objects.ts';
import type { Vault } from '../platform/sealing.ts';
import { createAttributes } from './attributes.ts';
import { createChange } from './contact-change.ts';
import { createContactList } from './contact-list.ts';
import { markAddresses } from './contact.store.ts';
import { createContacts } from './contacts.ts';
import { createImportRun, forgetUploads } from './import-run.ts';
import type { ImportJob } from './import-run.ts';
import { createImports, importQueue } from './imports.ts';
import { dropOrphans } from './orphans.ts';
import { createPeople } from './people.ts';
import type { AudiencePorts } from './ports.ts';
import './errors.ts';

export interface AudienceDeps {
  readonly db: Db;
  /** The pool of the hot loops. */
  readonly pinned: Db;
  readonly clock: Clock;
  readonly vault: Vault;
  readonly objects: ObjectStore;
  readonly jobs: Pick<Jobs, 'define' | 'enqueue'>;
  readonly activity: Pick<Activity, 'append'>;
  readonly news: Pick<NewsDesk, 'publish'>;
  readonly log: Log;
  readonly ports: AudiencePorts;
  /** The workspace's default country, for telephone numbers without a country code. */
  readonly defaultCountry: (tx: Tx) => Promise<string | undefined>;
  readonly importMaxBytes: number;
  /** Rows of a file that go in together (default 1,000). */
  readonly importPageRows?: number;
  /** Files from this size on are read by a thread of their own (default 2 MiB: starting one costs as much as some thousand rows). */
  readonly importAsideBytes?: number;
}

const defaultAsideBytes = 2 * 1024 * 1024;

/** Defines the queue `audience.import`, so it is called before the jobs start. */
export function createAudience(deps: AudienceDeps) {
  const { db, pinned, clock, vault, objects, jobs, importPageRows = 1000 } = deps;
  const asideBytes = deps.importAsideBytes ?? defaultAsideBytes;
  const contacts = createContacts(deps);
  const runImport = createImportRun({ ...deps, db: pinned, pageRows: importPageRows, asideBytes });
  jobs.define<ImportJob>(importQueue, runImport, { concurrency: 1 });
  return {
    contacts,
    change: createChange({ ...deps, contacts }),
    list: createContactList(deps),
    attributes: createAttributes(clock),
    imports: createImports({ ...deps, maxBytes: deps.importMaxBytes }),
    people: createPeople({ vault, contacts, defaultCountry: deps.defaultCountry }),
    runImport,
    /** What the wire says of addresses. */
    markAddresses: (tx: Tx, ids: readonly string[], state: 'ok' | 'bounced' | 'complained' | 'invalid') =>
      markAddresses(tx, ids, state, clock.now()),
    /** Part of the daily tidy-up of a workspace: uploaded files of imports that ended a week ago. */
    forgetUploads: (workspaceId: string) => forgetUploads({ db, objects }, workspaceId, clock.now()),
    /** For the hourly tidy-up: files of uploads that died with their process. Takes every workspace there is. */
    dropOrphans: (workspaceIds: readonly string[]) => dropOrphans({ db, clock, objects }, workspaceIds),
  };
}

export type Audience = ReturnType<typeof createAudience>;
