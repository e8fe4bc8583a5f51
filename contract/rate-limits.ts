import { z } from 'zod';
import { channel, endpoint, id, time } from './endpoint.ts';
import { limits } from './providers.ts';

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
  /** Why it cools down: the provider throttles, is down, refuses the account, or gave no answer. */
  coolReason: z.string().nullable(),
  /** `open`: the lane rests; `half-open`: one message tries whether it works again. */
  breaker: z.enum(['closed', 'open', 'half-open']),
  limits: z.array(
    z.strictObject({
      perSeconds: z.int().positive(),
      limit: z.int().positive(),
      remaining: z.number().nonnegative(),
      /** Today's ceiling of the warm-up plan. */
      isWarmup: z.boolean(),
    }),
  ),
  /** What is set, with what is limited per person, sender and domain. */
  settings: limits,
  warmup: z
    .strictObject({
      startsOn: z.string(),
      ceilings: z.array(z.int().positive()),
      /** From 1; 0 before it starts. */
      day: z.int().nonnegative(),
      isOver: z.boolean(),
    })
    .nullable(),
  /** Told once an hour or day: four fifths of a limit are used, or all of it. */
  alerts: z.array(
    z.strictObject({ limit: z.enum(['hour', 'day', 'warm-up']), level: z.enum(['near', 'reached']), at: time }),
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

export const setLaneLimits = endpoint({
  method: 'PUT',
  path: '/rate-limits/:lane',
  permission: 'limits:write',
  summary: 'Set what a lane may send: the whole new set of its limits',
  tag,
  params: laneParams,
  body: limits,
  status: 200,
  response: lane,
});

const whatsAppLanes = z.strictObject({ data: z.array(lane) });

export const whatsAppRateLimit = endpoint({
  method: 'GET',
  path: '/whatsapp/rate-limit',
  permission: 'providers:read',
  summary: 'The lanes of WhatsApp with their limits and what is left of them',
  tag,
  status: 200,
  response: whatsAppLanes,
});

export const pauseWhatsApp = endpoint({
  method: 'POST',
  path: '/whatsapp/rate-limit/pause',
  permission: 'limits:write',
  summary: 'Hand nothing more over on WhatsApp; what waits stays waiting',
  tag,
  status: 200,
  response: whatsAppLanes,
});

export const resumeWhatsApp = endpoint({
  method: 'POST',
  path: '/whatsapp/rate-limit/resume',
  permission: 'limits:write',
  summary: 'Open the lanes of WhatsApp again',
  tag,
  status: 200,
  response: whatsAppLanes,
});

export const rateLimitEndpoints = [
  listRateLimits,
  pauseLane,
  resumeLane,
  setLaneLimits,
  whatsAppRateLimit,
  pauseWhatsApp,
  resumeWhatsApp,
] as const;
