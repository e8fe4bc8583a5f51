import type { ReadinessItem } from '../channels/index.ts';
import type { Decision, GateFacts, Objects, Reach } from '../delivery/index.ts';
import type { FieldProblem } from '../platform/errors.ts';
import type { CompiledVariable } from '../templates/index.ts';

export type Status = 'draft' | 'running' | 'paused' | 'cancelled' | 'done';
export type Audience = { readonly all: true } | { readonly topic: string };

/** The code of the refusal when a verb does not fit the status; undefined when it does. */
export function refusalOf(
  verb: 'start' | 'pause' | 'resume' | 'cancel' | 'delete',
  status: Status,
): string | undefined {
  switch (verb) {
    case 'start':
    case 'delete':
      return status === 'draft' ? undefined : 'campaign/already-started';
    case 'pause':
      return status === 'running'
        ? undefined
        : status === 'draft'
          ? 'campaign/not-running'
          : endedOr(status, 'campaign/not-running');
    case 'resume':
      return status === 'paused' ? undefined : endedOr(status, 'campaign/not-paused');
    case 'cancel':
      return status === 'running' || status === 'paused' ? undefined : endedOr(status, 'campaign/not-running');
  }
}

function endedOr(status: Status, code: string): string {
  return status === 'done' || status === 'cancelled' ? 'campaign/ended' : code;
}

/** People of the audience for whom the gate sees the same facts. */
export interface AudienceGroup extends Reach {
  readonly addressState: string | null;
  readonly suppression: string | null;
  readonly consent: string | null;
  readonly count: number;
}

export interface Waterfall {
  readonly steps: readonly { readonly name: string; readonly count: number }[];
  readonly willSend: number;
  readonly held: Readonly<Record<string, number>>;
  readonly suppressed: Readonly<Record<string, number>>;
}

export interface WaterfallPlan {
  readonly channel: string;
  readonly objects?: Objects | undefined;
  readonly category: string;
  readonly topicId: string | null;
}

interface Stage {
  readonly name: string;
  readonly loses: (facts: AudienceGroup, reason: string, objection: string | undefined) => boolean;
}

/** Where on the way somebody is lost; the reasons are the gate's own. */
const stages: readonly Stage[] = [
  { name: 'Has an address', loses: (facts) => facts.addressState === null },
  { name: 'Address works', loses: (facts) => facts.addressState !== 'ok' },
  { name: 'Not on the suppression list', loses: (facts) => facts.suppression !== null },
  { name: 'Agreed to the topic', loses: (_facts, reason, objection) => reason !== objection },
];
const lastStage: Stage = { name: 'The channel takes it', loses: () => true };

/** In-app messages need no address. */
function stagesOf({ channel, objects }: WaterfallPlan): readonly Stage[] {
  const own = channel === 'inapp' ? stages.slice(-1) : stages;
  return objects === undefined ? own : [...own, lastStage];
}

/**
 * What the gate would say to each group, added up. It is the gate that decides, so that what is shown before a start
 * and what happens after it cannot drift apart.
 */
export function waterfallOf(
  groups: readonly AudienceGroup[],
  plan: WaterfallPlan,
  now: Temporal.Instant,
  decide: (facts: GateFacts, now: Temporal.Instant) => Decision,
): Waterfall {
  const passed = stagesOf(plan);
  const lost = passed.map(() => 0);
  const held: Record<string, number> = {};
  const suppressed: Record<string, number> = {};
  let willSend = 0;
  let whole = 0;
  for (const group of groups) {
    whole += group.count;
    const objection = plan.objects?.(group, now);
    const decision = decide(
      {
        plan: { state: 'open', channel: plan.channel, category: plan.category, topicId: plan.topicId, expiresAt: null },
        notBefore: null,
        contactErased: false,
        addressState: group.addressState,
        suppression: group.suppression,
        consent: group.consent,
        objection,
      },
      now,
    );
    if (decision.outcome === 'send') willSend += group.count;
    else if (decision.outcome === 'hold') held[decision.reason] = (held[decision.reason] ?? 0) + group.count;
    else if (decision.outcome === 'suppress') {
      suppressed[decision.reason] = (suppressed[decision.reason] ?? 0) + group.count;
      const stage = passed.findIndex(({ loses }) => loses(group, decision.reason, objection));
      lost[stage] = (lost[stage] ?? 0) + group.count;
    }
  }
  let left = whole;
  const steps = [{ name: 'In the audience', count: whole }];
  for (const [at, stage] of passed.entries()) {
    left -= lost[at] ?? 0;
    steps.push({ name: stage.name, count: left });
  }
  steps.push({ name: 'Will be sent', count: willSend });
  return { steps, willSend, held, suppressed };
}

/** What is known of a draft when it is to be started. */
export interface LaunchFacts {
  readonly template: { readonly channel: string; readonly archived: boolean } | undefined;
  readonly channel: string;
  readonly topicArchived: boolean;
  readonly topicKnown: boolean;
  readonly audienceTopicKnown: boolean;
  readonly variables: readonly CompiledVariable[];
  readonly hasAccount: boolean;
  /** Of the account; only those in state `problem` count. */
  readonly account: readonly ReadinessItem[];
}

/** Why it cannot be started, each reason with the field that causes it. */
export function launchProblems(facts: LaunchFacts): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const say = (pointer: string, message: string) => problems.push({ pointer, message });
  const { template } = facts;
  if (template === undefined) say('/templateId', 'does not exist any more');
  else if (template.archived) say('/templateId', 'is archived');
  else if (template.channel !== facts.channel)
    say('/templateId', `is for ${template.channel}, the campaign for ${facts.channel}`);
  if (!facts.topicKnown) say('/topic', 'does not exist any more');
  else if (facts.topicArchived) say('/topic', 'is archived');
  if (!facts.audienceTopicKnown) say('/audience/topic', 'does not exist any more');
  const fromCall = facts.variables.filter((one) => !one.hasDefault && one.name.startsWith('variables.'));
  if (fromCall.length > 0)
    say('/templateId', `reads ${fromCall.map((one) => one.name).join(', ')}, which only a call of the API can give`);
  if (!facts.hasAccount) say('/channels/0', `has no account: choose one for ${facts.channel} under Settings`);
  for (const item of facts.account)
    if (item.state === 'problem') say(item.key === 'sender' ? '/from' : '/channels/0', `${item.title}: ${item.detail}`);
  return problems;
}

/** How many of a sample of contacts lack a value that the template needs. */
export interface Lacking {
  readonly name: string;
  readonly lacking: number;
  readonly of: number;
}

export function variablesItem(lacking: readonly Lacking[]): ReadinessItem {
  const key = 'template-variables';
  const title = 'Values in the template';
  const some = lacking.filter((one) => one.lacking > 0);
  const fix = 'Give each a default in the template ({{ … | default: "…" }}), or fill in the attributes.';
  if (some.length === 0)
    return {
      key,
      title,
      state: 'ok',
      detail: 'Every value without a default is there for the contacts looked at.',
      fix: null,
    };
  const parts = some.map((one) =>
    one.lacking === one.of
      ? `${one.name} is missing for everybody`
      : `${one.name} is missing for ${one.lacking} of ${one.of} contacts looked at`,
  );
  return { key, title, state: 'warning', detail: `${parts.join('; ')}. They would be left out.`, fix };
}

export function audienceItem(willSend: number): ReadinessItem {
  const key = 'audience';
  const title = 'Audience';
  if (willSend > 0) return { key, title, state: 'ok', detail: `${willSend} will be written to.`, fix: null };
  return {
    key,
    title,
    state: 'warning',
    detail: 'Nobody would be written to.',
    fix: 'Look at the audience: each step says how many were lost and why.',
  };
}

export function launchItem(problems: readonly FieldProblem[]): ReadinessItem | undefined {
  if (problems.length === 0) return undefined;
  const detail = problems.map((one) => `${one.pointer.slice(1)} ${one.message}`).join('; ');
  return { key: 'campaign', title: 'Campaign', state: 'problem', detail: `${detail}.`, fix: 'Change the draft.' };
}
