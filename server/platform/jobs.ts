import { PgBoss } from 'pg-boss';
import type { Tx } from './db.ts';
import type { Log } from './log.ts';

export interface QueueSettings {
  /** Times a failed job is tried again (default 5, with growing delays). */
  readonly retryLimit?: number;
  /** A job that runs longer is given up and tried again (default 6 hours). */
  readonly expireInSeconds?: number;
}

/** What pg-boss is told about a queue. A worker that died is noticed by its missing heartbeat, not by the expiry. */
export function queueOptions(settings: QueueSettings) {
  return {
    policy: 'standard',
    notify: true,
    heartbeatSeconds: 20,
    retryLimit: settings.retryLimit ?? 5,
    retryBackoff: true,
    retryDelay: 2,
    retryDelayMax: 300,
    expireInSeconds: settings.expireInSeconds ?? 6 * 3600,
    retentionSeconds: 14 * 86_400,
    deleteAfterSeconds: 86_400,
  };
}

export interface Jobs {
  /** One handler a queue. It must stand being run twice: a job whose worker died is run again. */
  define<T extends object>(
    queue: string,
    run: (data: T, signal: AbortSignal) => Promise<void>,
    options?: { concurrency?: number },
  ): void;
  /** With `tx`, the job exists if and only if the transaction commits. */
  enqueue<T extends object>(
    tx: Tx | undefined,
    queue: string,
    data: T,
    options?: { singletonKey?: string; startAfterSeconds?: number },
  ): Promise<void>;
  /** Runs the queue's handler with `{}` by a cron line (UTC), once in the whole installation. */
  every(queue: string, cron: string): void;
  start(): Promise<void>;
  /** Waits up to `timeoutMs` for running jobs; their signal fires at once. */
  stop(timeoutMs: number): Promise<void>;
}

interface Definition {
  readonly queue: string;
  readonly concurrency: number;
  run(data: object, signal: AbortSignal): Promise<void>;
}

/** `works` is false in a process that only serves the API: it enqueues, and runs nothing. */
export function createJobs(options: { url: string; works: boolean; log: Log }): Jobs {
  const boss = new PgBoss({
    connectionString: options.url,
    schema: 'pgboss',
    application_name: 'parley jobs',
    max: 3,
    migrate: false,
    createSchema: false,
    supervise: options.works,
    schedule: options.works,
    useListenNotify: options.works,
    superviseIntervalSeconds: 30,
    monitorIntervalSeconds: 30,
    // Crons go by the minute, and of flows and background migrations we have none.
    cronWorkerIntervalSeconds: 30,
    flowIntervalSeconds: 600,
    bamIntervalSeconds: 600,
    reindex: false,
    monitorVacuum: false,
  });
  boss.on('error', (error) => options.log.warn({ reason: error.message }, 'job queue'));
  const definitions: Definition[] = [];
  const crons: { queue: string; cron: string }[] = [];
  const stopping = new AbortController();

  return {
    define: (queue, run, { concurrency = 1 } = {}) => {
      // The queue's name ties the two together: what is enqueued under it is what its handler takes.
      definitions.push({ queue, concurrency, run: run });
    },
    enqueue: async (tx, queue, data, { singletonKey, startAfterSeconds } = {}) => {
      await boss.send(queue, data, {
        ...(singletonKey === undefined ? {} : { singletonKey }),
        ...(startAfterSeconds === undefined ? {} : { startAfter: startAfterSeconds }),
        ...(tx === undefined
          ? {}
          : { db: { executeSql: async (text, values) => ({ rows: await tx.query(text, values) }) } }),
      });
    },
    every: (queue, cron) => {
      crons.push({ queue, cron });
    },
    start: async () => {
      await boss.start();
      if (!options.works) return;
      for (const { queue, cron } of crons) await boss.schedule(queue, cron);
      for (const { queue, concurrency, run } of definitions)
        for (let worker = 0; worker < concurrency; worker++) await work(boss, queue, run, stopping.signal);
    },
    stop: async (timeoutMs) => {
      stopping.abort(new Error('stopping'));
      await boss.stop({ graceful: true, timeout: timeoutMs });
    },
  };
}

/**
 * One worker of a queue. pg-boss looks once for each notification, and otherwise every 30 s: what came while a job ran
 * would wait that long, so the worker looks again after each.
 */
async function work(boss: PgBoss, queue: string, run: Definition['run'], stopping: AbortSignal): Promise<void> {
  let worker = '';
  worker = await boss.work<object>(queue, { heartbeatRefreshSeconds: 5 }, async ([job]) => {
    if (job === undefined) return;
    try {
      await run(job.data ?? {}, AbortSignal.any([job.signal, stopping]));
    } finally {
      boss.notifyWorker(worker);
    }
  });
}
