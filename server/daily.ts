import type { Audience } from './audience/index.ts';
import type { Clock } from './platform/clock.ts';
import type { Db } from './platform/db.ts';
import { forgetOldKeys } from './platform/http-idempotency.ts';
import type { Jobs } from './platform/jobs.ts';
import type { Log } from './platform/log.ts';
import { ensureMonths } from './platform/migrate.ts';
import type { Workspaces } from './workspaces/index.ts';

interface Ground {
  readonly db: Db;
  readonly clock: Clock;
  readonly jobs: Jobs;
  readonly log: Log;
}

const queue = 'platform.daily';

/** The nightly round: partitions for the months ahead, and everything that has served its time. */
export function daily({ db, clock, jobs, log }: Ground, slices: { audience: Audience; workspaces: Workspaces }): void {
  jobs.define(queue, async (_data, signal) => {
    await db.system((tx) => ensureMonths((text, values) => tx.query(text, values), clock.now()));
    await slices.workspaces.tidyUp();
    const ids = await db.system((tx) => tx.query<{ id: string }>('select id from parley_workspace_ids()'));
    for (const { id } of ids) {
      if (signal.aborted) return;
      await db.transaction(id, (tx) => forgetOldKeys(tx, clock.now()));
      await slices.audience.forgetUploads(id);
    }
    log.info({ workspaces: ids.length }, 'the nightly round is done');
  });
  jobs.every(queue, '17 3 * * *');
}
