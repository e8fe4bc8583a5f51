import { z } from 'zod';
import { channel, endpoint, id, line, page, pageQuery, time } from './endpoint.ts';

const tag = 'Messages';
const count = z.int().nonnegative();

/** Groups of what goes wrong; what is done about each is the same for every vendor. */
export const errorCategory = z.enum([
  'address',
  'content',
  'account',
  'throttled',
  'transient',
  'provider-down',
  'unknown',
]);
export type ErrorCategory = z.output<typeof errorCategory>;

export const deadLetterState = z.enum(['failed', 'bounced', 'unknown']);

export const deadLetter = z.strictObject({
  messageId: id,
  /** Failed: it can be tried again. Bounced: the address does not work. Unknown: nobody knows whether it arrived. */
  state: deadLetterState,
  channel,
  category: errorCategory,
  reason: z.string().nullable(),
  /** What the provider said, and what that means where we know. */
  code: z.string().nullable(),
  meaning: z.string().nullable(),
  provider: z.string().nullable(),
  accountId: id.nullable(),
  accountName: z.string().nullable(),
  /** Of an e-mail address. */
  domain: z.string().nullable(),
  to: z.string().nullable(),
  contactId: id.nullable(),
  campaignId: id.nullable(),
  campaignName: z.string().nullable(),
  tries: count,
  at: time,
  discardedAt: time.nullable(),
  /** Of an unknown one: when the provider is asked about it next. */
  askAt: time.nullable(),
});
export type DeadLetter = z.output<typeof deadLetter>;

const filter = {
  state: deadLetterState.optional(),
  category: errorCategory.optional(),
  code: line(100).optional(),
  reason: line(100).optional(),
  provider: line(40).optional(),
  accountId: id.optional(),
  domain: line(253).optional(),
  channel: channel.optional(),
  campaignId: id.optional(),
  /** Failed at or after, and before. */
  from: time.optional(),
  to: time.optional(),
};
export const deadLetterFilter = z.strictObject(filter);
export type DeadLetterFilter = z.output<typeof deadLetterFilter>;

const shortPages =
  'At most 20,000 entries are looked through for one page: a page may hold fewer entries than asked for, even none, while `nextCursor` says where to go on.';

export const listDeadLetters = endpoint({
  method: 'GET',
  path: '/dead-letters',
  permission: 'messages:read',
  summary: 'Messages that failed, bounced or are in doubt, newest first',
  description: shortPages,
  tag,
  query: z.strictObject({
    ...pageQuery,
    ...filter,
    discarded: z.enum(['true', 'false']).optional().describe('`true`: those that were put aside, and only those.'),
  }),
  status: 200,
  response: page(deadLetter),
});

const groups = z.array(z.strictObject({ value: z.string(), count }));

export const summariseDeadLetters = endpoint({
  method: 'GET',
  path: '/dead-letters/summary',
  permission: 'messages:read',
  summary: 'What goes wrong, counted by kind, code, provider, domain, channel and campaign',
  description: 'The twenty largest of each group, over at most the newest 200,000 that the narrowest filter finds.',
  tag,
  query: deadLetterFilter,
  status: 200,
  response: z.strictObject({
    total: count,
    countedAtMost: count,
    byState: groups,
    byCategory: groups,
    byCode: groups,
    byProvider: groups,
    byDomain: groups,
    byChannel: groups,
    byCampaign: z.array(z.strictObject({ value: id, count, name: z.string().nullable() })),
  }),
});
export type DeadLetterSummary = z.output<typeof summariseDeadLetters.response>;

/** Named ones, or all that a filter finds; an empty filter means all of them. */
const which = z.union([
  z.strictObject({ messageIds: z.array(id).min(1).max(500) }),
  z.strictObject({ filter: deadLetterFilter }),
]);
const worked = z.strictObject({
  done: count,
  /** What the background goes on with, a page at a time; it has been asked for durably. */
  remaining: count,
});
const pages =
  'The first thousand at once; what is more goes on in the background. What fails again meanwhile is not taken twice.';

export const redriveDeadLetters = endpoint({
  method: 'POST',
  path: '/dead-letters/redrive',
  permission: 'messages:send',
  summary: 'Try failed messages again; never one in doubt',
  description: pages,
  tag,
  body: which,
  status: 202,
  response: worked,
  idempotent: true,
});

export const discardDeadLetters = endpoint({
  method: 'POST',
  path: '/dead-letters/discard',
  permission: 'messages:send',
  summary: 'Put dead letters aside; the messages stay as they are',
  description: pages,
  tag,
  body: which,
  status: 202,
  response: worked,
  idempotent: true,
});

export const resolveMessages = endpoint({
  method: 'POST',
  path: '/messages/resolve',
  permission: 'messages:send',
  summary: 'Decide about many messages in doubt: they did arrive, they did not, or send them again on purpose',
  description: pages,
  tag,
  body: z.union([
    z.strictObject({ as: z.enum(['accepted', 'failed', 'resend']), messageIds: z.array(id).min(1).max(500) }),
    z.strictObject({ as: z.enum(['accepted', 'failed', 'resend']), filter: deadLetterFilter }),
  ]),
  status: 202,
  response: worked,
  idempotent: true,
});

export const listProviderErrors = endpoint({
  method: 'GET',
  path: '/providers/:kind/errors',
  permission: 'providers:read',
  summary: 'What the codes of a provider mean, and what is done about each kind of trouble',
  tag: 'Channels',
  params: z.strictObject({ kind: z.string().min(1).max(40) }),
  status: 200,
  response: z.strictObject({
    data: z.array(z.strictObject({ code: z.string(), category: errorCategory, meaning: z.string() })),
    retries: z.array(
      z.strictObject({
        category: errorCategory,
        /** Who waits: the message (and an attempt is counted), the lane (and none is), or it is not tried again by itself. */
        waits: z.enum(['message', 'lane', 'never']),
        firstMs: count,
        mostMs: count,
        mostAttempts: count.nullable(),
        mostHours: count.nullable(),
      }),
    ),
  }),
});

export const deadLetterEndpoints = [
  listDeadLetters,
  summariseDeadLetters,
  redriveDeadLetters,
  discardDeadLetters,
  resolveMessages,
  listProviderErrors,
] as const;
