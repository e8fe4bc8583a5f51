import type { FastifyInstance } from 'fastify';
import { answerPreflights } from './channels/index.ts';
import { daily } from './daily.ts';
import { serveDashboard } from './dashboard.ts';
import { layGround } from './ground.ts';
import type { Foundations, Ground } from './ground.ts';
import { openMailDoor } from './inbound/index.ts';
import type { MailDoor } from './inbound/index.ts';
import { buildRoutes } from './mounting.ts';
import type { Db } from './platform/db.ts';
import type { Route } from './platform/http.ts';
import { createHttpServer } from './platform/http-server.ts';
import { buildSlices } from './slices.ts';
import type { Slices } from './slices.ts';
import { workOnTrouble } from './trouble.ts';

export type { Foundations } from './ground.ts';

/** The whole server, put together; nothing runs yet. */
export interface Parley {
  readonly app: FastifyInstance;
  readonly routes: readonly Route[];
  readonly db: Db;
  readonly workspaces: Slices['workspaces'];
  readonly consent: Slices['consent'];
  /** Starts what works in the background, as far as this process's role has it. */
  start(): Promise<void>;
  /** Begins nothing more, lets what is on the wire end, lets go of the database. */
  stop(): Promise<void>;
}

async function openDoor({ config, clock, log, vault }: Ground, { callbacks }: Slices): Promise<MailDoor | undefined> {
  const { mail, host } = config;
  if (mail === undefined) return undefined;
  const { domain, port } = mail;
  return openMailDoor({ host, port, domain, clock, log, linkKey: vault.linkKey, keep: callbacks.keepMail });
}

/** What works in the background, as far as this process's role has it. */
async function startWork(ground: Ground, slices: Slices): Promise<void> {
  const { activity, delivery, campaigns, callbacks } = slices;
  ground.sandbox.server = await slices.sandbox.start();
  await ground.jobs.start();
  if (ground.config.role !== 'api') {
    await activity.start();
    delivery.worker.start();
    callbacks.reader.start();
    ground.bell.listen(() => {
      delivery.worker.wake();
      callbacks.reader.wake();
    });
    ground.door.open = await openDoor(ground, slices);
    await campaigns.resume();
  }
  ground.running.yes = true;
}

/** Begins nothing more, lets what is on the wire end, lets go of the database. */
async function stopWork(ground: Ground, slices: Slices, app: FastifyInstance): Promise<void> {
  const { activity, delivery, channels, workspaces, templates, callbacks } = slices;
  const works = ground.config.role !== 'api';
  ground.stopping.abort();
  await app.close();
  await ground.door.open?.close();
  if (works) await Promise.all([delivery.worker.stop(), callbacks.reader.stop()]);
  await ground.bell.close();
  await channels.close();
  await ground.http.close();
  await ground.jobs.stop(5_000);
  if (works) await activity.stop();
  await workspaces.idle();
  await templates.close();
  await ground.sandbox.server?.close();
  await ground.hot.close();
  await ground.db.close();
}

export async function compose(foundations: Foundations): Promise<Parley> {
  const ground = layGround(foundations);
  const { db, hot, clock, log, metrics, config, jobs } = ground;
  const slices = buildSlices(ground);
  daily(ground, slices);
  workOnTrouble(jobs, slices.delivery);
  const routes = buildRoutes(ground, slices);
  const app = await createHttpServer(routes, {
    db,
    pinned: hot,
    clock,
    log,
    metrics,
    authenticate: slices.workspaces.authenticate,
    trustedProxies: config.trustedProxies,
    origin: foundations.origin,
  });
  answerPreflights(app);
  await serveDashboard(app);
  metrics.gauge('event_lag_seconds', 'How long the oldest unread event has waited', () =>
    Math.max(0, ...slices.activity.lagSeconds().values()),
  );
  return {
    app,
    routes,
    db,
    workspaces: slices.workspaces,
    consent: slices.consent,
    start: () => startWork(ground, slices),
    stop: () => stopWork(ground, slices, app),
  };
}
