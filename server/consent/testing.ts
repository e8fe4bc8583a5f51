import { createActivity } from '../activity/index.ts';
import type { Activity } from '../activity/index.ts';
import { createAudience } from '../audience/index.ts';
import type { Audience } from '../audience/index.ts';
import { silentLog } from '../platform/log.ts';
import { createNewsDesk } from '../platform/news.ts';
import type { TestDb } from '../platform/testing.ts';
import { createAudit } from '../workspaces/index.ts';
import { consentRoutes, createConsent } from './index.ts';
import type { Consent } from './index.ts';
import type { Route } from '../platform/http.ts';

export interface ConsentLab {
  readonly activity: Activity;
  readonly audience: Audience;
  readonly consent: Consent;
  readonly routes: Route[];
}

const unused = () => Promise.reject(new Error('not part of this test'));

/** Consent on a real audience, audit and event log; for tests of this slice and of those above it. */
export function createConsentLab(test: TestDb): ConsentLab {
  const { db, clock, vault } = test;
  const activity = createActivity({ db, clock, log: silentLog });
  const consent = createConsent({ clock, vault, events: activity });
  const audience = createAudience({
    db,
    pinned: db,
    clock,
    vault,
    activity,
    log: silentLog,
    objects: {
      write: unused,
      read: () => {
        throw new Error('not part of this test');
      },
      pathOf: () => {
        throw new Error('not part of this test');
      },
      remove: unused,
      size: unused,
      idleSince: unused,
    },
    jobs: { define: () => undefined, enqueue: unused },
    news: createNewsDesk(),
    ports: consent.audiencePorts,
    defaultCountry: () => Promise.resolve(undefined),
    importMaxBytes: 1_000_000,
  });
  const audit = createAudit({ clock, vault });
  return {
    activity,
    audience,
    consent,
    routes: consentRoutes({ consent, people: audience.people, audit, vault, clock }),
  };
}
