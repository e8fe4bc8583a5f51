import { z } from 'zod';
import { channel, endpoint, id, time } from './endpoint.ts';

const tag = 'Channels';

/** A lane is one account on one channel; its id is the account's. */
export const lane = z.strictObject({
  lane: id,
  name: z.string(),
  channel,
  state: z.enum(['open', 'paused', 'cooling']),
  pausedAt: time.nullable(),
  /** After the provider asked for a pause. */
  coolUntil: time.nullable(),
  limits: z.array(
    z.strictObject({ perSeconds: z.int().positive(), limit: z.int().positive(), remaining: z.number().nonnegative() }),
  ),
  waiting: z.int().nonnegative(),
});
export type Lane = z.output<typeof lane>;
const laneParams = z.strictObject({ lane: id });

export const listRateLimits = endpoint({
  method: 'GET',
  path: '/rate-limits',
  permission: 'providers:read',
  summary: 'The lanes with their limits and what is left of them',
  tag,
  status: 200,
  response: z.strictObject({ data: z.array(lane) }),
});

export const pauseLane = endpoint({
  method: 'POST',
  path: '/rate-limits/:lane/pause',
  permission: 'limits:write',
  summary: 'Hand nothing more over on a lane; what waits stays waiting',
  tag,
  params: laneParams,
  status: 200,
  response: lane,
});

export const resumeLane = endpoint({
  method: 'POST',
  path: '/rate-limits/:lane/resume',
  permission: 'limits:write',
  summary: 'Open a paused lane again',
  tag,
  params: laneParams,
  status: 200,
  response: lane,
});

export const rateLimitEndpoints = [listRateLimits, pauseLane, resumeLane] as const;
