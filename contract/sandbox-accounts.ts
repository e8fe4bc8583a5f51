import { z } from 'zod';
import { channel, endpoint, id } from './endpoint.ts';

const tag = 'Sandbox';

export const listSandboxVendors = endpoint({
  method: 'GET',
  path: '/sandbox/vendors',
  permission: 'sandbox:read',
  summary: 'The vendors that the sandbox plays, and what an account of each would be set to',
  tag,
  status: 200,
  response: z.strictObject({
    data: z.array(
      z.strictObject({
        vendor: z.string(),
        /** Of the account. */
        kind: z.string(),
        channel,
        title: z.string(),
        baseUrl: z.string(),
      }),
    ),
  }),
});

export const createSandboxAccount = endpoint({
  method: 'POST',
  path: '/sandbox/accounts',
  permission: 'providers:write',
  summary: 'Add an account of a vendor that the sandbox plays, ready to send',
  description: 'It is put into the route of its channel when that has none yet.',
  tag,
  body: z.strictObject({ kind: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/) }),
  status: 201,
  response: z.strictObject({ id, kind: z.string(), channel, name: z.string() }),
  idempotent: true,
});

export const sandboxAccountEndpoints = [listSandboxVendors, createSandboxAccount] as const;
