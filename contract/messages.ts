import { z } from 'zod';
import { errorCategory } from './dead-letters.ts';
import { category, channel, endpoint, id, idParams, line, page, pageQuery, problem, time } from './endpoint.ts';
import { topicKey } from './topics.ts';

const tag = 'Messages';

export const messageState = z.enum([
  'planned',
  'held',
  'sending',
  'suppressed',
  'accepted',
  'delivered',
  'bounced',
  'complained',
  'failed',
  'unknown',
  'cancelled',
  'expired',
]);
export type MessageState = z.output<typeof messageState>;

export const decision = z.strictObject({
  outcome: z.enum(['send', 'hold', 'suppress']),
  reason: z.string().optional().describe('Why it is held or suppressed, e.g. no-consent, withdrawn, scheduled.'),
  until: time.optional().describe('When a held one is due.'),
});

export const messageGiven = z.strictObject({
  channel,
  topic: topicKey.optional().describe('What it is about: needed for marketing; the person agreed to it, or not.'),
  to: z
    .union([
      z.strictObject({ contactId: id }),
      z.strictObject({ externalId: line(200) }),
      z.strictObject({ email: line(320) }),
      z.strictObject({ phone: line(50) }),
      z.strictObject({ push: line(4000) }),
    ])
    .describe(
      'A contact, by our id or by yours, or an address of the kind the channel goes to: `email`; `phone` for SMS and WhatsApp; `push` as `fcm:`, `apns:` or `webpush:` and what the device registered. In-app goes to contacts only. A contact is written to at its first address that agreed to the topic; an address that nobody has becomes a contact, so that what was decided about it is kept.',
    ),
  templateId: id.describe('Its current version is sent, also when a newer one comes before the time of `sendAt`.'),
  variables: z
    .record(z.string().max(100), z.unknown())
    .refine((given) => Object.keys(given).length <= 200, 'must have at most 200 variables')
    .optional()
    .describe('What the template reads as `{{ variables.… }}`.'),
  sendAt: time.optional().describe('Not before this time; at most a year ahead.'),
});
export type MessageGiven = z.output<typeof messageGiven>;

/** Anything in the place of a message of a batch is taken in, so that it is refused alone. */
const unread = z
  .unknown()
  .transform((raw) => ({ unread: raw }))
  .describe('Whatever is no message is refused in its place, without keeping the others.');

export const messagePlanned = z.strictObject({
  id,
  state: messageState.describe(
    'planned: it is on its way; held: it waits until `decision.until`; suppressed: it is not sent, for `decision.reason`.',
  ),
  decision,
});

const messageRefused = z
  .strictObject({ error: problem })
  .describe('In a batch: nothing was planned for this message; `errors[].pointer` says where in the body it is wrong.');

export const sendWithConsent = endpoint({
  method: 'POST',
  path: '/messages/send_with_consent',
  permission: 'messages:send',
  summary: 'Send one message or up to 500, each only where the person agreed to it; answers the decision for each',
  description:
    'Answered once every message is written down durably, with what was decided: consent first, so that a message nobody may get needs no variables. The decision is taken again at the hand-over. A single message that is wrong is answered with its problem. In a batch each is judged alone: the answers stand in the order of the messages, one that is wrong is an `error` in its place (with the status it would have had alone), and the others are sent. With an Idempotency-Key the same call again answers the same and sends nothing more; a call that was refused is not remembered, so it can be put right under the same key.',
  tag,
  body: z.union([
    messageGiven,
    z.strictObject({
      messages: z
        .array(z.union([messageGiven, unread]))
        .min(1)
        .max(500),
    }),
  ]),
  status: 202,
  response: z.strictObject({
    data: z.array(z.union([messagePlanned, messageRefused])).describe('In the order of the messages.'),
  }),
  idempotent: true,
});

export const messageSummary = z.strictObject({
  id,
  state: messageState,
  channel,
  /** Masked; null once the contact is erased, and of in-app, which has no address. */
  to: z.string().nullable(),
  contactId: id,
  templateId: id,
  templateName: z.string(),
  templateVersion: z.int().positive(),
  category,
  /** The instruction it belongs to: all of a campaign's, or those of API calls that say the same. */
  planId: id,
  campaignId: id.optional(),
  campaignName: z.string().optional(),
  /** Through which account it went, or was last tried. */
  accountId: id.nullable(),
  accountName: z.string().nullable(),
  /** Of one that failed, bounced or is in doubt: the kind of trouble, what the provider said, and what that means. */
  trouble: z
    .strictObject({ category: errorCategory, code: z.string().nullable(), meaning: z.string().nullable() })
    .nullable(),
  /** Why it is where it is: a short code, e.g. `no-consent`. */
  reason: z.string().nullable(),
  attempt: z.int().nonnegative(),
  plannedAt: time,
  notBefore: time.nullable(),
  settledAt: time.nullable(),
});
export type MessageSummary = z.output<typeof messageSummary>;

export const message = messageSummary.extend({
  topic: z.string().nullable(),
  decision,
  attempts: z.array(
    z.strictObject({
      at: time,
      accountId: id.nullable(),
      accountName: z.string().nullable(),
      outcome: z.string(),
      /** What the provider said: its code and words. */
      code: z.string().nullable(),
      detail: z.string().nullable(),
      /** What the code means, where we know. */
      meaning: z.string().nullable(),
    }),
  ),
  timeline: z.array(z.strictObject({ at: time, kind: z.string(), data: z.record(z.string(), z.unknown()) })),
  opens: z.int().nonnegative(),
  clicks: z.int().nonnegative(),
  providerRef: z.string().nullable(),
});
export type Message = z.output<typeof message>;

export const listMessages = endpoint({
  method: 'GET',
  path: '/messages',
  permission: 'messages:read',
  summary: 'Messages, newest first; those of a campaign or a template in the order of their recipients',
  description:
    'Fast at any size: at most 20,000 messages are looked through for one page, so a page may hold fewer entries than asked for, even none, while `nextCursor` says where to go on.',
  tag,
  query: z.strictObject({
    ...pageQuery,
    state: messageState.optional(),
    reason: line(100).optional(),
    campaignId: id.optional(),
    contactId: id.optional(),
    templateId: id.optional(),
    channel: channel.optional(),
    category: category.optional(),
    recipient: line(320).optional().describe('An e-mail address or a phone number, exactly.'),
    accountId: id.optional(),
    provider: line(40).optional().describe('The kind of the account it went through: `smtp`, `twilio`, …'),
    code: line(100).optional().describe('What the provider said of one that failed, bounced or is in doubt.'),
    errorCategory: errorCategory.optional(),
    /** Planned at or after, and before. */
    from: time.optional(),
    to: time.optional(),
  }),
  status: 200,
  response: page(messageSummary),
});

export const getMessage = endpoint({
  method: 'GET',
  path: '/messages/:id',
  permission: 'messages:read',
  summary: 'One message with its decision, attempts and timeline',
  tag,
  params: idParams,
  status: 200,
  response: message,
});

export const cancelMessage = endpoint({
  method: 'POST',
  path: '/messages/:id/cancel',
  permission: 'messages:send',
  summary: 'Take back a message that is planned or held',
  tag,
  params: idParams,
  status: 200,
  response: message,
});

export const retryMessages = endpoint({
  method: 'POST',
  path: '/messages/retry',
  permission: 'messages:send',
  summary: 'Try failed messages again: those named, or the failed ones of a campaign; never an unknown one',
  tag,
  body: z.union([
    z.strictObject({ messageIds: z.array(id).min(1).max(500) }),
    z.strictObject({ campaignId: id, reason: line(100).optional() }),
  ]),
  status: 202,
  response: z.strictObject({
    retried: z.int().nonnegative(),
    skipped: z.int().nonnegative(),
    /** Of a campaign: what the background goes on with, a thousand at a time. */
    remaining: z.int().nonnegative(),
  }),
  idempotent: true,
});

export const retryMessage = endpoint({
  method: 'PUT',
  path: '/messages/retry/:messageId',
  permission: 'messages:send',
  summary: 'Try one failed message again',
  tag,
  params: z.strictObject({ messageId: id }),
  status: 202,
  response: message,
});

export const resolveMessage = endpoint({
  method: 'POST',
  path: '/messages/:id/resolve',
  permission: 'messages:send',
  summary: 'Decide about an unknown message: it did arrive, it did not, or send it again on purpose',
  tag,
  params: idParams,
  body: z.strictObject({ as: z.enum(['accepted', 'failed', 'resend']) }),
  status: 200,
  response: message,
});

const rollUp = z.strictObject({
  total: z.int().nonnegative(),
  /** Those that are nobody's: their ids are not ours. */
  missing: z.int().nonnegative(),
  /** Whether nothing more will happen by itself. */
  isSettled: z.boolean(),
  counts: z.partialRecord(messageState, z.int().nonnegative()),
});

export const messageStatus = endpoint({
  method: 'POST',
  path: '/messages/status',
  permission: 'messages:read',
  summary: 'How the messages of a batch stand: those named, rolled up and one by one',
  tag,
  body: z.strictObject({ messageIds: z.array(id).min(1).max(500) }),
  status: 200,
  response: rollUp.extend({
    data: z.array(z.strictObject({ id, state: messageState, reason: z.string().nullable() })),
  }),
});

export const planStatus = endpoint({
  method: 'GET',
  path: '/messages/batches/:planId',
  permission: 'messages:read',
  summary: 'How all messages of one plan (`planId` of a message) stand',
  tag,
  params: z.strictObject({ planId: id }),
  status: 200,
  response: rollUp,
});

export const messageEndpoints = [
  sendWithConsent,
  listMessages,
  retryMessages,
  retryMessage,
  messageStatus,
  planStatus,
  getMessage,
  cancelMessage,
  resolveMessage,
] as const;
