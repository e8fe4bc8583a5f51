import type { Tx } from '../platform/db.ts';
import type { FallbackStep } from '../delivery/index.ts';
import { AppError, invalidField } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import { lastContact } from './audience.store.ts';
import { launchProblems } from './campaign.rules.ts';
import type { LaunchFacts } from './campaign.rules.ts';
import { getCampaign, refuseUnless } from './drafts.ts';
import { planQueue } from './planning.ts';
import type { PlanJob } from './planning.ts';
import type { CampaignsDeps, SenderQuestion } from './ports.ts';
import * as store from './store.ts';
import type { CampaignRow } from './store.ts';

export function senderQuestion(row: CampaignRow): SenderQuestion {
  const { from } = row.sender;
  return {
    channel: row.channels[0] ?? '',
    from: from === undefined ? undefined : { address: from.email, name: from.name },
  };
}

/** Everything that can be known about a start without the network. */
export async function readLaunchFacts(tx: Tx, deps: CampaignsDeps, row: CampaignRow): Promise<LaunchFacts> {
  const channel = row.channels[0] ?? '';
  const template = await deps.templates.find(tx, row.templateId);
  const topic = await deps.topics.find(tx, row.topicId);
  const audienceTopic = 'topic' in row.audience ? await deps.topics.findByKey(tx, row.audience.topic) : null;
  return {
    template,
    channel,
    topicKnown: topic !== undefined,
    topicArchived: topic !== undefined && topic.archivedAt !== null,
    audienceTopicKnown: audienceTopic !== undefined,
    variables:
      template === undefined ? [] : await deps.templates.variables(tx, row.templateId, template.currentVersion),
    hasAccount: (await deps.laneLimits(tx, channel)) !== undefined,
    account: await deps.accountProblems(tx, senderQuestion(row)),
  };
}

/**
 * Pins the template's version and the end of the audience, opens the plan and leaves the rest to the background. A
 * campaign with nobody to write to may be started: it is done at once, and its numbers say so.
 */
export async function startCampaign(
  tx: Tx,
  deps: CampaignsDeps,
  id: string,
  expect: (revision: number) => void,
): Promise<CampaignRow> {
  const row = await getCampaign(tx, id, true);
  expect(row.revision);
  refuseUnless('start', row);
  const facts = await readLaunchFacts(tx, deps, row);
  const problems = launchProblems(facts);
  const template = await deps.templates.find(tx, row.templateId);
  if (problems.length > 0 || template === undefined)
    throw new AppError(
      'campaign/not-ready',
      problems.map((one) => `${one.pointer.slice(1)} ${one.message}`).join('; '),
      {
        errors: problems,
      },
    );
  const now = deps.clock.now();
  const planId = newId(deps.clock);
  const { from, replyTo } = row.sender;
  await deps.delivery.createPlan(tx, {
    id: planId,
    source: 'campaign',
    sourceId: id,
    channel: facts.channel,
    category: template.category,
    topicId: row.topicId,
    templateId: row.templateId,
    templateVersion: template.currentVersion,
    sender: {
      ...(from === undefined ? {} : { from: { address: from.email, name: from.name } }),
      ...(replyTo === undefined ? {} : { replyTo: { address: replyTo } }),
    },
    fallback: await pinned(tx, deps, row),
  });
  const audienceEnd = await lastContact(tx);
  await store.markStarted(tx, id, { planId, templateVersion: template.currentVersion, audienceEnd }, now);
  await deps.jobs.enqueue<PlanJob>(tx, planQueue, { workspaceId: tx.workspaceId, campaignId: id });
  await deps.events.append(tx, [{ kind: 'campaign.started', occurredAt: now, campaignId: id, data: { planId } }]);
  tx.afterCommit(() => deps.tell(tx.workspaceId, id));
  return getCampaign(tx, id);
}

/** The versions of the fallbacks' templates, fixed like the campaign's own. */
async function pinned(tx: Tx, deps: CampaignsDeps, { fallback }: CampaignRow): Promise<FallbackStep[]> {
  const steps: FallbackStep[] = [];
  for (const [at, step] of fallback.entries()) {
    const template = await deps.templates.find(tx, step.templateId);
    if (template === undefined || template.archived)
      throw invalidField(`/fallback/${at}/templateId`, 'is no template that can be sent');
    steps.push({ ...step, templateVersion: template.currentVersion });
  }
  return steps;
}

type Verb = 'pause' | 'resume' | 'cancel';
const statusAfter = { pause: 'paused', resume: 'running', cancel: 'cancelled' } as const;

/** Lock order: the campaign first, then its plan; the planner does the same. */
export async function controlCampaign(tx: Tx, deps: CampaignsDeps, id: string, verb: Verb): Promise<CampaignRow> {
  const row = await getCampaign(tx, id, true);
  refuseUnless(verb, row);
  const { planId } = row;
  if (planId === null) throw new Error('a started campaign has no plan');
  const now = deps.clock.now();
  await store.setStatus(tx, id, statusAfter[verb], now);
  if (verb === 'pause') await deps.delivery.pausePlan(tx, planId);
  else if (verb === 'resume') await deps.delivery.resumePlan(tx, planId);
  else await deps.delivery.cancelPlan(tx, planId);
  const kind = { pause: 'campaign.paused', resume: 'campaign.resumed', cancel: 'campaign.stopped' }[verb];
  await deps.events.append(tx, [{ kind, occurredAt: now, campaignId: id }]);
  tx.afterCommit(() => deps.tell(tx.workspaceId, id));
  return getCampaign(tx, id);
}
