import { z } from 'zod';
import { readiness } from './actor.ts';
import { channel, endpoint, id, idParams, line, page, pageQuery, revision, time } from './endpoint.ts';
import { email, mailbox, mailboxGiven } from './mailbox.ts';
import { topicKey } from './topics.ts';

const tag = 'Campaigns';
const count = z.int().nonnegative();
/** Reason code, e.g. `no-consent` -> how many. */
export const reasonCounts = z.record(z.string(), count);

export const campaignStatus = z.enum(['draft', 'running', 'paused', 'cancelled', 'done']);
/** Everybody, or those who agreed to a topic. */
export const campaignAudience = z.union([
  z.strictObject({ all: z.literal(true) }),
  z.strictObject({ topic: topicKey }),
]);

/** Who was not reached in time is written to on the next channel, if he agreed to it there. */
export const campaignFallback = z.strictObject({
  channel,
  templateId: id,
  /** After the hand-over. */
  afterMinutes: z.int().min(1).max(43_200),
  /** What has to have happened by then. */
  until: z.enum(['delivered', 'read']),
});

export const campaign = z.strictObject({
  id,
  name: z.string(),
  status: campaignStatus,
  channels: z.array(channel),
  templateId: id,
  templateName: z.string(),
  /** Pinned at the start. */
  templateVersion: z.int().positive().nullable(),
  topic: z.string(),
  audience: campaignAudience,
  from: mailbox.nullable(),
  replyTo: z.string().nullable(),
  fallback: z.array(campaignFallback),
  /** Null before the start. */
  totals: z
    .strictObject({ planned: count, accepted: count, failed: count, suppressed: count, opened: count, clicked: count })
    .nullable(),
  createdBy: z.string(),
  createdAt: time,
  updatedAt: time,
  startedAt: time.nullable(),
  endedAt: time.nullable(),
  revision,
});
export type Campaign = z.output<typeof campaign>;

const content = {
  name: line(100),
  channels: z.array(channel).length(1),
  templateId: id,
  /** What it is about: only those who agreed to this topic are written to. */
  topic: topicKey,
  audience: campaignAudience,
  from: mailboxGiven,
  replyTo: email,
  fallback: z.array(campaignFallback).max(4),
};

export const listCampaigns = endpoint({
  method: 'GET',
  path: '/campaigns',
  permission: 'campaigns:read',
  summary: 'Campaigns, newest first',
  tag,
  query: z.strictObject({ ...pageQuery, status: campaignStatus.optional(), q: line(100).optional() }),
  status: 200,
  response: page(campaign),
});

export const createCampaign = endpoint({
  method: 'POST',
  path: '/campaigns',
  permission: 'campaigns:write',
  summary: 'Make a draft',
  tag,
  body: z.strictObject({
    ...content,
    from: content.from.optional(),
    replyTo: content.replyTo.optional(),
    fallback: content.fallback.optional(),
  }),
  status: 201,
  response: campaign,
  idempotent: true,
});

export const getCampaign = endpoint({
  method: 'GET',
  path: '/campaigns/:id',
  permission: 'campaigns:read',
  summary: 'One campaign',
  tag,
  params: idParams,
  status: 200,
  response: campaign,
});

export const updateCampaign = endpoint({
  method: 'PATCH',
  path: '/campaigns/:id',
  permission: 'campaigns:write',
  summary: 'Change a draft; a started campaign only takes a new name',
  tag,
  params: idParams,
  body: z.strictObject({
    name: content.name.optional(),
    channels: content.channels.optional(),
    templateId: content.templateId.optional(),
    topic: content.topic.optional(),
    audience: content.audience.optional(),
    from: content.from.nullable().optional(),
    replyTo: content.replyTo.nullable().optional(),
    fallback: content.fallback.optional(),
  }),
  status: 200,
  response: campaign,
});

export const deleteCampaign = endpoint({
  method: 'DELETE',
  path: '/campaigns/:id',
  permission: 'campaigns:write',
  summary: 'Delete a draft; what was sent stays accounted for',
  tag,
  params: idParams,
  status: 204,
});

export const startCampaign = endpoint({
  method: 'POST',
  path: '/campaigns/:id/start',
  permission: 'campaigns:send',
  summary: 'Pin the template version and begin; the audience is planned page by page in the background',
  tag,
  params: idParams,
  status: 202,
  response: campaign,
  idempotent: true,
});

export const pauseCampaign = endpoint({
  method: 'POST',
  path: '/campaigns/:id/pause',
  permission: 'campaigns:send',
  summary: 'Hand nothing more over; what is on the wire ends',
  tag,
  params: idParams,
  status: 200,
  response: campaign,
});

export const resumeCampaign = endpoint({
  method: 'POST',
  path: '/campaigns/:id/resume',
  permission: 'campaigns:send',
  summary: 'Go on after a pause',
  tag,
  params: idParams,
  status: 200,
  response: campaign,
});

export const cancelCampaign = endpoint({
  method: 'POST',
  path: '/campaigns/:id/cancel',
  permission: 'campaigns:send',
  summary: 'Stop for good; what has not been handed over becomes cancelled',
  tag,
  params: idParams,
  status: 200,
  response: campaign,
});

export const campaignWaterfall = endpoint({
  method: 'GET',
  path: '/campaigns/:id/audience',
  permission: 'campaigns:read',
  summary: 'Who would be reached if it were started now, step by step, and why the others would not',
  tag,
  params: idParams,
  status: 200,
  response: z.strictObject({
    /** Each step with how many are left after it. */
    steps: z.array(z.strictObject({ name: z.string(), count })),
    willSend: count,
    held: reasonCounts,
    suppressed: reasonCounts,
    /** At the limits of the lane; null when it has none. */
    estimatedSeconds: z.int().nonnegative().nullable(),
  }),
});

export const campaignStats = endpoint({
  method: 'GET',
  path: '/campaigns/:id/stats',
  permission: 'campaigns:read',
  summary:
    'Counts; planned is the sum of waiting, held, sending, suppressed, accepted, failed, unknown, cancelled and expired',
  tag,
  params: idParams,
  status: 200,
  response: z.strictObject({
    status: campaignStatus,
    planned: count,
    waiting: count,
    held: count,
    sending: count,
    suppressed: count,
    accepted: count,
    failed: count,
    unknown: count,
    cancelled: count,
    expired: count,
    /** Parts of accepted. */
    delivered: count,
    bounced: count,
    complained: count,
    opened: count,
    clicked: count,
    unsubscribed: count,
    machineOpened: count,
    /** Until the last of what waits has gone, at the limits and the speed so far; null when nothing is known of it. */
    etaSeconds: z.int().nonnegative().nullable(),
    startedAt: time.nullable(),
    endedAt: time.nullable(),
    /** State (`held`, `suppressed`, `failed`, `unknown`) -> reason -> how many. */
    reasons: z.record(z.string(), reasonCounts),
  }),
});

export const campaignReadiness = endpoint({
  method: 'GET',
  path: '/campaigns/:id/readiness',
  permission: 'campaigns:read',
  summary: 'What stands in the way of a start, or will hurt delivery',
  tag,
  params: idParams,
  status: 200,
  response: readiness,
});

export const campaignEndpoints = [
  listCampaigns,
  createCampaign,
  getCampaign,
  updateCampaign,
  deleteCampaign,
  startCampaign,
  pauseCampaign,
  resumeCampaign,
  cancelCampaign,
  campaignWaterfall,
  campaignStats,
  campaignReadiness,
] as const;
