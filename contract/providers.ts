import { z } from 'zod';
import { readiness } from './actor.ts';
import { channel, endpoint, id, idParams, line, page, pageQuery, revision, time } from './endpoint.ts';
import { email, mailbox, mailboxGiven } from './mailbox.ts';

const tag = 'Channels';

const most = z.int().min(1).max(1_000_000_000);
export const limits = z.strictObject({
  perSecond: most.optional(),
  perMinute: most.optional(),
  perHour: most.optional(),
  perDay: most.optional(),
  perRecipientPerDay: most.optional(),
});

/** From and Reply-To of an account, used unless a campaign names its own. */
export const senderGiven = z.strictObject({ from: mailboxGiven, replyTo: email.nullable().optional() });
export const sender = z.strictObject({ from: mailbox.nullable(), replyTo: z.string().nullable() });

/** Write-only: sealed, never answered; `secretsSet` says which exist. Left out in a change, they stay. */
const smtpSecrets = {
  password: z.string().min(1).max(1000).optional(),
  dkimPrivateKey: z.string().min(1).max(10_000).optional(),
};
const smtpOpen = {
  host: line(253),
  port: z.int().min(1).max(65_535),
  /**
   * `tls`: from the first byte; `starttls`: required before anything else; `opportunistic`: if the server offers it, and
   * no password without it; `none`: only to hosts you trust.
   */
  security: z.enum(['tls', 'starttls', 'opportunistic', 'none']),
  username: line(320).nullable(),
  maxConnections: z.int().min(1).max(100),
  dkim: z.strictObject({ domain: line(253), selector: line(63) }).nullable(),
};
export const smtpSettings = z.strictObject({
  host: smtpOpen.host,
  port: smtpOpen.port.default(587),
  security: smtpOpen.security.default('starttls'),
  username: smtpOpen.username.optional(),
  maxConnections: smtpOpen.maxConnections.default(5),
  dkim: smtpOpen.dkim.optional(),
  ...smtpSecrets,
});
const smtpSettingsPatch = z.strictObject({
  host: smtpOpen.host.optional(),
  port: smtpOpen.port.optional(),
  security: smtpOpen.security.optional(),
  username: smtpOpen.username.optional(),
  maxConnections: smtpOpen.maxConnections.optional(),
  dkim: smtpOpen.dkim.optional(),
  ...smtpSecrets,
});
export const sandboxSettings = z.strictObject({});

const accountContent = { name: line(100), limits: limits.optional(), sender: senderGiven.optional() };

export const account = z.strictObject({
  id,
  channel,
  /** `smtp`, `sandbox`, `sendgrid`, `twilio`, …: which vendor, and so which settings. */
  kind: z.string(),
  name: z.string(),
  /** As the vendor's own form has them, without secrets. */
  settings: z.object(smtpOpen).partial().catchall(z.unknown()),
  secretsSet: z.array(z.string()),
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
  body: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('smtp'), channel: z.literal('email'), settings: smtpSettings, ...accountContent }),
    z.strictObject({
      kind: z.literal('sandbox'),
      channel: z.literal('email'),
      settings: sandboxSettings,
      ...accountContent,
    }),
  ]),
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
    settings: z.union([smtpSettingsPatch, sandboxSettings]).optional(),
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
  summary: 'Connect, sign in, and (with `to`) send one test mail; answers each step',
  tag,
  params: idParams,
  body: z.strictObject({ to: email.optional() }),
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
