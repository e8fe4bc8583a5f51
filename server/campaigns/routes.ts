import * as contract from '../../contract/campaigns.ts';
import type { Tx } from '../platform/db.ts';
import { decodeIdCursor, encodeCursor, requireMatch, route, streamRoute } from '../platform/http.ts';
import type { Caller, Route } from '../platform/http.ts';
import { changeCampaign, createDraft, deleteDraft, getCampaign } from './drafts.ts';
import { controlCampaign, startCampaign } from './launch.ts';
import type { CampaignsDeps } from './ports.ts';
import { campaignReadiness, campaignStats, campaignWaterfall, present } from './results.ts';
import * as store from './store.ts';
import type { CampaignRow } from './store.ts';

export interface AuditEntry {
  readonly actor: Caller;
  readonly action: string;
  readonly target: { readonly kind: string; readonly id: string };
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
  readonly ip: string;
  readonly userAgent: string;
  readonly requestId: string;
}

export interface CampaignRoutesDeps {
  readonly campaigns: CampaignsDeps;
  readonly audit: { record(tx: Tx, entry: AuditEntry): Promise<unknown> };
}

interface CallLike {
  readonly caller: Caller;
  readonly ip: string;
  readonly userAgent: string;
  readonly requestId: string;
}

export function campaignRoutes(deps: CampaignRoutesDeps): Route[] {
  return [...draftRoutes(deps), ...controlRoutes(deps), ...resultRoutes(deps)];
}

function entryOf(call: CallLike, action: string, id: string) {
  const { caller, ip, userAgent, requestId } = call;
  return { actor: caller, ip, userAgent, requestId, action, target: { kind: 'campaign', id } };
}

function auditView(row: CampaignRow) {
  const { name, status, channels, templateId, templateVersion, topic, audience, sender, fallback } = row;
  return { name, status, channels, templateId, templateVersion, topic, audience, sender, fallback };
}

async function presentOne(tx: Tx, deps: CampaignsDeps, row: CampaignRow) {
  const [campaign] = await present(tx, deps, [row]);
  if (campaign === undefined) throw new Error('nothing was presented');
  return campaign;
}

function draftRoutes({ campaigns, audit }: CampaignRoutesDeps): Route[] {
  return [
    route(contract.createCampaign, async (tx, call) => {
      const row = await createDraft(tx, campaigns, call.mintedId, call.body, call.caller.name);
      await audit.record(tx, { ...entryOf(call, 'campaign.created', row.id), after: auditView(row) });
      return presentOne(tx, campaigns, row);
    }),
    route(contract.updateCampaign, async (tx, call) => {
      const expect = (revision: number) => requireMatch(call, revision);
      const { before, after } = await changeCampaign(tx, campaigns, call.params.id, call.body, expect);
      const entry = entryOf(call, 'campaign.changed', after.id);
      await audit.record(tx, { ...entry, before: auditView(before), after: auditView(after) });
      tx.afterCommit(() => campaigns.tell(tx.workspaceId, after.id));
      return presentOne(tx, campaigns, after);
    }),
    route(contract.deleteCampaign, async (tx, call) => {
      const row = await deleteDraft(tx, call.params.id, (revision) => requireMatch(call, revision));
      await audit.record(tx, { ...entryOf(call, 'campaign.deleted', row.id), before: auditView(row) });
    }),
  ];
}

function controlRoutes({ campaigns, audit }: CampaignRoutesDeps): Route[] {
  const control = async (tx: Tx, call: CallLike, id: string, verb: 'pause' | 'resume' | 'cancel', action: string) => {
    const row = await controlCampaign(tx, campaigns, id, verb);
    await audit.record(tx, entryOf(call, action, row.id));
    return presentOne(tx, campaigns, row);
  };
  return [
    route(contract.startCampaign, async (tx, call) => {
      const expect = (revision: number) => requireMatch(call, revision);
      const row = await startCampaign(tx, campaigns, call.params.id, expect);
      await audit.record(tx, { ...entryOf(call, 'campaign.started', row.id), after: auditView(row) });
      return presentOne(tx, campaigns, row);
    }),
    route(contract.pauseCampaign, (tx, call) => control(tx, call, call.params.id, 'pause', 'campaign.paused')),
    route(contract.resumeCampaign, (tx, call) => control(tx, call, call.params.id, 'resume', 'campaign.resumed')),
    route(contract.cancelCampaign, (tx, call) => control(tx, call, call.params.id, 'cancel', 'campaign.cancelled')),
  ];
}

function resultRoutes({ campaigns }: CampaignRoutesDeps): Route[] {
  return [
    route(contract.listCampaigns, async (tx, call) => {
      const { limit, cursor, status, q } = call.query;
      const before = decodeIdCursor(cursor);
      const rows = await store.listCampaigns(tx, { status, q, before, limit: limit + 1 });
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return {
        data: await present(tx, campaigns, rows.slice(0, limit)),
        nextCursor: last === undefined ? null : encodeCursor(last.id),
      };
    }),
    route(contract.getCampaign, async (tx, call) => presentOne(tx, campaigns, await getCampaign(tx, call.params.id))),
    route(contract.campaignWaterfall, async (tx, call) => {
      const { steps, ...rest } = await campaignWaterfall(tx, campaigns, await getCampaign(tx, call.params.id));
      return { steps: [...steps], ...rest };
    }),
    route(contract.campaignStats, (tx, call) => campaignStats(tx, campaigns, call.params.id)),
    streamRoute(contract.campaignReadiness, (call, db) =>
      campaignReadiness(db, campaigns, call.caller.workspaceId, call.params.id),
    ),
  ];
}
