import type { z } from 'zod';
import type { campaignFallback } from '../../contract/campaigns.ts';
import type { Tx } from '../platform/db.ts';
import type { Audience, Status } from './campaign.rules.ts';

export interface CampaignSender {
  readonly from?: { readonly email: string; readonly name?: string | undefined } | undefined;
  readonly replyTo?: string | undefined;
}

export type CampaignFallback = z.output<typeof campaignFallback>;

export interface CampaignRow {
  readonly id: string;
  readonly name: string;
  readonly status: Status;
  readonly channels: readonly string[];
  readonly templateId: string;
  readonly templateName: string;
  readonly templateVersion: number | null;
  readonly topicId: string;
  readonly topic: string;
  readonly audience: Audience;
  readonly sender: CampaignSender;
  readonly fallback: readonly CampaignFallback[];
  readonly planId: string | null;
  /** The last contact that was planned. */
  readonly cursor: string | null;
  /** The last contact that was there at the start; null before it, and when there was none. */
  readonly audienceEnd: string | null;
  readonly createdBy: string;
  readonly createdAt: Temporal.Instant;
  readonly updatedAt: Temporal.Instant;
  readonly startedAt: Temporal.Instant | null;
  readonly endedAt: Temporal.Instant | null;
  readonly revision: number;
}

const columns = `c.id, c.name, c.status, c.channels, c.template_id as "templateId", t.name as "templateName", c.template_version as "templateVersion",
  c.topic_id as "topicId", p.key as topic, c.audience, c.sender, c.fallback, c.plan_id as "planId", c.cursor, c.audience_end as "audienceEnd",
  c.created_by as "createdBy", c.created_at as "createdAt", c.updated_at as "updatedAt", c.started_at as "startedAt", c.ended_at as "endedAt", c.revision`;

const from = `campaign c
  join template t on t.workspace_id = c.workspace_id and t.id = c.template_id
  join topic p on p.workspace_id = c.workspace_id and p.id = c.topic_id`;

export async function findCampaign(tx: Tx, id: string, lock = false): Promise<CampaignRow | undefined> {
  const [row] = await tx.query<CampaignRow>(
    `select ${columns} from ${from} where c.workspace_id = $1 and c.id = $2${lock ? ' for update of c' : ''}`,
    [tx.workspaceId, id],
  );
  return row;
}

export interface CampaignFilter {
  readonly status?: Status | undefined;
  readonly q?: string | undefined;
  readonly before: string | undefined;
  readonly limit: number;
}

/** Newest first: ids rise with time. */
export async function listCampaigns(tx: Tx, filter: CampaignFilter): Promise<CampaignRow[]> {
  const like = filter.q === undefined ? null : `%${filter.q.replace(/[\\%_]/g, (one) => `\\${one}`)}%`;
  return tx.query<CampaignRow>(
    `select ${columns} from ${from} where c.workspace_id = $1 and ($2::text is null or c.status = $2)
       and ($3::text is null or c.name ilike $3) and ($4::uuid is null or c.id < $4) order by c.id desc limit $5`,
    [tx.workspaceId, filter.status ?? null, like, filter.before ?? null, filter.limit],
  );
}

export async function campaignNames(tx: Tx, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.query<{ id: string; name: string }>(
    'select id, name from campaign where workspace_id = $1 and id = any($2::uuid[])',
    [tx.workspaceId, ids],
  );
  return new Map(rows.map((row) => [row.id, row.name]));
}

export interface Draft {
  readonly name: string;
  readonly channels: readonly string[];
  readonly templateId: string;
  readonly topicId: string;
  readonly audience: Audience;
  readonly sender: CampaignSender;
  readonly fallback: readonly CampaignFallback[];
}

export async function insertCampaign(
  tx: Tx,
  id: string,
  draft: Draft,
  createdBy: string,
  at: Temporal.Instant,
): Promise<void> {
  await tx.query(
    `insert into campaign (workspace_id, id, name, channels, template_id, topic_id, audience, sender, fallback, status, created_by, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $11, 'draft', $9, $10, $10)`,
    [
      tx.workspaceId,
      id,
      draft.name,
      draft.channels,
      draft.templateId,
      draft.topicId,
      JSON.stringify(draft.audience),
      JSON.stringify(draft.sender),
      createdBy,
      at,
      JSON.stringify(draft.fallback),
    ],
  );
}

export async function updateDraft(tx: Tx, id: string, draft: Draft, at: Temporal.Instant): Promise<void> {
  await tx.query(
    `update campaign set name = $3, channels = $4, template_id = $5, topic_id = $6, audience = $7, sender = $8, fallback = $10, updated_at = $9, revision = revision + 1
     where workspace_id = $1 and id = $2`,
    [
      tx.workspaceId,
      id,
      draft.name,
      draft.channels,
      draft.templateId,
      draft.topicId,
      JSON.stringify(draft.audience),
      JSON.stringify(draft.sender),
      at,
      JSON.stringify(draft.fallback),
    ],
  );
}

export async function deleteCampaign(tx: Tx, id: string): Promise<void> {
  await tx.query("delete from campaign where workspace_id = $1 and id = $2 and status = 'draft'", [tx.workspaceId, id]);
}

export interface Start {
  readonly planId: string;
  readonly templateVersion: number;
  readonly audienceEnd: string | null;
}

export async function markStarted(tx: Tx, id: string, start: Start, at: Temporal.Instant): Promise<void> {
  await tx.query(
    `update campaign set status = 'running', plan_id = $3, template_version = $4, audience_end = $5, cursor = null, started_at = $6, updated_at = $6,
       revision = revision + 1 where workspace_id = $1 and id = $2`,
    [tx.workspaceId, id, start.planId, start.templateVersion, start.audienceEnd, at],
  );
}

export async function setStatus(tx: Tx, id: string, status: Status, at: Temporal.Instant): Promise<void> {
  await tx.query(
    'update campaign set status = $3, updated_at = $4, revision = revision + 1 where workspace_id = $1 and id = $2',
    [tx.workspaceId, id, status, at],
  );
}

/** The end of a campaign; a cancelled one keeps its status. Answers whether it had not ended before. */
export async function markEnded(
  tx: Tx,
  planId: string,
  at: Temporal.Instant,
): Promise<{ id: string; status: Status } | undefined> {
  const [row] = await tx.query<{ id: string; status: Status }>(
    `update campaign set status = case status when 'cancelled' then status else 'done' end, ended_at = $3, updated_at = $3, revision = revision + 1
     where workspace_id = $1 and plan_id = $2 and ended_at is null returning id, status`,
    [tx.workspaceId, planId, at],
  );
  return row;
}

/** The place of planning; moves in the transaction that writes the page. */
export interface PlanningRow {
  readonly id: string;
  readonly status: Status;
  readonly channel: string;
  readonly planId: string;
  readonly topicId: string;
  /** Of the audience; null when it is everybody. */
  readonly audienceTopicId: string | null;
  readonly cursor: string | null;
  readonly audienceEnd: string | null;
}

/** Locked, so that two planners, or a planner and somebody who pauses, come one after the other. */
export async function lockPlanning(tx: Tx, id: string): Promise<PlanningRow | undefined> {
  const [row] = await tx.hot<PlanningRow>(
    `select c.id, c.status, c.channels[1] as channel, c.plan_id as "planId", c.topic_id as "topicId", c.cursor, c.audience_end as "audienceEnd",
       (select a.id from topic a where a.workspace_id = $1 and a.key = c.audience ->> 'topic') as "audienceTopicId"
     from campaign c where c.workspace_id = $1 and c.id = $2 and c.plan_id is not null for update of c`,
    [tx.workspaceId, id],
  );
  return row;
}

export async function moveCursor(tx: Tx, id: string, cursor: string): Promise<void> {
  await tx.hot('update campaign set cursor = $3 where workspace_id = $1 and id = $2', [tx.workspaceId, id, cursor]);
}

/** Campaigns whose planning should be under way. */
export async function findUnplanned(tx: Tx): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `select c.id from campaign c join plan p on p.workspace_id = c.workspace_id and p.id = c.plan_id
     where c.workspace_id = $1 and c.status in ('running', 'paused') and not p.complete`,
    [tx.workspaceId],
  );
  return rows.map((row) => row.id);
}

export async function workspaceIds(tx: Tx): Promise<string[]> {
  return (await tx.query<{ id: string }>('select id from parley_workspace_ids()')).map((row) => row.id);
}
