import { z } from 'zod';
import { channel, endpoint, id, idParams, line, page, pageQuery, time } from './endpoint.ts';

const tag = 'Sandbox';

export const sandboxMessage = z.strictObject({
  id,
  channel,
  /** `smtp`, or the vendor that the sandbox played. */
  vendor: z.string(),
  from: z.string(),
  to: z.string(),
  subject: z.string().optional(),
  receivedAt: time,
  sizeBytes: z.int().nonnegative(),
  /** The message of the ledger that this is. */
  messageId: id.optional(),
  /**
   * A mail of Parley's own, a reset link or an invitation, that is not the caller's to read: without headers, parts,
   * source and links. A reset is shown to the person it is for, an invitation to who sent it; to API keys neither.
   */
  hidden: z.boolean(),
});
export type SandboxMessage = z.output<typeof sandboxMessage>;

export const listSandboxMessages = endpoint({
  method: 'GET',
  path: '/sandbox/messages',
  permission: 'sandbox:read',
  summary: 'What the sandbox caught, newest first',
  tag,
  query: z.strictObject({
    ...pageQuery,
    /** The whole recipient. */
    to: line(500).optional(),
    channel: channel.optional(),
    vendor: line(40).optional(),
    /** Received at this time or later. */
    since: time.optional(),
  }),
  status: 200,
  response: page(sandboxMessage),
});

export const sandboxAct = z.enum(['open', 'click', 'unsubscribe', 'bounce', 'complain', 'read', 'reply']);

export const getSandboxMessage = endpoint({
  method: 'GET',
  path: '/sandbox/messages/:id',
  permission: 'sandbox:read',
  summary: 'One caught message: headers, parts and source',
  tag,
  params: idParams,
  status: 200,
  response: sandboxMessage.extend({
    /** Lower-case name -> value, unfolded; a repeated header's values are joined by line breaks. */
    headers: z.record(z.string(), z.string()),
    html: z.string().optional(),
    text: z.string().optional(),
    raw: z.string().optional(),
    /** Web links of the message in the order in which they stand, each once. */
    links: z.array(z.string()),
    /** Of what is no e-mail: as the recipient's device would show it. */
    shown: z
      .strictObject({
        heading: z.string().optional(),
        text: z.string(),
        footer: z.string().optional(),
        pictures: z.array(z.string()).readonly().optional(),
        buttons: z.array(z.string()).readonly().optional(),
        /** Where a tap leads. */
        url: z.string().optional(),
      })
      .optional(),
    /** What can be acted. */
    acts: z.array(sandboxAct),
  }),
});

export const actOnSandboxMessage = endpoint({
  method: 'POST',
  path: '/sandbox/messages/:id/act',
  permission: 'sandbox:write',
  summary: 'Do what the recipient (or their provider) might: over the same links and receipts a real one would use',
  tag,
  params: idParams,
  body: z.strictObject({
    action: sandboxAct,
    /** For `click`: a link of the message; the first one when left out. */
    url: z.url().max(4000).optional(),
    /** For `reply`: what the recipient writes. */
    text: z.string().min(1).max(4000).optional(),
  }),
  status: 200,
  response: z.strictObject({ action: z.string(), detail: z.string() }),
});

export const clearSandbox = endpoint({
  method: 'DELETE',
  path: '/sandbox/messages',
  permission: 'sandbox:write',
  summary: 'Empty the sandbox',
  tag,
  status: 200,
  response: z.strictObject({ deleted: z.int().nonnegative() }),
});

export const sandboxEndpoints = [listSandboxMessages, getSandboxMessage, actOnSandboxMessage, clearSandbox] as const;
