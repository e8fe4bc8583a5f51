import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { createActivity } from './activity/index.ts';
import { audienceRoutes, createAudience, maskAddress } from './audience/index.ts';
import { campaignRoutes, createCampaigns } from './campaigns/index.ts';
import { answerPreflights, createChannels, createInbox, inAppRoutes, meaningOf } from './channels/index.ts';
import { composerFor } from './composing.ts';
import { isLocal } from './config.ts';
import type { Config } from './config.ts';
import { consentRoutes, createConsent } from './consent/index.ts';
import type { Consent } from './consent/index.ts';
import { daily } from './daily.ts';
import { serveDashboard } from './dashboard.ts';
import { createDelivery, deliveryRoutes } from './delivery/index.ts';
import type { DeliveryDeps, MessageDeps } from './delivery/index.ts';
import { createCallbackDesk, createInbound, inboundRoutes, openMailDoor } from './inbound/index.ts';
import type { MailDoor } from './inbound/index.ts';
import type { Ends } from './ends.ts';
import { overviewRoutes, queueRoutes, streamRoutes, systemRoutes } from './operations/index.ts';
import { createBell } from './platform/bell.ts';
import type { Bell } from './platform/bell.ts';
import type { Clock } from './platform/clock.ts';
import { createDb } from './platform/db.ts';
import type { Db } from './platform/db.ts';
import type { Route } from './platform/http.ts';
import { createHttpClient } from './platform/http-client.ts';
import type { HttpClient } from './platform/http-client.ts';
import { createHttpServer } from './platform/http-server.ts';
import { createJobs } from './platform/jobs.ts';
import type { Jobs } from './platform/jobs.ts';
import type { Log } from './platform/log.ts';
import { createMetrics } from './platform/metrics.ts';
import type { Metrics } from './platform/metrics.ts';
import { createHostResolver } from './platform/network.ts';
import { createNewsDesk } from './platform/news.ts';
import { makeReturnPath } from './platform/return-path.ts';
import type { NewsDesk } from './platform/news.ts';
import { createFolderStore } from './platform/objects.ts';
import type { ObjectStore } from './platform/objects.ts';
import type { Vault } from './platform/sealing.ts';
import { createSandbox } from './sandbox/index.ts';
import type { SandboxServer } from './sandbox/index.ts';
import { sendPorts } from './sending.ts';
import { createTemplates, templatesRoutes } from './templates/index.ts';
import { goOnWith, workOnTrouble } from './trouble.ts';
import { testSender } from './trying.ts';
import { campaignPorts, destinationOf, systemMailer } from './wiring.ts';
import { createWorkspaces, workspacesRoutes } from './workspaces/index.ts';
import { version } from './version.ts';

/** The whole server, put together; nothing runs yet. */
export interface Parley {
  readonly app: FastifyInstance;
  readonly routes: readonly Route[];
  readonly db: Db;
  readonly workspaces: ReturnType<typeof createWorkspaces>;
  readonly consent: ReturnType<typeof createConsent>;
  /** Starts what works in the background, as far as this process's role has it. */
  start(): Promise<void>;
  /** Begins nothing more, lets what is on the wire end, lets go of the database. */
  stop(): Promise<void>;
}

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
interface Ground extends Foundations {
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

function layGround(given: Foundations): Ground {
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

/** The slices, lowest first; each gets what is below it, and ports into what is above as functions. */
function buildSlices(ground: Ground) {
  const { db, hot, clock, log, vault, news, config, origin, resolveHost, http } = ground;
  const activity = createActivity({ db, clock, log });
  const inbox = createInbox({ db, clock, vault, news, events: activity });
  const channels = createChannels({
    inbox,
    clock,
    log,
    resolveHost,
    http,
    vault,
    sandbox: () => ground.sandbox.server,
    callbackUrl: (kind, accountId) => callbackUrl(origin(), kind, accountId),
  });
  const sandbox = createSandbox({
    ...ground,
    random: Math.random,
    callbackUrl: (kind, accountId) => callbackUrl(origin(), kind, accountId),
  });
  const templates = createTemplates({ clock });
  const consent = createConsent({ clock, vault, events: activity });
  const workspaces = createWorkspaces({
    ...ground,
    sendSystemMail: (workspaceId, mail) => systemMailer(ends, db.read)(workspaceId, mail),
    onWorkspaceCreated: async (tx) => void (await channels.createSandboxAccount(tx)),
  });
  const audience = createAudience({
    ...ground,
    pinned: hot,
    activity,
    ports: {
      ...consent.audiencePorts,
      erase: async (tx, erasure) => {
        await consent.audiencePorts.erase(tx, erasure);
        await inbox.forget(tx, erasure.contactId);
      },
    },
    defaultCountry: async (tx) => (await workspaces.settings(tx)).defaultCountry ?? undefined,
    importMaxBytes: config.importMaxBytes,
  });
  const ends: Ends = {
    clock,
    vault,
    origin,
    audience,
    templates,
    channels,
    workspaces,
    returnPath: returnPathOf(ground),
  };
  const deliveryDeps = deliveryPorts(ground, ends, consent, activity);
  const delivery = createDelivery(deliveryDeps);
  const inbound = createInbound({ ...ground, events: activity, consent, delivery, destinationOf: destinationOf(ends) });
  const callbacks = createCallbackDesk({
    ...ground,
    events: activity,
    channels,
    delivery,
    consent,
    choices: inbound.choices,
    findAddress: audience.people.findAddress,
  });
  const campaigns = createCampaigns({
    ...ground,
    delivery,
    templates,
    topics: consent.topics,
    events: activity,
    ...campaignPorts(ends, db),
    tell: (workspaceId, id) => news.publish(workspaceId, { kind: 'campaign', id }),
  });
  const slices = { activity, inbox, channels, templates, consent, workspaces, audience };
  return { ...slices, ends, deliveryDeps, delivery, inbound, callbacks, campaigns, sandbox };
}

type Slices = ReturnType<typeof buildSlices>;

function deliveryPorts(ground: Ground, ends: Ends, consent: Consent, activity: DeliveryDeps['events']): DeliveryDeps {
  const { db, hot, clock, log, metrics, vault, news } = ground;
  return {
    db,
    hot,
    clock,
    log,
    metrics,
    vault,
    events: activity,
    random: Math.random,
    worker: `${hostname()}:${process.pid}`,
    accountsFor: (tx, channel, accountId) => ends.channels.accountsFor(tx, channel, accountId),
    composerFor: (tx, plan, account) => composerFor(ends, tx, plan, account),
    addressOpener: (tx) => ends.audience.people.addressOpener(tx),
    lookUpFor: (tx, accountId) => ends.channels.lookUpFor(tx, accountId),
    markAddresses: async (tx, ids, state, channel) => {
      // A number that one network does not know may be reached over another: only that channel ends.
      const only = channel === 'sms' || channel === 'whatsapp' ? { channel } : {};
      if (only.channel === undefined) await ends.audience.markAddresses(tx, ids, state);
      const reason = state === 'bounced' ? 'bounce' : 'complaint';
      await consent.suppress(
        tx,
        ids.map((addressId) => ({ addressId, reason, ...only })),
      );
    },
    unknownPolicy: async (tx) => (await ends.workspaces.settings(tx)).unknownPolicy,
    announce: ground.bell.ring,
    tell: (workspaceId, planId) => news.publish(workspaceId, { kind: 'message', id: planId }),
  };
}

function returnPathOf({ config, vault }: Ground): Ends['returnPath'] {
  const { mail } = config;
  if (mail === undefined) return () => undefined;
  return (workspaceId, messageId) =>
    `${makeReturnPath(vault.linkKey(workspaceId), { workspaceId, messageId })}@${mail.domain}`;
}

/** Vendors call back over HTTPS only; a local address serves the sandbox, which runs here. */
function callbackUrl(origin: string, kind: string, accountId: string): string | undefined {
  if (!origin.startsWith('https://') && !isLocal(origin)) return undefined;
  return `${origin}/api/v1/callbacks/${kind}/${accountId}`;
}

function messageDeps(
  { jobs }: Ground,
  { deliveryDeps, channels, campaigns, activity, audience }: Slices,
): Omit<MessageDeps, 'record'> {
  return {
    ...deliveryDeps,
    events: activity,
    maskAddress: (kind, value, country) =>
      maskAddress(kind === 'phone' || kind === 'push' ? kind : 'email', value, country),
    accountNames: async (tx) => new Map((await channels.listAccounts(tx)).map((row) => [row.id, row.name])),
    campaignNames: campaigns.names,
    laneAccounts: (tx) => channels.listAccounts(tx),
    setAccountPaused: channels.setPaused,
    setAccountLimits: channels.setLimits,
    meaningOf: (kind, code) => meaningOf(kind, code)?.meaning ?? null,
    findAddress: (tx, { pointer, ...given }) => audience.people.findAddress(tx, given, pointer),
    goOn: (tx, work) => goOnWith(jobs, tx, work),
  };
}

function buildRoutes(ground: Ground, slices: Slices): Route[] {
  const { clock, vault, log, objects, config, metrics, news, stopping } = ground;
  const { workspaces, audience, consent, templates, channels, delivery, campaigns, inbound, activity, ends, sandbox } =
    slices;
  const { audit } = workspaces;
  const messages = messageDeps(ground, slices);
  const record: Parameters<typeof deliveryRoutes>[0]['record'] = async (tx, by, entry) =>
    void (await audit.record(tx, {
      actor: by.caller,
      ip: by.ip,
      userAgent: by.userAgent,
      requestId: by.requestId,
      ...entry,
    }));
  return [
    ...workspacesRoutes(workspaces.routeDeps),
    ...audienceRoutes({ audience, activity, audit, objects, vault, importMaxBytes: config.importMaxBytes }),
    ...consentRoutes({ consent, people: audience.people, audit, vault, clock }),
    ...templatesRoutes({
      templates,
      audit,
      contactData: (tx, id) => audience.people.variablesOf(tx, id),
      workspaceData: async (tx) => workspaces.settings(tx),
      testSend: testSender(ends),
    }),
    ...inAppRoutes({ inbox: slices.inbox, clock, vault, news, stop: stopping.signal }),
    ...channels.routes({ clock, audit, accountHealth: delivery.accountHealth }),
    ...deliveryRoutes({
      messages,
      sending: sendPorts(ends, consent.topics),
      record,
      wake: delivery.wake,
      shard: () => 40 + Math.floor(Math.random() * 8),
    }),
    ...campaignRoutes({ campaigns: campaigns.deps, audit }),
    ...slices.callbacks.routes,
    ...slices.callbacks.keepingRoutes({ accountNames: messages.accountNames, record }),
    ...queueRoutes({ clock }),
    ...inboundRoutes({ hits: inbound.hits, choices: inbound.choices, vault, log }),
    ...sandbox.routes({
      fetch,
      record,
      createAccount: async (tx, by, id, { from, ...draft }) => {
        await channels.createAccount(tx, id, { ...draft, ...(from === undefined ? {} : { sender: { from } }) });
        const after = { kind: draft.kind, name: draft.name };
        await record(tx, by, { action: 'provider.created', target: { kind: 'provider', id }, after });
      },
    }),
    ...overviewRoutes({ clock, recentCampaigns: campaigns.recent }),
    ...streamRoutes({ news, clock, stop: stopping.signal }),
    ...systemRoutes({
      version,
      startedAt: clock.now(),
      clock,
      metrics,
      checks: checksOf(ground, slices),
      isReady: () => isReady(ground),
    }),
  ];
}

function checksOf({ db, sandbox, config }: Ground, { activity }: Slices) {
  return [
    {
      name: 'database',
      run: async () => `answers in ${await timed(() => db.system((tx) => tx.query('select 1')))} ms`,
    },
    {
      name: 'events',
      run: () => {
        const lag = Math.round(Math.max(0, ...activity.lagSeconds().values()));
        return lag > 60
          ? Promise.reject(new Error(`the slowest reader is ${lag} s behind`))
          : Promise.resolve('every reader is up to date');
      },
    },
    {
      name: 'sandbox',
      run: () =>
        sandbox.server === undefined && config.role !== 'api'
          ? Promise.reject(new Error('does not listen'))
          : Promise.resolve('catches what is sent to it'),
    },
  ];
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return Math.round(performance.now() - started);
}

async function isReady({ db, stopping, running }: Ground): Promise<boolean> {
  if (stopping.signal.aborted || !running.yes) return false;
  return db
    .system((tx) => tx.query('select 1'))
    .then(
      () => true,
      () => false,
    );
}

async function openDoor({ config, clock, log, vault }: Ground, { callbacks }: Slices): Promise<MailDoor | undefined> {
  const { mail, host } = config;
  if (mail === undefined) return undefined;
  const { domain, port } = mail;
  return openMailDoor({ host, port, domain, clock, log, linkKey: vault.linkKey, keep: callbacks.keepMail });
}

export async function compose(foundations: Foundations): Promise<Parley> {
  const ground = layGround(foundations);
  const { db, hot, clock, log, metrics, config, jobs, stopping } = ground;
  const slices = buildSlices(ground);
  const { activity, delivery, campaigns, channels, templates, workspaces } = slices;
  daily(ground, slices);
  workOnTrouble(jobs, delivery);
  const routes = buildRoutes(ground, slices);
  const app = await createHttpServer(routes, {
    db,
    pinned: hot,
    clock,
    log,
    metrics,
    authenticate: workspaces.authenticate,
    trustedProxies: config.trustedProxies,
    origin: foundations.origin,
  });
  answerPreflights(app);
  await serveDashboard(app);
  const works = config.role !== 'api';
  metrics.gauge('event_lag_seconds', 'How long the oldest unread event has waited', () =>
    Math.max(0, ...activity.lagSeconds().values()),
  );

  return {
    app,
    routes,
    db,
    workspaces,
    consent: slices.consent,
    start: async () => {
      ground.sandbox.server = await slices.sandbox.start();
      await jobs.start();
      if (works) {
        await activity.start();
        delivery.worker.start();
        ground.bell.listen(delivery.worker.wake);
        slices.callbacks.reader.start();
        ground.door.open = await openDoor(ground, slices);
        await campaigns.resume();
      }
      ground.running.yes = true;
    },
    stop: async () => {
      stopping.abort();
      await app.close();
      await ground.door.open?.close();
      if (works) await Promise.all([delivery.worker.stop(), slices.callbacks.reader.stop()]);
      await ground.bell.close();
      await channels.close();
      await ground.http.close();
      await jobs.stop(5_000);
      if (works) await activity.stop();
      await workspaces.idle();
      await templates.close();
      await ground.sandbox.server?.close();
      await hot.close();
      await db.close();
    },
  };
}
