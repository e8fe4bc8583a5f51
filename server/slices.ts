import { hostname } from 'node:os';
import { createActivity } from './activity/index.ts';
import { createAudience } from './audience/index.ts';
import { createCampaigns } from './campaigns/index.ts';
import { createChannels, createInbox } from './channels/index.ts';
import { composerFor } from './composing.ts';
import { isLocal } from './config.ts';
import { createConsent } from './consent/index.ts';
import { createDelivery } from './delivery/index.ts';
import type { DeliveryDeps } from './delivery/index.ts';
import type { Ends } from './ends.ts';
import type { Ground } from './ground.ts';
import { createCallbackDesk, createInbound } from './inbound/index.ts';
import { makeReturnPath } from './platform/return-path.ts';
import { createSandbox } from './sandbox/index.ts';
import { createTemplates } from './templates/index.ts';
import { campaignPorts, destinationOf, systemMailer } from './wiring.ts';
import { createWorkspaces } from './workspaces/index.ts';

/** The slices, lowest first; each gets what is below it, and ports into what is above as functions. */
export function buildSlices(ground: Ground) {
  const below = buildLower(ground);
  const { activity, inbox, channels, templates, consent, workspaces, audience, sandbox, ends } = below;
  const { db, news } = ground;
  const deliveryDeps = deliveryPorts(ground, below);
  const delivery = createDelivery(deliveryDeps);
  const inbound = createInbound({ ...ground, events: activity, consent, delivery, destinationOf: destinationOf(ends) });
  const callbacks = createCallbackDesk({
    ...ground,
    announce: ground.bell.ring,
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

export type Slices = ReturnType<typeof buildSlices>;

/** What is below delivery. */
function buildLower(ground: Ground) {
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
  return { activity, inbox, channels, templates, consent, workspaces, audience, sandbox, ends };
}

function deliveryPorts(ground: Ground, { ends, consent, activity }: ReturnType<typeof buildLower>): DeliveryDeps {
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
      const reason = state === 'bounced' ? 'bounce' : 'complaint';
      const addresses = ids.map((addressId) => ({ addressId, reason, ...only }) as const);
      // Both asked at once: whoever leaves this to the commit to wait for sends the commit right behind it.
      await Promise.all([
        ...(only.channel === undefined ? [ends.audience.markAddresses(tx, ids, state)] : []),
        consent.suppress(tx, addresses),
      ]);
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
