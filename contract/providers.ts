import { z } from 'zod';
import { readiness } from './actor.ts';
import { channel, endpoint, id, idParams, line, page, pageQuery, revision, time } from './endpoint.ts';
import { email, mailbox, mailboxGiven } from './mailbox.ts';

const tag = 'Channels';

const most = z.int().min(1).max(1_000_000_000);
const periods = {
  perSecond: most.optional(),
  perMinute: most.optional(),
  perHour: most.optional(),
  perDay: most.optional(),
};
/** How a new sender earns its name: so many messages a day (UTC) at most, from the first day on. */
export const warmup = z.strictObject({ startsOn: z.iso.date(), ceilings: z.array(most).min(1).max(120) });
/** In no window of these lengths does more go out than this, whatever restarts and however many workers there are. */
export const limits = z.strictObject({
  ...periods,
  /** To one person through this account. */
  perRecipientPerDay: z.int().min(1).max(1_000).optional(),
  /** From one number or address. */
  perSenderPerSecond: most.optional(),
  /** To mailboxes of one domain. */
  perDomain: z
    .record(
      z.string().regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'must be a domain in small letters'),
      z.strictObject(periods),
    )
    .refine((domains) => Object.keys(domains).length <= 200, 'at most 200 domains')
    .optional(),
  warmup: warmup.optional(),
});

/** From and Reply-To of an account, used unless a campaign names its own. */
export const senderGiven = z.strictObject({ from: mailboxGiven, replyTo: email.nullable().optional() });
export const sender = z.strictObject({ from: mailbox.nullable(), replyTo: z.string().nullable() });

const kind = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/)
  .describe('Of the provider: `GET /providers/kinds` lists them, each with the fields of its settings.');
/**
 * Open fields and secrets in one object, as the kind's form has them. Secrets are write-only: sealed, never answered;
 * `secretsSet` says which exist. Left out in a change, fields stay as they are.
 */
const settings = z.record(z.string().max(100), z.unknown());

/** JSON Schema (2020-12) of an object, its properties with title and description: what a form is made from. */
const fieldsSchema = z.record(z.string(), z.unknown());
export const providerKind = z.strictObject({
  kind: z.string(),
  channel,
  title: z.string(),
  settings: fieldsSchema,
  secrets: fieldsSchema,
  /** What has to be entered at the vendor's for it to call back; null: it never does. */
  callbacks: z.string().nullable(),
});
export type ProviderKind = z.output<typeof providerKind>;

export const listProviderKinds = endpoint({
  method: 'GET',
  path: '/providers/kinds',
  permission: 'providers:read',
  summary: 'The providers there are, by channel, with what an account of each is set to',
  tag,
  status: 200,
  response: z.strictObject({ data: z.array(providerKind) }),
});

const accountContent = { name: line(100), limits: limits.optional(), sender: senderGiven.optional() };

export const account = z.strictObject({
  id,
  channel,
  /** `smtp`, `sandbox`, `sendgrid`, `twilio`, …: which vendor, and so which settings. */
  kind: z.string(),
  name: z.string(),
  /** As the vendor's own form has them, without secrets. */
  settings: z.record(z.string(), z.unknown()),
  secretsSet: z.array(z.string()),
  /** Where its vendor calls back, for those that do and a Parley that has a public address. */
  callbackUrl: z.string().nullable(),
  limits,
  sender,
  pausedAt: time.nullable(),
  createdAt: time,
  updatedAt: time,
  revision,
});
export type Account = z.output<typeof account>;

export const listProviders = endpoint({
  method: 'GET',
  path: '/providers',
  permission: 'providers:read',
  summary: 'Accounts at providers, and the built-in sandbox',
  tag,
  query: z.strictObject({ ...pageQuery, channel: channel.optional() }),
  status: 200,
  response: page(account),
});

export const createProvider = endpoint({
  method: 'POST',
  path: '/providers',
  permission: 'providers:write',
  summary: 'Add an account; it sends once it is in the route of its channel',
  tag,
  body: z.strictObject({ kind, channel, settings, ...accountContent }),
  status: 201,
  response: account,
  idempotent: true,
});

export const getProvider = endpoint({
  method: 'GET',
  path: '/providers/:id',
  permission: 'providers:read',
  summary: 'One account; secrets are never answered',
  tag,
  params: idParams,
  status: 200,
  response: account,
});

export const updateProvider = endpoint({
  method: 'PATCH',
  path: '/providers/:id',
  permission: 'providers:write',
  summary: 'Change an account; secrets left out stay',
  tag,
  params: idParams,
  body: z.strictObject({
    name: line(100).optional(),
    settings: settings.optional(),
    /** The whole new set. */
    limits: limits.optional(),
    sender: senderGiven.nullable().optional(),
  }),
  status: 200,
  response: account,
});

export const deleteProvider = endpoint({
  method: 'DELETE',
  path: '/providers/:id',
  permission: 'providers:write',
  summary: 'Remove an account and its secrets; refused while a route uses it',
  tag,
  params: idParams,
  status: 204,
});

export const testProvider = endpoint({
  method: 'POST',
  path: '/providers/:id/test',
  permission: 'providers:write',
  summary: 'Connect, sign in, and (with `to`) send one test message; answers each step',
  tag,
  params: idParams,
  body: z.strictObject({
    to: line(4000).optional().describe('An address as the channel has it: e-mail, phone number, push address.'),
  }),
  status: 200,
  response: z.strictObject({
    ok: z.boolean(),
    steps: z.array(z.strictObject({ name: z.string(), ok: z.boolean(), detail: z.string() })),
  }),
});

export const providerHealth = endpoint({
  method: 'GET',
  path: '/providers/:id/health',
  permission: 'providers:read',
  summary: 'How an account has been doing in the last hour',
  tag,
  params: idParams,
  status: 200,
  response: z.strictObject({
    state: z.enum(['idle', 'ok', 'degraded', 'down', 'paused']),
    accepted: z.int().nonnegative(),
    failed: z.int().nonnegative(),
    unknown: z.int().nonnegative(),
    lastAcceptedAt: time.nullable(),
    lastFailureAt: time.nullable(),
    lastFailure: z.string().nullable(),
  }),
});

export const providerReadiness = endpoint({
  method: 'GET',
  path: '/providers/:id/readiness',
  permission: 'providers:read',
  summary: 'What a mailbox provider would object to, and how to put it right',
  tag,
  params: idParams,
  status: 200,
  response: readiness,
});

const channelParams = z.strictObject({ channel });
export const channelRoute = z.strictObject({ channel, accountIds: z.array(id), updatedAt: time.nullable() });

export const getRoute = endpoint({
  method: 'GET',
  path: '/routes/:channel',
  permission: 'providers:read',
  summary: 'Which account a channel sends through first, and the order of failover',
  tag,
  params: channelParams,
  status: 200,
  response: channelRoute,
});

export const putRoute = endpoint({
  method: 'PUT',
  path: '/routes/:channel',
  permission: 'providers:write',
  summary: 'Set the order of the accounts of a channel',
  tag,
  params: channelParams,
  body: z.strictObject({ accountIds: z.array(id).max(20) }),
  status: 200,
  response: channelRoute,
});

export const providerEndpoints = [
  listProviders,
  listProviderKinds,
  createProvider,
  getProvider,
  updateProvider,
  deleteProvider,
  testProvider,
  providerHealth,
  providerReadiness,
  getRoute,
  putRoute,
] as const;
