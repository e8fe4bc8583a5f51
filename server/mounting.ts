import { audienceRoutes, maskAddress } from './audience/index.ts';
import { campaignRoutes } from './campaigns/index.ts';
import { inAppRoutes, meaningOf } from './channels/index.ts';
import { consentRoutes } from './consent/index.ts';
import { deliveryRoutes } from './delivery/index.ts';
import type { MessageDeps } from './delivery/index.ts';
import type { Ground } from './ground.ts';
import { inboundRoutes } from './inbound/index.ts';
import { overviewRoutes, queueRoutes, streamRoutes, systemRoutes } from './operations/index.ts';
import type { Route } from './platform/http.ts';
import { sendPorts } from './sending.ts';
import type { Slices } from './slices.ts';
import { templatesRoutes } from './templates/index.ts';
import { goOnWith } from './trouble.ts';
import { testSender } from './trying.ts';
import { version } from './version.ts';
import { workspacesRoutes } from './workspaces/index.ts';

/** Every route of every slice, with what it asks of the others. */
export function buildRoutes(ground: Ground, slices: Slices): Route[] {
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
