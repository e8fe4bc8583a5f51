import { z } from 'zod';
import { channel, endpoint, id, idParams, page, pageQuery, time } from './endpoint.ts';

const tag = 'Overview';
const count = z.int().nonnegative();

export const getQueues = endpoint({
  method: 'GET',
  path: '/queues',
  permission: 'messages:read',
  summary: 'What waits to be handed over, by channel and urgency, and what providers told that was not read yet',
  description: 'Of this workspace. Counts of what waits for a time stop at 100,000 for each urgency.',
  tag,
  status: 200,
  response: z.strictObject({
    lines: z.array(
      z.strictObject({
        channel,
        priority: z.enum(['otp', 'transactional', 'journey', 'campaign']),
        /** Due, and not begun. */
        waiting: count,
        /** In the hands of a worker right now. */
        inFlight: count,
        /** Of paused campaigns. */
        paused: count,
        /** Held until a time, or to be tried again later. */
        deferred: count,
        /** Since when the oldest has been due. */
        oldestDueAt: time.nullable(),
      }),
    ),
    callbacks: z.strictObject({ waiting: count, givenUp: count, oldestReceivedAt: time.nullable() }),
    deadLetters: z.strictObject({ failed: count, bounced: count, unknown: count }),
    countedAtMost: count,
  }),
});
export type Queues = z.output<typeof getQueues.response>;

export const keptCallback = z.strictObject({
  id,
  provider: z.string(),
  accountId: id,
  accountName: z.string().nullable(),
  receivedAt: time,
  tries: count,
  state: z.enum(['waiting', 'given-up']),
  /** When it is read again. */
  dueAt: time.nullable(),
});
export type KeptCallback = z.output<typeof keptCallback>;

export const listCallbacks = endpoint({
  method: 'GET',
  path: '/callbacks',
  permission: 'providers:read',
  summary: 'What providers told that could not be read yet, or was given up; the newest first',
  tag,
  query: z.strictObject({ ...pageQuery, state: z.enum(['waiting', 'given-up']).optional() }),
  status: 200,
  response: page(keptCallback),
});

export const retryCallback = endpoint({
  method: 'POST',
  path: '/callbacks/:id/retry',
  permission: 'providers:write',
  summary: 'Read a callback again that could not be read',
  tag,
  params: idParams,
  status: 200,
  response: keptCallback,
});

export const discardCallback = endpoint({
  method: 'POST',
  path: '/callbacks/:id/discard',
  permission: 'providers:write',
  summary: 'Throw a callback away that could not be read',
  tag,
  params: idParams,
  status: 204,
});

export const queueEndpoints = [getQueues, listCallbacks, retryCallback, discardCallback] as const;
