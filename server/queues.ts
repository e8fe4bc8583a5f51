import type { QueueSettings } from './platform/jobs.ts';

/**
 * Every background queue. A job is coarse (an import, a campaign's planning), never a message: the send ledger has its own.
 * The owner makes them when it migrates; the server's role may only use them.
 */
export const queues: Readonly<Record<string, QueueSettings>> = {
  // A restart in the middle of an import is a retry; one that stops at the same place ends itself (see `stalls`).
  'audience.import': { retryLimit: 1000 },
  // Its place is in the database: a restart in the middle is a retry.
  'campaigns.plan': { retryLimit: 1000 },
  'campaigns.sweep': {},
  // Every minute; what one round leaves, the next one finds.
  'delivery.doubts': {},
  // Where it is stands in the job; a page done twice finds nothing to do.
  'delivery.letters': { retryLimit: 1000 },
  'platform.daily': {},
  'platform.hourly': {},
};
