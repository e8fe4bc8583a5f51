import type { Campaign } from '../../contract/campaigns.ts';
import type { Readiness } from '../../contract/actor.ts';
import { channel } from '../../contract/endpoint.ts';
import { secondsFor } from '../delivery/index.ts';
import type { PlanStats } from '../delivery/index.ts';
import type { Db, Tx } from '../platform/db.ts';
import { countLacking, groupAudience } from './audience.store.ts';
import type { Target } from './audience.store.ts';
import { audienceItem, launchItem, launchProblems, variablesItem, waterfallOf } from './campaign.rules.ts';
import type { Waterfall } from './campaign.rules.ts';
import { getCampaign } from './drafts.ts';
import { readLaunchFacts, senderQuestion } from './launch.ts';
import type { CampaignsDeps } from './ports.ts';
import type { CampaignRow } from './store.ts';

/** Contacts looked at for missing values: enough to see a column that was never filled, quick at a million. */
const sampledContacts = 10_000;

const nothing: PlanStats = {
  planned: 0,
  waiting: 0,
  held: 0,
  sending: 0,
  suppressed: 0,
  accepted: 0,
  failed: 0,
  unknown: 0,
  cancelled: 0,
  expired: 0,
  delivered: 0,
  bounced: 0,
  complained: 0,
  opened: 0,
  clicked: 0,
  unsubscribed: 0,
  machineOpened: 0,
};

async function statsOf(
  tx: Tx,
  deps: CampaignsDeps,
  rows: readonly CampaignRow[],
): Promise<ReadonlyMap<string, PlanStats>> {
  const planIds = rows.flatMap((row) => row.planId ?? []);
  return planIds.length === 0 ? new Map() : deps.delivery.planStats(tx, planIds);
}

export async function present(tx: Tx, deps: CampaignsDeps, rows: readonly CampaignRow[]): Promise<Campaign[]> {
  const stats = await statsOf(tx, deps, rows);
  return rows.map((row) => toCampaign(row, row.planId === null ? undefined : (stats.get(row.planId) ?? nothing)));
}

function toCampaign(row: CampaignRow, stats: PlanStats | undefined): Campaign {
  const { from, replyTo } = row.sender;
  return {
    id: row.id,
    name: row.name,
    status: row.status,
    channels: row.channels.map((one) => channel.parse(one)),
    templateId: row.templateId,
    templateName: row.templateName,
    templateVersion: row.templateVersion,
    topic: row.topic,
    audience: 'topic' in row.audience ? { topic: row.audience.topic } : { all: true },
    from: from === undefined ? null : { email: from.email, ...(from.name === undefined ? {} : { name: from.name }) },
    replyTo: replyTo ?? null,
    fallback: [...row.fallback],
    totals: stats === undefined ? null : totalsOf(stats),
    createdBy: row.createdBy,
    createdAt: row.createdAt.toString(),
    updatedAt: row.updatedAt.toString(),
    startedAt: row.startedAt?.toString() ?? null,
    endedAt: row.endedAt?.toString() ?? null,
    revision: row.revision,
  };
}

function totalsOf({ planned, accepted, failed, suppressed, opened, clicked }: PlanStats) {
  return { planned, accepted, failed, suppressed, opened, clicked };
}

/** All counts come from one statement, so they add up at every poll. */
export async function campaignStats(tx: Tx, deps: CampaignsDeps, id: string) {
  const row = await getCampaign(tx, id);
  const stats = (await statsOf(tx, deps, [row])).get(row.planId ?? '') ?? nothing;
  const reasons: Record<string, Record<string, number>> = {};
  const found = row.planId === null ? [] : await deps.delivery.planReasons(tx, row.planId);
  for (const { state, reason, count } of found) (reasons[state] ??= {})[reason] = count;
  return {
    status: row.status,
    ...stats,
    etaSeconds: row.planId === null || row.status !== 'running' ? null : await deps.delivery.planEta(tx, row.planId),
    startedAt: row.startedAt?.toString() ?? null,
    endedAt: row.endedAt?.toString() ?? null,
    reasons,
  };
}

async function targetOf(tx: Tx, deps: CampaignsDeps, row: CampaignRow): Promise<Target> {
  const audienceTopic = 'topic' in row.audience ? await deps.topics.findByKey(tx, row.audience.topic) : undefined;
  return { channel: row.channels[0] ?? '', topicId: row.topicId, audienceTopicId: audienceTopic?.id ?? null };
}

export async function campaignWaterfall(
  tx: Tx,
  deps: CampaignsDeps,
  row: CampaignRow,
): Promise<Waterfall & { estimatedSeconds: number | null }> {
  const target = await targetOf(tx, deps, row);
  const template = await deps.templates.find(tx, row.templateId);
  const category = template?.category ?? 'marketing';
  const objects =
    template === undefined
      ? undefined
      : await deps.objections(tx, template.id, row.templateVersion ?? template.currentVersion, category);
  const plan = { channel: target.channel, category, topicId: row.topicId, objects };
  const now = deps.clock.now();
  const waterfall = waterfallOf(await groupAudience(tx, target, now), plan, now, deps.delivery.decide);
  const limits = await deps.laneLimits(tx, target.channel);
  return { ...waterfall, estimatedSeconds: secondsFor(waterfall.willSend, limits ?? {}, undefined, deps.clock.now()) };
}

/** The network is asked after the transaction has ended: a slow name server must not hold a connection. */
export async function campaignReadiness(
  db: Db,
  deps: CampaignsDeps,
  workspaceId: string,
  id: string,
): Promise<Readiness> {
  const known = await db.read(workspaceId, async (tx) => {
    const row = await getCampaign(tx, id);
    const facts = await readLaunchFacts(tx, deps, row);
    const needed = facts.variables.filter((one) => !one.hasDefault).map((one) => one.name);
    const lacking = await countLacking(tx, needed, sampledContacts);
    const { willSend } = await campaignWaterfall(tx, deps, row);
    return { row, lacking, willSend, problems: launchProblems({ ...facts, account: [] }) };
  });
  const account = await deps.accountReadiness(workspaceId, senderQuestion(known.row));
  const own = launchItem(known.problems);
  const items = [
    ...(own === undefined ? [] : [own]),
    audienceItem(known.willSend),
    variablesItem(known.lacking),
    ...account,
  ];
  return {
    ready: items.every((item) => item.state !== 'problem'),
    checkedAt: deps.clock.now().toString(),
    items,
  };
}
