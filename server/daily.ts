import type { Audience } from './audience/index.ts';
import type { Inbox } from './channels/index.ts';
import { forgetOldDelivery } from './delivery/index.ts';
import { forgetMarks } from './inbound/index.ts';
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
  readonly jobs: Pick<Jobs, 'define' | 'every'>;
  readonly log: Log;
}

interface Rounds {
  readonly audience: Pick<Audience, 'forgetUploads' | 'dropOrphans'>;
  readonly inbox: Pick<Inbox, 'forgetOld'>;
  readonly workspaces: Pick<Workspaces, 'tidyUp'>;
}

const queue = 'platform.daily';
const hourlyQueue = 'platform.hourly';

async function workspaceIds(db: Db): Promise<string[]> {
  const rows = await db.system((tx) => tx.query<{ id: string }>('select id from parley_workspace_ids()'));
  return rows.map((row) => row.id);
}

/** The rounds. Nightly: partitions for the months ahead, and everything that has served its time. Hourly: what died uploads left. */
export function daily({ db, clock, jobs, log }: Ground, slices: Rounds): void {
  jobs.define(queue, async (_data, signal) => {
    await db.system((tx) => ensureMonths((text, values) => tx.query(text, values), clock.now()));
    await slices.workspaces.tidyUp();
    const ids = await workspaceIds(db);
    for (const id of ids) {
      if (signal.aborted) return;
      await db.transaction(id, (tx) => forgetOldKeys(tx, clock.now()));
      await db.transaction(id, (tx) => forgetMarks(tx, clock.now()));
      await forgetOldDelivery(db, id, clock.now());
      await slices.audience.forgetUploads(id);
      await slices.inbox.forgetOld(id);
    }
    log.info({ workspaces: ids.length }, 'the nightly round is done');
  });
  jobs.every(queue, '17 3 * * *');
  // Every hour, since a laptop is rarely awake at night, and what an upload left lies in the clear.
  jobs.define(hourlyQueue, async () => {
    const dropped = await slices.audience.dropOrphans(await workspaceIds(db));
    if (dropped > 0) log.info({ dropped }, 'files of uploads that died were removed');
  });
  jobs.every(hourlyQueue, '41 * * * *');
}
